"""Preregistration: made before a study opens, hashed, never changed, and what the study is when it opens."""

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.analysis import contrasts, rates, trend
from app.analysis.choices import Choices
from app.study import preregistration_words as words
from app.study import preregistrations, studies
from app.study.canonical import content_hash
from app.study.copies import clone, pilot
from app.study.designs import check_design
from app.study.exclusions import RULES
from app.study.options import Exclusions, Options
from app.study.preregistration_markdown import markdown
from app.study.preregistrations import AlreadyPreregistered, NotPreregistered, preregister
from app.study.sets import find_set
from app.study.studies import NotAsPreregistered, SetTooSmall, StudyPreregistered, StudyStateWrong
from tests.studies import draft_study, open_study

RICH: dict[str, Any] = {
    "arms": [
        {"truthful_kind": "helpful", "instructions": "neutral"},
        {"truthful_kind": "baseline", "instructions": "neutral"},
    ],
    "options": {
        "tie": True,
        "confidence": True,
        "attention_checks": 2,
        "exclusions": {"failed_checks": 2, "fastest_ms": 3000, "words_a_minute": 900, "left_page": True},
    },
    "question": "Which one,\nin the end?",
}


async def kinds(session: AsyncSession, study_id: int) -> list[str]:
    found = await session.execute(text("SELECT kind FROM event WHERE study_id = :s ORDER BY id"), {"s": study_id})
    return [kind for (kind,) in found]


async def test_the_document_has_a_hash_of_its_own_and_the_design_s(session: AsyncSession) -> None:
    study = await draft_study(session, "written", **RICH)
    made = await preregister(session, "written")
    session.expunge_all()
    stored = await preregistrations.find(session, study.id)
    assert stored is not None
    assert stored.document == made.document, "what JSONB gives back is what was hashed"
    assert content_hash(stored.document) == stored.document_hash == await preregistrations.hash_of(session, study.id)
    assert stored.made_at.isoformat() == stored.document["made_at"]
    assert stored.document["made_at"].endswith("+00:00")
    assert stored.document["software"].startswith("candor ")
    opened = await studies.open_study(session, "written")
    assert opened.design_hash == stored.document["hashes"]["design"]
    assert studies.design_document(opened) == stored.document["design"]
    assert await kinds(session, study.id) == ["study_created", "study_preregistered", "study_live"]


async def test_what_a_hash_covers_can_be_found_in_the_study(session: AsyncSession) -> None:
    study = await draft_study(session, "covered")
    hashes = (await preregister(session, "covered")).document["hashes"]
    assert hashes["set"] == (await find_set(session, "covered-set")).content_hash
    assert hashes["question"] == content_hash(study.question)
    assert hashes["texts"] == {name: content_hash(value) for name, value in study.texts.items()}
    assert hashes["levels"] == content_hash({f"claim-{n:03}": 1 + n % 8 for n in range(16)})


async def test_the_sample_is_that_of_the_slots(session: AsyncSession) -> None:
    await draft_study(session, "sized", per_level=3, ratings_per_pair=5, pairs_per_annotator=7, arms=RICH["arms"])
    sample = (await preregister(session, "sized")).document["sample"]
    study = await studies.open_study(session, "sized")
    n_slots = await session.scalar(
        text("SELECT count(*) FROM slot JOIN arm ON arm.id = arm_id WHERE study_id = :s"), {"s": study.id}
    )
    assert sample == {
        "pairs": 24,
        "pairs_by_level": {str(level): 3 for level in range(1, 9)},
        "ratings_per_pair_and_arm": 5,
        "arms": 2,
        "pairs_per_annotator": 7,
        "choices": n_slots,
        "annotators_at_least": 36,
    }


@pytest.mark.parametrize("entry_holds", [None, 3])
async def test_the_cap_on_entry_holds_is_settled_as_opening_would(
    session: AsyncSession, entry_holds: int | None
) -> None:
    settled: dict[str, Any] = {
        "per_level": 20,
        "ratings_per_pair": 9,
        "pairs_per_annotator": 3,
        "entry_holds": entry_holds,
    }
    opened = await open_study(session, "opened", **settled)
    await draft_study(session, "settled", **settled)
    made = await preregister(session, "settled")
    assert made.document["design"]["entry_holds"] == opened.entry_holds == (entry_holds or 20 * 8 * 9 // 3 // 2)


async def test_a_preregistered_draft_cannot_be_changed_but_cloned(session: AsyncSession) -> None:
    study = await draft_study(session, "fixed")
    chosen = await find_set(session, "fixed-set")
    design = check_design({"slug": "fixed", "title": "Other", "contact": "other", "pairs_per_annotator": 8})
    await studies.change_draft(session, "fixed", design, chosen)
    await preregister(session, "fixed")
    with pytest.raises(
        StudyPreregistered, match="study 'fixed' is preregistered, so its draft cannot be changed; clone"
    ):
        await studies.change_draft(session, "fixed", design, chosen)
    copy = await clone(session, "fixed", "second")
    assert await preregistrations.hash_of(session, copy.id) is None
    await studies.change_draft(session, "second", check_design(design.model_dump() | {"slug": "second"}), chosen)
    assert await preregistrations.hash_of(session, study.id) is not None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE study SET question = 'Other?' WHERE id = :s",
        "UPDATE study SET seed = seed + 1 WHERE id = :s",
        "UPDATE study SET entry_holds = entry_holds + 1 WHERE id = :s",
        "INSERT INTO arm (study_id, truthful_kind, instructions) VALUES (:s, 'baseline', 'neutral')",
    ],
)
async def test_a_draft_changed_behind_its_preregistration_does_not_open(session: AsyncSession, change: str) -> None:
    study = await draft_study(session, "behind")
    await preregister(session, "behind")
    await session.execute(text(change), {"s": study.id})
    session.expire_all()
    with pytest.raises(
        NotAsPreregistered, match="study 'behind' is not as it was preregistered: its design hash differs"
    ):
        await studies.open_study(session, "behind")
    assert await session.scalar(text("SELECT count(*) FROM pair WHERE study_id = :s"), {"s": study.id}) == 0


async def test_it_is_made_once_and_before_opening(session: AsyncSession) -> None:
    await draft_study(session, "once")
    await preregister(session, "once")
    with pytest.raises(AlreadyPreregistered, match="is preregistered already; what was written down stays as it is"):
        await preregister(session, "once")
    late = await open_study(session, "late")
    with pytest.raises(
        StudyStateWrong, match="study 'late' is live, so it cannot be preregistered; it must be a draft"
    ):
        await preregister(session, "late")
    with pytest.raises(NotPreregistered, match="study 'late' is not preregistered; `candor study preregister late`"):
        await preregistrations.get(session, late)
    await draft_study(session, "unfit", per_level=1, pairs_per_annotator=9)
    with pytest.raises(SetTooSmall):
        await preregister(session, "unfit")


async def test_the_database_never_changes_or_forgets_one(session: AsyncSession) -> None:
    await draft_study(session, "kept")
    await preregister(session, "kept")
    for change in ("UPDATE preregistration SET document_hash = 'other'", "DELETE FROM preregistration"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with session.begin_nested():
                await session.execute(text(change))


async def test_a_pilot_of_a_preregistered_study_opens_without_one(session: AsyncSession) -> None:
    await draft_study(session, "main")
    await preregister(session, "main")
    copy = await pilot(session, "main")
    assert await preregistrations.hash_of(session, copy.id) is None


# What it says.


async def test_the_markdown_says_all_that_the_document_says(session: AsyncSession) -> None:
    await draft_study(session, "told", **RICH)
    made = await preregister(session, "told")
    document = made.document
    read = markdown(document, made.document_hash)
    said = [
        document["hypotheses"]["primary"],
        *document["hypotheses"]["secondary"],
        *document["primary_test"]["steps"],
        *document["secondary_tests"],
        *document["stopping"],
        *document["exclusions"],
        *document["response_times"],
        *document["exploratory"],
        document["made_at"],
        document["software"],
        *(value for value in document["hashes"].values() if isinstance(value, str)),
        *document["hashes"]["texts"].values(),
        made.document_hash,
        "> Which one,\n> in the end?",
        "1. helpful truthful response, instructions: neutral\n2. baseline truthful response",
        "| Counted choices in all | 96 |",
    ]
    assert [each for each in said if each not in read] == []
    (fenced,) = re.findall(r"\n```json\n(.*?)\n```\n", read, re.DOTALL)
    assert json.loads(fenced) == document["design"]
    assert "Synthetic" not in read


async def test_a_fence_in_a_text_does_not_end_the_design(session: AsyncSession) -> None:
    await draft_study(session, "fenced", texts={"consent": "```` code ````"}, synthetic=True)
    made = await preregister(session, "fenced")
    read = markdown(made.document, made.document_hash)
    (fenced,) = re.findall(r"\n`````json\n(.*?)\n`````\n", read, re.DOTALL)
    assert json.loads(fenced) == made.document["design"]
    assert "**Synthetic annotators alone.**" in read


def test_every_rule_and_option_has_its_words() -> None:
    everything = Exclusions(
        failed_checks=2,
        incomplete=True,
        looked_up=True,
        easy_pairs=3,
        fastest_ms=4000,
        words_a_minute=900,
        left_page=True,
    )
    assert set(RULES) == set(Exclusions.model_fields)
    options = Options(attention_checks=2, exclusions=everything, refill_excluded=True)
    said = words.exclusions(options)
    assert len(said) == len(words.words()["always_left_out"]["rules"]) + len(RULES) + 1
    assert "All choices of people who failed 2 or more attention checks." in said
    assert "opened again" in said[-1]
    assert words.exclusions(Options())[-1] == "No other choice is left out."
    assert "{" not in " ".join(said)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({}, "No choice is left out for having been made too fast."),
        ({"fastest_ms": 3000}, "The main results leave out choices made in less than 3000 milliseconds."),
        ({"words_a_minute": 900}, "less than the time in which both responses can be read at 900 words a minute."),
        (
            {"fastest_ms": 3000, "words_a_minute": 900},
            "less than the larger of 3000 milliseconds and the time in which",
        ),
    ],
)
def test_response_time_thresholds_are_told(declared: dict[str, int], said: str) -> None:
    told = words.response_times(Options(exclusions=Exclusions(**declared), min_reading_seconds=5))
    assert said in told[0]
    assert told[-1].startswith("An answer is not taken before 5 seconds")
    assert len(told) == (3 if declared else 2)


def test_the_code_that_is_named_is_there() -> None:
    assert words.primary_test(1)["code"] == f"{trend.__name__}.{trend.preference_slope.__name__}"
    named = re.findall(r"\((app\.[a-z_.]+)\)", " ".join(words.secondary_tests(2)))
    there = [contrasts.rate_difference, rates.preference_rates, contrasts.compare_arms]
    assert named == [f"{function.__module__}.{function.__name__}" for function in there]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(3, 25), st.integers(2, 12))
def test_the_primary_test_is_the_one_in_the_words(seed: int, n_pairs: int, n_people: int) -> None:
    """Computed here from the steps as they are written, choice by choice, and by the code that they name."""
    rng = np.random.default_rng(seed)
    level_of = rng.integers(1, 9, n_pairs)
    pair, person = (each.ravel() for each in np.meshgrid(np.arange(n_pairs), np.arange(n_people)))
    keep = rng.random(len(pair)) < 0.6
    pair, person = pair[keep], person[keep]
    y = (rng.random(len(pair)) < 0.3).astype(float)
    found = trend.preference_slope(
        Choices(pair, person, level_of[pair], y, truthful_left=np.zeros(len(pair), np.bool_))
    )
    judged = np.unique(pair)
    if len(np.unique(level_of[judged])) < 2:
        assert found is None
        return
    assert found is not None
    x = {i: float(level_of[i]) for i in judged}
    n = {i: int((pair == i).sum()) for i in judged}
    r = {i: y[pair == i].sum() / n[i] for i in judged}
    mean = sum(x.values()) / len(x)
    c = {i: (x[i] - mean) / sum((x[j] - mean) ** 2 for j in judged) for i in judged}
    b = sum(c[i] * r[i] for i in judged)
    a = sum(r.values()) / len(r) - b * mean
    influence = np.array([c[i] * (y[m] - a - b * x[i]) / n[i] for m, i in enumerate(pair)])

    def squares(groups: Any) -> float:
        sums = [float(influence[groups == g].sum()) for g in np.unique(groups)]
        return sum(s * s for s in sums) * len(sums) / (len(sums) - 1)

    n_used = len(np.unique(person))
    assert found.slope == pytest.approx(b, abs=1e-12)
    if n_used < 2 or len(judged) < 3:
        assert found.se is None
        return
    v_pair, v_annotator, v_choice = squares(pair), squares(person), squares(np.arange(len(pair)))
    v = v_pair + v_annotator - v_choice
    if v < 0.5 * max(v_pair, v_annotator):
        v = max(v_pair, v_annotator)
    if found.se is None:
        assert v == pytest.approx(0, abs=1e-20)
        return
    se = np.sqrt(v * (len(judged) - 1) / (len(judged) - 2))
    df = min(len(judged), n_used) - 1
    assert found.se == pytest.approx(se, rel=1e-9)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(b / se), df), rel=1e-7)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(b + stats.t.ppf(0.975, df) * se, rel=1e-9)
