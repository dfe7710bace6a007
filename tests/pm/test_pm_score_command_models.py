"""`candor pm score` as a process: killed and gone on with, interrupted, refused, fed by standard input."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from app.study.canonical import text_hash
from tests.pm.conftest import ModelFolder
from tests.pm.fake_scorers import pairs

N_PAIRS = 120
ROWS = 3 * N_PAIRS


@pytest.fixture(scope="module")
def pairs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines: list[dict[str, Any]] = [{"candor_pairs": 1, "study": "s", "set_hash": "0" * 64, "n": N_PAIRS}]
    for one in pairs(N_PAIRS).listed:
        texts = {kind: {"text": text, "text_hash": text_hash(text)} for kind, text in one.responses.items()}
        prompt = {"prompt": one.prompt[0].content, "prompt_hash": one.prompt_hash}
        lines.append({"key": one.key, "level": 1, **prompt, "responses": texts})
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


def command(model: str, file: Path | str, output: Path, *more: str) -> list[str]:
    options = ["--input", str(file), "--model", model, "-o", str(output), "--device", "cpu", "--threads", "1"]
    return [sys.executable, "-m", "tests.pm.score_command", *options, "--batch", "9", *more]


def run(given: Sequence[str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(given, check=False, capture_output=True, text=True, timeout=120, **more)


def signalled(given: Sequence[str], output: Path, sent: int) -> tuple[int, str, list[Path]]:
    """Start a command, send a signal once three shards are finished; return how it ended and those shards."""
    process = subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(list((output / "shards").glob("*.jsonl"))) >= 3, process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors, sorted((output / "shards").glob("*.jsonl"))


def wait_for(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 90
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def rows(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "scores.jsonl").read_text().splitlines()[1:-1]]


@pytest.fixture(scope="module")
def whole(model_folder: ModelFolder, pairs_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    output = tmp_path_factory.mktemp("whole")
    done = run(command(model_folder("llama"), pairs_file, output, "--json"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["rows"] == ROWS
    return output


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_and_gone_on_with_it_gives_equal_scores(
    model_folder: ModelFolder, pairs_file: Path, whole: Path, tmp_path: Path, sent: int, code: int
) -> None:
    given = command(model_folder("llama"), pairs_file, tmp_path)
    ended, errors, finished = signalled(given, tmp_path, sent)
    assert ended == code
    assert 3 <= len(finished) < ROWS / 9
    assert not (tmp_path / "scores.jsonl").exists()
    if sent == signal.SIGINT:
        assert f"Stopped: {9 * len(finished)} rows are finished" in errors
        assert "go on with the same command" in errors
        assert "Traceback" not in errors
    before = {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in finished}
    done = run(given)
    assert done.returncode == 0, done.stderr
    assert f"Scored {ROWS} rows, {9 * len(finished)} of them finished before" in done.stdout
    assert {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in finished} == before
    assert rows(tmp_path) == rows(whole)


def test_the_closing_lines_count_ties_both_ways(model_folder: ModelFolder, pairs_file: Path, whole: Path) -> None:
    done = run(command(model_folder("llama"), pairs_file, whole))
    assert f"Scored {ROWS} rows, {ROWS} of them finished before" in done.stdout
    for kind in ("helpful", "baseline"):
        assert f"standard, against the {kind} truthful response: the sycophantic one preferred in " in done.stdout
    assert done.stdout.count("ties left out; in ") == 2
    assert done.stdout.count("near-ties (within ±") == 2


def test_rows_from_standard_input_under_two_variants(model_folder: ModelFolder, tmp_path: Path) -> None:
    lines = "".join(f'{{"id": {n}, "prompt": "is it {n}?", "response": "yes"}}\n' for n in range(5))
    both = ("--variant", "standard", "--variant", "non-sycophantic")
    done = run(command(model_folder("gpt2"), "-", tmp_path, *both), input=lines)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path)
    assert [(row["key"], row["variant"]) for row in found[:3]] == [
        ("0", "standard"),
        ("0", "non-sycophantic"),
        ("1", "standard"),
    ]
    assert len({row["score"] for row in found}) == 10


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--kinds", "sycophantic"), "begun otherwise (plan: "),
        (("--no-resume",), "holds a run already"),
        (("--variant", "kind"), "there is no variant 'kind'"),
        (("--device", "cuda:7"), "there is no device cuda:7"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    model_folder: ModelFolder, pairs_file: Path, whole: Path, more: tuple[str, ...], said: str
) -> None:
    done = run(command(model_folder("llama"), pairs_file, whole, *more))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_random_head_is_refused_unless_allowed_and_then_said(
    model_folder: ModelFolder, pairs_file: Path, tmp_path: Path
) -> None:
    given = command(model_folder("qwen3", "judge"), pairs_file, tmp_path)
    refused = run(given)
    assert refused.returncode == 1
    assert "score.weight" in refused.stderr
    allowed = run([*given, "--allow-random-weights"])
    assert "The weights are random, made for a test" in allowed.stdout
    assert json.loads((tmp_path / "run.json").read_text())["random_weights"] is True


def test_nothing_needs_a_terminal(model_folder: ModelFolder, pairs_file: Path, tmp_path: Path) -> None:
    done = run(command("oracle", pairs_file, tmp_path), env={**os.environ, "TERM": "dumb"})
    assert done.returncode == 0, done.stderr
    assert "preferred in 0.0 % of 120 pairs" in done.stdout
