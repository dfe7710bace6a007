"""Making a cluster's data: under another name first, so that what is found under the right one is whole."""

import os
import secrets
import shutil
from pathlib import Path

from app.postgres import programs
from app.postgres.binaries import Binaries
from app.postgres.cluster import DATABASE, ROLE, Cluster
from app.postgres.errors import PostgresUnavailable, PostgresVersionMismatch
from app.postgres.locks import Lock
from app.postgres.owner import Owner
from app.postgres.shared_dir import shared_dir

SUPERUSER = "postgres"
# The role may read all settings so that a probe can ask the server which data it serves.
_FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB IN ROLE pg_read_all_settings;
CREATE DATABASE {DATABASE} OWNER {ROLE};
"""
_TEMPORARY = Path("/tmp")  # noqa: S108 - only for what was asked to be there


def make_data(cluster: Cluster, owner: Owner, binaries: Binaries, guard: Lock) -> None:
    """Make the data folder if there is none, and see that the binaries fit it."""
    if not os.path.lexists(cluster.pgdata):
        _discard_half_made(cluster)
        place = _make_place(cluster, owner)
        _fill(place, owner, binaries, guard)
        cluster.half_made.rename(cluster.pgdata)
        _sync_folder(cluster.data_dir)
    _check_version(cluster, binaries)


def _discard_half_made(cluster: Cluster) -> None:
    half_made = cluster.half_made
    if half_made.is_symlink():
        shutil.rmtree(half_made.readlink(), ignore_errors=True)
        half_made.unlink()
    elif half_made.exists():
        shutil.rmtree(half_made)


def _make_place(cluster: Cluster, owner: Owner) -> Path:
    """Make the folder for the data: in the cluster's folder, or where the owner can reach it, with a link to it.

    The name of a place elsewhere is new each time: whoever removes the cluster's folder starts with no data, as
    they would where no link is needed.
    """
    here = cluster.half_made
    here.mkdir(mode=0o700)
    owner.give(here)
    if owner.reaches(here):
        return here
    here.rmdir()
    parent = _TEMPORARY if cluster.data_dir.is_relative_to(_TEMPORARY) else shared_dir()
    place = parent / f"{cluster.tag}-{secrets.token_hex(4)}"
    # The link comes first: whatever is interrupted after it can be found and discarded.
    here.symlink_to(place)
    place.mkdir(mode=0o700)
    owner.give(place)
    if not owner.reaches(place):
        raise PostgresUnavailable(f"User {owner.name} reaches neither {cluster.data_dir} nor {place}: open one to them")
    return place


def _fill(place: Path, owner: Owner, binaries: Binaries, guard: Lock) -> None:
    # 17 brought a UTF-8 locale that is the same on every system; before, it is the system's own.
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = [f"--username={SUPERUSER}", "--auth=peer", "--encoding=UTF8", "--lc-messages=C", "--data-checksums"]
    initdb: list[str | Path] = [binaries.bin_dir / "initdb", "-D", place, *options, *locale]
    programs.run(initdb, owner, guard.descriptor)
    single: list[str | Path] = [
        binaries.bin_dir / "postgres",
        "--single",
        "-D",
        place,
        "-c",
        "exit_on_error=true",
        "postgres",
    ]
    programs.run(single, owner, guard.descriptor, _FIRST_STATEMENTS)


def _sync_folder(folder: Path) -> None:
    """Write a folder's names to disk: initdb did so with what is in the files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_version(cluster: Cluster, binaries: Binaries) -> None:
    try:
        made_by = (cluster.pgdata / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise PostgresUnavailable(
            f"{cluster.pgdata} leads to no PostgreSQL data: bring them back, or remove it to start with none"
        ) from error
    if made_by != str(binaries.major):
        raise PostgresVersionMismatch(
            f"The data in {cluster.data_dir} were made by PostgreSQL {made_by}, but {binaries.bin_dir} holds "
            f"{binaries.version}: let CANDOR_PG_BIN name a PostgreSQL {made_by}, or dump with it and restore"
        )
