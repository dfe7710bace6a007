"""Showing a pair and storing the choice: the hot path, one statement each, and so one transaction each.

A statement does nothing where the person is not at that very pair, or their hold has ended; the caller then reads their
place and does what is due. Nothing here depends on what a statement saw before: the person's row is locked in it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Run, within
from app.study import events, slots
from app.study.places import Place, StudyFacts
from app.terms import Answer, ResponseKind, Side, Stage

_LONGEST_MS = 2**31 - 1
_MOST_TIMES = 2**15 - 1


class ShownPair(NamedTuple):
    """A pair as it is shown: which text is where, and nothing about which is which."""

    position: int
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


# The person's row is locked before their assignment, as everywhere: which part of a statement comes first is not said.
# A crash may lose when a pair was shown, and then its time only; so this commit need not wait for the disk.
_AT_THE_PAIR = """
    WITH person AS MATERIALIZED (
        SELECT id, arm_id, n_planned, held_until FROM participation
        WHERE study_id = :study AND public_id = :annotator AND stage = 'judging' AND n_answered = :position - 1
          AND (next_check IS NULL OR next_check > n_answered)
          AND (NOT CAST(:beliefs AS boolean) OR n_believed >= :position)
          {held}
        FOR NO KEY UPDATE
    )
"""
_SHOW = text(f"""
    {_AT_THE_PAIR.format(held="AND held_until IS NOT NULL")}, shown AS (
        UPDATE assignment SET shown_at = now() FROM person
        WHERE participation_id = person.id AND position = :position AND shown_at IS NULL
    ), extended AS (
        UPDATE participation SET held_until = now() + make_interval(mins => :minutes) FROM person
        WHERE participation.id = person.id
          AND person.held_until < now() + make_interval(mins => :minutes) - interval '1 minute'
    )
    SELECT person.n_planned, m.prompt, a.side_truthful, t.text AS truthful, s.text AS other,
           set_config('synchronous_commit', 'off', true)
    FROM person
    CROSS JOIN LATERAL (SELECT truthful_kind FROM arm WHERE arm.id = person.arm_id OFFSET 0) AS arm
    JOIN assignment a ON a.participation_id = person.id AND a.position = :position
    JOIN pair ON pair.id = a.pair_id
    JOIN misconception m ON m.id = pair.misconception_id
    JOIN response t ON t.misconception_id = m.id AND t.kind = arm.truthful_kind || '_truthful'
    JOIN response s ON s.misconception_id = m.id AND s.kind = :sycophantic
""")  # noqa: S608 - of the part above


async def show_pair(run: Run, study: StudyFacts, annotator: str, position: int) -> ShownPair | None:
    """Return the pair at a position if it is the one to judge next, noting its first showing and extending the hold."""
    whose = {"study": study.id, "annotator": annotator, "position": position, "minutes": study.hold_minutes}
    options = {"beliefs": study.options.prior_belief, "sycophantic": ResponseKind.SYCOPHANTIC.value}
    row = await run(_SHOW, whose | options)
    if row is None:
        return None
    n_planned, prompt, side_truthful, truthful, other = row[:5]
    left, right = (truthful, other) if side_truthful == Side.LEFT else (other, truthful)
    return ShownPair(position, n_planned, prompt, left, right)


# "Not open and not filled", not "held": the planner would take the index of held slots, small when it last looked, for
# a better way to one slot than its key. A hold is lengthened once a minute at most, so that most choices change no
# index of the participation.
_STORE = """
    {person}, planned AS (
        SELECT a.participation_id, a.position, a.slot_id, a.shown_at, a.repeat_of, person.n_planned, person.held_until
        FROM person JOIN assignment a ON a.participation_id = person.id AND a.position = :position
        WHERE coalesce(now() NOT BETWEEN a.shown_at AND a.shown_at + make_interval(secs => :reading)
                       OR :reading = 0, true) {slot}
    ), filled AS (
        UPDATE slot SET state = 'filled' FROM planned
        WHERE slot.id = planned.slot_id AND slot.participation_id = planned.participation_id
          AND slot.state NOT IN ('open', 'filled')
        RETURNING slot.id
    ), stored AS (
        INSERT INTO choice (participation_id, position, slot_id, side_chosen, decision_ms_browser,
                            decision_ms_server, confidence, reason, times_away, pastes, counted, late, design_hash)
        SELECT participation_id, position, (SELECT id FROM filled), :answer, CAST(:browser_ms AS integer),
               extract(epoch FROM greatest(now(), shown_at) - shown_at) * 1000,
               CAST(:confidence AS smallint), CAST(:reason AS text), CAST(:away AS smallint),
               CAST(:pastes AS smallint), EXISTS (SELECT 1 FROM filled), held_until IS NULL OR held_until < now(),
               (SELECT study.design_hash FROM study WHERE study.id = :study)
        FROM planned
        RETURNING counted
    )
    UPDATE participation
    SET n_answered = :position,
        stage = CASE WHEN planned.n_planned = :position THEN :after ELSE participation.stage END,
        held_until = CASE
            WHEN planned.n_planned = :position THEN NULL
            WHEN planned.held_until < now() + make_interval(mins => :minutes) - interval '1 minute'
            THEN now() + make_interval(mins => :minutes)
            ELSE planned.held_until END
    FROM planned WHERE participation.id = planned.participation_id
    RETURNING participation.stage, participation.n_planned, n_answered, n_believed, n_checked, next_check,
              (SELECT counted FROM stored) AS counted, planned.repeat_of IS NOT NULL AS repeat
"""
_STORE_HELD = text(
    _STORE.format(
        person=_AT_THE_PAIR.format(held="AND held_until IS NOT NULL"),
        slot="AND (a.slot_id IS NOT NULL OR a.repeat_of IS NOT NULL)",
    )
)
_STORE_ANYHOW = text(_STORE.format(person=_AT_THE_PAIR.format(held=""), slot=""))


async def submit_choice(
    run: Run, study: StudyFacts, annotator: str, position: int, judgement: Judgement
) -> Stored | None:
    """Store the choice for a pair whose slot the person holds, if it is the one to judge next and was read long enough.

    Whether the person was given that pair is for the caller to prove, by the token.
    """
    row = await run(_STORE_HELD, _values(study, annotator, position, judgement))
    return None if row is None else Stored(*row)


async def submit_late(session: AsyncSession, place: Place, judgement: Judgement) -> Stored | None:
    """Store the choice of a person at a pair whose slot they do not hold any more; the place must be locked.

    It fills an open slot of its pair, arm and side, if there is one, and is stored without counting if there is none.
    None comes back where the pair was not read long enough.
    """
    values = _values(place.study, place.annotator, place.next_position, judgement)
    row = await within(session)(_STORE_ANYHOW, values)
    if row is None:
        return None
    stored = Stored(*row)
    if not stored.counted and not stored.repeat:
        await _count_late(session, place, place.next_position)
    return stored


def _values(study: StudyFacts, annotator: str, position: int, judgement: Judgement) -> dict[str, object]:
    return {
        "study": study.id,
        "annotator": annotator,
        "position": position,
        "beliefs": study.options.prior_belief,
        "reading": study.options.min_reading_seconds,
        "minutes": study.hold_minutes,
        "after": Stage.LOOKED_UP.value,
        "answer": judgement.answer.value,
        "browser_ms": _within(judgement.browser_ms, _LONGEST_MS),
        "confidence": judgement.confidence,
        "reason": judgement.reason,
        "away": _within(judgement.times_away, _MOST_TIMES),
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


async def log_unstored(session: AsyncSession, place: Place, position: int | None, answer: Answer) -> None:
    """Record a post that stored nothing: a token that is not this person's, or another answer than the one that stands.

    `position` is what the token was given out for, None if we never gave it to this person.
    """
    if position is None:
        await events.record(session, "foreign_token", study_id=place.study.id, participation_id=place.participation_id)
        return
    stands = await session.scalar(
        text("SELECT side_chosen FROM choice WHERE participation_id = :participation AND position = :position"),
        {"participation": place.participation_id, "position": position},
    )
    if stands is not None and stands != answer:
        await events.record(
            session,
            "differing_choice",
            study_id=place.study.id,
            participation_id=place.participation_id,
            position=position,
            side=answer,
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
