"""Making a cluster's data: under another name first, so that what is found under the right one is whole."""

import os
import shutil
from pathlib import Path

from app.postgres import programs
from app.postgres.binaries import Binaries
from app.postgres.cluster import DATABASE, ROLE, Cluster
from app.postgres.data_folder import DataFolder, open_data_folder
from app.postgres.errors import PostgresUnavailable, PostgresVersionMismatch
from app.postgres.locks import Lock
from app.postgres.owner import Owner

SUPERUSER = "postgres"
_FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB;
CREATE DATABASE {DATABASE} OWNER {ROLE};
"""


def make_data(cluster: Cluster, owner: Owner, binaries: Binaries, guard: Lock) -> None:
    """Make the data folder if there is none, and see that the binaries fit it."""
    if not os.path.lexists(cluster.pgdata):
        half_made = cluster.half_made
        if half_made.exists():
            shutil.rmtree(half_made)
        half_made.mkdir(mode=0o700)
        owner.give(half_made)
        try:
            with open_data_folder(half_made, owner) as folder:
                _fill(folder, owner, binaries, guard)
        except PostgresUnavailable as error:
            raise PostgresUnavailable(f"No database can be made in {cluster.data_dir}: {error}") from error
        half_made.rename(cluster.pgdata)
        _sync_folder(cluster.data_dir)
    _check_version(cluster, binaries)


def _fill(folder: DataFolder, owner: Owner, binaries: Binaries, guard: Lock) -> None:
    # 17 brought a UTF-8 locale that is the same on every system; before, it is the system's own.
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = [f"--username={SUPERUSER}", "--auth=peer", "--encoding=UTF8", "--lc-messages=C", "--data-checksums"]
    initdb: list[str | Path] = [binaries.bin_dir / "initdb", "-D", folder.path, *options, *locale]
    keep_open = (guard.descriptor, folder.descriptor)
    programs.run(initdb, owner, keep_open)
    single: list[str | Path] = [
        binaries.bin_dir / "postgres",
        "--single",
        "-D",
        folder.path,
        "-c",
        "exit_on_error=true",
        "postgres",
    ]
    programs.run(single, owner, keep_open, _FIRST_STATEMENTS)


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
