"""Dealing slots: k to each pair and arm when a study opens, and those that are missing when k is raised."""

from collections.abc import Iterable
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import vacancies
from app.study.assignment import deal_more_sides, deal_sides


async def create(session: AsyncSession, study_id: int, k: int, rng: Random) -> int:
    """Deal k slots to every pair and arm of a study, count the vacancies, and return how many slots there are."""
    pairs = await session.execute(
        text("SELECT difficulty_level, id FROM pair WHERE study_id = :study ORDER BY id"), {"study": study_id}
    )
    by_level: dict[int, list[int]] = {}
    for level, pair_id in pairs:
        by_level.setdefault(level, []).append(pair_id)
    arms = await session.scalars(text("SELECT id FROM arm WHERE study_id = :study ORDER BY id"), {"study": study_id})
    rows = [
        (pair_id, arm_id, number, side)
        for arm_id in arms
        for pair_id, sides in deal_sides(by_level, k, rng).items()
        for number, side in enumerate(sides, start=1)
    ]
    await _copy(session, rows)
    await vacancies.count(session, study_id, seed=rng.getrandbits(31))
    # The first people come before autovacuum does; without statistics a big study would be scanned for each of them.
    await session.execute(text("ANALYZE pair, slot, vacancy"))
    return len(rows)


async def deal_more(session: AsyncSession, study_id: int, k: int, rng: Random) -> int:
    """Deal the slots that every pair and arm of a study lacks to k, and return how many; retired pairs get none."""
    dealt = await session.execute(_DEALT, {"study": study_id})
    by_arm: dict[int, dict[int, dict[int, tuple[int, int]]]] = {}
    for arm_id, level, pair_id, left, right in dealt:
        by_arm.setdefault(arm_id, {}).setdefault(level, {})[pair_id] = (left, right)
    rows: list[tuple[int, int, int, str]] = []
    for arm_id, levels in by_arm.items():
        had = {pair_id: sum(sides) for pairs in levels.values() for pair_id, sides in pairs.items()}
        for pair_id, sides in deal_more_sides(levels, k, rng).items():
            rows += [(pair_id, arm_id, number, side) for number, side in enumerate(sides, start=had[pair_id] + 1)]
    await _copy(session, rows)
    await vacancies.adjust(session, [(pair_id, arm_id, side) for pair_id, arm_id, _, side in rows], by=1)
    return len(rows)


_DEALT = text("""
    SELECT slot.arm_id, pair.difficulty_level, slot.pair_id, count(*) FILTER (WHERE side_truthful = 'left'),
           count(*) FILTER (WHERE side_truthful = 'right')
    FROM pair JOIN slot ON slot.pair_id = pair.id
    WHERE pair.study_id = :study AND NOT EXISTS (SELECT 1 FROM retired_pair WHERE retired_pair.pair_id = pair.id)
    GROUP BY slot.arm_id, pair.difficulty_level, slot.pair_id
    ORDER BY slot.arm_id, slot.pair_id
""")


async def _copy(session: AsyncSession, rows: Iterable[tuple[int, int, int, str]]) -> None:
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert driver is not None
    async with (
        driver.cursor() as cursor,
        cursor.copy("COPY slot (pair_id, arm_id, number, side_truthful) FROM STDIN") as copy,
    ):
        for row in rows:
            await copy.write_row(row)
