"""A design's bounds, and what is said about each option that is out of them."""

import re
from typing import Any

import pytest

from app.study.designs import ArmDesign, DesignFaulty, check_design
from app.study.options import Options
from app.study.texts import default_texts
from app.terms import Instructions, Platform, TruthfulKind

LEAST: dict[str, Any] = {"slug": "a-study", "title": "A study", "contact": "someone@example.org"}
PRACTICE = {"prompt": "Which?", "first": "This.", "second": "That."}


def faults(**values: Any) -> list[str]:
    with pytest.raises(DesignFaulty) as refusal:
        check_design(LEAST | values)
    assert str(refusal.value) == "; ".join(refusal.value.faults)
    return refusal.value.faults


CODES = ("completion_code", "failed_checks_code", "screened_out_code")


def test_what_is_not_given_has_a_default() -> None:
    design = check_design(LEAST)
    assert design.model_dump(exclude={"seed", "texts", *CODES, "options"}) == {
        **LEAST,
        "ratings_per_pair": 5,
        "pairs_per_annotator": 20,
        "min_pairs": 1,
        "arms": ({"truthful_kind": TruthfulKind.HELPFUL, "instructions": Instructions.NEUTRAL},),
        "question": "Which response do you prefer?",
        "platform": Platform.GENERIC,
        "expected_minutes": 15,
        "pay": "unpaid",
        "entry_hold_minutes": 10,
        "hold_minutes": 40,
        "entry_holds": None,
        "synthetic": False,
    }
    assert design.options == Options()
    assert design.texts == {name: text for name, text in default_texts().items() if name != "question"}


def test_seed_and_code_are_made_up_anew_for_each_study() -> None:
    designs = [check_design(LEAST) for _ in range(20)]
    assert len({design.seed for design in designs}) == 20
    codes = {getattr(design, code) for design in designs for code in CODES}
    assert len(codes) == 60
    assert all(re.fullmatch("[0-9A-F]{8}", code) for code in codes)


BOUNDS = [
    ("ratings_per_pair", 1, 1000),
    ("pairs_per_annotator", 1, 500),
    ("expected_minutes", 1, 600),
    ("entry_hold_minutes", 1, 120),
    ("hold_minutes", 5, 1440),
]


@pytest.mark.parametrize(("option", "least", "most"), BOUNDS)
def test_numbers_are_taken_to_their_bounds_and_refused_beyond(option: str, least: int, most: int) -> None:
    named = option.replace("_", "-")
    for value in (least, most):
        assert getattr(check_design(LEAST | {option: value}), option) == value
    assert faults(**{option: least - 1}) == [f"{named}: must be {least} or more (given: {least - 1})"]
    assert faults(**{option: most + 1}) == [f"{named}: must be {most} or less (given: {most + 1})"]


@pytest.mark.parametrize("option", [*(option for option, *_ in BOUNDS), "min_pairs", "seed"])
@pytest.mark.parametrize("value", ["many", 2.5, None, [], True, False])
def test_what_is_no_whole_number_is_named(option: str, value: Any) -> None:
    (fault,) = faults(**{option: value})
    assert fault.startswith(f"{option.replace('_', '-')}: must be a whole number")
    assert fault.endswith(f"(given: {value!r})")


def test_the_seed_fits_its_column() -> None:
    for seed in (0, 2**63 - 1):
        assert check_design(LEAST | {"seed": seed}).seed == seed
    assert faults(seed=-1) == ["seed: must be 0 or more (given: -1)"]
    assert faults(seed=2**63) == [f"seed: must be less than {2**63} (given: {2**63})"]


def test_the_fewest_pairs_are_no_more_than_the_pairs() -> None:
    assert check_design(LEAST | {"min_pairs": 8, "pairs_per_annotator": 8}).min_pairs == 8
    said = "min-pairs is larger than pairs-per-annotator; lower it"
    assert faults(min_pairs=9, pairs_per_annotator=8) == [said]
    assert faults(min_pairs=21) == [said], "of 20 by default"
    assert faults(min_pairs=0) == ["min-pairs: must be 1 or more (given: 0)"]


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "2026-study-1", "a" * 60])
def test_slugs(slug: str) -> None:
    assert check_design(LEAST | {"slug": slug}).slug == slug


@pytest.mark.parametrize("slug", ["", "A", "a b", "a_b", "-a", "a-", "a--b", "a/b", "é", "a\n", "=1+1", "a\x00", ".."])
def test_what_is_no_slug_is_named(slug: str) -> None:
    assert faults(slug=slug) == [f"slug: must be lower-case letters and digits, with hyphens (given: {slug!r})"]


@pytest.mark.parametrize("slug", ["new", "plan"])
def test_a_slug_is_not_the_name_of_a_page(slug: str) -> None:
    assert faults(slug=slug) == [f"slug: is the name of a page; choose another (given: {slug!r})"]


PLACES: list[Any] = [
    ({"slug": "A"}, ("slug",), "must be lower-case letters and digits, with hyphens"),
    ({"min_pairs": 21}, ("min_pairs",), "min-pairs is larger than pairs-per-annotator; lower it"),
    ({"arms": ()}, ("arms",), "arms must be given, and each only once"),
    ({"texts": {"consent": ""}}, ("texts", "consent"), "has no words for consent"),
    ({"texts": {"practice": PRACTICE | {"first": ""}}}, ("texts", "practice", "first"), "has no words for practice"),
    ({"options": {"attention_checks": 99}}, ("options", "attention_checks"), "must be 20 or less"),
    ({"options": {"attention_checks": 20}}, ("options", "attention_checks"), "options.attention_checks do not fit"),
    ({"options": {"exclusions": {"failed_checks": 1}}}, ("options", "exclusions", "failed_checks"), "exclusions.fai"),
    ({"options": {"refill_excluded": True}}, ("options", "refill_excluded"), "refill_excluded needs"),
    ({"options": {"background": [{"key": "A"}]}}, ("options", "background", 0, "key"), "must be lower-case letters"),
]


@pytest.mark.parametrize(("values", "at", "said"), PLACES)
def test_a_fault_has_its_place_among_the_values(values: dict[str, Any], at: tuple[Any, ...], said: str) -> None:
    with pytest.raises(DesignFaulty) as refusal:
        check_design(LEAST | values)
    assert refusal.value.found[0].at == at
    assert refusal.value.found[0].said.startswith(said)
    assert refusal.value.found[0].said in refusal.value.faults[0]


def test_a_slug_has_at_most_sixty_characters() -> None:
    assert faults(slug="a" * 61) == [f"slug: must have at most 60 characters (given: {'a' * 61!r})"]


@pytest.mark.parametrize(("option", "most"), [("title", 200), ("contact", 300), ("pay", 200), ("question", 20_000)])
def test_texts_say_something_and_have_an_end(option: str, most: int) -> None:
    longest = "x" * most
    assert getattr(check_design(LEAST | {option: f" {longest}\n"}), option) == longest
    for blank in ("", " ", "\n\t"):
        assert faults(**{option: blank}) == [f"{option}: must not be empty (given: {blank!r})"]
    assert faults(**{option: "x" * (most + 1)}) == [
        f"{option}: must have at most {most:,} characters (given: '{'x' * 79}…)"
    ]
    assert faults(**{option: "a\x00b"}) == [rf"{option}: holds a NUL character (given: 'a\x00b')"]
    (fault,) = faults(**{option: "\ud800"})
    assert fault.startswith(f"{option}: holds half of a surrogate pair")
    fault.encode()


def test_what_must_be_given_is_named() -> None:
    with pytest.raises(DesignFaulty) as refusal:
        check_design({})
    assert refusal.value.faults == ["slug: missing", "title: missing", "contact: missing"]


def test_every_fault_is_named_at_once_on_one_line() -> None:
    named = faults(slug="A\nB", ratings_per_pair=0, pay=" ", extra=1)
    assert [fault.partition(":")[0] for fault in named] == ["slug", "ratings-per-pair", "pay", "extra"]
    assert "\n" not in "; ".join(named)
    assert named[3] == "extra: unknown; remove it or check its spelling (given: 1)"


@pytest.mark.parametrize("code", ["DONE", "abc-123", "A" * 40])
def test_completion_codes(code: str) -> None:
    assert check_design(LEAST | {"completion_code": code}).completion_code == code


@pytest.mark.parametrize("code", ["", "ABC", "A" * 41, "AB CD", "ABCD\n", "CODE?x=1", "ÄÖÜÄ", "<b>x</b>"])
def test_what_is_no_completion_code_is_named(code: str) -> None:
    assert faults(completion_code=code) == [
        f"completion-code: must be 4 to 40 letters, digits or hyphens (given: {code!r})"
    ]


def test_platforms() -> None:
    for platform in Platform:
        assert check_design(LEAST | {"platform": platform.value}).platform is platform
    assert faults(platform="mturk") == ["platform: must be 'open', 'generic' or 'prolific' (given: 'mturk')"]


# Arms.


@pytest.mark.parametrize("kind", TruthfulKind)
@pytest.mark.parametrize("instructions", Instructions)
def test_an_arm_s_name_reads_back(kind: TruthfulKind, instructions: Instructions) -> None:
    arm = ArmDesign(truthful_kind=kind, instructions=instructions)
    assert ArmDesign.named(str(arm)) == arm
    assert str(arm) == f"{kind.value}/{instructions.value}"


def test_instructions_are_neutral_if_not_given() -> None:
    assert str(ArmDesign.named("baseline")) == "baseline/neutral"


@pytest.mark.parametrize("name", ["", "/", "true/neutral", "helpful/loud", "helpful/neutral/x", "Helpful"])
def test_what_is_no_arm_is_named_with_the_choices(name: str) -> None:
    with pytest.raises(DesignFaulty) as refusal:
        ArmDesign.named(name)
    assert str(refusal.value) == (
        f"arm {name!r} is unknown; choose from "
        "helpful/neutral, helpful/prefer_truth, baseline/neutral, baseline/prefer_truth"
    )


@pytest.mark.parametrize("arms", [(), (ArmDesign(), ArmDesign())])
def test_arms_are_given_each_once(arms: tuple[ArmDesign, ...]) -> None:
    assert faults(arms=arms) == ["arms must be given, and each only once"]


# Texts.


def test_a_text_that_is_given_replaces_the_default_alone() -> None:
    design = check_design(LEAST | {"texts": {"debrief": "It was false.", "practice": PRACTICE}})
    assert design.texts["debrief"] == "It was false."
    assert design.texts["practice"] == PRACTICE
    assert design.texts["consent"] == default_texts()["consent"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"welcome": "Hi"}, "has no text named welcome; there are consent, instructions, instructions_prefer_truth, "),
        ({"question": "Which?"}, "has no text named question; there are "),
        ({"consent": " \n"}, "has no words for consent"),
        ({"consent": 5}, "has no words for consent"),
        ({"debrief": "a\x00b"}, "has no words for debrief"),
        ({"practice": "a pair"}, "has no words for practice"),
        ({"practice": PRACTICE | {"first": ""}}, "has no words for practice"),
        ({"practice": PRACTICE | {"third": "x"}}, "has a practice pair that is not first, prompt, second"),
        ({"practice": {"prompt": "x"}}, "has a practice pair that is not first, prompt, second"),
        ([], "must be a table of named values"),
    ],
)
def test_texts_that_no_page_could_show_are_named(texts: Any, said: str) -> None:
    (fault,) = faults(texts=texts)
    assert fault.startswith(f"texts: {said}")


def test_a_design_cannot_be_changed() -> None:
    design = check_design(LEAST)
    with pytest.raises(ValueError, match="frozen"):
        design.seed = 1  # type: ignore[misc]
