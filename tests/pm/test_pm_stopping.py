"""Stopping a run: Ctrl-C ends it at once whatever a server wants, and no process outlives the one that began it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pm.stub_servers import Stub, serving, vllm

SECONDS = 20.0
"""How long a run may go on after it was stopped."""
PARENT = """
import sys
from pathlib import Path
from app.pm.processes import score_in_processes
from app.pm.records import RunSettings
from app.pm.variants import STANDARD
from tests.pm.fake_scorers import pairs
from tests.pm.slow_scorer import MakeSlow

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    score_in_processes(pairs(400), MakeSlow(folder, 2), (STANDARD,), folder, settings=RunSettings(200, 3))
"""


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)


def shards(output: Path) -> list[Path]:
    return sorted((output / "shards").glob("shard-*.jsonl"))


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(vllm()) as running:
        yield running


@pytest.mark.parametrize("silent", [False, True], ids=["busy", "silent"])
def test_ctrl_c_ends_a_run_whose_server_lets_it_wait(stub: Stub, tmp_path: Path, silent: bool) -> None:
    """The server is busy for a minute, or takes what it is asked and says nothing: the tokens are waited for too."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": n, "prompt": f"Q {n}", "response": "yes"}) + "\n" for n in range(4000)))
    output = tmp_path / "run"
    given = ["--input", str(rows), "--endpoint", stub.url, "--batch", "20", "-o", str(output)]
    command = [sys.executable, "-m", "tests.pm.score_command", *given]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: len(shards(output)) >= 2 or process.poll() is not None)
            if silent:
                stub.answers |= dict.fromkeys(("/tokenize", "/classify"), hold)
            else:
                stub.refusals = [(503, {"Retry-After": "60"})] * 100_000
            n = len(stub.asked)
            wait_for(lambda: len(stub.asked) > n + 2)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert f"Stopped: {20 * len(shards(output))} rows are finished" in errors
    assert "Traceback" not in errors


def hold(_: dict[str, Any]) -> dict[str, Any]:
    """Answer when nobody waits any more."""
    time.sleep(60)
    return {}


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    output = tmp_path / "run"
    given = [sys.executable, str(program), str(output)]
    with subprocess.Popen(given, env={**os.environ, "PYTHONPATH": str(Path.cwd())}) as parent:
        try:
            # Process 0 takes the even shards, process 1 the odd ones: both are at work.
            wait_for(
                lambda: {int(file.stem[-5:]) % 2 for file in shards(output)} == {0, 1} or parent.poll() is not None
            )
        finally:
            parent.kill()
    workers = [int(file.name.removeprefix("worker-")) for file in output.glob("worker-*")]
    assert len(workers) == 2
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), SECONDS)
    finished = len(shards(output))
    assert finished < 100
    time.sleep(0.5)
    assert len(shards(output)) == finished
