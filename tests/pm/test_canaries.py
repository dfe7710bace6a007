"""A server is held to a run on this machine: `--canary` reads its canaries' scores, or says why there are none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.pm import canaries
from app.pm.canaries import CANARIES, CanariesUnfit
from app.pm.dialogs import as_messages
from tests.pm.stub_servers import Stub, raw_score, rendered, serving, vllm

SCORES = [raw_score(rendered(as_messages(one))) for one in CANARIES]


def record(**values: Any) -> dict[str, Any]:
    """The record of a run on this machine, with what the stub's model would say here."""
    held = {"scorer": "reward", "backend": "transformers", "id": "c" * 32, "model": "a-folder"}
    return {**held, "canaries": canaries.recorded(SCORES)} | values


def run_folder(folder: Path, **values: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(record(**values), indent=1))
    return folder


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(vllm()) as running:
        yield running


def test_a_folder_a_record_and_a_score_file_tell_the_same(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    lines = [{"candor_scores": 1, "run": record()}, {"key": "a", "score": 1.0}, {"end": True}]
    scores = tmp_path / "scores.jsonl"
    scores.write_text("".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines))
    expected = canaries.CanaryScores("c" * 32, "a-folder", tuple(SCORES))
    assert [canaries.read(path) for path in (folder, folder / "run.json", scores)] == [expected] * 3


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"canaries": None, "scorer": "judge"}, "made by the backend transformers as a judge"),
        ({"canaries": None, "backend": "vllm"}, "made by the backend vllm as a reward"),
        ({"canaries": {"hash": "0" * 64, "scores": SCORES}}, "scores of other canaries"),
        ({"canaries": canaries.recorded(SCORES[:-1])}, "scores of other canaries"),
        ({"canaries": canaries.recorded([*SCORES[:-1], float("nan")])}, "scores of other canaries"),
    ],
)
def test_a_run_that_can_vouch_for_nothing_is_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(CanariesUnfit, match=said):
        canaries.read(run_folder(tmp_path / "run", **values))


@pytest.mark.parametrize("content", ["", "no JSON", "[1]", '{"a": 1}', '{"run": 3}'])
def test_what_is_no_run_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(content)
    with pytest.raises(CanariesUnfit, match=r"neither a run\.json nor a score file"):
        canaries.read(file)
    with pytest.raises(CanariesUnfit, match="cannot be read: No such file"):
        canaries.read(tmp_path / "other.jsonl")


def scored(tmp_path: Path, *more: str) -> Result:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a", "prompt": "Is it so?", "response": "No."}\n')
    return CliRunner().invoke(app, ["pm", "score", "--input", str(rows), "-o", str(tmp_path / "served"), *more])


def test_a_run_behind_a_server_says_how_far_it_is_from_the_run_here(stub: Stub, tmp_path: Path) -> None:
    local = run_folder(tmp_path / "local")
    done = scored(tmp_path, "--endpoint", stub.url, "--canary", str(local))
    assert done.exit_code == 0, done.output
    checked = json.loads((tmp_path / "served" / "run.json").read_text())["self_check"]
    assert checked["against_local"] < 1e-6
    assert checked["local_run"] == "c" * 32


def test_a_server_with_other_weights_is_refused_only_when_held_to_a_run(stub: Stub, tmp_path: Path) -> None:
    local = run_folder(tmp_path / "local", canaries=canaries.recorded([-score for score in SCORES]))
    refused = scored(tmp_path, "--endpoint", stub.url, "--canary", str(local))
    assert "not those of the local model a-folder" in str(refused.exception)
    assert not (tmp_path / "served" / "scores.jsonl").exists()
    assert scored(tmp_path, "--endpoint", stub.url).exit_code == 0


@pytest.mark.parametrize("more", [("--model", "oracle"), ("--endpoint", "http://127.0.0.1:9", "--judge")])
def test_a_canary_is_for_a_preference_model_behind_a_server(tmp_path: Path, more: tuple[str, ...]) -> None:
    refused = scored(tmp_path, *more, "--canary", str(tmp_path))
    assert refused.exit_code == 2
    assert "--canary" in refused.output
