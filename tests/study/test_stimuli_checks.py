"""The checks of a set: each planted fault is found where it is, and an even set is left in peace."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.study.importers.reading import open_set
from app.study.set_files import MisconceptionEntry, to_jsonl
from app.study.sets import ClaimListed
from app.study.stimuli_checks import style_leak
from app.study.stimuli_checks.checking import check_file, check_set
from app.study.stimuli_checks.duplicates import alike, gist
from app.study.stimuli_checks.markup import marks
from app.study.stimuli_checks.report import Checked, Finding, Report, Severity
from app.study.stimuli_checks.sources import link_fault
from app.study.stimuli_checks.style_features import NAMES, style
from app.study.stimuli_checks.words import holm, reading_ease, sentences, sign_test, words
from tests.example_sets import entry

NOUNS = ["noun" + chr(97 + number // 20) + chr(97 + number % 20) for number in range(400)]
SMALL = words("the of and a in to it is was for on that as with by at from this but not or an be are have had they")


def sentence(drawn: random.Random) -> str:
    n_words = drawn.randint(8, 16)
    said = [drawn.choice(SMALL if drawn.random() < 0.5 else NOUNS) for _ in range(n_words)]
    return " ".join(said).capitalize() + "."


def response(drawn: random.Random) -> str:
    return "\n\n".join(" ".join(sentence(drawn) for _ in range(4)) for _ in range(2))


Change = Callable[[MisconceptionEntry, random.Random], dict[str, Any]]


def made_set(n_pairs: int, seed: int = 1, change: Change = lambda _entry, _drawn: {}) -> list[Checked]:
    """A set whose sides are drawn alike, but for what `change` does to each misconception."""
    drawn = random.Random(seed)
    made = []
    for number in range(n_pairs):
        whole = entry(
            number,
            1 + number % 8,
            claim=f"{' '.join(drawn.sample(NOUNS, 6)).capitalize()}.",
            helpful_truthful=response(drawn),
            sycophantic=response(drawn),
            baseline_truthful=sentence(drawn),
        )
        made.append(Checked(number + 1, whole.model_copy(update=change(whole, drawn))))
    return made


def found(report: Report, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def check(made: list[Checked], *known: ClaimListed) -> Report:
    return check_set("a.jsonl", made, known=known)


# Duplicates.


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ("Dolphins are a kind of fish.", "Dolphins are fish!", True),
        ("Bats are blind.", "A bat is blind.", True),
        ("Bats are blind.", "Moles are blind.", False),
        ("Humans use 10 % of their brain.", "Humans use 20 % of their brain.", False),
        ("Lightning never strikes twice.", "Lightning never strikes the same place twice.", True),
        ("Sugar makes children hyperactive.", "Goldfish have a memory of three seconds.", False),
    ],
)
def test_claims_that_say_the_same_are_found(one: str, other: str, are_alike: bool) -> None:
    made = [Checked(3, entry(1, claim=one)), Checked(5, entry(2, claim=other))]
    near = [*found(check(made), "claim-alike"), *found(check(made), "claim-repeated")]
    assert [(item.key, item.field, item.row) for item in near] == [("claim-002", "claim", 5)] * are_alike
    if are_alike:
        assert f"is near to {one!r} of claim-001 (row 3); keep one of the two" in near[0].message


def test_claims_of_other_sets_are_named_with_their_set() -> None:
    made = [Checked(1, entry(1, claim="A bat is blind."))]
    (near,) = found(check(made, ClaimListed("starter", "bats-are-blind", "Bats are blind.")), "claim-repeated")
    assert "of bats-are-blind of the set starter" in near.message
    assert found(check(made, ClaimListed("starter", "a", "Bats are blind."), ClaimListed("b", "c", "Bats are blind.")),
                 "claim-repeated") != []  # fmt: skip


@settings(max_examples=150)
@given(
    st.lists(st.frozensets(st.sampled_from("abcdefgh"), min_size=1, max_size=6), max_size=12),
    st.sampled_from([0.3, 0.5, 0.6, 2 / 3, 0.8, 1.0]),
)
def test_near_gists_are_those_that_comparing_all_with_all_finds(gists: list[frozenset[str]], least: float) -> None:
    fast = {(pair.first, pair.second) for pair in alike(gists, least)}
    slow = {
        (i, j)
        for j in range(len(gists))
        for i in range(j)
        if len(gists[i] & gists[j]) / len(gists[i] | gists[j]) >= least
    }
    assert fast == slow


def test_a_gist_is_never_empty() -> None:
    assert gist("It is what it is.")
    assert gist("The ladies' dogs") == {"lady", "dog"}


def test_responses_that_occur_twice_are_found() -> None:
    made = [
        Checked(1, entry(1, sycophantic="The same.", helpful_truthful="H 1.")),
        Checked(2, entry(2, sycophantic="The same.", helpful_truthful="Both.", baseline_truthful="Both.")),
        Checked(3, entry(3, sycophantic="Equal.", helpful_truthful="Equal.")),
    ]
    report = check(made)
    (twice,) = found(report, "response-repeated")
    assert (twice.key, twice.field) == ("claim-002", "sycophantic")
    assert twice.message == "the same text as sycophantic of claim-001; write each response for its own prompt"
    (equal,) = found(report, "sides-equal")
    assert (equal.key, equal.severity) == ("claim-003", Severity.ERROR)
    (both,) = found(report, "truthful-equal")
    assert both.figures == {"misconceptions": 1}


# Sources.


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://en.wikipedia.org/wiki/Bat#Sight", None),
        ("http://a.org:8080/?a=1&b=%C3%A9", None),
        ("https://münchen.de/", None),
        ("https://1.1.1.1/", None),
        ("https://nowhere", "names no host"),
        ("https:///path", "names no host"),
        ("https://a..org/", "names no host"),
        ("https://-a.org/", "names no host"),
        ("https://192.168.0.1/", "names no host"),
        ("https://a.org:port/", "is no web address"),
        ("https://[::1/", "is no web address"),
        ("https://me:secret@a.org/", "holds a user name"),
        ("https://example.org/page", "is a made-up address"),
        ("https://www.example.com/page", "is a made-up address"),
        ("https://site.invalid/", "is a made-up address"),
    ],
)
def test_a_link_that_cannot_be_one_is_refused(url: str, said: str | None) -> None:
    fault = link_fault(url)
    assert (fault is None) == (said is None), fault
    assert said is None or (fault or "").startswith(said)


def test_faulty_sources_are_named_by_their_place() -> None:
    cited = [
        {"publisher": "A", "title": "T", "url": "https://a.org/x"},
        {"publisher": "Unknown", "title": "T", "url": None},
        {"publisher": "B", "title": "U", "url": "https://a.org/x"},
        {"publisher": "a", "title": "t", "url": "https://nowhere"},
    ]
    report = check([Checked(7, entry(1, sources=cited))])
    assert [(item.code, item.severity, item.field, item.row) for item in report.findings if "source" in item.code] == [
        ("source-unnamed", Severity.ERROR, "sources.1.publisher", 7),
        ("source-repeated", Severity.WARNING, "sources.2", 7),
        ("source-link", Severity.ERROR, "sources.3.url", 7),
    ]
    assert report.sources
    assert (report.sources.sources, report.sources.with_link, report.sources.publishers) == (4, 3, 3)


# Markup.


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("It is **very** bright", "bold or italic marks"),
        ("It is _very_ bright", "bold or italic marks"),
        ("It is *very* bright", "bold or italic marks"),
        ("# Heading\n\ntext", "a heading"),
        ("First:\n\n- one\n- two", "a list"),
        ("1. one\n2. two", "a list"),
        ("> quoted", "a quotation mark of Markdown"),
        ("see [here](https://a.org)", "a Markdown link"),
        ("call `f(x)` now", "code marks"),
        ("| a | b |\n", "a table"),
        ("one\n\n---\n\ntwo", "a rule"),
        ("a <b>bold</b> word", "an HTML tag"),
        ("one<br/>two", "an HTML tag"),
        ("salt &amp; pepper", "an HTML entity"),
        (r"\(x^2\) is", "LaTeX"),
        ("so $x^2$ is", "LaTeX"),
        ("read https://a.org/x now", "a web address"),
    ],
)
def test_markup_that_would_be_shown_raw_is_found(text: str, what: str) -> None:
    assert what in [kind for kind, _ in marks(text)]


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 is 24, and 5 - 3 is 2.",
        "It costs $5, or $6 at most.",
        "x < y and y > z, AT&T; snake_case_name",
        "In 1969. That was it.",
        "He said – and I quote – “no”. #1 in the list",
        "A 5-4 vote; [sic] (really)",
    ],
)
def test_plain_text_is_no_markup(text: str) -> None:
    assert marks(text) == []


def test_markup_is_named_by_key_and_field() -> None:
    (item,) = found(check([Checked(4, entry(1, prompt="Is it **so**? I say *yes*."))]), "markup")
    assert (item.key, item.field, item.row, item.severity) == ("claim-001", "prompt", 4, Severity.WARNING)
    assert (
        item.message == "holds bold or italic marks ('**so**') and 1 more, which would be shown raw; write plain text"
    )


# Levels.


def test_levels_are_counted_and_uneven_ones_warned_about() -> None:
    report = check(made_set(16))
    assert report.levels
    assert report.levels.counts == {str(level): 2 for level in range(1, 9)}
    assert found(report, "levels-uneven") == found(report, "unlevelled") == []
    fewer = [item for item in made_set(32) if item.entry.difficulty_level != 3 or item.row < 4]
    (uneven,) = found(check(fewer), "levels-uneven")
    assert uneven.figures == {"fewest": 1, "most": 4}
    ungraded = [Checked(item.row, item.entry.model_copy(update={"difficulty_level": None})) for item in made_set(16)]
    report = check(ungraded)
    assert report.levels
    assert report.levels.counts["none"] == 16
    assert [item.figures for item in found(report, "unlevelled")] == [{"misconceptions": 16}]
    assert found(report, "levels-uneven") == []


# Balance.


def test_an_even_set_has_no_warning_of_its_texts() -> None:
    report = check(made_set(200))
    codes = {item.code for item in report.findings}
    assert not codes & {"style-leak", "tell-tale-phrase", "unbalanced", "markup", "levels-uneven"}, report.findings


@pytest.mark.parametrize(
    ("measure", "added"),
    [
        ("words", " And that is that in the end." * 6),
        ("question marks", " Is it?"),
        ("exclamation marks", " Yes!"),
        ("hedges per 100 words", " Perhaps probably maybe."),
        ("negations per 100 words", " Not never nothing."),
        ("“you” per 100 words", " You and your."),
        ("numbers", " 12 of 1,000."),
        ("capitals inside sentences", " It was Ada Lovelace of London."),
        ("paragraphs", "\n\nThere."),
        ("formatting marks", " **so**"),
    ],
)
def test_a_measure_of_which_one_side_has_more_is_named(measure: str, added: str) -> None:
    made = made_set(60, change=lambda item, drawn: {"sycophantic": item.sycophantic + added * (drawn.random() < 0.9)})
    named = {str(item.figures["measure"]): item for item in found(check(made), "unbalanced")}
    assert f"{measure}: the sycophantic response has more in" in named[measure].message


def test_lengths_and_shapes_that_differ_are_named_pair_by_pair() -> None:
    made = [
        Checked(1, entry(1, helpful_truthful="w " * 99 + "w", sycophantic="w " * 84 + "w")),
        Checked(2, entry(2, helpful_truthful="w " * 99 + "w", sycophantic="w " * 83 + "w")),
        Checked(3, entry(3, helpful_truthful="a\n\nb c", sycophantic="a b c")),
    ]
    report = check(made)
    assert [(item.key, dict(item.figures)) for item in found(report, "length-differs")] == [
        ("claim-002", {"truthful": 100, "sycophantic": 84})
    ]
    assert [item.key for item in found(report, "paragraphs-differ")] == ["claim-003"]


def test_a_level_in_which_one_side_is_longer_is_named() -> None:
    made = [Checked(1, entry(1, 2, helpful_truthful="w " * 99 + "w", sycophantic="v " * 103 + "v"))]
    (item,) = found(check(made), "length-by-level")
    assert item.message.startswith("level 2: sycophantic responses are on average 4.0% longer than truthful ones")


# Phrases.


def test_a_phrase_that_marks_a_side_is_found_with_how_well_it_separates() -> None:
    made = made_set(
        100,
        change=lambda item, _: {"helpful_truthful": f"Purple hats. {item.helpful_truthful}"} if "7" in item.key else {},
    )
    report = check(made)
    assert report.phrases
    (hats,) = [phrase for phrase in report.phrases.found if phrase.phrase == "purple hats"]
    n_with = sum("7" in item.entry.key for item in made)
    assert (hats.truthful, hats.sycophantic, hats.tells, hats.listed) == (n_with, 0, True, False)
    assert hats.accuracy == pytest.approx(0.5 + n_with / 200)
    assert hats.p == pytest.approx(2 * 0.5**n_with)
    told = {str(item.figures["phrase"]) for item in found(report, "tell-tale-phrase")}
    assert told == {"purple", "hats", "purple hats", "opens: purple", "opens: purple hats", "hats the"} & told
    assert {"purple", "hats", "purple hats", "opens: purple"} <= told


@pytest.mark.parametrize(
    ("kind", "phrase", "group"),
    [
        ("helpful_truthful", "Actually", "(any correcting phrase)"),
        ("helpful_truthful", "It is a myth", "(any correcting phrase)"),
        ("sycophantic", "You’re right", "(any agreeing phrase)"),
        ("sycophantic", "Great question", "(any agreeing phrase)"),
    ],
)
def test_a_listed_phrase_is_warned_about_sooner(kind: str, phrase: str, group: str) -> None:
    made = made_set(
        100, change=lambda item, _: {kind: f"{phrase}. {getattr(item, kind)}"} if item.key.endswith("5") else {}
    )
    told = {str(item.figures["phrase"]): item for item in found(check(made), "tell-tale-phrase")}
    assert group in told
    listed = phrase.lower().replace("’", "'").removeprefix("it is a ")
    assert f"“{listed}” marks the {'truthful' if 'truthful' in kind else 'sycophantic'} side" in told[listed].message


def test_phrases_on_both_sides_tell_nothing() -> None:
    def both(item: MisconceptionEntry, _drawn: random.Random) -> dict[str, Any]:
        return {kind: f"Actually, yes. {getattr(item, kind)}" for kind in ("helpful_truthful", "sycophantic")}

    assert found(check(made_set(100, change=both)), "tell-tale-phrase") == []


def test_chance_alone_marks_a_phrase_in_few_sets() -> None:
    """The bar is adjusted for the hundreds of phrases tested: without that nearly every set would have one."""
    told = [bool(found(check(made_set(40, seed)), "tell-tale-phrase")) for seed in range(12)]
    assert sum(told) <= 3


# Style.


def test_style_sees_no_content_words() -> None:
    one = "The cat, it seems, was not on a mat. Why?"
    other = "The dog, it seems, was not on a rug. Why?"
    assert style(one) == style(other)
    assert len(style(one)) == len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize(
    "leak",
    [
        lambda text: text.replace(". ", ", and ", 1),
        lambda text: text + " So it is.",
        lambda text: text.replace(" the ", " that ", 3),
        lambda text: text.replace("\n\n", " "),
    ],
    ids=["fewer sentences", "longer", "function words", "one paragraph"],
)
def test_a_leak_of_style_is_found(leak: Callable[[str], str]) -> None:
    made = made_set(
        120, change=lambda item, drawn: {"sycophantic": leak(item.sycophantic)} if drawn.random() < 0.8 else {}
    )
    report = check(made)
    assert report.style
    assert report.style.p < 0.01
    assert report.style.accuracy > report.style.chance_95
    (item,) = found(report, "style-leak")
    assert "style alone picks the sycophantic response in" in item.message


def test_the_permutation_test_is_fair() -> None:
    """On sets whose sides are drawn alike, p is small about as often as it says."""
    ps = [style_leak.measured(made_set(30, seed), seed, permutations=199).p for seed in range(40)]
    assert sum(p < 0.05 for p in ps) <= 6
    assert sum(p < 0.5 for p in ps) in range(10, 31)


def test_the_same_seed_gives_the_same_report_and_swapping_all_sides_the_same_accuracy() -> None:
    made = made_set(40)
    swapped = [
        Checked(
            item.row,
            item.entry.model_copy(
                update={"helpful_truthful": item.entry.sycophantic, "sycophantic": item.entry.helpful_truthful}
            ),
        )
        for item in made
    ]
    once, again, other = (style_leak.measured(items, 5) for items in (made, made, swapped))
    assert once == again
    assert (other.accuracy, other.p) == (once.accuracy, once.p)


def test_the_projection_is_the_ridge_regression_that_scikit_learn_fits() -> None:
    """The shared projection gives each held-out pair the score of a ridge fitted on the other folds alone."""
    np = pytest.importorskip("numpy")
    ridge = pytest.importorskip("sklearn.linear_model").Ridge
    random_ = np.random.default_rng(3)
    differences, sides = random_.normal(size=(40, 9)), random_.choice([-1.0, 1.0], 40)
    fold = np.arange(40) % 5
    ours = style_leak._projection(differences, fold) @ sides
    few, rest = differences[:6], differences[6:]
    assert np.allclose(style_leak._ridge(few, rest, 9), rest @ np.linalg.solve(few.T @ few + 9 * np.eye(9), few.T))
    for held_out in range(5):
        out = fold == held_out
        fitted = ridge(alpha=9, fit_intercept=False).fit(differences[~out] * sides[~out, None], np.ones(sum(~out)))
        assert np.allclose(ours[out], fitted.predict(differences[out]))


def test_too_few_pairs_are_not_classified() -> None:
    assert check(made_set(7)).style is None


def test_a_set_of_272_is_checked_in_seconds() -> None:
    made = made_set(272)
    started = time.process_time()
    report = check(made)
    assert time.process_time() - started < 10
    assert report.style
    assert report.style.permutations == 1000


# Reading files, and the report.


def test_faults_of_form_are_errors_and_the_rest_is_checked_all_the_same(tmp_path: Any) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("".join(to_jsonl([entry(1, prompt="So **so**.")])) + '{"key": "a"}\n', encoding="utf-8")
    report = check_file(open_set(file))
    assert len(report.errors) == 10
    assert (report.errors[0].code, report.errors[0].row, report.errors[0].field) == ("form", 2, "field claim")
    assert report.errors[0].message == "line 2, field claim: missing"
    assert [item.key for item in found(report, "markup")] == ["claim-001"]
    assert (report.n_misconceptions, report.content_hash) == (1, None)
    as_dict = report.as_dict()
    assert (as_dict["errors"], as_dict["warnings"]) == (10, len(report.warnings))


def test_words_and_sentences_are_counted_as_a_reader_would() -> None:
    assert words("It’s a well-known “fact”, isn't it? 3,000 times") == [
        "it's", "a", "well", "known", "fact", "isn't", "it", "3", "000", "times"
    ]  # fmt: skip
    assert sentences("One. Two! “Three?” Four…\n\nFive") == ["One", "Two", "“Three", "Four", "Five"]
    assert reading_ease("The cat sat on the mat.") > 100
    assert reading_ease("Institutional characteristics notwithstanding, phenomenological considerations reign.") < 30


def test_the_sign_test_and_holm_are_the_known_ones() -> None:
    assert sign_test(0, 0) == sign_test(3, 3) == 1
    assert sign_test(0, 6) == pytest.approx(2 / 64)
    assert sign_test(9, 1) == pytest.approx(2 * 11 / 1024)
    assert sign_test(5000, 5400) == pytest.approx(0.0000918, rel=0.01)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
