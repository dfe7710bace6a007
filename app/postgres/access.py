"""Who may connect: the operating-system user that uses the cluster, over the Unix socket, and nobody else."""

import os
import pwd
import shutil
from pathlib import Path

from app.postgres.cluster import ROLE, Cluster
from app.postgres.creation import SUPERUSER
from app.postgres.data_folder import DataFolder
from app.postgres.errors import PostgresUnavailable
from app.postgres.owner import Owner

_RULES = "local all all peer map=candor\n"


def write_rules(cluster: Cluster, owner: Owner, folder: DataFolder) -> None:
    """Let the system vouch for the client: root stays root and need not become the user that postgres runs as."""
    client = pwd.getpwuid(os.geteuid()).pw_name
    users = "".join(f'candor "{client}" {role}\n' for role in (ROLE, SUPERUSER))
    for name, text in (("pg_hba.conf", _RULES), ("pg_ident.conf", users)):
        path = cluster.pgdata / name
        # Not rewritten without need: on a full disk that would leave an empty file.
        if not path.exists() or path.read_text() != text:
            owner.write(folder.path / name, text, folder.descriptor)


def make_socket_dir(cluster: Cluster, owner: Owner) -> None:
    """Make the socket's folder anew, without what a dead server left in it."""
    remove_socket_dir(cluster, owner)
    cluster.socket_dir.mkdir(mode=0o700)
    owner.give(cluster.socket_dir)


def remove_socket_dir(cluster: Cluster, owner: Owner) -> None:
    """Remove the socket's folder, if it is ours to remove."""
    folder: Path = cluster.socket_dir
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or folder.stat().st_uid not in {owner.uid, os.geteuid()}:
        raise PostgresUnavailable(f"{folder} belongs to someone else: remove it, it is needed for the socket")
    shutil.rmtree(folder)
