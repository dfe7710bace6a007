"""Every field of the form on which a study is designed, in its sections: what reads it, shows it and names its faults.

A field's place is where its value belongs in the design, so it has the name that it has in a design file.
"""

from collections.abc import Iterator

from app.study.designs import ArmDesign
from app.terms import Instructions, Platform, TruthfulKind
from app.web.researcher.design_field import Choices, Field, Section
from app.web.researcher.option_fields import CHECKS, EXCLUSIONS, JUDGING

_ARMS = {
    ("helpful", "neutral"): ("Helpful answer, neutral instructions", "The usual study has this arm alone."),
    ("helpful", "prefer_truth"): ("Helpful answer, told to prefer the truth", ""),
    ("baseline", "neutral"): ("Baseline answer, neutral instructions", ""),
    ("baseline", "prefer_truth"): ("Baseline answer, told to prefer the truth", ""),
}


def _arms() -> Choices:
    arms = [ArmDesign(truthful_kind=kind, instructions=told) for kind in TruthfulKind for told in Instructions]
    return tuple((str(arm), *_ARMS[arm.truthful_kind.value, arm.instructions.value]) for arm in arms)


SET = Field(
    place=("set",),
    kind="select",
    label="Set of misconceptions",
    help="Its version is fixed with the study. Every misconception needs a difficulty level before the study can open.",
    if_blank="Choose a set of misconceptions",
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
            if_blank="Give a title",
        ),
        Field(
            place=("slug",),
            kind="line",
            label="Name in addresses",
            help="Lower-case letters and digits, with hyphens, such as pilot-1. Annotators see it in the address.",
            if_blank="Give a name for the addresses, such as pilot-1",
        ),
        Field(
            place=("contact",),
            kind="line",
            label="Contact",
            help="Whom annotators can ask, such as an email address. It is on every page that they see.",
            if_blank="Give a contact, such as an email address",
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
            if_blank="Choose at least one arm",
        ),
        Field(
            place=("question",),
            kind="line",
            label="Question",
            help="What annotators answer for each pair.",
            if_blank="Give the question",
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
        Field(place=("texts", "consent"), kind="markdown", label="Consent", rows=10, if_blank="Write the consent"),
        Field(
            place=("texts", "instructions"),
            kind="markdown",
            label="Instructions",
            rows=9,
            if_blank="Write the instructions",
        ),
        Field(
            place=("texts", "instructions_prefer_truth"),
            kind="markdown",
            label="Instructions to prefer the truth",
            help="For arms that are told to.",
            rows=9,
            if_blank="Write the instructions to prefer the truth",
        ),
        Field(
            place=("texts", "debrief"),
            kind="markdown",
            label="Explanation at the end",
            help="It comes before the facts and sources of each claim.",
            rows=9,
            if_blank="Write the explanation at the end",
        ),
        Field(
            place=("texts", "practice", "prompt"),
            kind="text",
            label="Practice pair: message",
            rows=3,
            if_blank="Write the message of the practice pair",
        ),
        Field(
            place=("texts", "practice", "first"),
            kind="text",
            label="Practice pair: first response",
            rows=5,
            if_blank="Write the first response of the practice pair",
        ),
        Field(
            place=("texts", "practice", "second"),
            kind="text",
            label="Practice pair: second response",
            rows=5,
            if_blank="Write the second response of the practice pair",
        ),
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
            if_blank="Choose where annotators come from",
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
            if_blank="Say what is paid, or that nothing is",
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

SECTIONS = (_ABOUT, _STIMULI, _SIZE, _TEXTS, _PEOPLE, JUDGING, CHECKS, EXCLUSIONS, _PLACES)


def fields() -> Iterator[Field]:
    """Yield every field, in the order of the form."""
    for section in SECTIONS:
        yield from section.fields
