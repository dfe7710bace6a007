"""Studies of many choices with planted effects, made directly in SQL."""

import asyncio

import psycopg

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
