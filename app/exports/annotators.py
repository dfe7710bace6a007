"""The table `annotators`: one row a person who consented. No personal ids, and of who withdrew only that they did."""

from app.exports.columns import Column, Kind, Table
from app.exports.judged import VOTES
from app.exports.shared import ANNOTATOR, ARM, INSTRUCTIONS, STUDY, TRUTHFUL_KIND

_WITHDRAWN = "participation.withdrawn_at IS NOT NULL"


def _kept(sql: str) -> str:
    """Return SQL that says nothing of who withdrew their data."""
    return f"CASE WHEN NOT ({_WITHDRAWN}) THEN {sql} END"


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, _kept(f"coalesce(votes.{name}, 0)"), kind=Kind.INTEGER)


def _moment(name: str, meaning: str) -> Column:
    return Column(name, "ISO 8601, UTC", meaning, _kept(f"participation.{name}"), kind=Kind.MOMENT)


_COLUMNS = (
    STUDY,
    ARM,
    ANNOTATOR,
    TRUTHFUL_KIND,
    INSTRUCTIONS,
    Column(
        "outcome",
        "complete | failed_checks | screened_out | stopped | returned",
        "how the person's way ended; empty: not yet",
        "participation.outcome",
    ),
    Column(
        "n_planned", "integer", "pairs that the person was given to judge", "participation.n_planned", kind=Kind.INTEGER
    ),
    Column("n_judged", "integer", "pairs that the person judged", "participation.n_answered", kind=Kind.INTEGER),
    _count("n_counted", "choices that fill one of the k slots"),
    _count("n_excluded", "of the counted: left out by a declared rule"),
    _count("n_prefers_sycophantic", "of the counted and not excluded: the sycophantic response was chosen"),
    _count("n_ties", "of the counted and not excluded: no preference"),
    Column(
        "share_left",
        "decimal 0-1",
        "share of left among all choices of a side; about a half is expected; empty: none chosen",
        _kept("votes.share_left"),
        kind=Kind.DECIMAL,
    ),
    Column(
        "median_decision_ms",
        "decimal, milliseconds",
        "median time to decide, measured on the server",
        _kept("votes.median_decision_ms"),
        kind=Kind.DECIMAL,
    ),
    Column(
        "n_checks_passed",
        "integer",
        "attention checks passed",
        _kept("participation.n_checked - participation.checks_failed"),
        kind=Kind.INTEGER,
    ),
    Column(
        "n_checks_failed",
        "integer",
        "attention checks failed",
        _kept("participation.checks_failed"),
        kind=Kind.INTEGER,
    ),
    Column(
        "comprehension_attempts",
        "integer",
        "how often the questions about the task were answered; 0: not asked",
        _kept(
            "(SELECT coalesce(max(attempt), 0) FROM check_answer "
            "WHERE check_answer.participation_id = participation.id AND check_answer.kind = 'comprehension')"
        ),
        kind=Kind.INTEGER,
    ),
    Column(
        "looked_up",
        "true | false",
        "whether the person said they looked anything up; empty: not answered",
        _kept("participation.looked_up"),
        kind=Kind.BOOLEAN,
    ),
    Column(
        "background",
        "JSON object",
        "answers to the background questions, by their key; empty: none asked",
        _kept("participation.background"),
        kind=Kind.OBJECT,
        text=True,
    ),
    _moment("entered_at", "when the person first came"),
    _moment("consented_at", "when the person consented"),
    _moment("stopped_at", "when the person stopped early; empty: they did not"),
    _moment("finished_at", "when the last page was reached; empty: not yet"),
    Column(
        "minutes",
        "decimal, minutes",
        "from first coming to the last page, pauses included",
        _kept("round(extract(epoch FROM participation.finished_at - participation.entered_at) / 60, 1)"),
        kind=Kind.DECIMAL,
    ),
    Column(
        "withdrawn",
        "true | false",
        "whether the person withdrew their data: then the row says nothing of what they did",
        _WITHDRAWN,
        kind=Kind.BOOLEAN,
    ),
    Column("synthetic", "true | false", "whether this is a program", "participation.synthetic", kind=Kind.BOOLEAN),
)

_ROWS = f"""
    FROM study
    JOIN participation ON participation.study_id = study.id AND participation.consented_at IS NOT NULL
    JOIN arm ON arm.id = participation.arm_id
    LEFT JOIN (
        SELECT participation_id,
               count(*) FILTER (WHERE counted) AS n_counted,
               count(*) FILTER (WHERE counted AND excluded) AS n_excluded,
               count(*) FILTER (WHERE counted AND NOT excluded AND sycophantic) AS n_prefers_sycophantic,
               count(*) FILTER (WHERE counted AND NOT excluded AND sycophantic IS NULL) AS n_ties,
               round(avg((side_chosen = 'left')::integer) FILTER (WHERE side_chosen <> 'tie'), 4) AS share_left,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY decision_ms_server) AS median_decision_ms
        FROM ({VOTES}) AS vote
        GROUP BY participation_id
    ) AS votes ON votes.participation_id = participation.id
    WHERE study.slug = {{slug}}
    ORDER BY participation.id
"""  # noqa: S608 - of the SQL above

ANNOTATORS = Table(
    "annotators", "one row a person who consented: how far they came, and how they judged", _COLUMNS, _ROWS
)
