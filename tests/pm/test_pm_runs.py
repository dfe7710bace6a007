"""Runs over a scorer without a model: resumed, halved, refused, cut alike; no torch is needed for any of it."""

import dataclasses
import hashlib
import json
import re
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.pm.dialogs import user
from app.pm.items import ItemList, item
from app.pm.oracle import Oracle
from app.pm.progress import Step
from app.pm.records import RunSettings
from app.pm.rendering import OverLong
from app.pm.runner import Job, begin, close, run_shards, score_items
from app.pm.score_files import Counts
from app.pm.scorer import BatchTooLarge
from app.pm.shards import RunDirectory, RunDirectoryUnfit
from app.pm.variants import NON_SYCOPHANTIC, STANDARD
from tests.pm.fake_scorers import AsyncScorer, FakeScorer, Words, pairs, value

ITEMS = pairs(20)
SMALL = RunSettings(budget=200, shard_rows=10)
BOTH = (STANDARD, NON_SYCOPHANTIC)


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    first, *rows, last = (folder / "scores.jsonl").read_text().splitlines()
    return json.loads(first), [json.loads(row) for row in rows], json.loads(last)


def expected(items: ItemList) -> dict[tuple[str, str, str], float]:
    """Every score one by one, without the planner, the runner or the renderer."""
    return {
        (one.key, kind, variant.name): value(
            Words().encode([(*variant.turns, *one.prompt, dataclasses.replace(one.prompt[0], content=text))])[0]
        )
        for one in items.listed
        for kind, text in one.responses.items()
        for variant in BOTH
    }


def scored(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    return {(row["key"], row["kind"], row["variant"]): row["score"] for row in rows}


@pytest.mark.parametrize("packs", [True, False])
def test_every_response_is_scored_under_every_variant(tmp_path: Path, packs: bool) -> None:
    outcome = score_items(ITEMS, FakeScorer(packs=packs), BOTH, tmp_path, settings=SMALL)
    first, rows, last = read(tmp_path)
    assert scored(rows) == expected(ITEMS)
    assert (first["candor_scores"], last["rows"], len(rows)) == (1, 120, 120)
    lines = (tmp_path / "scores.jsonl").read_bytes().splitlines(keepends=True)[1:-1]
    assert last["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()
    assert first["run"] == json.loads(json.dumps(outcome.record))
    assert {row["prompt_hash"] for row in rows} == {one.prompt_hash for one in ITEMS.listed}


def test_a_run_that_was_stopped_computes_nothing_again_and_ends_the_same(tmp_path: Path) -> None:
    whole = FakeScorer()
    score_items(ITEMS, whole, BOTH, tmp_path / "whole", settings=SMALL)
    stopped = FakeScorer(die_at=len(whole.batches) // 2)
    with pytest.raises(KeyboardInterrupt):
        score_items(ITEMS, stopped, BOTH, tmp_path / "cut", settings=SMALL)
    finished = sorted((tmp_path / "cut" / "shards").glob("*.jsonl"))
    before = {file: file.stat().st_mtime_ns for file in finished}
    assert 0 < len(finished) < 10
    # A half-written shard never counts.
    (tmp_path / "cut" / "shards" / "shard-00009.jsonl.part").write_bytes(b'{"candor_shard": 1, "ind')
    again = FakeScorer()
    score_items(ITEMS, again, BOTH, tmp_path / "cut", settings=SMALL)
    rows_left = 120 - sum(len(file.read_text().splitlines()) - 1 for file in finished)
    assert again.scored == rows_left
    assert {file: file.stat().st_mtime_ns for file in finished} == before
    assert read(tmp_path / "cut")[1] == read(tmp_path / "whole")[1]


def test_a_finished_run_is_not_computed_again_and_keeps_its_score_file(tmp_path: Path) -> None:
    score_items(ITEMS, FakeScorer(), BOTH, tmp_path, settings=SMALL)
    before = (tmp_path / "scores.jsonl").read_bytes()
    again = FakeScorer()
    score_items(ITEMS, again, BOTH, tmp_path, settings=SMALL)
    assert again.scored == 0
    assert (tmp_path / "scores.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "variants", "items", "said"),
    [
        (dataclasses.replace(SMALL, budget=100), BOTH, ITEMS, "plan"),
        (SMALL, (STANDARD,), ITEMS, "variants"),
        (SMALL, BOTH, pairs(21), "input"),
        (SMALL, BOTH, pairs(20, seed=2), "of other texts"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(
    tmp_path: Path, settings: RunSettings, variants: Any, items: ItemList, said: str
) -> None:
    score_items(ITEMS, FakeScorer(), BOTH, tmp_path, settings=SMALL)
    with pytest.raises(RunDirectoryUnfit, match=said):
        score_items(items, FakeScorer(), variants, tmp_path, settings=settings)


def test_a_changed_shard_is_refused(tmp_path: Path) -> None:
    score_items(ITEMS, FakeScorer(), BOTH, tmp_path, settings=SMALL)
    shard = tmp_path / "shards" / "shard-00002.jsonl"
    shard.write_text(shard.read_text().replace('"score":', '"score":1', 1))
    with pytest.raises(RunDirectoryUnfit, match=r"shard-00002\.jsonl was changed"):
        score_items(ITEMS, FakeScorer(), BOTH, tmp_path, settings=SMALL)


def test_two_processes_never_write_into_one_folder(tmp_path: Path) -> None:
    with RunDirectory(tmp_path).alone(), pytest.raises(RunDirectoryUnfit, match="another process"):
        score_items(ITEMS, FakeScorer(), BOTH, tmp_path, settings=SMALL)


def test_without_memory_the_budget_is_halved_and_the_run_goes_on(tmp_path: Path) -> None:
    small = FakeScorer(room=300)
    notes: list[str] = []
    outcome = score_items(
        pairs(20), small, BOTH, tmp_path, lambda step: notes.append(step.note), dataclasses.replace(SMALL, budget=1000)
    )
    assert scored(read(tmp_path)[1]) == expected(ITEMS)
    assert outcome.record["budget_halvings"] >= 2
    assert any("halved" in note for note in notes)


def test_what_was_computed_before_a_batch_had_no_room_is_counted_and_not_computed_again(tmp_path: Path) -> None:
    class Full(FakeScorer):
        """Has no room for the third batch that it is given."""

        full = False

        def score(self, batch: Any) -> Any:
            if len(self.batches) == 2 and not self.full:
                self.full = True
                raise BatchTooLarge("no room")
            return super().score(batch)

    scorer = Full()
    settings = dataclasses.replace(SMALL, budget=400, shard_rows=60)
    outcome = score_items(ITEMS, scorer, BOTH, tmp_path, settings=settings)
    assert scored(read(tmp_path)[1]) == expected(ITEMS)
    assert outcome.record["budget_halvings"] == 1
    assert scorer.scored == 120
    assert outcome.record["computed_tokens"] == sum(
        group.length + sum(len(batch.sequences[place]) - group.length for place in group.members)
        for batch in scorer.batches
        for group in batch.groups
    )


def test_shares_of_a_run_make_the_whole(tmp_path: Path) -> None:
    """As processes do it: each takes every n-th shard of one folder."""
    folder = RunDirectory(tmp_path)
    with folder.alone():
        scorers = [FakeScorer(), FakeScorer(), FakeScorer()]
        for number, scorer in enumerate(scorers):
            record = begin(folder, ITEMS, scorer, BOTH, SMALL)
            run_shards(Job(folder, ITEMS, BOTH, record, (number, 3)), scorer)
        close(folder, record)
    assert scored(read(tmp_path)[1]) == expected(ITEMS)
    assert sum(scorer.scored for scorer in scorers) == 120
    assert all(scorer.scored for scorer in scorers)


class Measured(FakeScorer):
    """A scorer that knows its work and its device: an operation a token, so many a second."""

    def __init__(self, a_second: float) -> None:
        super().__init__()
        self._a_second = a_second

    def flops(self, tokens: int, attended: int) -> float:
        return float(tokens)

    def peak(self) -> float:
        return self._a_second


def test_the_share_of_the_ceiling_is_that_of_all_processes_together(tmp_path: Path) -> None:
    """Two devices, one twice as fast: each shard is held to the peak of the one that computed it."""
    folder = RunDirectory(tmp_path)
    peaks = (1e4, 2e4)
    with folder.alone():
        for number, a_second in enumerate(peaks):
            record = begin(folder, ITEMS, Measured(a_second), BOTH, SMALL)
            run_shards(Job(folder, ITEMS, BOTH, record, (number, 2)), Measured(a_second))
        done = close(folder, record).record
    told = [heading.told for heading in map(folder.heading, range(10)) if heading]
    assert len(told) == 10
    least = sum(one.unique_tokens / peaks[number % 2] for number, one in enumerate(told))
    seconds = sum(one.seconds for one in told)
    assert done["fraction_of_ceiling"] == pytest.approx(least / seconds, rel=1e-3, abs=1e-4)
    assert done["wall_s"] == pytest.approx(seconds, abs=1e-3)
    assert "ceiling_not_known" not in done


def test_a_share_of_the_ceiling_that_is_not_known_says_why(tmp_path: Path) -> None:
    oracle = score_items(ITEMS, Oracle(), (STANDARD,), tmp_path / "oracle").record
    assert oracle["fraction_of_ceiling"] is None
    assert oracle["ceiling_not_known"] == "an oracle computes nothing"
    score_items(ITEMS, Measured(1e4), BOTH, tmp_path / "half", settings=SMALL)
    shard = tmp_path / "half" / "shards" / "shard-00003.jsonl"
    text = shard.read_text()
    shard.write_text(re.sub(r'"least_s":[^,}]+,?', "", text, count=1))  # As shards were before it was measured.
    assert shard.read_text() != text
    before = json.loads((tmp_path / "half" / "run.json").read_text())
    (tmp_path / "half" / "run.json").write_text(json.dumps(before | {"finished_at": None}))
    half = score_items(ITEMS, Measured(1e4), BOTH, tmp_path / "half", settings=SMALL).record
    assert half["fraction_of_ceiling"] is None
    assert half["ceiling_not_known"].startswith("some shards were computed where the peak")
    assert half["tokens"] == before["tokens"]


@pytest.mark.parametrize("made", [FakeScorer, AsyncScorer])
def test_a_shard_is_seen_to_move_batch_by_batch(tmp_path: Path, made: type[FakeScorer]) -> None:
    """Of 60 rows a shard, each batch is told of; what is told of a shard that is not finished never adds up to more."""
    steps: list[Step] = []
    score_items(ITEMS, made(), BOTH, tmp_path, steps.append, dataclasses.replace(SMALL, shard_rows=60))
    assert [step.rows for step in steps if step.rows] == [60, 60]
    batches = [step.within for step in steps if not step.rows]
    assert len(batches) > 10
    assert all(n > 0 for n in batches)
    assert sum(step.within for step in steps) == 0
    done = list(accumulate(step.rows + step.within for step in steps))
    assert done == sorted(done)
    assert done[-1] == 120


def test_promises_are_awaited_so_many_at_once(tmp_path: Path) -> None:
    scorer = AsyncScorer()
    score_items(ITEMS, scorer, BOTH, tmp_path, settings=dataclasses.replace(SMALL, shard_rows=60))
    assert scored(read(tmp_path)[1]) == expected(ITEMS)
    assert scorer.at_once == 3


def test_the_oracle_prefers_truth_always(tmp_path: Path) -> None:
    outcome = score_items(ITEMS, Oracle(), (STANDARD,), tmp_path)
    assert {kind: counts.truthful for (_, kind), counts in outcome.summary.counts.items()} == {
        "helpful": 20,
        "baseline": 20,
    }
    assert outcome.record["scorer"] == "oracle"


def test_too_long_prompts_are_cut_alike_and_marked(tmp_path: Path) -> None:
    score_items(ITEMS, FakeScorer(longest=50), (STANDARD,), tmp_path, settings=SMALL)
    rows = read(tmp_path)[1]
    by_key: dict[str, set[bool]] = {}
    for row in rows:
        by_key.setdefault(row["key"], set()).add(row["truncated"])
        assert row["n_tokens"] <= 50
    long = {one.key for one in ITEMS.listed if max(_lengths(one)) > 50}
    assert 0 < len(long) < 20
    assert {key: marked == {True} for key, marked in by_key.items()} == {key: key in long for key in by_key}
    for one in ITEMS.listed:
        if one.key in long:
            cut = max(_lengths(one)) - 50
            lengths = [row["n_tokens"] for row in rows if row["key"] == one.key]
            assert lengths == [n - cut for n in _lengths(one)]


def test_rows_of_one_prompt_that_stand_together_are_cut_alike_wherever_shards_end(tmp_path: Path) -> None:
    prompt = (user(" ".join(["long"] * 40)),)
    rows = [item(f"r{number}", prompt, {"": " ".join(["word"] * n)}) for number, n in enumerate((2, 3, 20))]
    rows += [item("other", (user("short"),), {"": "word"})]
    settings = dataclasses.replace(SMALL, shard_rows=1, over_long=OverLong.TRUNCATE)
    score_items(ItemList(tuple(rows)), FakeScorer(longest=50), (STANDARD,), tmp_path, settings=settings)
    assert {row["key"]: row["truncated"] for row in read(tmp_path)[1]} == {
        "r0": True, "r1": True, "r2": True, "other": False,
    }  # fmt: skip
    assert len(list((tmp_path / "shards").glob("*.jsonl"))) == 2


def _lengths(one: Any) -> list[int]:
    return [2 + len(one.prompt[0].content.split()) + len(text.split()) for text in one.responses.values()]


def test_ties_and_near_ties_are_counted_both_ways() -> None:
    counts = Counts()
    for margin in (0.0, 0.05, -0.1, 0.3, -0.4, 0.5):
        counts.add(margin, 0.1)
    assert (counts.pairs, counts.ties, counts.near_ties) == (6, 1, 3)
    assert counts.rate == pytest.approx(3 / 5)
    assert counts.rate_without_near_ties == pytest.approx(2 / 3)


def test_scores_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    class Broken(FakeScorer):
        def score(self, batch: Any) -> Any:
            return np.full(len(batch.sequences), np.nan, dtype=np.float32)

    with pytest.raises(Exception, match="'k0', baseline_truthful, variant standard: the score is no finite number"):
        score_items(ITEMS, Broken(), BOTH, tmp_path, settings=SMALL)
