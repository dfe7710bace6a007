"""What the progress page reads, at a cost that does not grow with the choices stored.

Pairs are counted from the vacancies and the few slots that are held, people from their own rows: exact, and never more
rows than there are pairs or people. What only the choices can tell (how long they took, which side was chosen) is read
from those of a sample of people, which is everybody until there are `SAMPLE` judgements.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study.options import Options
from app.study.progress_queries import ArmKind
from app.terms import Instructions, TruthfulKind

SAMPLE = 10_000
"""Judgements that the sample is to hold, about."""


class Coverage(NamedTuple):
    """The pairs of one level and arm that have a number of ratings; `n_held` of their slots are held now."""

    arm: ArmKind
    level: int
    ratings: int
    n_pairs: int
    n_held: int


class Group(NamedTuple):
    """People who are alike: how they left, or where they are, whether they hold places, and what they have done.

    `left` is empty for those who did not end otherwise than as complete. `n_own` of the `n_judged` judgements are of
    pairs of their own, the others are swapped repeats.
    """

    left: str
    stage: str
    here: bool
    consented: bool
    begun: bool
    synthetic: bool
    n: int
    n_judged: int
    n_own: int
    n_checked: int
    n_checks_failed: int
    n_failed_some: int


class Hour(NamedTuple):
    """The people who came within one hour (UTC), and what they have judged since."""

    hour: datetime
    n: int
    n_judged: int


class Quartiles(NamedTuple):
    """The quartiles of `n` numbers; empty where there is none."""

    n: int
    low: float | None
    median: float | None
    high: float | None


class Besides(NamedTuple):
    """Counts that stand beside the slots. `n_filled_retired` are filled slots of retired pairs."""

    n_declined: int
    n_late: int
    n_retired: int
    n_filled_retired: int


class Sample(NamedTuple):
    """A sample of the people who have judged, and their judgements, repeats left out.

    `margin` is that of the left share, 95 %, by person. `minutes` are of those who finished, `seconds` of a judgement.
    """

    n_people: int
    n: int
    n_left: int
    n_right: int
    n_truthful_left: int
    margin: float | None
    minutes: Quartiles
    seconds: Quartiles
    everybody: bool


class Progress(NamedTuple):
    """How far a study is, at one moment."""

    coverage: Sequence[Coverage]
    groups: Sequence[Group]
    hours: Sequence[Hour]
    besides: Besides
    sample: Sample
    as_of: datetime


async def progress(session: AsyncSession, study: Study) -> Progress:
    """Read how far a study is."""
    whose = {"study": study.id}
    repeats = Options.model_validate(study.options).swapped_repeats
    groups = [Group(*row) for row in await session.execute(_GROUPS, whose | {"repeats": repeats})]
    return Progress(
        coverage=[_coverage(row) for row in await session.execute(_COVERAGE, whose)],
        groups=groups,
        hours=[Hour(*row) for row in await session.execute(_HOURS, whose)],
        besides=Besides(*(await session.execute(_BESIDES, whose)).one()),
        sample=await _sample(session, study.id, groups),
        as_of=(await session.execute(text("SELECT now()"))).scalar_one(),
    )


def _coverage(row: Sequence[object]) -> Coverage:
    kind, told, level, ratings, n_pairs, n_held = row
    arm = ArmKind(TruthfulKind(str(kind)), Instructions(str(told)))
    return Coverage(arm, *(int(str(number)) for number in (level, ratings, n_pairs, n_held)))


# A slot whose hold has run out is taken until it is swept, but nobody holds it. Retired pairs have no vacancy.
_COVERAGE = text("""
    WITH held AS (
        SELECT slot.pair_id, slot.arm_id, count(*) AS n, count(*) FILTER (WHERE p.held_until > now()) AS n_now
        FROM arm JOIN slot ON slot.arm_id = arm.id AND slot.state = 'held'
        JOIN participation p ON p.id = slot.participation_id
        WHERE arm.study_id = :study
        GROUP BY slot.pair_id, slot.arm_id
    ), counted AS (
        SELECT v.arm_id, v.difficulty_level, study.ratings_per_pair - v.n_open - coalesce(held.n, 0) AS ratings,
               count(*) AS n_pairs, coalesce(sum(held.n_now), 0) AS n_held
        FROM study JOIN arm ON arm.study_id = study.id JOIN vacancy v ON v.arm_id = arm.id
        LEFT JOIN held ON held.pair_id = v.pair_id AND held.arm_id = v.arm_id
        WHERE study.id = :study
        GROUP BY 1, 2, 3
    )
    SELECT arm.truthful_kind, arm.instructions, difficulty_level, ratings, n_pairs, n_held
    FROM counted JOIN arm ON arm.id = counted.arm_id
    ORDER BY arm.id, difficulty_level, ratings
""")
# Repeats come after a person's own n pairs, as many as the study asks for or one for each two pairs, rounded up: so n
# follows from both together.
_GROUPS = text("""
    SELECT CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrew' WHEN outcome <> 'complete' THEN outcome ELSE '' END,
           stage, coalesce(held_until > now(), false), consented_at IS NOT NULL, n_answered > 0, synthetic,
           count(*), coalesce(sum(n_answered), 0),
           coalesce(sum(least(n_answered, greatest(n_planned - CAST(:repeats AS int), 2 * n_planned / 3))), 0),
           coalesce(sum(n_checked), 0), coalesce(sum(checks_failed), 0), count(*) FILTER (WHERE checks_failed > 0)
    FROM participation WHERE study_id = :study
    GROUP BY 1, 2, 3, 4, 5, 6
""")
_HOURS = text("""
    SELECT date_trunc('hour', entered_at, 'UTC'), count(*), sum(n_answered)
    FROM participation WHERE study_id = :study GROUP BY 1 ORDER BY 1
""")
_BESIDES = text("""
    SELECT (SELECT count(*) FROM event WHERE study_id = :study AND kind = 'declined'),
           (SELECT count(*) FROM choice JOIN participation p ON p.id = choice.participation_id
            WHERE choice.late AND p.study_id = :study),
           (SELECT count(*) FROM retired_pair WHERE study_id = :study),
           (SELECT count(*) FROM retired_pair r JOIN slot ON slot.pair_id = r.pair_id AND slot.state = 'filled'
            WHERE r.study_id = :study)
""")


async def _sample(session: AsyncSession, study_id: int, groups: Sequence[Group]) -> Sample:
    """Read a sample of people who hold about `SAMPLE` judgements. A hash draws them, so an update draws the same."""
    n_judged = sum(group.n_judged for group in groups if group.left != "withdrew")
    below = min(_HASHES, _HASHES * SAMPLE // max(1, n_judged))
    row = (await session.execute(_SAMPLED, {"study": study_id, "below": below})).one()
    people, n, left, right, truthful_left, margin = row[:6]
    minutes, seconds = Quartiles(*row[6:10]), Quartiles(*row[10:])
    return Sample(people, n, left, right, truthful_left, margin, minutes, seconds, below == _HASHES)


_HASHES = 2**20
_QUARTILES = "percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY {0})"
# `OFFSET 0` keeps each person's choices a look-up by key; the planner would rather scan all assignments.
_SAMPLED = text(f"""
    WITH drawn AS MATERIALIZED (
        SELECT id, CASE WHEN outcome IN ('complete', 'failed_checks')
                        THEN CAST(extract(epoch FROM finished_at - entered_at) / 60 AS float8) END AS minutes
        FROM participation WHERE study_id = :study AND n_answered > 0 AND withdrawn_at IS NULL
          AND (hashint8extended(id, 0) & (CAST({_HASHES} AS bigint) - 1)) < :below
    ), judged AS MATERIALIZED (
        SELECT drawn.id AS participation_id, theirs.* FROM drawn CROSS JOIN LATERAL (
            SELECT c.side_chosen, a.side_truthful, CAST(c.decision_ms_server / 1000.0 AS float8) AS seconds
            FROM choice c JOIN assignment a ON a.participation_id = c.participation_id AND a.position = c.position
            WHERE c.participation_id = drawn.id AND a.repeat_of IS NULL AND NOT c.withdrawn OFFSET 0
        ) AS theirs
    ), by_person AS (
        SELECT count(*) AS n, count(*) FILTER (WHERE side_chosen = 'left') AS l,
               count(*) FILTER (WHERE side_chosen = 'right') AS r,
               count(*) FILTER (WHERE side_truthful = 'left') AS truthful_left
        FROM judged GROUP BY participation_id
    ), summed AS (
        SELECT count(*) AS people, CAST(coalesce(sum(n), 0) AS bigint) AS n, CAST(coalesce(sum(l), 0) AS bigint) AS l,
               CAST(coalesce(sum(r), 0) AS bigint) AS r,
               CAST(coalesce(sum(truthful_left), 0) AS bigint) AS truthful_left,
               sum(l * l) AS ll, sum(l * (l + r)) AS ls, sum((l + r) * (l + r)) AS ss
        FROM by_person
    ), timed AS (
        SELECT count(seconds) AS n, {_QUARTILES.format("seconds")} AS quartiles FROM judged
    ), finished AS (
        SELECT count(minutes) AS n, {_QUARTILES.format("minutes")} AS quartiles FROM drawn
    )
    SELECT people, summed.n, l, r, truthful_left,
           CASE WHEN people > 1 AND l + r > 0 THEN 1.96 * sqrt(
               greatest(ll - 2 * ls * share + ss * share ^ 2, 0) * people / (people - 1)) / (l + r) END,
           finished.n, finished.quartiles[1], finished.quartiles[2], finished.quartiles[3],
           timed.n, timed.quartiles[1], timed.quartiles[2], timed.quartiles[3]
    FROM timed, finished, summed CROSS JOIN LATERAL (SELECT CAST(l AS float8) / nullif(l + r, 0) AS share) AS chosen
""")  # noqa: S608 - of the parts above
