"""The record of claims: what each saw and planned, so that any assignment can be replayed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Claim
from app.study.slots import PlannedRound


async def record(
    session: AsyncSession, study_id: int, arm_id: int, participation_id: int, rounds: Sequence[PlannedRound]
) -> None:
    """Store the rounds of one person's claim."""
    whose = {"study_id": study_id, "arm_id": arm_id, "participation_id": participation_id}
    if rounds:
        await session.execute(insert(Claim), [whose | _seen_and_planned(planned) for planned in rounds])


def _seen_and_planned(planned: PlannedRound) -> dict[str, Any]:
    return {
        "draw": planned.draw,
        "asked": {
            "n": planned.n,
            "candidates": [[c.pair_id, c.level, c.open_left, c.open_right] for c in planned.candidates],
            "so_far": [[p.pair_id, p.level, p.side_truthful] for p in planned.so_far],
        },
        "planned": [
            {"pair_id": p.pair_id, "level": p.level, "side_truthful": p.side_truthful} for p in planned.planned
        ],
    }
