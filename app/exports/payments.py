"""The table `payments`: one row a person who came, with the platform's ids. The only table that holds personal data.

Programs are paid nothing, so synthetic annotators are not in it.
"""

from app.exports.columns import Column, Kind, Table
from app.exports.shared import STUDY

# What a person was shown at the end (`app.web.annotator.ending`): nothing before they have finished.
_CODE = """
    CASE WHEN participation.finished_at IS NOT NULL THEN
        CASE participation.outcome
            WHEN 'complete' THEN study.completion_code
            WHEN 'failed_checks' THEN study.failed_checks_code
            WHEN 'screened_out' THEN study.screened_out_code
        END
    END
"""
_MINUTES = "round(extract(epoch FROM participation.finished_at - participation.entered_at) / 60, 1)"
_STATUSES = "reserved | active | timed_out | returned | awaiting_review | screened_out | rejected | partially_approved"

_COLUMNS = (
    STUDY,
    Column("platform", "open | generic | prolific", "who sent the person", "study.platform"),
    Column(
        "platform_person", "text", "PERSONAL: the platform's id of the person", "identity.platform_person", text=True
    ),
    Column(
        "platform_study",
        "text",
        "the platform's id of its study; empty: none was sent",
        "identity.platform_study",
        text=True,
    ),
    Column(
        "platform_session",
        "text",
        "PERSONAL: the platform's id of the submission; empty: none was sent",
        "identity.platform_session",
        text=True,
    ),
    Column("annotator", "text", "public id, as in the other tables", "participation.public_id"),
    Column(
        "outcome",
        "complete | failed_checks | screened_out | stopped | returned",
        "how the person's way ended; empty: not yet",
        "participation.outcome",
    ),
    Column(
        "completion_code", "text", "the code that the person was given; empty: none is due", f"({_CODE})", text=True
    ),
    Column("n_judged", "integer", "pairs that the person judged", "participation.n_answered", kind=Kind.INTEGER),
    Column(
        "n_planned", "integer", "pairs that the person was given to judge", "participation.n_planned", kind=Kind.INTEGER
    ),
    Column(
        "checks_failed",
        "integer",
        "attention checks that were failed",
        "participation.checks_failed",
        kind=Kind.INTEGER,
    ),
    Column("entered_at", "ISO 8601, UTC", "when the person first came", "participation.entered_at", kind=Kind.MOMENT),
    Column(
        "consented_at", "ISO 8601, UTC", "when the person consented", "participation.consented_at", kind=Kind.MOMENT
    ),
    Column(
        "finished_at", "ISO 8601, UTC", "when the last page was reached", "participation.finished_at", kind=Kind.MOMENT
    ),
    Column(
        "minutes",
        "decimal, minutes",
        "from first coming to the last page, pauses included",
        _MINUTES,
        kind=Kind.DECIMAL,
    ),
    Column(
        "platform_status",
        f"{_STATUSES} | approved",
        "what the platform last said of the submission; empty: nothing",
        "identity.platform_status",
    ),
    Column(
        "withdrawn",
        "true | false",
        "whether the person withdrew their data; it changes nothing about their pay",
        "participation.withdrawn_at IS NOT NULL",
        kind=Kind.BOOLEAN,
    ),
)

_ROWS = """
    FROM study
    JOIN participation ON participation.study_id = study.id AND NOT participation.synthetic
    LEFT JOIN platform_identity identity ON identity.participation_id = participation.id
    WHERE study.slug = {slug}
    ORDER BY participation.id
"""

PAYMENTS = Table("payments", "one row a person who came, with the platform's ids", _COLUMNS, _ROWS)
