"""What a person is told at the end: every pair that they saw, what was false, and what they chose."""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.places import Place
from app.terms import ResponseKind


class SeenPair(NamedTuple):
    """One pair that a person saw. `side_chosen` is None where they did not choose."""

    claim: str
    fact: str
    sources: list[dict[str, Any]]
    prompt: str
    truthful: str
    sycophantic: str
    side_truthful: str
    side_chosen: str | None


async def seen_pairs(session: AsyncSession, place: Place) -> list[SeenPair]:
    """Return the pairs that a person was shown, in the order shown."""
    rows = await session.execute(
        text("""
            SELECT m.claim, m.fact, m.sources, m.prompt, t.text, s.text, a.side_truthful, c.side_chosen
            FROM assignment a
            JOIN pair ON pair.id = a.pair_id
            JOIN misconception m ON m.id = pair.misconception_id
            JOIN response t ON t.misconception_id = m.id AND t.kind = :truthful
            JOIN response s ON s.misconception_id = m.id AND s.kind = :sycophantic
            LEFT JOIN choice c ON c.participation_id = a.participation_id AND c.position = a.position
            WHERE a.participation_id = :participation AND a.shown_at IS NOT NULL AND a.repeat_of IS NULL
            ORDER BY a.position
        """),
        {
            "participation": place.participation_id,
            "truthful": place.response_kind,
            "sycophantic": ResponseKind.SYCOPHANTIC,
        },
    )
    return [SeenPair(*row) for row in rows]


async def has_answered(session: AsyncSession, place: Place) -> bool:
    """Say whether anything is stored that the person answered, of pairs or before them."""
    return bool(await session.scalar(_HAS_ANSWERED, {"participation": place.participation_id}))


_HAS_ANSWERED = text("""
    SELECT background IS NOT NULL OR n_answered > 0
           OR EXISTS (SELECT 1 FROM check_answer WHERE participation_id = :participation)
           OR EXISTS (SELECT 1 FROM assignment WHERE participation_id = :participation AND prior_belief IS NOT NULL)
    FROM participation WHERE id = :participation
""")


async def claim_at(session: AsyncSession, place: Place, position: int) -> str:
    """Return the claim of the pair at a position, for the question that a study may ask before it."""
    claim: str = (
        await session.execute(
            text("""
                SELECT m.claim FROM assignment a
                JOIN pair ON pair.id = a.pair_id JOIN misconception m ON m.id = pair.misconception_id
                WHERE a.participation_id = :participation AND a.position = :position
            """),
            {"participation": place.participation_id, "position": position},
        )
    ).scalar_one()
    return claim
