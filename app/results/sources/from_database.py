"""A study read from the database into arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.analysis.arrays import Bools, Floats, Ints, dense
from app.models import Participation, Study
from app.results.facts import Arm, Declared, Facts, People, Source
from app.results.observed import Annotators, Observed, Pairs, Stored
from app.results.rules import with_rules
from app.results.sources.answers import coded
from app.results.sources.declaring import declared_in
from app.results.sources.packed import Packed, columns, read_as_a_whole, rows_of
from app.results.sources.stored_scores import scores_of
from app.study import amendments, preregistrations, studies
from app.terms import Outcome, ResponseKind, TruthfulKind

# A person's id and a position in one number.
_POSITION_BITS = 15
_KEY = f"participation_id * {2**_POSITION_BITS} + position"
_OF_STUDY = "JOIN participation ON participation.id = participation_id WHERE participation.study_id = %(study)s"
_BETWEEN = "WHERE participation_id BETWEEN %(first)s AND %(last)s"

# What one choice says, and what was planned for it, in one number each: a number in the upper bits, flags in the lower.
_COUNTED, _LATE, _LEFT_PAGE, _SAID_BITS = 4, 8, 16, 5
_CHOICES = {
    "key": Packed(_KEY, 8),
    "said": Packed(
        f"coalesce(decision_ms_server, -1) * {2**_SAID_BITS}"
        " + CASE side_chosen WHEN 'left' THEN 1 WHEN 'right' THEN 2 WHEN 'tie' THEN 3 ELSE 0 END"
        f" + CASE WHEN counted THEN {_COUNTED} ELSE 0 END + CASE WHEN late THEN {_LATE} ELSE 0 END"
        f" + CASE WHEN times_away > 0 THEN {_LEFT_PAGE} ELSE 0 END",
        8,
    ),
}
_CONFIDENCE = {"confidence": Packed("coalesce(confidence, -1)", 2)}
_PLANNED_BITS = 16
_PLANNED = {
    "key": Packed(_KEY, 8),
    "plan": Packed(
        f"pair_id * {2**_PLANNED_BITS} + coalesce(repeat_of, 0) * 2 + CASE side_truthful WHEN 'left' THEN 1 ELSE 0 END",
        8,
    ),
}
_BELIEF = {"belief": Packed("coalesce(prior_belief, -1)", 2)}
_PEOPLE = {
    "id": Packed("id", 8),
    "arm": Packed("arm_id", 8),
    "looked_up": Packed("coalesce(looked_up::integer, -1)", 2),
    "synthetic": Packed("synthetic::integer", 2),
    "failed": Packed("checks_failed", 2),
    "unfinished": Packed("(n_answered < n_planned)::integer", 2),
}
_PAIRS = """
    SELECT pair.id, misconception.key, pair.difficulty_level, retired_pair.pair_id IS NOT NULL
    FROM pair
    JOIN misconception ON misconception.id = pair.misconception_id
    LEFT JOIN retired_pair ON retired_pair.pair_id = pair.id
    WHERE pair.study_id = %(study)s ORDER BY pair.id
"""
_KINDS = tuple(kind.value for kind in ResponseKind)
_WORDS = {
    "pair": Packed("pair.id", 8),
    "kind": Packed(f"array_position(ARRAY{list(_KINDS)}, response.kind)", 2),
    "n": Packed("response.n_words", 4),
}
_RESPONSES = (
    "FROM response JOIN pair ON pair.misconception_id = response.misconception_id WHERE pair.study_id = %(study)s"
)
_BACKGROUND = "SELECT id, background FROM participation WHERE study_id = %(study)s AND background IS NOT NULL"


async def from_database(session: AsyncSession, slug: str) -> Observed:
    """Read all that the results of a study are computed from.

    Raises
    ------
    StudyUnknown
        When there is none.
    """
    study = await studies.get_study(session, slug)
    await read_as_a_whole(session)
    facts = await _facts(session, study)
    assert facts.declared is not None
    pair_ids, pairs = await _pairs(session, study.id, {arm.truthful_kind for arm in facts.arms})
    everybody = await columns(session, _PEOPLE, "FROM participation WHERE study_id = %(study)s", {"study": study.id})
    rows = _Rows.of(study.id, everybody["id"])
    person_ids, stored = await _stored(session, rows, facts.declared, pair_ids)
    chosen = _places(everybody["id"], person_ids)
    here = {name: column[chosen] for name, column in everybody.items()}
    annotators = await _annotators(session, study, here, facts.declared)
    return Observed(
        facts=facts,
        source=Source("database"),
        people=await _people(session, study.id),
        pairs=pairs,
        annotators=annotators,
        stored=with_rules(facts.declared, pairs, annotators, stored, facts.arms, _by_person(facts.declared, here)),
        scores=await scores_of(session, study.id),
    )


async def _facts(session: AsyncSession, study: Study) -> Facts:
    used = study.misconception_set
    arms = tuple(Arm(arm.truthful_kind, arm.instructions) for arm in study.arms)
    filled = exists().where(Participation.study_id == Study.id, Participation.synthetic)
    return Facts(
        slug=study.slug,
        title=study.title,
        question=study.question,
        state=study.state,
        purpose=study.purpose,
        synthetic=bool(await session.scalar(select(or_(Study.synthetic, filled)).where(Study.id == study.id))),
        ratings_per_pair=study.ratings_per_pair,
        pairs_per_annotator=study.pairs_per_annotator,
        arms=arms,
        arms_ordered=True,
        first_arm=arms[0].name if arms else None,
        set_slug=used.slug,
        set_version=used.version,
        set_hash=used.content_hash,
        design_hash=study.design_hash,
        amended_designs=tuple(change.design_hash for change in await amendments.listed(session, study.id)),
        preregistration=await preregistrations.hash_of(session, study.id),
        seed=study.seed,
        declared=declared_in(study.options),
    )


async def _pairs(session: AsyncSession, study_id: int, kinds: set[str]) -> tuple[Ints, Pairs]:
    """Return the ids of the pairs, rising, and the pairs."""
    rows = await rows_of(session, _PAIRS, study_id)
    ids, keys, levels, retired = zip(*rows, strict=True) if rows else ((), (), (), ())
    pair_ids = np.array(ids, dtype=np.int64)
    told = await columns(session, _WORDS, _RESPONSES, {"study": study_id})
    words = np.full((len(_KINDS), len(rows)), np.nan)
    words[told["kind"] - 1, np.searchsorted(pair_ids, told["pair"])] = told["n"]
    numbers = dict(zip(_KINDS, words, strict=True))
    return pair_ids, Pairs(
        key=keys,
        level=np.array(levels, dtype=np.int64),
        retired=np.array(retired, dtype=np.bool_),
        words_truthful={kind: numbers[TruthfulKind(kind).response] for kind in sorted(kinds)},
        words_sycophantic=numbers[ResponseKind.SYCOPHANTIC],
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows of a table that names a person on each are of this study.

    Attributes
    ----------
    people
        Ids of everybody in the study, in any order.
    sql
        What finds their rows: by the ids between the first and the last, which needs no join, where most of those are
        of this study; else by a join. Rows of others, or of who came since, may be among them.
    params
        Of this SQL.
    """

    people: Ints
    sql: str
    params: dict[str, int]

    @classmethod
    def of(cls, study_id: int, people: Ints) -> "_Rows":
        if not len(people):
            return cls(people, _OF_STUDY, {"study": study_id})
        first, last = int(people.min()), int(people.max())
        if last - first >= 2 * len(people):
            return cls(people, _OF_STUDY, {"study": study_id})
        return cls(people, _BETWEEN, {"first": first, "last": last})

    def own(self, table: dict[str, Ints]) -> dict[str, Ints]:
        """Return the rows of people in the study."""
        person = table["key"] >> _POSITION_BITS
        own = np.isin(person, self.people)
        return table if own.all() else {name: column[own] for name, column in table.items()}


async def _stored(session: AsyncSession, rows: _Rows, declared: Declared, pair_ids: Ints) -> tuple[Ints, Stored]:
    """Return the ids of who chose, rising, and their choices, none of them excluded yet."""
    told = _CHOICES | (_CONFIDENCE if declared.confidence else {})
    chose = _in_order(rows.own(await columns(session, told, f"FROM choice {rows.sql}", rows.params)))
    asked = _PLANNED | (_BELIEF if declared.prior_belief else {})
    plan = _in_order(await columns(session, asked, f"FROM assignment {rows.sql}", rows.params))
    if not np.array_equal(plan["key"], chose["key"]):  # What was planned and not judged has no choice.
        at = np.searchsorted(plan["key"], chose["key"])
        plan = {name: column[at] for name, column in plan.items()}
    person_ids, annotator = dense(chose["key"] >> _POSITION_BITS)
    said, planned = chose["said"], plan["plan"]
    side, left = said & 3, (planned & 1) == 1
    return person_ids, Stored(
        pair=_places(pair_ids, planned >> _PLANNED_BITS),
        annotator=annotator,
        position=chose["key"] & (2**_POSITION_BITS - 1),
        repeat_of=(planned & (2**_PLANNED_BITS - 1)) >> 1,
        prefers_sycophantic=np.where((side == 1) | (side == 2), ((side == 1) != left).astype(np.float64), np.nan),
        truthful_left=left,
        counted=(said & _COUNTED) > 0,
        late=(said & _LATE) > 0,
        withdrawn=side == 0,
        reason=np.zeros(len(side), dtype=np.int64),
        decision_ms=_measured(said >> _SAID_BITS),
        left_page=(said & _LEFT_PAGE) > 0,
        confidence=_any(chose.get("confidence")),
        prior_belief=_any(plan.get("belief")),
    )


def _in_order(table: dict[str, Ints]) -> dict[str, Ints]:
    """Return the rows in the order of their keys, each of which is there once."""
    key = table["key"]
    if (key[1:] > key[:-1]).all():
        return table
    order = _order(key)
    return {name: column[order] for name, column in table.items()}


def _order(key: Ints) -> Ints:
    """Return what sorts these keys: people's ids and positions are mostly close together, so each has its place."""
    person, position = key >> _POSITION_BITS, key & (2**_POSITION_BITS - 1)
    person -= person.min()
    span = int(position.max()) + 1
    place = person * span + position
    if place.max() >= 8 * len(key):
        return np.argsort(key)
    row = np.full(int(place.max()) + 1, -1)
    row[place] = np.arange(len(key))
    return row[row >= 0]


def _places(ids: Ints, wanted: Ints) -> Ints:
    """Return where each wanted id stands among ids, each of them once."""
    if not len(ids):
        return np.zeros(0, dtype=np.int64)
    first, last = int(ids.min()), int(ids.max())
    if last - first < 8 * (len(ids) + len(wanted)):
        place = np.zeros(last - first + 1, dtype=np.int64)
        place[ids - first] = np.arange(len(ids))
        return place[wanted - first]
    order = np.argsort(ids)
    return order[np.searchsorted(ids, wanted, sorter=order)].astype(np.int64, copy=False)


def _measured(numbers: Ints) -> Floats:
    return np.where(numbers < 0, np.nan, numbers.astype(np.float64))


def _any(numbers: Ints | None) -> Floats | None:
    return None if numbers is None or not (numbers >= 0).any() else _measured(numbers)


async def _annotators(session: AsyncSession, study: Study, here: dict[str, Ints], declared: Declared) -> Annotators:
    arm_ids = [arm.id for arm in study.arms]
    said: list[Any] = [None] * len(here["id"])
    if declared.background:
        answers = dict(await rows_of(session, _BACKGROUND, study.id))
        said = [answers.get(person) for person in here["id"].tolist()]
    codes, words = coded(said, declared.background)
    return Annotators(
        arm=np.searchsorted(arm_ids, here["arm"]).astype(np.int64, copy=False),
        looked_up=_measured(here["looked_up"]),
        synthetic=here["synthetic"] == 1,
        background=codes,
        answers=words,
    )


def _by_person(declared: Declared, here: dict[str, Ints]) -> dict[str, Bools]:
    """Return, by rule, whom it holds for: what the choices do not tell."""
    return {
        "failed_checks": here["failed"] >= int(declared.exclusions.get("failed_checks", 0)),
        "incomplete": here["unfinished"] == 1,
    }


async def _people(session: AsyncSession, study_id: int) -> People:
    found = await session.execute(
        select(Participation.outcome, func.count(), func.count(Participation.withdrawn_at))
        .where(Participation.study_id == study_id, Participation.consented_at.is_not(None))
        .group_by(Participation.outcome)
    )
    rows = {outcome: (n, withdrew) for outcome, n, withdrew in found}
    by_outcome = {outcome.value: rows.get(outcome, (0, 0))[0] for outcome in Outcome}
    return People(
        consented=sum(n for n, _ in rows.values()),
        unfinished=rows.get(None, (0, 0))[0],
        withdrew=sum(withdrew for _, withdrew in rows.values()),
        **by_outcome,
    )
