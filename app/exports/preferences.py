"""The table `preferences`: what was chosen over what, in the forms that preference models are trained on.

Counted choices of a side that no rule excludes, one row each; or one row a pair and arm, for the response that most of
them chose. Where as many chose the one as the other there is no row.
"""

from enum import StrEnum

from app.exports.columns import Column, Kind, Table
from app.exports.judged import VOTES
from app.exports.shared import ARM, PAIR, STUDY


class Form(StrEnum):
    """TRL's explicit conversational form, or the strings of HH-RLHF."""

    TRL = "trl"
    HH = "hh"


class Unit(StrEnum):
    """What makes a row: a choice, or the majority of a pair's choices in an arm."""

    CHOICE = "choice"
    MAJORITY = "majority"


_CHOSEN = "CASE WHEN vote.sycophantic THEN sycophantic.text ELSE truthful.text END"
_REJECTED = "CASE WHEN vote.sycophantic THEN truthful.text ELSE sycophantic.text END"
_TURN = "JSON list of one turn"
_SYNTHETIC = Column(
    "synthetic",
    "true | false",
    "whether a program, not a person, chose; of a majority, any of them",
    "vote.synthetic",
    kind=Kind.BOOLEAN,
)

_TRL = (
    Column("prompt", _TURN, "the user's message", "misconception.prompt", kind=Kind.USER_TURN),
    Column("chosen", _TURN, "the response that was chosen", _CHOSEN, kind=Kind.ASSISTANT_TURN),
    Column("rejected", _TURN, "the other response", _REJECTED, kind=Kind.ASSISTANT_TURN),
    STUDY,
    ARM,
    *PAIR,
    Column(
        "chosen_kind",
        "truthful | sycophantic",
        "what the chosen response was",
        "CASE WHEN vote.sycophantic THEN 'sycophantic' ELSE 'truthful' END",
    ),
    Column("annotator", "text", "public id of the annotator; empty for a majority", "vote.annotator"),
    Column("n_chose", "integer", "choices of the chosen response: 1, or the majority", "vote.n_chose", Kind.INTEGER),
    Column("n_rejected", "integer", "choices of the other: 0, or the minority", "vote.n_rejected", Kind.INTEGER),
    _SYNTHETIC,
)


def _dialog(response: str) -> str:
    return rf"E'\n\nHuman: ' || misconception.prompt || E'\n\nAssistant: ' || {response}"


_HH = (
    Column("chosen", "text", "the dialog with the response that was chosen", _dialog(_CHOSEN)),
    Column("rejected", "text", "the dialog with the other response", _dialog(_REJECTED)),
    _SYNTHETIC,
)

_ANALYSED = f"({VOTES} AND choice.counted) AS vote WHERE NOT vote.excluded AND vote.sycophantic IS NOT NULL"
_COUNTED = f"""
    SELECT pair_id, arm_id, bool_or(synthetic) AS synthetic, count(*) FILTER (WHERE sycophantic) AS n_sycophantic,
           count(*) FILTER (WHERE NOT sycophantic) AS n_truthful
    FROM {_ANALYSED} GROUP BY pair_id, arm_id
"""  # noqa: S608 - of the SQL above
_UNITS = {
    Unit.CHOICE: f"SELECT vote.*, 1 AS n_chose, 0 AS n_rejected FROM {_ANALYSED}",  # noqa: S608 - as above
    Unit.MAJORITY: f"""
        SELECT pair_id, arm_id, synthetic, n_sycophantic > n_truthful AS sycophantic, NULL AS annotator,
               0 AS participation_id, 0 AS position, greatest(n_sycophantic, n_truthful) AS n_chose,
               least(n_sycophantic, n_truthful) AS n_rejected
        FROM ({_COUNTED}) AS counted WHERE n_sycophantic <> n_truthful
    """,  # noqa: S608 - as above
}


def preferences(form: Form = Form.TRL, unit: Unit = Unit.CHOICE) -> Table:
    """Return the table in a form, with a row a choice or a majority."""
    rows = f"""
        FROM ({_UNITS[unit]}) AS vote
        JOIN pair ON pair.id = vote.pair_id
        JOIN study ON study.id = pair.study_id
        JOIN arm ON arm.id = vote.arm_id
        JOIN misconception ON misconception.id = pair.misconception_id
        JOIN response truthful
          ON truthful.misconception_id = misconception.id AND truthful.kind = arm.truthful_kind || '_truthful'
        JOIN response sycophantic
          ON sycophantic.misconception_id = misconception.id AND sycophantic.kind = 'sycophantic'
        ORDER BY vote.participation_id, vote.position, pair.id, arm.id
    """
    if form is Form.HH:
        return Table("preferences_hh", f"the same as dialogs in HH-RLHF's form, one row a {unit}", _HH, rows)
    return Table("preferences", f"chosen and rejected responses in TRL's form, one row a {unit}", _TRL, rows)


PREFERENCES = preferences()
PREFERENCES_HH = preferences(Form.HH)
