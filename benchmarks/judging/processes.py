"""Server processes under measurement, and what they cost: CPU seconds and resident memory from /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(application: str, workers: int, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run an application under uvicorn and give its port and its process id."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--workers", str(workers)]
    command += ["--log-level", "error", "--no-access-log", "--no-server-header", "--no-date-header"]
    if application.endswith("from_environment"):
        command.append("--factory")
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        _wait(port, process)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        time.sleep(0.1)
    raise SystemExit("the server did not answer")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rsplit(") ", 1)[1].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue += parents.get(current, [])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes and of their children that have ended."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICKS


def memory_mib(pids: list[int]) -> float:
    """Resident memory of processes, shared pages counted in each."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return total / 2**20
