"""What a study may switch on: every wrong value is refused, and what is said names its field and the mend."""

from typing import Any

import pytest

from app.study.checks import default_comprehension
from app.study.designs import DesignFaulty, StudyDesign, check_design
from app.study.options import Exclusions, Options

LEAST: dict[str, Any] = {"slug": "a-study", "title": "A study", "contact": "someone@example.org"}
AGE: dict[str, Any] = {"key": "age", "question": "How old are you?", "answers": ["Under 18", "18 or older"]}
TASK: dict[str, Any] = {"question": "What is asked?", "answers": ["This", "That"], "right": "This"}


def design(options: Any, **values: Any) -> StudyDesign:
    return check_design(LEAST | values | {"options": options})


def fault(options: Any, **values: Any) -> str:
    with pytest.raises(DesignFaulty) as refusal:
        design(options, **values)
    (said,) = refusal.value.faults
    assert "\n" not in said
    return said


def test_everything_is_off_by_default() -> None:
    options = check_design(LEAST).options
    on = {name for name, value in options if value not in (False, 0, (), "off", Exclusions())}
    assert on == {"failed_at"}, "which says nothing where no check is asked"
    assert not any(value for _, value in options.exclusions)


NUMBERS = [
    ("attention_checks", 0, 20),
    ("failed_at", 1, 20),
    ("swapped_repeats", 0, 50),
    ("min_reading_seconds", 0, 120),
]
RULES = [("failed_checks", 1, 50), ("easy_pairs", 1, 500), ("fastest_ms", 1, 600_000), ("words_a_minute", 50, 10_000)]


@pytest.mark.parametrize(("option", "least", "most"), NUMBERS)
def test_numbers_are_taken_to_their_bounds_and_refused_beyond(option: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(design({option: value}, pairs_per_annotator=100).options, option) == value
    for value, said in ((least - 1, f"{least} or more"), (most + 1, f"{most} or less")):
        assert fault({option: value}) == f"options.{option}: must be {said} (given: {value})"


@pytest.mark.parametrize(("rule", "least", "most"), RULES)
def test_rules_are_taken_to_their_bounds_and_refused_beyond(rule: str, least: int, most: int) -> None:
    for value, said in ((least - 1, f"{least} or more"), (most + 1, f"{most} or less")):
        assert fault({"exclusions": {rule: value}}) == (f"options.exclusions.{rule}: must be {said} (given: {value})")
    if rule != "failed_checks":
        for value in (least, most):
            assert getattr(design({"exclusions": {rule: value}}).options.exclusions, rule) == value


@pytest.mark.parametrize("option", ["tie", "confidence", "prior_belief", "signed_links", "refill_excluded"])
def test_a_switch_is_on_or_off(option: str) -> None:
    said = fault({option: "perhaps"})
    assert said.startswith(f"options.{option}: must be true or false")
    assert said.endswith("(given: 'perhaps')")


def test_a_reason_is_off_optional_or_required() -> None:
    for value in ("off", "optional", "required"):
        assert design({"reason": value}).options.reason == value
    assert fault({"reason": True}) == ("options.reason: must be 'off', 'optional' or 'required' (given: True)")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ties": True}, "options.ties"),
        ({"exclusions": {"failed_check": 1}}, "options.exclusions.failed_check"),
        ({"background": [AGE | {"screen_out": ["Under 18"]}]}, "options.background.0.screen_out"),
        ({"comprehension": [TASK | {"wrong": "That"}]}, "options.comprehension.0.wrong"),
    ],
)
def test_a_field_that_there_is_not_is_refused_wherever_it_is(options: Any, field: str) -> None:
    assert fault(options).startswith(f"{field}: unknown; remove it or check its spelling")


QUESTIONS: list[Any] = [
    ({"key": "My age"}, "key: must be lower-case letters, digits and underscores, beginning with a letter (given: 'My"),
    ({"key": "a" * 41}, "options.background.0.key: "),
    ({"key": "token"}, "cannot have the key token, which the form uses; rename it"),
    ({"key": "attempt"}, "cannot have the key attempt, which the form uses; rename it"),
    ({"question": " "}, "options.background.0.question: must not be empty"),
    ({"question": "a\x00b"}, "options.background.0.question: holds a NUL character"),
    ({"answers": ["Only one"]}, "options.background.0.answers: must have 2 or more"),
    ({"answers": ["A", "A"]}, "background question age offers an answer twice"),
    ({"answers": ["A", " A "]}, "background question age offers an answer twice"),
    ({"answers": ["A", "B", ""]}, "options.background.0.answers.2: must not be empty"),
    ({"answers": ["A", "Prefer not to say"]}, "offers 'Prefer not to say', as all do; leave it out"),
    ({"screens_out": ["Under 16"]}, "background question age screens out 'Under 16', which it does not offer"),
    ({"screens_out": ["Prefer not to say"]}, "screens out 'Prefer not to say', which it does not offer"),
]


@pytest.mark.parametrize(("wrong", "said"), QUESTIONS)
def test_a_background_question_that_no_page_could_ask_is_named(wrong: dict[str, Any], said: str) -> None:
    assert design({"background": [AGE]}).options.background[0].key == "age"
    assert said in fault({"background": [AGE | wrong]})


def test_background_questions_have_a_key_each() -> None:
    assert fault({"background": [AGE, AGE]}).startswith(
        "options: background questions need a key each, and each its own"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"right": "Neither"}, "'What is asked?' does not offer its right answer"),
        ({"answers": ["This", "This"]}, "'What is asked?' offers an answer twice"),
        ({"answers": ["This"]}, "options.comprehension.0.answers: must have 2 or more"),
    ],
)
def test_a_comprehension_question_that_nobody_could_answer_is_named(wrong: dict[str, Any], said: str) -> None:
    assert said in fault({"comprehension": [TASK | wrong]})


def test_the_bundled_comprehension_questions_have_a_name() -> None:
    assert design({"comprehension": "default"}).options.comprehension == default_comprehension()
    assert len(default_comprehension()) == 2
    assert fault({"comprehension": "bundled"}).startswith("options.comprehension: ")


TOGETHER: list[Any] = [
    (
        {"exclusions": {"failed_checks": 1}},
        {},
        "options: exclusions.failed_checks needs attention checks; set attention_checks or drop the rule",
    ),
    (
        {"attention_checks": 2, "exclusions": {"failed_checks": 3}},
        {},
        "options: exclusions.failed_checks is more than attention_checks, so nobody can fail it; lower it",
    ),
    (
        {"refill_excluded": True},
        {},
        "options: refill_excluded needs exclusion rules; declare some or leave it off",
    ),
    (
        {"swapped_repeats": 5},
        {"pairs_per_annotator": 8},
        "options.swapped_repeats is more than half of pairs-per-annotator; lower it",
    ),
    (
        {"attention_checks": 8},
        {"pairs_per_annotator": 8},
        "options.attention_checks do not fit between the pairs that each annotator sees; lower it",
    ),
    (
        {"signed_links": True},
        {"platform": "prolific"},
        "options.signed_links cannot be had on Prolific, which adds its ids itself; switch it off",
    ),
]


@pytest.mark.parametrize(("options", "values", "said"), TOGETHER)
def test_what_does_not_go_together_is_said_with_its_mend(
    options: dict[str, Any], values: dict[str, Any], said: str
) -> None:
    assert fault(options, **values).startswith(said)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"attention_checks": 2, "exclusions": {"failed_checks": 2}}, {}),
        ({"refill_excluded": True, "exclusions": {"looked_up": True}}, {}),
        ({"swapped_repeats": 4}, {"pairs_per_annotator": 8}),
        ({"swapped_repeats": 5}, {"pairs_per_annotator": 9}),
        ({"attention_checks": 7}, {"pairs_per_annotator": 8}),
        ({"attention_checks": 8, "swapped_repeats": 1}, {"pairs_per_annotator": 8}),
        ({"signed_links": True}, {"platform": "generic"}),
        ({"signed_links": True}, {"platform": "open"}),
    ],
)
def test_what_just_goes_together_is_taken(options: dict[str, Any], values: dict[str, Any]) -> None:
    taken = design(options, **values).options
    assert taken.model_dump(exclude_unset=True).keys() == options.keys()


def test_options_that_were_stored_read_back() -> None:
    options = design(
        {"comprehension": "default", "background": [AGE], "attention_checks": 1, "exclusions": {"left_page": True}}
    ).options
    assert Options.model_validate(options.model_dump(mode="json")) == options
