"""The operating-system user that postgres runs as."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.postgres.cluster import Cluster
from app.postgres.errors import PostgresUnavailable


@dataclass(frozen=True)
class Owner:
    """The user that owns the data and runs postgres: ourselves, or another one when we are root."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether privileges must be dropped to become this user."""
        return self.uid != os.geteuid()

    def give(self, folder: Path) -> None:
        """Make this user the owner of a folder that we have just made."""
        if self.is_other:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, folder: Path, *keep_open: int) -> bool:
        """Tell whether this user can work in a folder: asked of the system as that user, so every rule counts."""
        return self.shell('test -w "$1" && test -x "$1"', folder, *keep_open)

    def write(self, path: Path, text: str, *keep_open: int) -> None:
        """Write a file as this user, so that a link planted in their folder gains nothing from our rights."""
        if not self.shell('umask 077; cat > "$1"', path, *keep_open, text=text):
            raise PostgresUnavailable(f"User {self.name} cannot write {path.name} beside the data: is the disk full?")

    def shell(self, script: str, path: Path, *keep_open: int, text: str = "") -> bool:
        """Run a line of shell on a path as this user, with some descriptors open; tell whether it went well."""
        done = subprocess.run(  # noqa: S603 - the script is a literal of this package, and the path is its argument
            ["/bin/sh", "-c", script, "sh", str(path)],
            input=text.encode(),
            cwd="/",
            pass_fds=keep_open,
            stderr=subprocess.DEVNULL,
            check=False,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )
        return done.returncode == 0


def owner_of(cluster: Cluster) -> Owner:
    """Return who runs, or is to run, a cluster's server. PostgreSQL refuses to run as root."""
    uid = _data_uid(cluster)
    if uid is None:
        return _default_owner()
    if uid != os.geteuid() and (os.geteuid() != 0 or uid == 0):
        raise PostgresUnavailable(
            f"The data in {cluster.pgdata} belong to user id {uid}: run this as that user, or choose another folder"
        )
    return _named(uid)


def _data_uid(cluster: Cluster) -> int | None:
    try:
        return cluster.pgdata.stat().st_uid
    except FileNotFoundError:
        return None


def _default_owner() -> Owner:
    if os.geteuid() != 0:
        return _named(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return _named(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    raise PostgresUnavailable("PostgreSQL does not run as root, and there is no user postgres or nobody: run as a user")


def _named(uid: int) -> Owner:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise PostgresUnavailable(f"User id {uid} has no name here, and PostgreSQL needs one: add the user") from error
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)
