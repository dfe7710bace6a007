"""Showing a pair and storing the choice: the hot path, one statement each, shared by all who ask at one moment.

A statement does nothing for a person who is not at that very pair, whose hold has ended or whose row another has
locked; the caller then reads their place and does what is due. Nothing here depends on what a statement saw before: the
person's row is locked in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import events, slots
from app.study.places import Place, StudyFacts
from app.study.together import Ask, alone
from app.study.tokens import PairAt
from app.terms import Answer, ResponseKind, Side, Stage

_LONGEST_MS = 2**31 - 1
_MOST_TIMES = 2**15 - 1


class ShownPair(NamedTuple):
    """A pair as it is shown: which text is where, and nothing about which is which. Its id is for its token alone."""

    position: int
    pair_id: int
    n_planned: int
    prompt: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the form of the judging page says. Times are in milliseconds; counts are of events in the browser."""

    answer: Answer
    browser_ms: int | None = None
    confidence: int | None = None
    reason: str | None = None
    times_away: int | None = None
    pastes: int | None = None


class Stored(NamedTuple):
    """Where a person stands after their choice was stored. `counted`: it fills a slot."""

    stage: str
    n_planned: int
    n_answered: int
    n_believed: int
    n_checked: int
    next_check: int | None
    counted: bool
    repeat: bool


# Each statement takes the people who ask at one moment (`app.study.together`). Their rows are locked before their
# assignments, as everywhere, and whoever is locked by another is passed over: so nobody waits for anybody else's lock.
# That the study is asked for again, and each LIMIT 1 where a key finds one row at most, makes the planner expect one
# person and one row of theirs, so that it looks rows up one by one; for a hundred it would read a table whole that was
# small when it last looked.
_PEOPLE_AT_THEIR_PAIR = """
    WITH person AS MATERIALIZED (
        SELECT asked.*, whose.* FROM json_to_recordset(CAST(:people AS json)) AS asked(
            nth integer, study bigint, annotator text, "position" smallint, pair bigint, answer text,
            browser_ms integer, confidence smallint, reason text, times_away smallint, pastes smallint
        ) CROSS JOIN LATERAL (
            SELECT id, arm_id, n_planned, held_until FROM participation
            WHERE study_id = :study AND public_id = asked.annotator AND stage = 'judging'
              AND n_answered = asked.position - 1 AND (next_check IS NULL OR next_check > n_answered)
              AND (NOT CAST(:beliefs AS boolean) OR n_believed >= asked.position)
              {held}
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        ) AS whose WHERE asked.study = :study
    )
"""
# Not "IS NOT NULL": the planner could take the index of all who hold, small when it last looked, to find one of them.
_HELD = "AND coalesce(held_until, '-infinity') > '-infinity'"
_ENDS_SOON = "held_until < now() + make_interval(mins => :minutes) - interval '1 minute'"
_SHOW = f"""
    {_PEOPLE_AT_THEIR_PAIR.format(held=_HELD)}, shown AS (
        UPDATE assignment SET shown_at = coalesce(shown_at, now()) FROM person
        WHERE assignment.participation_id = person.id AND assignment.position = person.position
        RETURNING nth, n_planned, arm_id, pair_id, side_truthful
    ), extended AS (
        UPDATE participation SET held_until = now() + make_interval(mins => :minutes) FROM person
        WHERE participation.id = person.id AND person.{_ENDS_SOON}
    )
    SELECT nth, pair_id, n_planned, prompt, side_truthful, truthful, other {{lazily}}
    FROM shown CROSS JOIN LATERAL (
        SELECT m.prompt, truthful.text AS truthful, other.text AS other
        FROM pair JOIN misconception m ON m.id = pair.misconception_id
        JOIN response truthful ON truthful.misconception_id = m.id
         AND truthful.kind = (SELECT arm.truthful_kind || '_truthful' FROM arm WHERE arm.id = shown.arm_id)
        JOIN response other ON other.misconception_id = m.id AND other.kind = :sycophantic
        WHERE pair.id = shown.pair_id LIMIT 1
    ) AS texts
"""  # noqa: S608 - of the parts above
_SHOW_WITHIN = text(_SHOW.format(lazily=""))
# A crash may lose when a pair was shown, and then its time only; so this commit need not wait for the disk. One that
# stores anything else besides must: a pair that took another's place would be lost, and its page is in the browser.
_SHOW_LAZILY = text(_SHOW.format(lazily=", set_config('synchronous_commit', 'off', true)"))


async def show_pair(ask: Ask, study: StudyFacts, annotator: str, position: int) -> ShownPair | None:
    """Return the pair at a position if it is the one to judge next, noting its first showing and extending the hold."""
    shared = _shared(study) | {"sycophantic": ResponseKind.SYCOPHANTIC.value}
    statement = _SHOW_LAZILY if ask.whole_transaction else _SHOW_WITHIN
    row = await ask(statement, shared, annotator, {"study": study.id, "position": position})
    if row is None:
        return None
    pair_id, n_planned, prompt, side_truthful, truthful, other = row[:6]
    left, right = (truthful, other) if side_truthful == Side.LEFT else (other, truthful)
    return ShownPair(position, pair_id, n_planned, prompt, left, right)


def _shared(study: StudyFacts) -> dict[str, object]:
    return {"study": study.id, "beliefs": study.options.prior_belief, "minutes": study.hold_minutes}


# "Not distinct", not "=": the planner could take the index of people's slots, small when it last looked, for a better
# way to one slot than its key. A hold is lengthened once a minute at most, so that most choices change no index of the
# participation.
_STORE = f"""
    {_PEOPLE_AT_THEIR_PAIR}, planned AS MATERIALIZED (
        SELECT person.*, place.* FROM person CROSS JOIN LATERAL (
            SELECT slot_id, shown_at, repeat_of FROM assignment
            WHERE participation_id = person.id AND assignment.position = person.position
              AND assignment.pair_id IS NOT DISTINCT FROM person.pair
              AND coalesce(now() NOT BETWEEN shown_at AND shown_at + make_interval(secs => :reading)
                           OR :reading = 0, true) {{slot}} LIMIT 1
        ) AS place
    ), filled AS (
        UPDATE slot SET state = 'filled' FROM planned
        WHERE slot.id = planned.slot_id AND slot.participation_id IS NOT DISTINCT FROM planned.id
          AND slot.state = 'held'
        RETURNING slot.id
    ), stored AS (
        INSERT INTO choice (participation_id, position, slot_id, side_chosen, decision_ms_browser,
                            decision_ms_server, confidence, reason, times_away, pastes, counted, late, design_hash)
        SELECT planned.id, position, filled.id, answer, browser_ms,
               extract(epoch FROM greatest(now(), shown_at) - shown_at) * 1000, confidence, reason, times_away,
               pastes, filled.id IS NOT NULL, held_until IS NULL OR held_until < now(),
               (SELECT study.design_hash FROM study WHERE study.id = :study)
        FROM planned LEFT JOIN filled ON filled.id = planned.slot_id
        RETURNING participation_id, counted
    )
    UPDATE participation
    SET n_answered = planned.position,
        stage = CASE WHEN planned.n_planned = planned.position THEN :after ELSE participation.stage END,
        held_until = CASE WHEN planned.n_planned = planned.position THEN NULL
                          WHEN planned.{_ENDS_SOON} THEN now() + make_interval(mins => :minutes)
                          ELSE planned.held_until END
    FROM planned JOIN stored ON stored.participation_id = planned.id
    WHERE participation.id = planned.id
    RETURNING nth, participation.stage, participation.n_planned, n_answered, n_believed, n_checked, next_check,
              stored.counted, planned.repeat_of IS NOT NULL AS repeat
"""  # noqa: S608 - of the parts above
_STORE_HELD = text(_STORE.format(held=_HELD, slot="AND (slot_id IS NOT NULL OR repeat_of IS NOT NULL)"))
_STORE_ANYHOW = text(_STORE.format(held="", slot=""))


async def submit_choice(ask: Ask, study: StudyFacts, annotator: str, at: PairAt, judgement: Judgement) -> Stored | None:
    """Store the choice for a pair whose slot the person holds, if it is the one to judge next and was read long enough.

    Whether the person was given that pair is for the caller to prove, by the token.
    """
    return await _store(_STORE_HELD, ask, study, annotator, _own(study, at, judgement))


async def is_next(session: AsyncSession, place: Place, at: PairAt) -> bool:
    """Say whether this is the pair that a person is to judge next, and no other came to its position since."""
    if place.step != ("pair", at.position):
        return False
    whose = {"participation": place.participation_id, **at._asdict()}
    return await session.scalar(_IS_THERE, whose) is not None


_IS_THERE = text("""
    SELECT 1 FROM assignment WHERE participation_id = :participation AND position = :position AND pair_id = :pair_id
""")


async def submit_late(session: AsyncSession, place: Place, at: PairAt, judgement: Judgement) -> Stored | None:
    """Store the choice of a person at a pair whose slot they do not hold any more; the place must be locked.

    It fills an open slot of its pair, arm and side, if there is one, and is stored without counting if there is none.
    None comes back where the pair was not read long enough, or is not the one to judge next.
    """
    own = _own(place.study, at, judgement)
    stored = await _store(_STORE_ANYHOW, alone(session), place.study, place.annotator, own)
    if stored is not None and not stored.counted and not stored.repeat:
        await _count_late(session, place, at.position)
    return stored


async def _store(
    statement: TextClause, ask: Ask, study: StudyFacts, annotator: str, own: Mapping[str, object]
) -> Stored | None:
    of_all = {"reading": study.options.min_reading_seconds, "after": Stage.LOOKED_UP.value}
    row = await ask(statement, _shared(study) | of_all, annotator, own)
    return None if row is None else Stored(*row)


def _own(study: StudyFacts, at: PairAt, judgement: Judgement) -> dict[str, object]:
    return {
        "study": study.id,
        "position": at.position,
        "pair": at.pair_id,
        "answer": judgement.answer.value,
        "browser_ms": _within(judgement.browser_ms, _LONGEST_MS),
        "confidence": judgement.confidence,
        "reason": judgement.reason,
        "times_away": _within(judgement.times_away, _MOST_TIMES),
        "pastes": _within(judgement.pastes, _MOST_TIMES),
    }


def _within(number: int | None, most: int) -> int | None:
    """Keep what a browser says within its column."""
    return None if number is None else min(max(number, 0), most)


async def _count_late(session: AsyncSession, place: Place, position: int) -> None:
    """Let a choice whose slot is gone fill another open one of its pair, arm and side, if there is one."""
    slot_id = await slots.fill_open(session, place.participation_id, position)
    if slot_id is not None:
        await session.execute(
            text("""
                UPDATE choice SET counted = true, slot_id = :slot, late = true
                WHERE participation_id = :participation AND position = :position
            """),
            {"slot": slot_id, "participation": place.participation_id, "position": position},
        )


async def log_unstored(session: AsyncSession, place: Place, at: PairAt | None, answer: Answer) -> None:
    """Record a post that stored nothing: a token that is not this person's, or another answer than the one that stands.

    That it was another is recorded, not which: events stay where answers are withdrawn. `at` is what the token was
    given out for, None if we never gave it to this person.
    """
    if at is None:
        await events.record(session, "foreign_token", study_id=place.study.id, participation_id=place.participation_id)
        return
    stands = await session.scalar(
        text("SELECT side_chosen FROM choice WHERE participation_id = :participation AND position = :position"),
        {"participation": place.participation_id, "position": at.position},
    )
    if stands is not None and stands != answer:
        await events.record(
            session,
            "differing_choice",
            study_id=place.study.id,
            participation_id=place.participation_id,
            position=at.position,
        )


async def log_early(session: AsyncSession, place: Place) -> None:
    """Record that somebody answered before the declared reading time was over; nothing was stored."""
    await events.record(
        session,
        "answered_early",
        study_id=place.study.id,
        participation_id=place.participation_id,
        position=place.next_position,
    )
