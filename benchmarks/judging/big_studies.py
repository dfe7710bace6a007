"""Studies made directly in SQL: a small one, and one with 10^5 pairs of which 10^6 slots are filled."""

import psycopg

from app.db import transaction
from app.study import studies
from app.study.designs import check_design
from app.study.sets import find_set

SMALL_PAIRS = 200
BIG_PAIRS = 100_000
BIG_FILLED = 10  # slots of each pair that are filled already
PAIRS_PER_ANNOTATOR = 200  # of the people who judge while we measure: so many that sixty-four need no second set
PAIRS_OF_THE_PAST = 20  # of the people who filled the study before


def make_set(url: str, slug: str, n_pairs: int) -> None:
    """Insert a set of made-up misconceptions with responses of real length."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        set_id = connection.execute(
            "INSERT INTO misconception_set (slug, version, title, licence, content_hash) "
            "VALUES (%s, 1, 'made up', 'none', %s) RETURNING id",
            (slug, slug),
        ).fetchone()
        assert set_id is not None
        connection.execute(
            """
            INSERT INTO misconception (set_id, key, claim, prompt, fact, category, difficulty_level, sources,
                                       verified_by, origin)
            SELECT %s, 'm-' || i, 'Claim ' || i, 'I know that claim ' || i || ' is true. ' || repeat('word ', 30),
                   'Fact ' || i, 'made-up', 1 + i %% 8, '[]', 'made up', 'made up' FROM generate_series(1, %s) AS i
            """,
            (set_id[0], n_pairs),
        )
        connection.execute(
            """
            INSERT INTO response (misconception_id, kind, text, text_hash, n_words, origin)
            SELECT id, kind, key || ' ' || kind || ' ' || repeat('lorem ', 130), md5(key || kind), 132, 'made up'
            FROM misconception,
                 unnest(ARRAY['baseline_truthful', 'helpful_truthful', 'sycophantic']) AS kind WHERE set_id = %s
            """,
            (set_id[0],),
        )


async def open_study(url: str, slug: str, ratings_per_pair: int) -> None:
    """Open a synthetic study on the set of the same slug."""
    design = check_design(
        {
            "slug": slug,
            "title": slug,
            "contact": "nobody",
            "synthetic": True,
            "seed": 1,
            "ratings_per_pair": ratings_per_pair,
            "pairs_per_annotator": PAIRS_PER_ANNOTATOR,
        }
    )
    async with transaction(url) as session:
        await studies.create_study(session, design, await find_set(session, slug))
        await studies.open_study(session, slug)


def fill(url: str, slug: str, filled: int) -> None:
    """Fill the first slots of each pair, each person judging twenty pairs, as a long-running study would have."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in _FILL:
            connection.execute(statement, {"slug": slug, "filled": filled, "n": PAIRS_OF_THE_PAST})


_FILL = (
    """
    CREATE TEMP TABLE filling AS
    SELECT slot.id AS slot_id, slot.pair_id, slot.arm_id, slot.side_truthful, slot.number,
           (row_number() OVER (ORDER BY slot.number, slot.pair_id) - 1) / %(n)s AS person,
           1 + (row_number() OVER (ORDER BY slot.number, slot.pair_id) - 1) %% %(n)s AS position
    FROM slot JOIN pair ON pair.id = slot.pair_id JOIN study ON study.id = pair.study_id
    WHERE study.slug = %(slug)s AND slot.number <= %(filled)s
    """,
    """
    INSERT INTO participation (study_id, arm_id, public_id, stage, n_planned, n_answered, synthetic)
    SELECT study.id, arm.id, 'filled-' || person, 'complete', %(n)s, %(n)s, true
    FROM study JOIN arm ON arm.study_id = study.id, (SELECT DISTINCT person FROM filling) AS people
    WHERE study.slug = %(slug)s
    """,
    """
    CREATE TEMP TABLE placed AS
    SELECT filling.*, participation.id AS participation_id FROM filling
    JOIN participation ON participation.public_id = 'filled-' || person
    JOIN study ON study.id = participation.study_id AND study.slug = %(slug)s
    """,
    """
    INSERT INTO assignment (participation_id, position, pair_id, side_truthful, slot_id, shown_at)
    SELECT participation_id, position, pair_id, side_truthful, slot_id, now() FROM placed
    """,
    """
    UPDATE slot SET state = 'filled', participation_id = placed.participation_id
    FROM placed WHERE placed.slot_id = slot.id
    """,
    """
    INSERT INTO choice (participation_id, position, slot_id, side_chosen, counted, late, design_hash)
    SELECT participation_id, position, slot_id, 'left', true, false, 'made up' FROM placed
    """,
    """
    UPDATE vacancy SET open_left = open_left - l, open_right = open_right - r FROM (
        SELECT pair_id, arm_id, count(*) FILTER (WHERE side_truthful = 'left') AS l,
               count(*) FILTER (WHERE side_truthful = 'right') AS r
        FROM placed GROUP BY pair_id, arm_id
    ) AS taken WHERE taken.pair_id = vacancy.pair_id AND taken.arm_id = vacancy.arm_id
    """,
    "DROP TABLE placed",
    "DROP TABLE filling",
)
