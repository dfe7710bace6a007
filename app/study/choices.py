"""Showing a pair and storing the choice. The hot path: two statements to show, two to store."""

from typing import NamedTuple

from sqlalchemy import text

from app.db import Statements
from app.study import events, slots
from app.study.places import Place
from app.terms import ResponseKind, Side, Stage

_LONGEST_MS = 2**31 - 1


class ShownPair(NamedTuple):
    """A pair as it is shown: which text is where, and nothing about which is which."""

    position: int
    prompt: str
    first: str
    second: str


async def show_pair(session: Statements, place: Place) -> ShownPair:
    """Return the pair to judge next, noting when it was first shown and extending the hold."""
    row = (
        await session.execute(
            _SHOW,
            {
                "participation": place.participation_id,
                "position": place.next_position,
                "truthful": place.response_kind,
                "sycophantic": ResponseKind.SYCOPHANTIC,
                "minutes": place.hold_minutes,
            },
        )
    ).one()
    left, right = (row.truthful, row.other) if row.side_truthful == Side.LEFT else (row.other, row.truthful)
    return ShownPair(place.next_position, row.prompt, left, right)


# The person's row is locked before their assignment, as everywhere: which part of a statement comes first is not said.
_SHOW = text("""
    WITH person AS MATERIALIZED (
        SELECT id FROM participation WHERE id = :participation FOR NO KEY UPDATE
    ), shown AS (
        UPDATE assignment SET shown_at = now() FROM person
        WHERE participation_id = person.id AND position = :position AND shown_at IS NULL
    ), extended AS (
        UPDATE participation SET held_until = now() + make_interval(mins => :minutes) FROM person
        WHERE participation.id = person.id
          AND held_until < now() + make_interval(mins => :minutes) - interval '1 minute'
    )
    SELECT m.prompt, a.side_truthful, t.text AS truthful, s.text AS other
    FROM assignment a
    JOIN pair ON pair.id = a.pair_id
    JOIN misconception m ON m.id = pair.misconception_id
    JOIN response t ON t.misconception_id = m.id AND t.kind = :truthful
    JOIN response s ON s.misconception_id = m.id AND s.kind = :sycophantic
    WHERE a.participation_id = :participation AND a.position = :position
""")


async def submit_choice(session: Statements, place: Place, token: str, side: Side, browser_ms: int | None) -> bool:
    """Store a choice for the pair that a token stands for, if it is the one to judge next; say whether it was stored.

    The place must be locked. The first stored choice stands: a later post for the same pair stores nothing, and is
    logged if it differs; a token that was never given to this person stores nothing.
    """
    position = place.position_of(token)
    if position != place.next_position or place.stage != Stage.JUDGING:
        await _log_unstored(session, place, position, side)
        return False
    stored = await session.scalar(
        _STORE,
        {
            "participation": place.participation_id,
            "position": position,
            "side": side,
            "browser_ms": None if browser_ms is None else min(max(browser_ms, 0), _LONGEST_MS),
            "late": place.hold_expired,
            "design_hash": place.design_hash,
            "minutes": place.hold_minutes,
            "after": Stage.LOOKED_UP,
        },
    )
    if stored is False:
        await _count_late(session, place, position)
    return True


# "Not open and not filled", not "held": the planner would take the index of held slots, small when it last looked, for
# a better way to one slot than its key.
_STORE = text("""
    WITH filled AS (
        UPDATE slot SET state = 'filled'
        WHERE id = (SELECT slot_id FROM assignment WHERE participation_id = :participation AND position = :position)
          AND participation_id = :participation AND state NOT IN ('open', 'filled')
        RETURNING id
    ), stored AS (
        INSERT INTO choice (participation_id, position, slot_id, side_chosen, decision_ms_browser,
                            decision_ms_server, counted, late, design_hash)
        SELECT a.participation_id, a.position, (SELECT id FROM filled), :side, CAST(:browser_ms AS integer),
               extract(epoch FROM greatest(now(), a.shown_at) - a.shown_at) * 1000,
               EXISTS (SELECT 1 FROM filled), :late, :design_hash
        FROM assignment a WHERE a.participation_id = :participation AND a.position = :position
        RETURNING counted
    )
    UPDATE participation
    SET n_answered = :position,
        stage = CASE WHEN n_planned = :position THEN :after ELSE stage END,
        held_until = CASE WHEN n_planned = :position OR held_until IS NULL THEN NULL
                          ELSE now() + make_interval(mins => :minutes) END
    WHERE id = :participation
    RETURNING (SELECT counted FROM stored)
""")


async def _count_late(session: Statements, place: Place, position: int) -> None:
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


async def _log_unstored(session: Statements, place: Place, position: int | None, side: Side) -> None:
    if position is None:
        await events.record(session, "foreign_token", study_id=place.study_id, participation_id=place.participation_id)
        return
    stands = await session.scalar(
        text("SELECT side_chosen FROM choice WHERE participation_id = :participation AND position = :position"),
        {"participation": place.participation_id, "position": position},
    )
    if stands is not None and stands != side:
        await events.record(
            session,
            "differing_choice",
            study_id=place.study_id,
            participation_id=place.participation_id,
            position=position,
            side=side,
        )
