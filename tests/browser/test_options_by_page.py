"""Everything that a study can ask, in a real browser: by keyboard alone, without JavaScript, and how it looks."""

import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import ByKeyboard, Person, WithoutJavascript, heading
from tests.browser.screens import DESKTOP, NARROW, PHONE, PLAIN, Screen, listen, opened
from tests.browser.served import CODE, EVERYTHING, Served
from tests.browser.shown import PAGES, Shown, to_pair_with_everything

pytestmark = pytest.mark.browser

BY_NAME = {shown.name: shown for shown in PAGES}
KEYS = {"left": "1", "right": "2", "tie": "0"}
# What is answered to each pair: the seventh repeats one of the others.
ANSWERS = [("left", 4), ("tie", 1), ("right", 5), ("left", 3), ("tie", 2), ("right", 4), ("left", 5)]


class Everything:
    """Somebody who is asked everything, and how they answer: by keys, or by pressing what they see."""

    def __init__(self, person: Person, *, keys: bool) -> None:
        self.person, self.page, self.keys = person, person.page, keys

    def takes_part(self, there: Served) -> str:
        """Go from the link to the completion code."""
        self.page.goto(there.link(EVERYTHING, self.person.name))
        self.person.arrives_at("Taking part")
        self.person.press("I agree to take part")
        self.person.arrives_at("About you")
        self._choose("40 to 64", "Yes")
        self.person.arrives_at("How it works")
        self.person.press("Continue")
        self.person.arrives_at("A few questions about the task")
        self._choose("Who wrote them", "Only once")
        self.person.arrives_at("The questions once more")
        self._choose("Which of the two I prefer", "No, I judge by reading alone")
        self.person.arrives_at("Practice pair")
        self._judge("tie")
        for position, (side, confidence) in enumerate(ANSWERS, start=1):
            if position in {3, 6}:
                self._check()
            self.person.arrives_at(f"Before pair {position} of 7")
            self._choose(f"{10 * position} %")
            self.person.arrives_at(f"Pair {position} of 7")
            self._judge(side, confidence, f"Reason {position}, 1 2 0")
        self.person.arrives_at("Did you look anything up?")
        self._choose("No, I did not")
        self.person.arrives_at("What was behind it")
        assert self.page.locator(".claim").count() == 6
        self._choose("Keep my answers")
        self.person.arrives_at("Thank you")
        return self.page.locator("#code").text_content() or ""

    def _choose(self, *labels: str) -> None:
        for label in labels:
            self.person.choose(self.page.get_by_label(label, exact=True))
        self.person.press("Continue")

    def _check(self) -> None:
        self.person.arrives_at("A short check")
        (told,) = re.findall("“(.*?)”", self.page.locator("main").inner_text())
        self._choose(told)

    def _judge(self, side: str, confidence: int = 0, reason: str = "") -> None:
        chosen = self.page.locator(f"#side-{side}")
        if self.keys:
            self.page.keyboard.press(KEYS[side])
            expect(chosen).to_be_checked()
        else:
            self.person.choose(chosen)
        if confidence:
            self.person.choose(self.page.locator(f"#confidence-{confidence}"))
            self._write(reason)
            expect(chosen).to_be_checked()
        if self.keys and not confidence:
            self.page.keyboard.press("Enter")
        else:
            self.person.press("Continue")

    def _write(self, reason: str) -> None:
        written = self.page.get_by_label("Why? (optional)")
        if isinstance(self.person, ByKeyboard):
            self.person.tab_to(written)
            self.page.keyboard.type(reason)
        else:
            written.fill(reason)


@pytest.mark.parametrize(
    ("screen", "kind"), [(DESKTOP, ByKeyboard), (PLAIN, WithoutJavascript)], ids=["by keyboard", "without a script"]
)
def test_everything_can_be_answered_and_is_stored_as_it_was_given(
    browser: Browser, there: Served, screen: Screen, kind: type[Person]
) -> None:
    with screen.context(browser, there) as context:
        page = context.new_page()
        heard = listen(page)
        person = kind(page)
        person.name = f"{kind.name}-asked-everything"
        assert Everything(person, keys=kind is ByKeyboard).takes_part(there) == CODE
        assert heard.complaints == []
    stored = there.rows(
        """
        SELECT position, side_chosen, confidence, reason, prior_belief, decision_ms_browser IS NOT NULL, times_away,
               repeat_of IS NOT NULL
        FROM choice JOIN assignment USING (participation_id, position) JOIN platform_identity USING (participation_id)
        WHERE platform_person = %s ORDER BY position
        """,
        person.name,
    )
    scripted = kind is ByKeyboard
    assert stored == [
        (n, side, sure, f"Reason {n}, 1 2 0", 10 * n, scripted, 0 if scripted else None, n == 7)
        for n, (side, sure) in enumerate(ANSWERS, start=1)
    ]


def test_the_keys_of_the_scale_and_of_the_reason_are_their_own(browser: Browser, there: Served) -> None:
    with DESKTOP.context(browser, there) as context:
        page = context.new_page()
        page.goto(there.someone("somebody-with-keys-of-the-scale", to_pair_with_everything, EVERYTHING))
        page.keyboard.press("0")
        page.locator("#confidence-2").focus()
        page.keyboard.press("Space")
        for key in ("1", "ArrowRight", "2"):
            page.keyboard.press(key)
        expect(page.locator("#confidence-3")).to_be_checked()
        page.locator("#reason").focus()
        page.keyboard.type("1 and 2 are alike")
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#side-tie")).to_be_checked()
        expect(heading(page)).to_have_text("Pair 1 of 7")
        page.locator("#confidence-3").focus()
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Before pair 2 of 7")


def test_after_a_fault_the_page_counts_on(browser: Browser, there: Served) -> None:
    """The time and the pastes before a forgotten field are those of the same pair."""
    name = "somebody-who-forgets-a-field"
    with DESKTOP.context(browser, there) as context:
        page = context.new_page()
        page.goto(there.someone(name, to_pair_with_everything, EVERYTHING))
        page.evaluate("document.dispatchEvent(new ClipboardEvent('paste'))")
        page.keyboard.press("1")
        page.wait_for_timeout(400)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Say how sure you are")
        page.get_by_role("link", name="Say how sure you are").click()
        assert page.evaluate("document.activeElement.id") == "confidence-1"
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Before pair 2 of 7")
    ((ms, pastes, on_server),) = there.rows(
        "SELECT decision_ms_browser, pastes, decision_ms_server FROM choice JOIN platform_identity "
        "USING (participation_id) WHERE platform_person = %s",
        name,
    )
    assert (400 <= ms <= on_server, pastes) == (True, 1)


# How it looks.


def box(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None
    sizes = {"x": found["x"], "y": found["y"], "width": found["width"], "height": found["height"]}
    return sizes | {"centre": found["x"] + found["width"] / 2}


_LOOK = """
(side) => {
    // What follows from how wide it is, and from where it stands.
    const free = /^(width|inline-size|right|inset-.*|perspective-origin|transform-origin|justify-self|grid-.*)$/;
    return [...document.querySelectorAll(`.option--${side}, .option--${side} :not(kbd, .option__keys)`)].map((at) => {
        const style = getComputedStyle(at);
        return [at.tagName, ...[...style].filter((name) => !free.test(name))
            .map((name) => `${name}: ${style.getPropertyValue(name)}`)];
    });
}
"""


@pytest.mark.parametrize("screen", [DESKTOP, DESKTOP.dark(), PHONE], ids=["desk", "dark", "phone"])
@pytest.mark.parametrize("name", ["practice-tie", "judge-tie", "judge-everything"])
def test_no_preference_looks_like_the_two_others_and_lies_between_them(
    browser: Browser, there: Served, screen: Screen, name: str
) -> None:
    with opened(browser, there, screen, BY_NAME[name]) as page:
        page.mouse.move(0, 0)
        left, right, tie = (box(page, f".option--{side}") for side in ("left", "right", "tie"))
        assert tie["height"] == left["height"] == right["height"]
        assert tie["centre"] == pytest.approx((left["centre"] + right["centre"]) / 2, abs=0.5)
        assert page.evaluate(_LOOK, "tie") == page.evaluate(_LOOK, "left")


@pytest.mark.parametrize(("name", "marks"), [("judge-everything", "confidence"), ("belief", "belief")])
def test_a_scale_is_one_even_row_at_a_desk_and_a_list_on_a_phone(
    browser: Browser, there: Served, name: str, marks: str
) -> None:
    of_each = "all => all.map((at) => at.getBoundingClientRect()).map((box) => [box.x + box.width / 2, box.y])"
    with opened(browser, there, DESKTOP, BY_NAME[name]) as page:
        centres = page.locator(f"input[name={marks}]").evaluate_all(of_each)
        assert len({y for _, y in centres}) == 1
        steps = [after[0] - before[0] for before, after in pairwise(centres)]
        assert max(steps) - min(steps) < 1
        labels = page.locator(f"label[for^={marks}-]").evaluate_all(of_each)
        assert [x for x, _ in labels] == pytest.approx([x for x, _ in centres], abs=1)
        frame = box(page, f"fieldset:has(input[name={marks}])")
        words = page.locator(f"fieldset:has(input[name={marks}]) :is(label, .help)")
        for at in words.evaluate_all("all => all.map((at) => at.getBoundingClientRect().toJSON())"):
            assert at["left"] >= frame["x"] - 0.5
            assert at["right"] <= frame["x"] + frame["width"] + 0.5
    with opened(browser, there, PHONE, BY_NAME[name]) as page:
        centres = page.locator(f"input[name={marks}]").evaluate_all(of_each)
        assert len({x for x, _ in centres}) == 1
        assert [y for _, y in centres] == sorted({y for _, y in centres})


BELOW_THE_TEXTS = (".judge__notes", ".foot p:first-child", ".foot p:last-child")


@pytest.mark.parametrize("name", ["practice-tie", "judge-tie", "judge-early"])
def test_the_bar_on_a_phone_hides_nothing_with_a_third_answer_and_an_error(
    browser: Browser, there: Served, name: str
) -> None:
    with opened(browser, there, PHONE, BY_NAME[name]) as page:
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        bar = box(page, ".judge__bar")
        assert bar["y"] + bar["height"] == PHONE.height
        assert bar["height"] < PHONE.height / 3
        for below in (".response--right", *BELOW_THE_TEXTS):
            assert box(page, below)["y"] + box(page, below)["height"] <= bar["y"], f"the bar covers {below}"
        for inside in ("#side-left", "#side-right", "#side-tie", ".judge__confirm"):
            assert bar["y"] <= box(page, inside)["y"]
            assert box(page, inside)["y"] + box(page, inside)["height"] <= PHONE.height


FLOWING: list[Any] = [
    *((PHONE, name) for name in ("judge-everything", "judge-everything-chosen", "judge-everything-error")),
    *((NARROW, name) for name in ("judge-everything", "judge-tie", "judge-early", "practice-tie")),
]


@pytest.mark.parametrize(("screen", "name"), FLOWING)
def test_where_a_bar_would_take_the_room_to_read_it_comes_after_the_texts(
    browser: Browser, there: Served, screen: Screen, name: str
) -> None:
    with opened(browser, there, screen, BY_NAME[name]) as page:
        assert page.locator(".judge__bar").evaluate("bar => getComputedStyle(bar).position") == "static"
        order = [".response--left", ".response--right", ".option--left", ".option--tie", ".judge__confirm"]
        tops = [box(page, selector)["y"] for selector in (*order, *BELOW_THE_TEXTS)]
        assert tops == sorted(tops)
        last = box(page, ".foot p:last-child")
        height = page.evaluate("document.documentElement.scrollHeight - scrollY")
        assert height - last["y"] - last["height"] < 60, "no room is kept for a bar that is not there"


@pytest.mark.parametrize("shown", [BY_NAME["judge-everything"], BY_NAME["belief"], BY_NAME["check"]], ids=str)
def test_nothing_hurries(browser: Browser, there: Served, shown: Shown) -> None:
    with opened(browser, there, DESKTOP, shown) as page:
        words = page.locator("body").inner_text().lower()
        for asked in page.locator(".text").all_text_contents():
            words = words.replace(asked.lower(), "")
        assert not re.search(r"\b(seconds?|minutes?|hurry|quick|left|remaining|score)\b", words)
        assert page.locator("[role=timer], meter").count() == 0
