"""Nobody but the user of the cluster gets at the server."""

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.postgres import Cluster, PostgresUnavailable, Server, hold, locks
from app.postgres.owner import owner_of
from tests.postgres.processes import server_processes, wait_until

pytestmark = pytest.mark.processes

AS_ROOT = os.geteuid() == 0


def as_user(name: str, act: Callable[[], str]) -> str:
    """Let another user do something, and return what they have to tell. The interpreter may be closed to them."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        entry = pwd.getpwnam(name)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        try:
            os.write(writing, act().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.wait()
    with os.fdopen(reading) as told:
        return told.read()


def connect(server: Server, role: str) -> str:
    """Try to connect, and return how it went."""
    try:
        with psycopg.connect(server.conninfo, user=role):
            return "connected"
    except psycopg.OperationalError as error:
        return str(error)


def test_a_role_that_is_not_the_clients_is_refused(cluster: Cluster) -> None:
    with hold(cluster) as server:
        with psycopg.connect(server.conninfo, user="postgres", autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS somebody")
            connection.execute("CREATE ROLE somebody LOGIN SUPERUSER")
        assert "Peer authentication failed" in connect(server, "somebody")
        assert connect(server, "candor") == "connected"


def test_the_socket_lies_in_a_private_folder(cluster: Cluster) -> None:
    with hold(cluster):
        about = cluster.socket_dir.stat()
        assert about.st_mode & 0o777 == 0o700
        assert about.st_uid == owner_of(cluster).uid
        assert len(str(cluster.socket_dir / ".s.PGSQL.5432")) <= 107


@pytest.mark.skipif(not AS_ROOT, reason="only root can act for another user; the two tests above cover both layers")
@pytest.mark.parametrize("role", ["candor", "postgres"])
def test_another_local_user_cannot_connect(cluster: Cluster, role: str) -> None:
    with hold(cluster) as server:
        assert "ermission denied" in as_user("daemon", lambda: connect(server, role))
        # Were the folder open, or for the user that postgres runs as, the system vouches for the wrong user.
        assert "Peer authentication failed" in as_user(owner_of(cluster).name, lambda: connect(server, role))
        cluster.socket_dir.chmod(0o755)
        server.socket.chmod(0o777)
        assert "Peer authentication failed" in as_user("daemon", lambda: connect(server, role))


@pytest.mark.skipif(not AS_ROOT, reason="only root can act for another user")
def test_another_local_user_cannot_pretend_to_be_the_server(cluster: Cluster) -> None:
    pretender = subprocess.Popen(
        ["bash", "-c", 'exec -a "postgres: $0: walwriter" sleep 60', cluster.tag], cwd="/", user="daemon"
    )
    try:
        wait_until(lambda: pretender.pid in server_processes(cluster))
        with hold(cluster) as server:
            assert connect(server, "candor") == "connected"
        assert pretender.poll() is None
    finally:
        pretender.kill()
        pretender.wait()


def test_a_socket_folder_of_someone_else_is_not_used(cluster: Cluster, folder: Path) -> None:
    target = folder / "trap"
    target.mkdir()
    cluster.socket_dir.symlink_to(target)
    try:
        with pytest.raises(PostgresUnavailable, match="belongs to someone else"), hold(cluster):
            pass
        assert target.exists()
    finally:
        cluster.socket_dir.unlink()


def test_a_server_of_another_user_is_refused_by_the_client(cluster: Cluster) -> None:
    with hold(cluster) as server:
        assert "requirepeer" in connect(Server(cluster, "somebody-else"), "candor")
        assert "requirepeer" in Server(cluster, "somebody-else").sqlalchemy_url
        assert connect(server, "candor") == "connected"


def test_another_clusters_server_is_not_taken_for_ours(cluster: Cluster, folder: Path) -> None:
    other = Cluster(folder / "other")
    other.data_dir.mkdir()
    with hold(cluster), locks.acquire(other.serving_lock, timeout_s=1):
        other.socket_dir.symlink_to(cluster.socket_dir)
        try:
            with pytest.raises(PostgresUnavailable, match="is the socket of another server"), hold(other):
                pass
        finally:
            other.socket_dir.unlink()


def test_a_folder_that_everybody_may_change_is_refused(folder: Path) -> None:
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(PostgresUnavailable, match="Everybody may write"), hold(Cluster(shared)):
        pass


def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    """A user does not use root's folder, nor root a user's, whose owner could swap what is in it."""
    others = folder / "others"
    if AS_ROOT:
        others.mkdir()
        os.chown(others, pwd.getpwnam("daemon").pw_uid, -1)
    else:
        others.symlink_to("/usr")
    with pytest.raises(PostgresUnavailable, match="belongs to user id"), hold(Cluster(others)):
        pass
