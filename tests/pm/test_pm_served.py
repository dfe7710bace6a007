"""`candor pm score --endpoint`: what its options do, and what it says at the end."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.study.canonical import text_hash
from tests.pm.fake_scorers import pairs
from tests.pm.stub_servers import Stub, chat, serving, vllm

N_PAIRS = 3


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    lines: list[dict[str, Any]] = [{"candor_pairs": 1, "study": "s", "set_hash": "0" * 64, "n": N_PAIRS}]
    for one in pairs(N_PAIRS).listed:
        texts = {kind: {"text": text, "text_hash": text_hash(text)} for kind, text in one.responses.items()}
        prompt = {"prompt": one.prompt[0].content, "prompt_hash": one.prompt_hash}
        lines.append({"key": one.key, "level": 1, **prompt, "responses": texts})
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


def names_a(_: str) -> dict[str, float]:
    return {"A": math.log(0.9), **{f"word {n}": -6 - n / 10 for n in range(25)}}


@pytest.fixture
def judge() -> Iterator[Stub]:
    with serving(chat(names_a)) as running:
        yield running


def scored(file: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["pm", "score", "--input", str(file), "-o", str(file.parent / "run"), *more])


@pytest.mark.parametrize("given", [("--max-tokens", "50"), ("--truncate",)])
def test_what_needs_tokens_is_refused_where_none_are_known(judge: Stub, pairs_file: Path, given: tuple[str]) -> None:
    refused = scored(pairs_file, "--endpoint", f"{judge.url}/v1", "--model", "m", "--judge", *given)
    assert refused.exit_code == 2
    assert given[0] in refused.output
    assert not judge.asked


def test_the_longest_dialog_of_a_preference_model_behind_a_server(pairs_file: Path) -> None:
    with serving(vllm()) as stub:
        refused = scored(pairs_file, "--endpoint", stub.url, "--max-tokens", "50")
        assert "tokens, the model reads 50; leave it out" in str(refused.exception)
        assert scored(pairs_file, "--endpoint", stub.url, "--max-tokens", "50", "--truncate").exit_code == 1
        whole = scored(pairs_file, "--endpoint", stub.url, "--max-tokens", "4000", "-o", f"{pairs_file.parent}/other")
        assert whole.exit_code == 0, whole.output


def test_rows_whose_answer_was_not_listed_are_told_at_the_end(judge: Stub, pairs_file: Path) -> None:
    given = ("--endpoint", f"{judge.url}/v1", "--model", "m", "--judge")
    done = scored(pairs_file, *given)
    assert done.exit_code == 0, done.output
    assert f"In {4 * N_PAIRS} rows the endpoint did not list both A and B" in " ".join(done.output.split())
    assert json.loads(scored(pairs_file, *given, "--json").stdout)["summary"]["unlisted"] == 4 * N_PAIRS
