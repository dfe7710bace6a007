"""Studies of many choices with planted effects, and of made-up preference models, made directly in SQL."""

import asyncio
import hashlib
from typing import Any

import psycopg

from app.db import transaction
from app.study import scoring_runs
from benchmarks.judging import big_studies

SHAPES = {10_000: (200, 50), 100_000: (2_000, 50), 1_000_000: (20_000, 50)}
"""Choices to pairs and choices of each pair; everybody judges twenty pairs."""

# Preference rises by three points a level, varies by pair and person, and the left side draws; about one in 60 is late.
_CHOSEN = """
    UPDATE choice SET
        side_chosen = CASE WHEN drawn.sycophantic = (drawn.side_truthful = 'right') THEN 'left' ELSE 'right' END,
        decision_ms_server = 3000 + (hashint8(choice.participation_id * 100 + choice.position) & 65535),
        late = hashint8(choice.participation_id * 100 + choice.position) %% 60 = 0
    FROM (
        SELECT assignment.participation_id, assignment.position, assignment.side_truthful,
               random() < 0.17 + 0.03 * pair.difficulty_level + 0.15 * sin(pair.id * 1.7)
                          + 0.1 * cos(assignment.participation_id * 2.3)
                          + CASE assignment.side_truthful WHEN 'right' THEN 0.02 ELSE -0.02 END AS sycophantic
        FROM assignment JOIN pair ON pair.id = assignment.pair_id JOIN study ON study.id = pair.study_id
        WHERE study.slug = %(slug)s
    ) AS drawn
    WHERE drawn.participation_id = choice.participation_id AND drawn.position = choice.position
"""
_LOOKED_UP = """
    UPDATE participation SET consented_at = entered_at, outcome = 'complete',
           looked_up = hashint8(participation.id) %% 20 = 0
    FROM study WHERE study.id = participation.study_id AND study.slug = %(slug)s
"""
_WORDS = """
    UPDATE response SET n_words = 90 + (hashint8(response.id) & 63)
    FROM misconception JOIN misconception_set ON misconception_set.id = misconception.set_id
    WHERE misconception.id = response.misconception_id AND misconception_set.slug = %(slug)s
"""

_SCORED = """
    INSERT INTO response_score (run_id, variant, misconception_id, kind, score, n_tokens, truncated)
    SELECT %(run)s, variant, misconception.id, response.kind,
           4 * random() + CASE response.kind WHEN 'sycophantic' THEN 0.3 * difficulty_level - 1.5 ELSE 0 END, 200, false
    FROM study JOIN misconception ON misconception.set_id = study.set_id
    JOIN response ON response.misconception_id = misconception.id, unnest(CAST(%(variants)s AS text[])) AS variant
    WHERE study.slug = %(slug)s
"""
N_MODELS = 2
VARIANTS = ("standard", "non-sycophantic")


def make(url: str, size: int) -> str:
    """Make a study with so many choices; return its slug."""
    slug, (n_pairs, k) = f"of-{size}", SHAPES[size]
    big_studies.make_set(url, slug, n_pairs)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(_WORDS, {"slug": slug})
    asyncio.run(big_studies.open_study(url, slug, k))
    big_studies.fill(url, slug, k)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        for statement in (_CHOSEN, _LOOKED_UP):
            connection.execute(statement, {"slug": slug})
        connection.execute("VACUUM FULL ANALYZE choice")
        connection.execute("VACUUM ANALYZE")
    return slug


def score(url: str, slug: str) -> None:
    """Store whole runs of reward models that were never there, each in two variants."""
    for number in range(N_MODELS):
        record = _record(slug, number)
        run_id = asyncio.run(_begun(url, slug, record))
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SELECT setseed(0.25)")
            connection.execute(_SCORED, {"run": run_id, "slug": slug, "variants": list(VARIANTS)})
            connection.execute("VACUUM ANALYZE response_score")
        asyncio.run(_finished(url, run_id, record))


def _record(slug: str, number: int) -> dict[str, Any]:
    return {
        "id": hashlib.sha256(f"{slug} {number}".encode()).hexdigest()[:16],
        "scorer": "reward",
        "model": f"made-up/{number}",
        "random_weights": True,
        "variants": [{"name": name, "hash": "0" * 64, "turns": []} for name in VARIANTS],
    }


async def _begun(url: str, slug: str, record: dict[str, Any]) -> int:
    async with transaction(url) as session:
        return (await scoring_runs.begin(session, slug, record)).id


async def _finished(url: str, run_id: int, record: dict[str, Any]) -> None:
    async with transaction(url) as session:
        await scoring_runs.finish(session, run_id, record)
