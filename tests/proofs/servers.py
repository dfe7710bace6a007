"""Server processes of the real application on one listening socket, killed and started again one by one."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Servers:
    """So many processes, as behind a balancer. The socket is ours, so a killed one takes its own connections alone.

    What arrives while none is ready waits in the socket's queue, so nobody needs to wait for a start.
    """

    def __init__(self, database_url: str, n: int, log: Path) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._environment = os.environ | {"CANDOR_DATABASE_URL": database_url}
        self._log = log
        self._processes = [self._start() for _ in range(n)]
        self.n_kills = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _start(self) -> subprocess.Popen[bytes]:
        listening = str(self._socket.fileno())
        command = [sys.executable, "-m", "uvicorn", "app.main:from_environment", "--factory", "--fd", listening]
        command += ["--log-level", "error", "--no-access-log", "--no-server-header", "--no-date-header"]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, env=self._environment, pass_fds=[self._socket.fileno()], stdout=log, stderr=log
            )

    def kill(self, number: int) -> None:
        """Kill -9 one process, and start another in its place."""
        self._end(self._processes[number])
        self._processes[number] = self._start()
        self.n_kills += 1

    def kill_all(self) -> None:
        """Kill -9 every process before another is started."""
        self._end(*self._processes)
        self._processes = [self._start() for _ in self._processes]
        self.n_kills += len(self._processes)

    @staticmethod
    def _end(*processes: subprocess.Popen[bytes]) -> None:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()

    def close(self) -> None:
        self._end(*self._processes)
        self._socket.close()


@contextmanager
def serving(database_url: str, n: int, log: Path) -> Iterator[Servers]:
    """Serve a database with so many processes for as long as the block lasts."""
    servers = Servers(database_url, n, log)
    try:
        yield servers
    finally:
        servers.close()
