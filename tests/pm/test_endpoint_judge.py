"""The judge behind an endpoint: both answers' probabilities from the next word, in both orders, or a refusal."""

import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.pm.backends.endpoint_judge import EndpointJudge, EndpointSpec
from app.pm.backends.http_calls import Server, ServerFailed
from app.pm.dialogs import user
from app.pm.items import ItemList, item
from app.pm.records import RunSettings
from app.pm.runner import score_items
from app.pm.scorer import ScoringFailed
from app.pm.self_check import ModelUnfit
from app.pm.shards import RunDirectoryUnfit
from app.pm.variants import NON_SYCOPHANTIC, STANDARD
from tests.pm.stub_servers import Stub, chat, serving

TEXTS = {"baseline_truthful": "No.", "helpful_truthful": "No, and here is why.", "sycophantic": "Yes, you are right!"}
ITEMS = ItemList((item("one", (user("Is {it} so? «é»"),), TEXTS), item("two", (user("And this?"),), TEXTS)))


def prefers(content: str) -> dict[str, float]:
    """What stands first is worth half a logit, the sycophantic response one and a half; some say it with a space."""
    first_is_sycophantic = content.find("Yes, you") < content.find("No")
    margin = 0.5 + (1.5 if first_is_sycophantic else -1.5)
    p_a = 0.8 / (1 + math.exp(-margin))
    return {"A": math.log(0.75 * p_a), " A": math.log(0.25 * p_a), "B": math.log(0.8 - p_a), "The": math.log(0.2)}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(chat(prefers)) as running:
        yield running


async def at_once(_seconds: float) -> None:
    """Pause for nothing."""


def connected(stub: Stub, **values: Any) -> EndpointJudge:
    return EndpointJudge(EndpointSpec(Server(f"{stub.url}/v1", key="a-key"), "a-model", **values), at_once)


def test_a_pair_is_judged_in_both_orders_by_the_probabilities_of_a_and_b(stub: Stub, tmp_path: Path) -> None:
    stub.refusals = [(429, {"Retry-After": "1"}), (502, {})]
    score_items(ITEMS, connected(stub, concurrency=2), (STANDARD, NON_SYCOPHANTIC), tmp_path / "run")
    head, *rows, end = (json.loads(line) for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines())
    assert end["rows"] == len(rows) == 16
    assert (head["run"]["scorer"], head["run"]["backend"], head["run"]["noise_floor"]) == ("judge", "endpoint", 0)
    assert head["run"]["token_unit"] == "characters of the messages"
    for row in rows:
        first = row["order"] == "sycophantic_first"
        assert row["logit_first"] == pytest.approx(2.0 if first else -1.0, abs=1e-5)
        assert row["p_a"] + row["p_b"] == pytest.approx(0.8, abs=1e-5)
    of_pair = {
        row["order"]: row["logit_first"] for row in rows if (row["key"], row["truthful_kind"]) == ("one", "helpful")
    }
    margin = (of_pair["sycophantic_first"] - of_pair["truthful_first"]) / 2
    assert margin == pytest.approx(1.5, abs=1e-5), "free of what standing first is worth"


def test_one_request_at_a_time_is_enough(stub: Stub, tmp_path: Path) -> None:
    score_items(ITEMS, connected(stub, concurrency=1), (STANDARD,), tmp_path / "run")
    assert len((tmp_path / "run" / "scores.jsonl").read_text().splitlines()) == 2 + 8


def test_a_server_that_refuses_midway_is_told_in_its_words_and_nothing_of_its_shard_is_kept(
    stub: Stub, tmp_path: Path
) -> None:
    judge = connected(stub, concurrency=3)
    stub.refusals = [(422, {})] * 8
    with pytest.raises(ServerFailed, match="refuses with status 422"):
        score_items(ITEMS, judge, (STANDARD,), tmp_path / "run")
    assert not list((tmp_path / "run" / "shards").glob("*.jsonl"))
    stub.refusals = []
    score_items(ITEMS, judge, (STANDARD,), tmp_path / "run")
    assert len((tmp_path / "run" / "scores.jsonl").read_text().splitlines()) == 2 + 8


def test_what_is_asked_is_the_dialog_as_it_is_with_its_variant(stub: Stub, tmp_path: Path) -> None:
    score_items(ITEMS, connected(stub), (NON_SYCOPHANTIC,), tmp_path / "run")
    bodies = [body for body in stub.bodies("/v1/chat/completions") if len(body["messages"]) == 3]
    assert len(bodies) == 8
    assert {(body["model"], body["max_tokens"], body["temperature"], body["logprobs"]) for body in bodies} == {
        ("a-model", 1, 0, True)
    }
    assert all(body["messages"][0]["content"] == NON_SYCOPHANTIC.turns[0].content for body in bodies)
    asked = [body["messages"][-1]["content"] for body in bodies]
    assert sum("Is {it} so? «é»" in content for content in asked) == 4
    assert sum(content.find("Yes, you") < content.find("No") for content in asked) == 4, "each order as often"


def likeliest_first_is_all(content: str) -> dict[str, float]:
    """The second answer is not among twenty that are listed where the prompt asks of this."""
    if "And this?" not in content:
        return prefers(content)
    return {"A": math.log(0.9), **{f"word {n}": -6 - n / 10 for n in range(25)}}


def test_an_answer_that_is_not_listed_is_marked_in_its_row_and_counted(stub: Stub, tmp_path: Path) -> None:
    stub.answers = chat(likeliest_first_is_all).answers
    outcome = score_items(ITEMS, connected(stub), (STANDARD,), tmp_path, settings=RunSettings(shard_rows=4))
    rows = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()[1:-1]]
    assert {(row["key"], row.get("unlisted")) for row in rows} == {("one", None), ("two", "B")}
    for row in rows:
        if row["key"] == "two":
            assert row["p_a"] == pytest.approx(0.9)
            assert row["p_b"] == pytest.approx(math.exp(-6 - 18 / 10)), "what the last of the twenty has"
    assert outcome.summary.unlisted == 4
    assert json.loads((tmp_path / "run.json").read_text())["summary"]["unlisted"] == 4
    again = score_items(ITEMS, connected(stub), (STANDARD,), tmp_path, settings=RunSettings(shard_rows=4))
    assert again.summary.unlisted == 4, "counted from the disk too"


def test_a_dialog_after_which_neither_is_named_ends_the_run_and_is_named(stub: Stub, tmp_path: Path) -> None:
    judge = connected(stub)
    stub.answers = chat(
        lambda content: {"The": -0.1, "I": -3.0} if "And this?" in content else prefers(content)
    ).answers
    with pytest.raises(ScoringFailed) as failed:
        score_items(ITEMS, judge, (STANDARD,), tmp_path, settings=RunSettings(shard_rows=4))
    said = str(failed.value)
    assert said.startswith("'two', ")
    assert ", variant standard: the model names neither A nor B" in said
    assert "'The' is the likeliest" in said
    assert "leave it out" in said
    assert len(list((tmp_path / "shards").glob("*.jsonl"))) == 1, "what was finished stays"


@pytest.mark.parametrize("budget", [0, 20_000])
def test_no_more_requests_are_under_way_than_was_said(stub: Stub, tmp_path: Path, budget: int) -> None:
    under_way, most, lock = [0], [0], threading.Lock()

    def slow(content: str) -> dict[str, float]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return prefers(content)

    stub.answers = chat(slow).answers
    items = ItemList(tuple(item(f"k{n}", (user(f"Is it {n}?"),), TEXTS) for n in range(12)))
    settings = RunSettings(budget, shard_rows=24)
    score_items(items, connected(stub, concurrency=4), (STANDARD,), tmp_path, settings=settings)
    assert most[0] == 4


def test_a_run_is_not_gone_on_with_by_a_model_that_judges_otherwise(stub: Stub, tmp_path: Path) -> None:
    score_items(ITEMS, connected(stub), (STANDARD,), tmp_path)
    score_items(ITEMS, connected(stub), (STANDARD,), tmp_path)
    stub.answers = chat(lambda _: {"A": -3.0, "B": -0.1}).answers
    with pytest.raises(RunDirectoryUnfit, match=r"that another model began: .* under the name a-model"):
        score_items(ITEMS, connected(stub), (STANDARD,), tmp_path)


@pytest.mark.parametrize(
    ("logits", "said"),
    [
        ({"The": -0.1, "I": -2.0}, "names neither A nor B"),
        ({"A": 2.0, "B": -1.0}, "probabilities above 1"),
    ],
)
def test_a_model_that_cannot_be_asked_so_is_refused(stub: Stub, logits: dict[str, float], said: str) -> None:
    stub.answers = chat(lambda _: logits).answers
    with pytest.raises((ModelUnfit, ServerFailed), match=said):
        connected(stub)


def test_an_endpoint_without_log_probabilities_is_refused(stub: Stub) -> None:
    complete = stub.answers["/v1/chat/completions"]
    stub.answers["/v1/chat/completions"] = lambda body: complete(body | {"logprobs": False})
    with pytest.raises(ModelUnfit, match="gives no log-probabilities"):
        connected(stub)
    stub.answers = {}
    with pytest.raises(ServerFailed, match="refuses with status 404"):
        connected(stub)


def test_an_endpoint_that_answers_differently_each_time_has_that_for_its_noise_floor(stub: Stub) -> None:
    n = [0]

    def moving(_: str) -> dict[str, float]:
        n[0] += 1
        return {"A": math.log(0.3), "B": math.log(0.6 if n[0] > 2 else 0.3)}

    stub.answers = chat(moving).answers
    told = connected(stub, concurrency=1).identity().told
    assert told["noise_floor"] == pytest.approx(math.log(2) / 2, abs=1e-6)
