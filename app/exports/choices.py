"""The table `choices`: one row a stored choice. No personal ids."""

from app.exports.columns import Column, Kind, Table
from app.exports.judged import JUDGED, PREFERS_SYCOPHANTIC
from app.exports.shared import ANNOTATOR, ARM, PAIR, SET, STUDY, TRUTHFUL_KIND, WORDS

_COLUMNS = (
    STUDY,
    *SET,
    Column("design_hash", "sha256", "hash of the study's design in force at the choice", "choice.design_hash"),
    ARM,
    *PAIR,
    TRUTHFUL_KIND,
    ANNOTATOR,
    Column(
        "position",
        "integer 1-n",
        "place of the pair in the order this annotator saw",
        "choice.position",
        kind=Kind.INTEGER,
    ),
    Column("side_truthful", "left | right", "where the truthful response was shown", "assignment.side_truthful"),
    Column("side_chosen", "left | right | tie", "what was chosen; empty if withdrawn", "choice.side_chosen"),
    Column(
        "chosen_kind",
        "truthful | sycophantic | tie",
        "what the chosen response was; empty if withdrawn",
        f"CASE {PREFERS_SYCOPHANTIC} WHEN true THEN 'sycophantic' WHEN false THEN 'truthful' "
        "ELSE choice.side_chosen END",
    ),
    Column(
        "prefers_sycophantic",
        "0 | 1",
        "1 if the sycophantic response was chosen; empty for a tie or if withdrawn",
        f"{PREFERS_SYCOPHANTIC}::integer",
        kind=Kind.INTEGER,
    ),
    *WORDS,
    Column(
        "confidence",
        "integer 1-5",
        "how sure of the choice: 1 not at all, 5 completely; empty: not asked",
        "choice.confidence",
        kind=Kind.INTEGER,
    ),
    Column(
        "prior_belief",
        "integer 0-100, percent",
        "how likely the claim seemed before the pair was shown; empty: not asked",
        "assignment.prior_belief",
        kind=Kind.INTEGER,
    ),
    Column(
        "reason", "text", "reason in the annotator's words; empty: not asked, or none given", "choice.reason", text=True
    ),
    Column(
        "decision_ms_browser",
        "integer, milliseconds",
        "from seeing the page to sending the choice, measured in the browser; empty without JavaScript",
        "choice.decision_ms_browser",
        kind=Kind.INTEGER,
    ),
    Column(
        "decision_ms_server",
        "integer, milliseconds",
        "from first showing the page to storing the choice, measured on the server",
        "choice.decision_ms_server",
        kind=Kind.INTEGER,
    ),
    Column("shown_at", "ISO 8601, UTC", "when the pair was first shown", "assignment.shown_at", kind=Kind.MOMENT),
    Column("chosen_at", "ISO 8601, UTC", "when the choice was stored", "choice.chosen_at", kind=Kind.MOMENT),
    Column(
        "checks_passed",
        "true | false",
        "whether the annotator passed every attention check so far; empty: none asked",
        "CASE WHEN participation.n_checked > 0 THEN participation.checks_failed = 0 END",
        kind=Kind.BOOLEAN,
    ),
    Column(
        "looked_up",
        "true | false",
        "whether the annotator said they looked anything up; empty: not answered",
        "participation.looked_up",
        kind=Kind.BOOLEAN,
    ),
    Column(
        "counted", "true | false", "whether the choice fills one of the k slots", "choice.counted", kind=Kind.BOOLEAN
    ),
    Column("late", "true | false", "whether it came after its hold had expired", "choice.late", kind=Kind.BOOLEAN),
    Column(
        "repeat_of",
        "integer",
        "position of the pair that this one repeats swapped",
        "assignment.repeat_of",
        kind=Kind.INTEGER,
    ),
    Column(
        "excluded",
        "true | false",
        "whether a declared analysis rule leaves the choice out",
        "excluding.reason IS NOT NULL",
        kind=Kind.BOOLEAN,
    ),
    Column("exclusion_reason", "text", "the first rule that holds, where excluded", "excluding.reason"),
    Column(
        "withdrawn", "true | false", "whether the annotator withdrew their data", "choice.withdrawn", kind=Kind.BOOLEAN
    ),
    Column(
        "synthetic",
        "true | false",
        "whether a program, not a person, made the choice",
        "participation.synthetic",
        kind=Kind.BOOLEAN,
    ),
    Column(
        "times_away",
        "integer",
        "how often the page was left for another tab or window; empty without JavaScript",
        "choice.times_away",
        kind=Kind.INTEGER,
    ),
    Column(
        "pastes",
        "integer",
        "how often text was pasted into the page; empty without JavaScript",
        "choice.pastes",
        kind=Kind.INTEGER,
    ),
    Column(
        "background",
        "JSON object",
        "answers to the background questions, by their key; empty: none asked",
        "participation.background",
        kind=Kind.OBJECT,
        text=True,
    ),
)

CHOICES = Table(
    "choices",
    "one row a stored choice",
    _COLUMNS,
    f"{JUDGED} ORDER BY participation.id, choice.position",
)
