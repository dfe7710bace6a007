"""Slots: claimed, filled and released under lock. With dealing, the one place that changes what is open.

Locks are taken in one order everywhere, so nothing deadlocks: a participation's row first, then slots (skipping those
that others hold), then vacancies in the order of their pairs with the counts of their arms, once in a transaction. That
is why expired holds are released in a transaction of their own. A study's row is locked against changes by others alone
(`studies.get_study`): nobody here waits for it, so it may be locked at any time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from random import Random
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import vacancies
from app.study.assignment import Candidate, Planned, SideName, plan

_SWEEP_AT_ONCE = 50


class Held(NamedTuple):
    """A slot that a person holds."""

    slot_id: int
    pair_id: int
    level: int
    side_truthful: str


class PlannedRound(NamedTuple):
    """One planning of a claim, as recorded: the generator's draw, what was open, and what was planned."""

    draw: str
    candidates: list[Candidate]
    n: int
    so_far: list[Planned]
    planned: list[Planned]


async def claim(
    session: AsyncSession, *, participation_id: int, arm_id: int, n: int, draw: str
) -> tuple[list[Held], list[PlannedRound]]:
    """Hold up to n slots for a person, each of another pair, and return them in the order to be shown.

    The plan is made on what is open at the moment; a side of a pair that somebody else takes in between is planned
    anew, from what is left. Fewer than n come back when no more can be had. `draw` seeds the person's generator.

    The caller counts them (`count_taken`) as the last thing in the transaction: everybody who enters an arm takes some
    of its most open pairs, and would wait for the rest of this transaction otherwise.
    """
    held, rounds = await _hold_rounds(session, participation_id, arm_id, _Wish(n, draw))
    if len(rounds) > 1:
        Random(f"{draw}/order").shuffle(held)  # noqa: S311 - reproducible on purpose
    return held, rounds


async def count_taken(session: AsyncSession, arm_id: int, held: Sequence[Held]) -> None:
    """Take slots that are held now off the vacancies."""
    await vacancies.adjust(session, [(slot.pair_id, arm_id, slot.side_truthful) for slot in held], by=-1)


class _Wish(NamedTuple):
    """How many pairs are wanted, besides which, and evened out together with what."""

    n: int
    draw: str
    so_far: Sequence[Planned] = ()
    besides: Sequence[int] = ()


async def _hold_rounds(
    session: AsyncSession, participation_id: int, arm_id: int, wish: _Wish
) -> tuple[list[Held], list[PlannedRound]]:
    """Plan and hold, round after round, what others did not take meanwhile. The vacancies are left to the caller.

    Each round that comes short has lost a side of a pair at least, and plans without it, so this ends.
    """
    held: list[Held] = []
    rounds: list[PlannedRound] = []
    lost: set[tuple[int, str]] = set()
    for number in count():
        so_far = [*wish.so_far, *(Planned(slot.pair_id, slot.level, _side(slot.side_truthful)) for slot in held)]
        besides = [*wish.besides, *(slot.pair_id for slot in held)]
        candidates = _without(await vacancies.open_pairs(session, arm_id, wish.n + len(lost), besides), lost)
        wanted = wish.n - len(held)
        draw = f"{wish.draw}/{number}"
        planned = plan(candidates, wanted, Random(draw), so_far)  # noqa: S311 - reproducible on purpose
        if not planned:
            break
        rounds.append(PlannedRound(draw, candidates, wanted, so_far, planned))
        taken = await _hold(session, participation_id, arm_id, planned)
        held += taken
        if len(taken) == len(planned):
            break
        pairs_taken = {slot.pair_id for slot in taken}
        lost |= {(pair.pair_id, pair.side_truthful) for pair in planned if pair.pair_id not in pairs_taken}
    return held, rounds


def _without(candidates: Iterable[Candidate], lost: set[tuple[int, str]]) -> list[Candidate]:
    """Return the candidates without the sides that somebody else is just taking: they only look open still."""
    left = [
        replace(
            candidate,
            open_left=0 if (candidate.pair_id, "left") in lost else candidate.open_left,
            open_right=0 if (candidate.pair_id, "right") in lost else candidate.open_right,
        )
        for candidate in candidates
    ]
    return [candidate for candidate in left if candidate.n_open]


def _side(name: str) -> SideName:
    return "left" if name == "left" else "right"


async def _hold(session: AsyncSession, participation_id: int, arm_id: int, planned: Sequence[Planned]) -> list[Held]:
    """Take one open slot for each planned pair and side, in the planned order, skipping what others are taking."""
    found = await session.execute(
        _HOLD,
        {
            "participation": participation_id,
            "arm": arm_id,
            "pairs": [pair.pair_id for pair in planned],
            "sides": [pair.side_truthful for pair in planned],
        },
    )
    taken = {pair_id: slot_id for slot_id, pair_id in found}
    return [
        Held(taken[pair.pair_id], pair.pair_id, pair.level, pair.side_truthful)
        for pair in planned
        if pair.pair_id in taken
    ]


# That nobody has a slot says that it is open, and is what the index of open slots goes by.
_HOLD = text("""
    WITH picked AS MATERIALIZED (
        SELECT free.id FROM unnest(CAST(:pairs AS bigint[]), CAST(:sides AS text[])) AS wanted (pair_id, side)
        CROSS JOIN LATERAL (
            SELECT id FROM slot
            WHERE slot.pair_id = wanted.pair_id AND arm_id = :arm AND side_truthful = wanted.side
              AND participation_id IS NULL
            ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS free
    )
    UPDATE slot SET state = 'held', participation_id = :participation
    FROM picked WHERE slot.id = picked.id
    RETURNING slot.id, slot.pair_id
""")


async def release(session: AsyncSession, participation_ids: Sequence[int]) -> int:
    """Open every slot that these people hold; their rows must be locked. Return how many slots came back."""
    freed = await session.execute(_RELEASE, {"participations": list(participation_ids)})
    rows = [tuple(row) for row in freed]
    await vacancies.adjust(session, [(pair_id, arm_id, side) for pair_id, arm_id, side in rows], by=1)
    return len(rows)


_RELEASE = text("""
    WITH freed AS (
        UPDATE slot SET state = 'open', participation_id = NULL
        WHERE participation_id = ANY(CAST(:participations AS bigint[])) AND state = 'held'
        RETURNING id, pair_id, arm_id, side_truthful
    ), forgotten AS (
        UPDATE assignment SET slot_id = NULL FROM freed
        WHERE assignment.slot_id = freed.id AND assignment.participation_id = ANY(CAST(:participations AS bigint[]))
    ), unheld AS (
        UPDATE participation SET held_until = NULL WHERE id = ANY(CAST(:participations AS bigint[]))
    )
    SELECT pair_id, arm_id, side_truthful FROM freed
""")


async def release_expired(session: AsyncSession, slug: str) -> int:
    """Open the slots of people whose hold has ended. Several servers may do so at once: each takes other people."""
    expired = await session.scalars(
        text("""
            SELECT id FROM participation
            WHERE study_id = (SELECT id FROM study WHERE slug = :slug) AND held_until < now()
            ORDER BY held_until LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
        """),
        {"slug": slug, "most": _SWEEP_AT_ONCE},
    )
    people = list(expired)
    return await release(session, people) if people else 0


async def reopen_filled(session: AsyncSession, participation_id: int, positions: Sequence[int] | None = None) -> int:
    """Open the slots that this person's choices filled, at these positions or at all; return how many.

    The data were withdrawn, or excluded in a study that refills.
    """
    freed = await session.execute(
        text("""
            WITH emptied AS (
                SELECT slot_id, position FROM choice
                WHERE participation_id = :participation AND slot_id IS NOT NULL
                  AND (CAST(:positions AS smallint[]) IS NULL OR position = ANY(CAST(:positions AS smallint[])))
            ), uncounted AS (
                UPDATE choice SET counted = false, slot_id = NULL FROM emptied
                WHERE choice.participation_id = :participation AND choice.position = emptied.position
            )
            UPDATE slot SET state = 'open', participation_id = NULL FROM emptied WHERE slot.id = emptied.slot_id
            RETURNING pair_id, arm_id, side_truthful
        """),
        {"participation": participation_id, "positions": None if positions is None else list(positions)},
    )
    rows = [tuple(row) for row in freed]
    await vacancies.adjust(session, rows, by=1)
    return len(rows)


class HeldAgain(NamedTuple):
    """What a person who came back holds: slots of the pairs they had, and of others in the place of those that went."""

    retaken: int
    replaced: int
    missing: int
    rounds: list[PlannedRound]


async def hold_again(session: AsyncSession, participation_id: int, arm_id: int, draw: str) -> HeldAgain:
    """Hold again for a person whose hold had ended and who came back.

    Pairs whose slots are still open stay as they were planned. The others are replaced by pairs that are open, unless
    the person has seen them or there are none: those are judged as surplus.
    """
    planned = list(await session.execute(_PLANNED, {"participation": participation_id}))
    lost = [row for row in planned if row.lost]
    wanted = [Planned(row.pair_id, row.difficulty_level, _side(row.side_truthful)) for row in lost]
    retaken = await _hold(session, participation_id, arm_id, wanted) if wanted else []
    for slot in retaken:
        await session.execute(
            _HOLD_ASSIGNMENT, {"slot": slot.slot_id, "participation": participation_id, "pair": slot.pair_id}
        )
    had = {slot.pair_id for slot in retaken}
    gone = [row for row in lost if row.pair_id not in had]
    unseen = [row.position for row in gone if not row.seen]
    kept = [
        Planned(row.pair_id, row.difficulty_level, _side(row.side_truthful))
        for row in planned
        if row.position not in unseen
    ]
    wish = _Wish(len(unseen), draw, kept, [row.pair_id for row in planned])
    others, rounds = await _hold_rounds(session, participation_id, arm_id, wish) if unseen else ([], [])
    for position, slot in zip(unseen, others, strict=False):
        await session.execute(_REPLACE, {"participation": participation_id, "position": position} | slot._asdict())
    await count_taken(session, arm_id, [*retaken, *others])
    return HeldAgain(len(retaken), len(others), len(gone) - len(others), rounds)


# Where beliefs are asked, the claim of the pair to judge next has been read before the pair is shown.
_PLANNED = text("""
    SELECT a.position, a.pair_id, pair.difficulty_level, a.side_truthful,
           a.slot_id IS NULL AND a.position > p.n_answered AS lost,
           a.shown_at IS NOT NULL OR a.prior_belief IS NOT NULL
           OR (CAST(study.options ->> 'prior_belief' AS boolean) AND p.stage = 'judging'
               AND a.position = p.n_answered + 1) AS seen
    FROM assignment a JOIN participation p ON p.id = a.participation_id JOIN pair ON pair.id = a.pair_id
    JOIN study ON study.id = p.study_id
    WHERE a.participation_id = :participation AND a.repeat_of IS NULL
    ORDER BY a.position
""")
_HOLD_ASSIGNMENT = text("""
    UPDATE assignment SET slot_id = :slot
    WHERE participation_id = :participation AND pair_id = :pair AND repeat_of IS NULL
""")
# A swapped repeat of the position follows it to the other pair.
_REPLACE = text("""
    UPDATE assignment
    SET pair_id = :pair_id, slot_id = CASE WHEN repeat_of IS NULL THEN CAST(:slot_id AS bigint) END,
        side_truthful = CASE WHEN (repeat_of IS NULL) = (:side_truthful = 'left') THEN 'left' ELSE 'right' END
    WHERE participation_id = :participation AND (position = :position OR repeat_of = :position)
""")


async def fill_open(session: AsyncSession, participation_id: int, position: int) -> int | None:
    """Fill an open slot of an assignment's pair, arm and side with a late choice; return it, if there is one."""
    row = (
        await session.execute(
            text("""
                UPDATE slot SET state = 'filled', participation_id = :participation
                WHERE id = (
                    SELECT slot.id FROM assignment a
                    JOIN participation p ON p.id = a.participation_id
                    JOIN slot ON slot.pair_id = a.pair_id AND slot.arm_id = p.arm_id
                             AND slot.side_truthful = a.side_truthful AND slot.participation_id IS NULL
                    WHERE a.participation_id = :participation AND a.position = :position AND a.repeat_of IS NULL
                    ORDER BY slot.number LIMIT 1 FOR UPDATE OF slot SKIP LOCKED
                )
                RETURNING id, pair_id, arm_id, side_truthful
            """),
            {"participation": participation_id, "position": position},
        )
    ).one_or_none()
    if row is None:
        return None
    await vacancies.adjust(session, [(row.pair_id, row.arm_id, row.side_truthful)], by=-1)
    slot_id: int = row.id
    return slot_id


async def some_held(session: AsyncSession, study_id: int, besides: int) -> bool:
    """Say whether places may come back: whether anybody else holds a slot of this study."""
    return bool(
        await session.scalar(
            text("""
                SELECT EXISTS (
                    SELECT 1 FROM participation p JOIN slot ON slot.participation_id = p.id AND slot.state = 'held'
                    WHERE p.study_id = :study AND p.held_until IS NOT NULL AND p.id <> :besides
                )
            """),
            {"study": study_id, "besides": besides},
        )
    )
