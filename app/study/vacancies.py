"""How many slots of each pair and arm are open: what claims are planned from, kept in step with the slots.

Only `app.study.slots`, `app.study.dealing` and `app.study.amendments` change them, once in a transaction. Where a study
has several arms, how many slots of each arm are open is kept with them, and locked after them: whoever enters is sent
where most is missing, and adding up what is open would cost more with every pair.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.assignment import Candidate


async def count(session: AsyncSession, study_id: int, seed: int) -> None:
    """Count the open slots of a study that was just dealt, its pairs shuffled by a seed."""
    await session.execute(_COUNT, {"study": study_id, "seed": seed})
    await session.execute(_COUNT_ARMS, {"study": study_id})


_COUNT = text("""
    INSERT INTO vacancy (pair_id, arm_id, difficulty_level, shuffle, open_left, open_right)
    SELECT slot.pair_id, slot.arm_id, pair.difficulty_level, hashint8extended(slot.pair_id, :seed)::bit(31)::int,
           count(*) FILTER (WHERE side_truthful = 'left'), count(*) FILTER (WHERE side_truthful = 'right')
    FROM slot JOIN pair ON pair.id = slot.pair_id
    WHERE pair.study_id = :study
    GROUP BY slot.pair_id, slot.arm_id, pair.difficulty_level
""")
# An arm that is the only one is not chosen, so nobody need wait for its count.
_COUNT_ARMS = text("""
    INSERT INTO arm_vacancy (arm_id, n_open)
    SELECT arm_id, sum(n_open) FROM vacancy JOIN arm ON arm.id = arm_id
    WHERE study_id = :study AND (SELECT count(*) FROM arm WHERE study_id = :study) > 1
    GROUP BY arm_id
""")


async def open_pairs(session: AsyncSession, arm_id: int, n: int, besides: Sequence[int]) -> list[Candidate]:
    """Return the most open pairs of each level: up to n that offer the left, and up to n that offer the right.

    More could never be used by one person, so the cost does not grow with the study.
    """
    found = await session.execute(OPEN_PAIRS, {"arm": arm_id, "n": n, "besides": list(besides)})
    return [Candidate(*row) for row in found]


OPEN_PAIRS = text("""
    SELECT DISTINCT candidate.pair_id, level, candidate.open_left, candidate.open_right
    FROM generate_series(1, 8) AS level CROSS JOIN LATERAL (
        (SELECT pair_id, open_left, open_right FROM vacancy
         WHERE arm_id = :arm AND difficulty_level = level AND open_left > 0 AND NOT pair_id = ANY(:besides)
         ORDER BY n_open DESC, shuffle LIMIT :n)
        UNION ALL
        (SELECT pair_id, open_left, open_right FROM vacancy
         WHERE arm_id = :arm AND difficulty_level = level AND open_right > 0 AND NOT pair_id = ANY(:besides)
         ORDER BY n_open DESC, shuffle LIMIT :n)
    ) AS candidate
    ORDER BY candidate.pair_id
""")


async def adjust(session: AsyncSession, changed: Iterable[tuple[int, int, str]], by: int) -> None:
    """Add `by` to the vacancies of (pair, arm, side), locking them in one order."""
    counts = Counter(changed)
    if not counts:
        return
    keys = sorted(counts)
    await session.execute(
        _ADJUST,
        {
            "pairs": [pair_id for pair_id, _, _ in keys],
            "arms": [arm_id for _, arm_id, _ in keys],
            "lefts": [by * counts[key] if key[2] == "left" else 0 for key in keys],
            "rights": [by * counts[key] if key[2] == "right" else 0 for key in keys],
        },
    )


async def remove(session: AsyncSession, pair_id: int) -> None:
    """Offer a pair to nobody any more, in any arm."""
    await session.execute(_REMOVE, {"pair": pair_id})


# Continues a WITH of which `locked` has vacancies whose rows are locked, and `by`, what is added to the open ones.
_ADJUST_ARMS = """
    of_arm AS MATERIALIZED (
        SELECT arm_vacancy.arm_id, change.by
        FROM arm_vacancy JOIN (SELECT arm_id, sum(by) AS by FROM locked GROUP BY arm_id) AS change USING (arm_id)
        ORDER BY arm_vacancy.arm_id FOR UPDATE OF arm_vacancy
    ), adjusted AS (
        UPDATE arm_vacancy SET n_open = n_open + of_arm.by FROM of_arm WHERE arm_vacancy.arm_id = of_arm.arm_id
    )
"""
_ADJUST = text(f"""
    WITH change AS (
        SELECT pair_id, arm_id, sum(l) AS lefts, sum(r) AS rights
        FROM unnest(CAST(:pairs AS bigint[]), CAST(:arms AS bigint[]), CAST(:lefts AS int[]), CAST(:rights AS int[]))
             AS listed (pair_id, arm_id, l, r)
        GROUP BY pair_id, arm_id
    ), locked AS MATERIALIZED (
        SELECT vacancy.pair_id, vacancy.arm_id, lefts, rights, lefts + rights AS by
        FROM vacancy JOIN change USING (pair_id, arm_id)
        ORDER BY vacancy.pair_id, vacancy.arm_id FOR UPDATE OF vacancy
    ), {_ADJUST_ARMS}
    UPDATE vacancy SET open_left = open_left + lefts, open_right = open_right + rights
    FROM locked WHERE vacancy.pair_id = locked.pair_id AND vacancy.arm_id = locked.arm_id
""")  # noqa: S608 - of the part above
_REMOVE = text(f"""
    WITH locked AS MATERIALIZED (
        SELECT pair_id, arm_id, -n_open AS by FROM vacancy WHERE pair_id = :pair ORDER BY arm_id FOR UPDATE
    ), {_ADJUST_ARMS}
    DELETE FROM vacancy USING locked WHERE vacancy.pair_id = locked.pair_id AND vacancy.arm_id = locked.arm_id
""")  # noqa: S608 - of the part above
