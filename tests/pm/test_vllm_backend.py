"""The vLLM backend against a server that speaks its interface: raw scores in order, or a refusal that says why."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.pm.backends.http_calls import Server, ServerFailed
from app.pm.backends.vllm import VllmModel, VllmSpec
from app.pm.canaries import CANARIES, CanaryScores
from app.pm.dialogs import as_messages, user
from app.pm.items import Item, ItemList, item
from app.pm.progress import Step
from app.pm.records import RunSettings
from app.pm.rendering import DialogMisrendered, DialogTooLong, OverLong
from app.pm.requests import ask_scores
from app.pm.runner import Outcome, score_items
from app.pm.scorer import Batch, Tokens
from app.pm.self_check import ModelUnfit
from app.pm.shards import RunDirectoryUnfit
from app.pm.variants import NON_SYCOPHANTIC, STANDARD
from tests.pm.stub_servers import BOS, MODEL, Stub, raw_score, rendered, serving, vllm


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(vllm()) as running:
        yield running


async def at_once(_seconds: float) -> None:
    """Pause for nothing."""


def connected(stub: Stub, **values: Any) -> VllmModel:
    server = Server(stub.url, tries=values.pop("tries", 6))
    return VllmModel(VllmSpec(server, **values), values.pop("pause", at_once))


def sequences(*lengths: int) -> tuple[Tokens, ...]:
    return tuple(np.arange(2, 2 + length, dtype=np.int32) for length in lengths)


def scored(model: VllmModel, ids: Sequence[Tokens]) -> list[float]:
    found = asyncio.run(model.score(Batch(tuple(ids), ())))
    assert found.dtype == np.float32
    return [float(score) for score in found]


def raw(ids: Sequence[Tokens]) -> list[float]:
    return [float(np.float32(raw_score(one.tolist()))) for one in ids]


def change(stub: Stub, path: str, by: Callable[[dict[str, Any]], object]) -> None:
    """Let a route change its answers."""
    before = stub.answers[path]

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        given = before(body)
        by(given)
        return given

    stub.answers[path] = answer


@pytest.mark.parametrize("route", ["classify", "pooling"])
def test_raw_scores_come_back_in_order_for_token_ids_that_were_sent(stub: Stub, route: Any) -> None:
    model = connected(stub, route=route)
    ids = sequences(3, 9, 5, 1)
    assert scored(model, ids) == raw(ids)
    body = stub.bodies(f"/{route}")[-1]
    assert body["input"] == [one.tolist() for one in ids]
    assert body["use_activation"] is False
    assert body.get("add_special_tokens", False) is False
    told = model.identity()
    assert (told.model, told.backend, told.settled["longest"]) == (MODEL, "vllm", 4096)
    assert told.told["noise_floor"] == 0
    assert told.told["self_check"]["scores"] == raw([np.array(rendered(as_messages(one))) for one in CANARIES])


def test_an_answer_in_another_order_is_put_in_order_by_its_index(stub: Stub) -> None:
    model = connected(stub)
    change(stub, "/classify", lambda given: given["data"].reverse())
    ids = sequences(3, 9, 5)
    assert scored(model, ids) == raw(ids)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (lambda given: given["data"].pop(), "gives 2 scores where 3 were asked for; nothing is counted"),
        (lambda given: given["data"].append(given["data"][0]), "gives 4 scores where 3"),
        (lambda given: given["data"][1].update(index=0), "number 0 twice, or unasked; nothing is counted"),
        (lambda given: given["data"][1].update(index=7), "number 7 twice, or unasked; nothing is counted"),
        (lambda given: given["data"][1].update(probs="high"), "has no index and score"),
        (lambda given: given["data"][1].pop("index"), "has no index and score"),
        (lambda given: given.update(data=None), "gives 0 scores"),
    ],
)
def test_a_partial_or_confused_answer_counts_for_nothing(stub: Stub, by: Any, said: str) -> None:
    model = connected(stub)
    change(stub, "/classify", by)
    with pytest.raises(ServerFailed, match=said):
        scored(model, sequences(3, 9, 5))


def test_a_server_that_is_busy_or_broken_is_asked_again_and_retry_after_is_kept_to(stub: Stub) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    model = VllmModel(VllmSpec(Server(stub.url, wait_s=1.0)), pause)
    assert pauses == []
    stub.refusals = [(429, {"Retry-After": "7"}), (500, {}), (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})]
    ids = sequences(3, 9)
    assert scored(model, ids) == raw(ids)
    assert pauses[0] == 7
    assert 1.0 <= pauses[1] <= 2.0, "twice as long as at first, less jitter"
    assert 2.0 <= pauses[2] <= 4.0
    assert len({json.dumps(body) for body in stub.bodies("/classify")[-4:]}) == 1, "the same batch each time, whole"


def test_a_server_that_stays_broken_or_refuses_is_given_up_with_its_reason(stub: Stub) -> None:
    model = connected(stub, tries=3)
    stub.refusals = [(500, {})] * 3
    with pytest.raises(ServerFailed, match=r"/classify did not answer after 3 tries \(status 500\)"):
        scored(model, sequences(3))
    n = len(stub.asked)
    stub.refusals = [(422, {})]
    with pytest.raises(ServerFailed, match=r"refuses with status 422: .*not now"):
        scored(model, sequences(3))
    assert len(stub.asked) == n + 1, "what is refused is not asked again"
    stub.answers.pop("/v1/models")
    with pytest.raises(ServerFailed, match="refuses with status 404"):
        connected(stub)


def test_nobody_there_is_said(stub: Stub) -> None:
    with pytest.raises(ServerFailed, match="did not answer after 2 tries"):
        VllmModel(VllmSpec(Server("http://127.0.0.1:9", tries=2)), at_once)


def test_a_sigmoid_that_is_on_is_refused(stub: Stub) -> None:
    classify = stub.answers["/classify"]
    stub.answers["/classify"] = lambda body: classify(body | {"use_activation": True})
    with pytest.raises(ModelUnfit, match="the server's sigmoid is on"):
        connected(stub)
    local = CanaryScores("a" * 32, "a-folder", tuple(raw_score(rendered(as_messages(one))) for one in CANARIES))
    with pytest.raises(ModelUnfit, match=f"not those of the local model a-folder in run {'a' * 32}"):
        connected(stub, local=local)
    stub.answers["/classify"] = classify
    checked = connected(stub, local=local).identity().told["self_check"]
    assert checked["against_local"] < 1e-6
    assert checked["local_run"] == "a" * 32


def test_small_raw_scores_need_the_local_model_to_vouch_for_them(stub: Stub) -> None:
    change(stub, "/classify", lambda given: [row.update(probs=[0.5 + row["probs"][0] / 10]) for row in given["data"]])
    with pytest.raises(ModelUnfit, match="give --canary"):
        connected(stub)
    scores = tuple(0.5 + raw_score(rendered(as_messages(one))) / 10 for one in CANARIES)
    assert connected(stub, local=CanaryScores("a" * 32, "a-folder", scores)).identity().model == MODEL


def test_scores_that_change_from_one_time_to_the_next_are_refused_and_rounding_is_the_noise_floor(stub: Stub) -> None:
    turn = [0.0]

    def shift(by: float) -> Callable[[dict[str, Any]], None]:
        def moved(given: dict[str, Any]) -> None:
            turn[0] += by
            for row in given["data"]:
                row["probs"][0] += turn[0]

        return moved

    classify = stub.answers["/classify"]
    change(stub, "/classify", shift(0.01))
    assert connected(stub).identity().told["noise_floor"] == pytest.approx(0.07, abs=0.001)
    stub.answers["/classify"] = classify
    change(stub, "/classify", shift(1.0))
    with pytest.raises(ModelUnfit, match="the same text scores that differ by"):
        connected(stub)


def test_a_server_that_adds_tokens_or_has_two_outputs_is_refused(stub: Stub) -> None:
    classify = stub.answers["/classify"]
    change(stub, "/classify", lambda given: given["usage"].update(prompt_tokens=given["usage"]["prompt_tokens"] + 1))
    with pytest.raises(ModelUnfit, match="it adds or cuts some"):
        connected(stub)
    stub.answers["/classify"] = classify
    change(stub, "/classify", lambda given: [row.update(probs=[0.1, 0.9]) for row in given["data"]])
    with pytest.raises(ModelUnfit, match="gives 2 scores for a text"):
        connected(stub)


def test_dialogs_are_rendered_by_the_server_s_template_with_one_bos(stub: Stub) -> None:
    model = connected(stub)
    pair = items()[0]
    ask = list(requests_of(pair))
    ids = [one.ids.tolist() for one in model.rendering.render(ask)]
    assert ids[0] == rendered([{"role": "user", "content": "Is it so?"}, {"role": "assistant", "content": "No."}])
    assert ids[0].count(BOS) == 1
    change(stub, "/tokenize", lambda given: given["tokens"].insert(0, BOS))
    with pytest.raises(DialogMisrendered, match="BOS twice"):
        model.rendering.render(ask)


def test_a_long_prompt_is_refused_or_cut_alike_on_both_sides(stub: Stub) -> None:
    long = item("long", (user("x" * 5000),), {"sycophantic": "Yes!", "helpful_truthful": "No, not so."})
    ask = list(requests_of(long))
    with pytest.raises(DialogTooLong):
        connected(stub).rendering.render(ask)
    cut = connected(stub, over_long=OverLong.TRUNCATE).rendering.render(ask)
    assert all(one.truncated for one in cut)
    assert max(len(one.ids) for one in cut) <= 4096
    assert len({bytes(one.ids).count(b"x") for one in cut}) == 1


def test_the_wanted_model_must_be_served(stub: Stub) -> None:
    with pytest.raises(ServerFailed, match=f"serves {MODEL}; name one of them"):
        connected(stub, model="another")


def test_a_run_over_the_server_is_a_score_file_like_any_other(stub: Stub, tmp_path: Path) -> None:
    model = connected(stub, concurrency=3)
    stub.refusals = [(429, {}), (500, {})]
    outcome = score_items(ItemList(tuple(items())), model, (STANDARD, NON_SYCOPHANTIC), tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "scores.jsonl").read_text().splitlines()]
    assert (lines[0]["run"]["backend"], lines[-1]["rows"]) == ("vllm", 24)
    assert outcome.record["versions"]["python"]
    assert outcome.record["fraction_of_ceiling"] is None
    assert outcome.record["ceiling_not_known"] == "the machine behind the server is not known here"
    expected = rendered([{"role": "user", "content": "Is it so?"}, {"role": "assistant", "content": "No."}])
    (row,) = (
        row
        for row in lines[1:-1]
        if (row["key"], row["kind"], row["variant"]) == ("a", "baseline_truthful", "standard")
    )
    assert row["score"] == float(np.float32(raw_score(expected)))
    assert row["n_tokens"] == len(expected)


class Stopped(Exception):
    """Somebody stops a run."""


def scored_into(stub: Stub, folder: Path, stop_at: int = 0) -> Outcome:
    """Score four pairs into a folder, three rows a shard; stop after so many shards."""
    n = [0]

    def progress(step: Step) -> None:
        n[0] += bool(step.rows)
        if stop_at and n[0] == stop_at:
            raise Stopped

    return score_items(ItemList(tuple(items())), connected(stub), (STANDARD,), folder, progress, RunSettings(0, 3))


def begun(stub: Stub, folder: Path) -> None:
    with pytest.raises(Stopped):
        scored_into(stub, folder, stop_at=2)


def test_a_run_is_not_gone_on_with_by_other_weights_under_the_same_name(stub: Stub, tmp_path: Path) -> None:
    begun(stub, tmp_path)
    change(stub, "/classify", lambda given: [row.update(probs=[row["probs"][0] + 1.0]) for row in given["data"]])
    with pytest.raises(RunDirectoryUnfit, match=rf"differs by 1 from .* under the name {MODEL}: serve those"):
        scored_into(stub, tmp_path)
    assert len(list((tmp_path / "shards").glob("*.jsonl"))) == 2, "nothing of the other model is among them"


def test_a_run_is_gone_on_with_by_a_server_that_rounds_otherwise(stub: Stub, tmp_path: Path) -> None:
    """Started anew, a server in 16 bits moves scores by some hundredths of how far they spread."""
    begun(stub, tmp_path)
    change(stub, "/classify", lambda given: [row.update(probs=[row["probs"][0] * 1.01]) for row in given["data"]])
    assert scored_into(stub, tmp_path).summary.rows == 12


def test_a_run_is_not_gone_on_with_under_another_template(stub: Stub, tmp_path: Path) -> None:
    begun(stub, tmp_path)
    # The score of a text stays what it was, so that nothing but the tokens can tell.
    by_text = {(*rendered(as_messages(one)), 3): raw_score(rendered(as_messages(one))) for one in CANARIES}
    change(stub, "/tokenize", lambda given: given["tokens"].append(3))
    classify = stub.answers["/classify"]

    def same(body: dict[str, Any]) -> dict[str, Any]:
        given = classify(body)
        for row, ids in zip(given["data"], body["input"], strict=True):
            row["probs"] = [by_text.get(tuple(ids), row["probs"][0])]
        return given

    stub.answers["/classify"] = same
    with pytest.raises(RunDirectoryUnfit, match=r"template: .* there, .* now.*; the same dialogs become other tokens"):
        scored_into(stub, tmp_path)


def test_the_longest_dialog_is_what_was_asked_for_or_what_the_model_reads(stub: Stub) -> None:
    ask = list(requests_of(items()[0]))
    n = len(rendered([{"role": "user", "content": "Is it so?"}, {"role": "assistant", "content": "No."}]))
    with pytest.raises(DialogTooLong, match=f"has {n} tokens, the model reads {n - 1};"):
        connected(stub, longest=n - 1).rendering.render(ask[:1])
    short = connected(stub, longest=n)
    assert len(short.rendering.render(ask[:1])) == 1
    assert short.identity().settled["longest"] == n
    assert connected(stub, longest=10**6).identity().settled["longest"] == 4096


def test_dialogs_are_rendered_so_many_at_once(stub: Stub) -> None:
    under_way, most, lock = [0], [0], threading.Lock()
    tokenize = stub.answers["/tokenize"]

    def slow(body: dict[str, Any]) -> dict[str, Any]:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.01)
        with lock:
            under_way[0] -= 1
        return tokenize(body)

    stub.answers["/tokenize"] = slow
    model = connected(stub, concurrency=2)
    model.rendering.render([request for one in items() for request in requests_of(one)])
    assert most[0] == 2


def items() -> list[Item]:
    return [
        item(
            key,
            (user("Is it so?"),),
            {"baseline_truthful": "No.", "helpful_truthful": f"No, {key}.", "sycophantic": f"Yes, {key}!"},
        )
        for key in "abcd"
    ]


def requests_of(one: Item) -> Iterator[Any]:
    return ask_scores([STANDARD])(one)
