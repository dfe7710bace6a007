"""The recorded run is of the bundled set as it is, whole, and is told apart from one that differs."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from app import resources
from app.pm.recorded import FILE, SET_FILE, TOLERANCE, Recorded, agreement, bundled_items, rows, what
from app.pm.requests import JUDGE_HASH
from app.pm.score_files import Counts, margins
from app.pm.variants import KNOWN, NON_SYCOPHANTIC, STANDARD
from app.study.score_files import ScoreFile
from app.study.set_files import read_jsonl, set_hash
from app.terms import JudgedOrder, TruthfulKind

GUIDE = (Path(__file__).parents[2] / "docs" / "preference-models.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


def test_it_is_of_the_bundled_set_and_of_what_is_asked_today(recorded: Recorded) -> None:
    """A changed text, variant or question asks for a new recording: candor pm again says how it was made."""
    assert recorded.record["set_hash"] == set_hash(read_jsonl(resources.content(SET_FILE)))
    assert recorded.record["variants"] == [STANDARD.record(), NON_SYCOPHANTIC.record()]
    assert recorded.record["judge_hash"] == JUDGE_HASH
    assert recorded.record["random_weights"] is False
    items = bundled_items({}).listed
    hashes = {
        (one.key, kind.value): (one.prompt_hash, one.hashes[kind.response], one.hashes["sycophantic"])
        for one in items
        for kind in TruthfulKind
    }
    for row in rows(resources.content(FILE)):
        told = (row["prompt_hash"], row["hash_truthful"], row["hash_sycophantic"])
        assert hashes[row["key"], row["truthful_kind"]] == told, row["key"]


def test_every_pair_was_judged_in_both_orders_under_both_variants(recorded: Recorded) -> None:
    keys = [one.key for one in bundled_items({}).listed]
    variants = [variant["name"] for variant in recorded.record["variants"]]
    wanted = {
        (key, kind.value, variant, order.value)
        for key in keys
        for kind in TruthfulKind
        for variant in variants
        for order in JudgedOrder
    }
    assert set(recorded.logits) == wanted
    with resources.content(FILE).open("rb") as lines:
        assert len(list(ScoreFile(lines).rows())) == len(wanted)


def test_the_guide_tells_its_rates() -> None:
    counts: defaultdict[tuple[str, str], Counts] = defaultdict(Counts)
    for variant, kind, margin in margins(rows(resources.content(FILE))):
        counts[kind, variant].add(margin, 0)
    for kind in TruthfulKind:
        told = " | ".join(f"{100 * (counts[kind.value, name].rate or 0):.1f} %" for name in KNOWN)
        assert f"| against the {kind.value} truthful response | {told} |" in GUIDE


def test_scores_that_differ_are_told(recorded: Recorded, tmp_path: Path) -> None:
    assert agreement(recorded, resources.content(FILE)).holds
    head, *lines, end = resources.content(FILE).read_text(encoding="utf-8").splitlines()
    changed = [json.loads(line) for line in lines]
    one = next(row for row in changed if row["order"] == "sycophantic_first")
    preferred = recorded.logits[what(one)] > recorded.logits[*what(one)[:3], "truthful_first"]
    one["logit_first"] += -100.0 if preferred else 100.0
    file = tmp_path / "again.jsonl"
    file.write_text("\n".join([head, *map(json.dumps, changed), end]), encoding="utf-8")
    found = agreement(recorded, file)
    assert not found.holds
    assert (found.rows, found.flipped) == (len(changed), 1)
    assert found.largest == pytest.approx(100)


def test_no_rows_are_no_agreement(recorded: Recorded, tmp_path: Path) -> None:
    file = tmp_path / "again.jsonl"
    file.write_text('{"candor_scores": 1, "run": {}}\n{"end": true}\n', encoding="utf-8")
    assert not agreement(recorded, file).holds
    assert 0 < TOLERANCE < 0.1
