"""The form of a design: every value of a design has a field, all of it reads back, and every fault is at its field."""

from typing import Any

import pytest
from starlette.datastructures import FormData

from app.study.checks import default_comprehension
from app.study.designs import StudyDesign, check_design
from app.study.options import Exclusions, Options
from app.study.texts import default_texts
from app.web.researcher import design_form
from app.web.researcher.design_fields import SECTIONS, fields
from app.web.researcher.design_form import FormFaulty, SetChosen, Typed

LEAST: dict[str, Any] = {"slug": "a-study", "title": "A study", "contact": "someone@example.org"}
STARTER = SetChosen("starter", 2)
BACKGROUND: list[Any] = [
    {"key": "age", "question": "How old are you?", "answers": ["Under 18", "18 or older"], "screens_out": ["Under 18"]},
    {"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]},
]
OWN: list[Any] = [{"question": "May you look things up?", "answers": ["Yes", "No"], "right": "No"}]
EVERYTHING: dict[str, Any] = LEAST | {
    "ratings_per_pair": 7,
    "pairs_per_annotator": 24,
    "min_pairs": 12,
    "arms": [{"truthful_kind": "baseline"}, {"truthful_kind": "helpful", "instructions": "prefer_truth"}],
    "question": "Which is better?",
    "texts": {"consent": "# Welcome\n\nDo you consent?", "debrief": "It was false."},
    "platform": "open",
    "pay": "£3",
    "entry_holds": 30,
    "seed": 4,
    "synthetic": True,
    "options": {
        "tie": True,
        "confidence": True,
        "prior_belief": True,
        "reason": "required",
        "background": BACKGROUND,
        "comprehension": OWN,
        "attention_checks": 3,
        "failed_at": 1,
        "swapped_repeats": 2,
        "min_reading_seconds": 5,
        "signed_links": True,
        "refill_excluded": True,
        "exclusions": {
            "failed_checks": 2,
            "incomplete": True,
            "looked_up": True,
            "easy_pairs": 2,
            "fastest_ms": 900,
            "words_a_minute": 800,
            "left_page": True,
        },
    },
}


def typed(**changed: str | tuple[str, ...] | None) -> Typed:
    """The form of a sound new study; `options__tie` changes the field `options.tie`."""
    form = dict(design_form.new(STARTER)) | {name: (str(value),) for name, value in LEAST.items()}
    for name, value in changed.items():
        field = name.replace("__", ".")
        if value is None:
            form.pop(field, None)
        else:
            form[field] = value if isinstance(value, tuple) else (value,)
    return form


def faults(**changed: str | tuple[str, ...] | None) -> list[tuple[str, str]]:
    with pytest.raises(FormFaulty) as refusal:
        design_form.read(typed(**changed), [STARTER])
    return [tuple(fault) for fault in refusal.value.faults]  # type: ignore[misc]


def test_every_value_of_a_design_has_a_field() -> None:
    places = {field.place for field in fields()}
    top = {(name,) for name in StudyDesign.model_fields if name not in {"options", "texts"}}
    texts = {("texts", name) for name in check_design(LEAST).texts if name != "practice"}
    practice = {("texts", "practice", name) for name in ("prompt", "first", "second")}
    options = {("options", name) for name in Options.model_fields if name != "exclusions"}
    exclusions = {("options", "exclusions", name) for name in Exclusions.model_fields}
    beside = {("set",), ("options", "comprehension", "own")}
    assert places == top | texts | practice | options | exclusions | beside


def test_names_and_sections_are_there_once() -> None:
    names = [field.name for field in fields()]
    assert len(set(names)) == len(names)
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)
    assert not {section.name for section in SECTIONS} & {name.replace(".", "-") for name in names}


@pytest.mark.parametrize(
    "values",
    [LEAST, EVERYTHING, LEAST | {"options": {"comprehension": "default"}}],
    ids=["least", "everything", "bundled questions"],
)
def test_a_design_reads_back_from_its_form(values: dict[str, Any]) -> None:
    design = check_design(values)
    form = design_form.typed_of(design.model_dump(), STARTER)
    assert design_form.read(form, [SetChosen("starter", 1), STARTER]) == (design, STARTER)


def test_a_new_study_has_the_defaults_and_what_is_left_empty_is_made_up() -> None:
    design, chosen = design_form.read(typed(), [STARTER])
    usual = check_design(LEAST)
    made_up = {"seed", "completion_code", "failed_checks_code", "screened_out_code"}
    assert design.model_dump(exclude=made_up) == usual.model_dump(exclude=made_up)
    assert len({design.completion_code, usual.completion_code, design.failed_checks_code}) == 3
    assert chosen == STARTER
    assert not {"slug", "title", "contact", *made_up} & set(design_form.new(STARTER))


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"slug": "A b"}, "slug", "Name in addresses: must be lower-case letters and digits, with hyphens"),
        ({"slug": "new"}, "slug", "Name in addresses: is the name of a page; choose another"),
        ({"title": " "}, "title", "Give a title"),
        ({"contact": None}, "contact", "Give a contact, such as an email address"),
        ({"set": None}, "set", "Choose a set of misconceptions"),
        ({"set": "other@1"}, "set", "Choose a set of misconceptions"),
        ({"arms": None}, "arms", "Choose at least one arm"),
        ({"arms": ("helpful/neutral", "helpful/neutral")}, "arms", "Arms: arms must be given, and each only once"),
        ({"arms": "loud/neutral"}, "arms", "Arms: must be 'helpful' or 'baseline'"),
        ({"ratings_per_pair": ""}, "ratings_per_pair", "Ratings of each pair: must be a whole number"),
        ({"ratings_per_pair": "many"}, "ratings_per_pair", "Ratings of each pair: must be a whole number"),
        ({"ratings_per_pair": "9" * 5000}, "ratings_per_pair", "Ratings of each pair: must be a whole number"),
        ({"ratings_per_pair": "0"}, "ratings_per_pair", "Ratings of each pair: must be 1 or more"),
        ({"min_pairs": "21"}, "min_pairs", "Fewest pairs: min-pairs is larger than pairs-per-annotator; lower it"),
        ({"texts__consent": " \n"}, "texts.consent", "Write the consent"),
        (
            {"texts__practice__first": ""},
            "texts.practice.first",
            "Write the first response of the practice pair",
        ),
        ({"platform": None}, "platform", "Choose where annotators come from"),
        (
            {"completion_code": "x"},
            "completion_code",
            "Completion code: must be 4 to 40 letters, digits or hyphens",
        ),
        (
            {"completion_code": "SAME-1", "failed_checks_code": "SAME-1"},
            "completion_code",
            "Completion code: the three completion codes must differ; change one",
        ),
        (
            {"options__reason": "maybe"},
            "options.reason",
            "Why they chose: must be 'off', 'optional' or 'required'",
        ),
        (
            {"options__signed_links": "on", "platform": "prolific"},
            "options.signed_links",
            "Only links that are signed: options.signed_links cannot be had on Prolific, which adds its ids",
        ),
        (
            {"options__swapped_repeats": "11"},
            "options.swapped_repeats",
            "Pairs shown again, sides swapped: options.swapped_repeats is more than half of pairs-per-annotator",
        ),
        (
            {"options__exclusions__failed_checks": "1"},
            "options.exclusions.failed_checks",
            "Leave out who failed attention checks: exclusions.failed_checks needs attention checks",
        ),
        (
            {"options__refill_excluded": "on"},
            "options.refill_excluded",
            "Fill excluded slots again: refill_excluded needs exclusion rules; declare some or leave it off",
        ),
        (
            {"options__background": "\nnothing"},
            "options.background",
            "Background questions, line 2: begin with a key and a colon, such as “age: How old are you? | Under",
        ),
        (
            {"options__background": "a: One? | x | y\n\nb: Two? | x"},
            "options.background",
            "Background questions, line 3: must have 2 or more",
        ),
        (
            {"options__background": "a: One? | x | y\na: Two? | x | y"},
            "options.background",
            "Background questions: background questions need a key each, and each its own",
        ),
        (
            {"options__background": "Age: How old? | x | y"},
            "options.background",
            "Background questions, line 1: must be lower-case letters, digits and underscores, beginning with a letter",
        ),
        (
            {"options__comprehension": "own"},
            "options.comprehension.own",
            "My own questions about the instructions: write one, or choose none",
        ),
        (
            {"options__comprehension": "own", "options__comprehension__own": "Which? | a | b"},
            "options.comprehension.own",
            "My own questions about the instructions, line 1: put * after the one right answer; it is after none",
        ),
        (
            {"options__comprehension": "own", "options__comprehension__own": "\nWhich? | a *"},
            "options.comprehension.own",
            "My own questions about the instructions, line 2: must have 2 or more",
        ),
        (
            {"options__comprehension": "perhaps"},
            "options.comprehension",
            "Questions about the instructions: choose one",
        ),
    ],
)
def test_a_fault_is_said_at_its_field(changed: dict[str, Any], field: str, said: str) -> None:
    ((at, message),) = faults(**changed)
    assert at == field
    assert message.startswith(said)


def test_every_fault_is_said_at_once_in_the_order_of_the_form() -> None:
    found = faults(seed="-1", slug="", options__background="x", set=None, texts__debrief="")
    assert [field for field, _ in found] == ["slug", "set", "texts.debrief", "options.background", "seed"]


def test_questions_of_one_s_own_count_only_where_they_are_chosen() -> None:
    form = typed(options__comprehension="none", options__comprehension__own="nonsense")
    assert design_form.read(form, [STARTER])[0].options.comprehension == ()
    form = typed(options__comprehension="default")
    assert design_form.read(form, [STARTER])[0].options.comprehension == default_comprehension()


def test_texts_keep_their_line_breaks_as_one_character() -> None:
    form = design_form.typed_in(FormData([("texts.consent", "a\r\n\r\nb\rc"), ("other", "x")]))
    assert form == {"texts.consent": ("a\n\nb\nc",)}
    assert default_texts()["consent"] in dict(design_form.new(None))["texts.consent"]
