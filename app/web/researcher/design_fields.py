"""Every field of the form on which a study is designed, in its sections: what reads it, shows it and names its faults.

A field's place is where its value belongs in the design, so it has the name that it has in a design file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.study.designs import ArmDesign
from app.terms import Instructions, Platform, TruthfulKind

Kind = Literal["line", "number", "text", "markdown", "lines", "select", "radios", "checkboxes", "switch"]
Choices = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Choices are (value, text, help). A field that `may_be_empty` then has what `check_design` makes up.

    The kinds: a line of words, a whole number, a text as it is, a text in Markdown, questions one a line, one of a
    list, one of a few, some of a few, on or off.
    """

    place: tuple[str, ...]
    kind: Kind
    label: str
    help: str = ""
    example: str = ""
    unit: str = ""
    rows: int = 4
    choices: Choices = ()
    may_be_empty: bool = False

    @property
    def name(self) -> str:
        """The name of the field in the form: its place, as a design file writes it."""
        return ".".join(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields that belong together, under a heading."""

    name: str
    title: str
    fields: tuple[Field, ...]
    lead: str = ""


_ARMS = {
    ("helpful", "neutral"): ("Helpful answer, neutral instructions", "The usual study has this arm alone."),
    ("helpful", "prefer_truth"): ("Helpful answer, told to prefer the truth", ""),
    ("baseline", "neutral"): ("Baseline answer, neutral instructions", ""),
    ("baseline", "prefer_truth"): ("Baseline answer, told to prefer the truth", ""),
}


def _arms() -> Choices:
    arms = [ArmDesign(truthful_kind=kind, instructions=told) for kind in TruthfulKind for told in Instructions]
    return tuple((str(arm), *_ARMS[arm.truthful_kind.value, arm.instructions.value]) for arm in arms)


COMPREHENSION: Choices = (
    ("none", "None", ""),
    ("default", "The two that come with Candor", "They ask about the instructions that come with Candor."),
    ("own", "My own, below", ""),
)
OWN_COMPREHENSION = "options.comprehension.own"
SET = Field(
    place=("set",),
    kind="select",
    label="Set of misconceptions",
    help="Its version is fixed with the study. Every misconception needs a difficulty level before the study can open.",
)

_ABOUT = Section(
    name="about",
    title="About the study",
    fields=(
        Field(
            place=("title",),
            kind="line",
            label="Title",
            help="For researchers; annotators do not see it.",
        ),
        Field(
            place=("slug",),
            kind="line",
            label="Name in addresses",
            help="Lower-case letters and digits, with hyphens, such as pilot-1. Annotators see it in the address.",
        ),
        Field(
            place=("contact",),
            kind="line",
            label="Contact",
            help="Whom annotators can ask, such as an email address. It is on every page that they see.",
        ),
    ),
)
_STIMULI = Section(
    name="pairs",
    title="What is judged",
    fields=(
        SET,
        Field(
            place=("arms",),
            kind="checkboxes",
            label="Arms",
            help="Which truthful answer stands beside the sycophantic one, and how people are told to judge. "
            "Each person is in one arm, and every pair gets all its ratings in each.",
            choices=_arms(),
        ),
        Field(
            place=("question",),
            kind="line",
            label="Question",
            help="What annotators answer for each pair.",
        ),
    ),
)
_SIZE = Section(
    name="size",
    title="Size",
    fields=(
        Field(
            place=("ratings_per_pair",),
            kind="number",
            label="Ratings of each pair",
            help="How many people judge each pair in each arm. It can be raised while the study runs, never lowered.",
            unit="ratings",
        ),
        Field(
            place=("pairs_per_annotator",),
            kind="number",
            label="Pairs for each annotator",
            help="At most as many as the set has.",
            unit="pairs",
        ),
        Field(
            place=("min_pairs",),
            kind="number",
            label="Fewest pairs",
            help="Towards the end fewer pairs may be left. Nobody is asked to take part for less than this.",
            unit="pairs",
        ),
    ),
)
_TEXTS = Section(
    name="texts",
    title="What annotators read",
    lead="In Markdown: paragraphs, headings, lists, emphasis and links; no HTML, no images. "
    "The practice pair is shown as it is written.",
    fields=(
        Field(place=("texts", "consent"), kind="markdown", label="Consent", rows=10),
        Field(place=("texts", "instructions"), kind="markdown", label="Instructions", rows=9),
        Field(
            place=("texts", "instructions_prefer_truth"),
            kind="markdown",
            label="Instructions to prefer the truth",
            help="For arms that are told to.",
            rows=9,
        ),
        Field(
            place=("texts", "debrief"),
            kind="markdown",
            label="Explanation at the end",
            help="It comes before the facts and sources of each claim.",
            rows=9,
        ),
        Field(place=("texts", "practice", "prompt"), kind="text", label="Practice pair: message", rows=3),
        Field(place=("texts", "practice", "first"), kind="text", label="Practice pair: first response", rows=5),
        Field(place=("texts", "practice", "second"), kind="text", label="Practice pair: second response", rows=5),
    ),
)
_PEOPLE = Section(
    name="people",
    title="People, time and pay",
    fields=(
        Field(
            place=("platform",),
            kind="radios",
            label="Annotators come from",
            choices=(
                (Platform.OPEN, "Anyone with the link", "The same person could come twice."),
                (Platform.GENERIC, "Anyone whose link carries an id", "Each id takes part once."),
                (Platform.PROLIFIC, "Prolific", "Prolific adds its ids to the link."),
            ),
        ),
        Field(
            place=("options", "signed_links"),
            kind="switch",
            label="Only links that are signed",
            help="Made-up ids cannot enter. The links are printed by candor study links. Not with Prolific.",
        ),
        Field(
            place=("expected_minutes",),
            kind="number",
            label="Expected time",
            help="Stated before consent, for a full set of pairs.",
            unit="minutes",
        ),
        Field(
            place=("pay",),
            kind="line",
            label="Pay",
            help="In words, as annotators read it before consent, such as £2.50.",
        ),
        Field(
            place=("completion_code",),
            kind="line",
            label="Completion code",
            help="For who judged every pair. Leave it empty to have one made up; so for the next two.",
            may_be_empty=True,
        ),
        Field(
            place=("failed_checks_code",),
            kind="line",
            label="Code for failed checks",
            help="For who judged every pair but failed too many attention checks.",
            may_be_empty=True,
        ),
        Field(
            place=("screened_out_code",),
            kind="line",
            label="Code for who is screened out",
            help="For who cannot take part, before any pair was judged.",
            may_be_empty=True,
        ),
    ),
)
_JUDGING = Section(
    name="judging",
    title="Asked at each pair",
    fields=(
        Field(place=("options", "tie"), kind="switch", label="“No preference” as a third answer"),
        Field(
            place=("options", "confidence"),
            kind="switch",
            label="How sure they are",
            help="After each choice, from 1 to 5.",
        ),
        Field(
            place=("options", "prior_belief"),
            kind="switch",
            label="What they believed before",
            help="Before each pair: how likely is it that the claim is true, from 0 to 100 %.",
        ),
        Field(
            place=("options", "reason"),
            kind="radios",
            label="Why they chose",
            help="In their own words.",
            choices=(("off", "Not asked", ""), ("optional", "Optional", ""), ("required", "Required", "")),
        ),
        Field(
            place=("options", "swapped_repeats"),
            kind="number",
            label="Pairs shown again, sides swapped",
            help="At the end, to see whether people choose alike. They never fill a slot. 0 for none.",
            unit="pairs",
        ),
        Field(
            place=("options", "min_reading_seconds"),
            kind="number",
            label="Shortest reading time",
            help="An answer given sooner is asked for again. Annotators are told beforehand. 0 for none.",
            unit="seconds",
        ),
    ),
)
_CHECKS = Section(
    name="checks",
    title="Questions and checks",
    fields=(
        Field(
            place=("options", "background"),
            kind="lines",
            label="Background questions",
            help="One a line, asked after consent: a key for the exports, the question, its answers. "
            "A ! after an answer means that nobody who gives it can take part. “Prefer not to say” is always offered.",
            example="english: Is English your first language? | Yes | No !",
            rows=4,
            may_be_empty=True,
        ),
        Field(
            place=("options", "comprehension"),
            kind="radios",
            label="Questions about the instructions",
            help="Before the practice pair, with two attempts. Who fails both is screened out before any work.",
            choices=COMPREHENSION,
        ),
        Field(
            place=("options", "comprehension", "own"),
            kind="lines",
            label="My own questions about the instructions",
            help="One a line: the question, then its answers, with a * after the right one.",
            example="May you look things up? | Yes | No *",
            rows=3,
            may_be_empty=True,
        ),
        Field(
            place=("options", "attention_checks"),
            kind="number",
            label="Attention checks",
            help="Spread evenly between the pairs. Each is an instruction to follow, never a question of knowledge.",
            unit="checks",
        ),
        Field(
            place=("options", "failed_at"),
            kind="number",
            label="Too many failed checks",
            help="Who fails so many gets the code for failed checks at the end. Nobody is stopped in the middle.",
            unit="checks",
        ),
    ),
)
_EXCLUSIONS = Section(
    name="exclusions",
    title="Exclusions",
    lead="Declared now and applied by code. Excluded choices stay in every export, marked with their reason. "
    "Leave a number empty to do without its rule.",
    fields=(
        Field(
            place=("options", "exclusions", "failed_checks"),
            kind="number",
            label="Leave out who failed attention checks",
            help="So many, or more.",
            unit="checks",
            may_be_empty=True,
        ),
        Field(
            place=("options", "exclusions", "incomplete"),
            kind="switch",
            label="Leave out who did not judge every pair",
        ),
        Field(
            place=("options", "exclusions", "looked_up"),
            kind="switch",
            label="Leave out who looked something up",
        ),
        Field(
            place=("options", "exclusions", "easy_pairs"),
            kind="number",
            label="Leave out who chose the sycophantic response on easy pairs",
            help="On so many pairs of level 1, or more. It needs knowledge, so it never decides about pay.",
            unit="pairs",
            may_be_empty=True,
        ),
        Field(
            place=("options", "exclusions", "fastest_ms"),
            kind="number",
            label="Leave out choices made faster than",
            unit="milliseconds",
            may_be_empty=True,
        ),
        Field(
            place=("options", "exclusions", "words_a_minute"),
            kind="number",
            label="Leave out choices read faster than",
            help="Faster than both responses can be read at this rate.",
            unit="words a minute",
            may_be_empty=True,
        ),
        Field(
            place=("options", "exclusions", "left_page"),
            kind="switch",
            label="Leave out choices during which the page was left",
        ),
        Field(
            place=("options", "refill_excluded"),
            kind="switch",
            label="Fill excluded slots again",
            help="When a person finishes, the slots of their excluded choices open again. "
            "Otherwise an exclusion keeps its slot filled.",
        ),
    ),
)
_PLACES = Section(
    name="places",
    title="Places and seed",
    lead="These rarely need to change.",
    fields=(
        Field(
            place=("entry_hold_minutes",),
            kind="number",
            label="A place is held before consent for",
            unit="minutes",
        ),
        Field(
            place=("hold_minutes",),
            kind="number",
            label="A place is held after each page for",
            help="Who comes back later goes on with what is still open.",
            unit="minutes",
        ),
        Field(
            place=("entry_holds",),
            kind="number",
            label="People who may hold places before consent",
            help="Empty: half of all places, at least 20.",
            unit="people",
            may_be_empty=True,
        ),
        Field(
            place=("seed",),
            kind="number",
            label="Seed",
            help="Of every random order. Empty: made up.",
            may_be_empty=True,
        ),
        Field(
            place=("synthetic",),
            kind="switch",
            label="For synthetic annotators alone",
            help="Programs fill it, people are turned away, and everything made of it says so.",
        ),
    ),
)

SECTIONS = (_ABOUT, _STIMULI, _SIZE, _TEXTS, _PEOPLE, _JUDGING, _CHECKS, _EXCLUSIONS, _PLACES)


def fields() -> Iterator[Field]:
    """Yield every field, in the order of the form."""
    for section in SECTIONS:
        yield from section.fields
