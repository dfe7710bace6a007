"""Every column of every exported table: its name, its type, what it means, and the SQL that gives it.

The header, the query and the codebook all come from here, so they cannot disagree.
"""

from dataclasses import dataclass

from app.study.exclusions import EXCLUSION_REASON


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `text` marks free text, which is made safe against spreadsheet formulas."""

    name: str
    type: str
    meaning: str
    sql: str
    text: bool = False

    @property
    def expression(self) -> str:
        """The SQL expression, safe to open in a spreadsheet: a leading = + - @ tab or return gets an apostrophe."""
        if not self.text:
            return self.sql
        return f"CASE WHEN {self.sql} ~ '^[=+\\-@\\t\\r]' THEN '''' || {self.sql} ELSE {self.sql} END"


def _yes_no(sql: str) -> str:
    return f"CASE WHEN {sql} THEN 'true' WHEN NOT ({sql}) THEN 'false' END"


def _utc(sql: str) -> str:
    return f"""to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


# Null for a tie, which prefers neither, and where the choice was withdrawn.
_TRUTHFUL = "nullif(choice.side_chosen, 'tie') = assignment.side_truthful"

CHOICES: tuple[Column, ...] = (
    Column("study", "text", "slug of the study", "study.slug"),
    Column("set_slug", "text", "slug of the misconception set", "misconception_set.slug"),
    Column("set_version", "integer", "version of the misconception set", "misconception_set.version"),
    Column("set_hash", "sha256", "content hash of the misconception set", "misconception_set.content_hash"),
    Column("design_hash", "sha256", "hash of the study's design in force at the choice", "choice.design_hash"),
    Column(
        "arm",
        "text",
        "arm of the annotator: truthful kind / instructions",
        "arm.truthful_kind || '/' || arm.instructions",
    ),
    Column("pair_id", "integer", "pair within this installation", "pair.id"),
    Column("misconception_key", "text", "key of the misconception in its set", "misconception.key"),
    Column("category", "text", "category of the misconception", "misconception.category", text=True),
    Column("difficulty_level", "integer 1-8", "1 easiest, 8 hardest, as at opening", "pair.difficulty_level"),
    Column("truthful_kind", "helpful | baseline", "which truthful response was shown", "arm.truthful_kind"),
    Column("annotator", "text", "public id of the annotator: a hash keyed for this study", "participation.public_id"),
    Column("position", "integer 1-n", "place of the pair in the order this annotator saw", "choice.position"),
    Column("side_truthful", "left | right", "where the truthful response was shown", "assignment.side_truthful"),
    Column("side_chosen", "left | right | tie", "what was chosen; empty if withdrawn", "choice.side_chosen"),
    Column(
        "chosen_kind",
        "truthful | sycophantic | tie",
        "what the chosen response was; empty if withdrawn",
        f"CASE WHEN {_TRUTHFUL} THEN 'truthful' WHEN NOT ({_TRUTHFUL}) THEN 'sycophantic' ELSE choice.side_chosen END",
    ),
    Column(
        "prefers_sycophantic",
        "0 | 1",
        "1 if the sycophantic response was chosen; empty for a tie or if withdrawn",
        f"CASE WHEN {_TRUTHFUL} THEN 0 WHEN NOT ({_TRUTHFUL}) THEN 1 END",
    ),
    Column("words_truthful", "integer, words", "length of the truthful response shown", "truthful.n_words"),
    Column("words_sycophantic", "integer, words", "length of the sycophantic response shown", "sycophantic.n_words"),
    Column(
        "confidence",
        "integer 1-5",
        "how sure of the choice: 1 not at all, 5 completely; empty: not asked",
        "choice.confidence",
    ),
    Column(
        "prior_belief",
        "integer 0-100, percent",
        "how likely the claim seemed before the pair was shown; empty: not asked",
        "assignment.prior_belief",
    ),
    Column(
        "reason", "text", "reason in the annotator's words; empty: not asked, or none given", "choice.reason", text=True
    ),
    Column(
        "decision_ms_browser",
        "integer, milliseconds",
        "from seeing the page to sending the choice, measured in the browser; empty without JavaScript",
        "choice.decision_ms_browser",
    ),
    Column(
        "decision_ms_server",
        "integer, milliseconds",
        "from first showing the page to storing the choice, measured on the server",
        "choice.decision_ms_server",
    ),
    Column("shown_at", "ISO 8601, UTC", "when the pair was first shown", _utc("assignment.shown_at")),
    Column("chosen_at", "ISO 8601, UTC", "when the choice was stored", _utc("choice.chosen_at")),
    Column(
        "checks_passed",
        "true | false",
        "whether the annotator passed every attention check so far; empty: none asked",
        "CASE WHEN participation.n_checked > 0 THEN CASE WHEN participation.checks_failed = 0 "
        "THEN 'true' ELSE 'false' END END",
    ),
    Column(
        "looked_up",
        "true | false",
        "whether the annotator said they looked anything up; empty: not answered",
        _yes_no("participation.looked_up"),
    ),
    Column("counted", "true | false", "whether the choice fills one of the k slots", _yes_no("choice.counted")),
    Column("late", "true | false", "whether it came after its hold had expired", _yes_no("choice.late")),
    Column("repeat_of", "integer", "position of the pair that this one repeats swapped", "assignment.repeat_of"),
    Column(
        "excluded",
        "true | false",
        "whether a declared analysis rule leaves the choice out",
        _yes_no(f"({EXCLUSION_REASON}) IS NOT NULL"),
    ),
    Column("exclusion_reason", "text", "the first rule that holds, where excluded", EXCLUSION_REASON),
    Column("withdrawn", "true | false", "whether the annotator withdrew their data", _yes_no("choice.withdrawn")),
    Column(
        "synthetic",
        "true | false",
        "whether a program, not a person, made the choice",
        _yes_no("participation.synthetic"),
    ),
    Column(
        "times_away",
        "integer",
        "how often the page was left for another tab or window; empty without JavaScript",
        "choice.times_away",
    ),
    Column("pastes", "integer", "how often text was pasted into the page; empty without JavaScript", "choice.pastes"),
    Column(
        "background",
        "JSON object",
        "answers to the background questions, by their key; empty: none asked",
        "participation.background::text",
        text=True,
    ),
)

CODEBOOK: tuple[str, ...] = ("table", "column", "type", "meaning")

TABLES: dict[str, tuple[Column, ...]] = {"choices": CHOICES}

FROM_CHOICES = """
    FROM study
    JOIN misconception_set ON misconception_set.id = study.set_id
    JOIN participation ON participation.study_id = study.id
    JOIN arm ON arm.id = participation.arm_id
    JOIN choice ON choice.participation_id = participation.id
    JOIN assignment ON assignment.participation_id = choice.participation_id AND assignment.position = choice.position
    JOIN pair ON pair.id = assignment.pair_id
    JOIN misconception ON misconception.id = pair.misconception_id
    JOIN response truthful
      ON truthful.misconception_id = misconception.id AND truthful.kind = arm.truthful_kind || '_truthful'
    JOIN response sycophantic
      ON sycophantic.misconception_id = misconception.id AND sycophantic.kind = 'sycophantic'
    WHERE study.slug = {slug}
    ORDER BY participation.id, choice.position
"""
