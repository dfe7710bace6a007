"""The fields of what a study may switch on: of the judging page, of checks, and of exclusions."""

from app.web.researcher.design_field import Choices, Field, Section

COMPREHENSION: Choices = (
    ("none", "None", ""),
    ("default", "The two that come with Candor", "They ask about the instructions that come with Candor."),
    ("own", "My own, below", ""),
)
OWN_COMPREHENSION = "options.comprehension.own"

JUDGING = Section(
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
            if_blank="Choose whether people are asked why they chose",
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
CHECKS = Section(
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
EXCLUSIONS = Section(
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
