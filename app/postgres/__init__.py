"""The life cycle of an embedded PostgreSQL server (Linux and macOS).

Users of the server hold a shared file lock (`hold`). A small supervisor process of its own session is postgres's
parent: it stops postgres when the last user is gone, starts it again when it crashes, and takes it along when it dies.
Users may therefore come, go and be killed in any order. All state is in the cluster's folder:

    start.lock        exclusive, around probe, start and stop
    users.lock        shared by the users; the supervisor takes it exclusively when none is left, and stops
    supervisor.lock   held by the supervisor
    serving.lock      held by the supervisor once it has started the server, so that an earlier one is not believed
    server.lock       inherited by every process that works on the data, so it is free only when none is left
    postgres/         the data
    server.log        what postgres and the supervisor had to say
"""

from app.postgres.cluster import Cluster, Server
from app.postgres.control import Status, remove, status, stop
from app.postgres.errors import (
    PostgresBinariesMissing,
    PostgresInUse,
    PostgresUnavailable,
    PostgresVersionMismatch,
)
from app.postgres.users import hold

__all__ = [
    "Cluster",
    "PostgresBinariesMissing",
    "PostgresInUse",
    "PostgresUnavailable",
    "PostgresVersionMismatch",
    "Server",
    "Status",
    "hold",
    "remove",
    "status",
    "stop",
]
