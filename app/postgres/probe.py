"""Asking the server whether it serves this cluster's data."""

from app.postgres import locks
from app.postgres.cluster import Server
from app.postgres.errors import PostgresUnavailable

_CONNECT_TIMEOUT_S = 10


def answers(server: Server) -> bool:
    """Tell whether the server accepts connections. Only a real one proves it.

    It must be the one that the present supervisor started: another is about to end, for want of a supervisor or
    because its folder, of the same name, was removed.
    """
    if not (server.socket.exists() and locks.is_held(server.cluster.serving_lock)):
        return False
    name = _shown_name(server)
    if name is None:
        return False
    if name != server.cluster.tag:
        raise PostgresUnavailable(f"{server.socket} is the socket of another server, named '{name}': stop it")
    return True


def _shown_name(server: Server) -> str | None:
    """Return the cluster's name of the server that answers; nothing if none does, or not yet, or not any more."""
    # Imported late: it takes most of the time that the supervisor and a cold start have to spare.
    from psycopg import OperationalError, connect, pq  # noqa: PLC0415

    refusal = ""
    # A server that starts between a failed attempt and the ping is given a second attempt.
    for _ in range(2):
        try:
            with connect(server.conninfo, connect_timeout=_CONNECT_TIMEOUT_S, autocommit=True) as connection:
                row = connection.execute("SHOW cluster_name").fetchone()
                assert row is not None
                return str(row[0])
        except OperationalError as error:
            refusal = str(error).strip()
        if pq.PGconn.ping(server.conninfo.encode()) != pq.Ping.OK:
            return None
    raise PostgresUnavailable(f"The server at {server.socket} refuses us: {refusal}")
