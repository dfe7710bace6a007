"""Three people who take part: by keyboard alone, without JavaScript, and by tapping on a phone."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from tests.browser.served import Served

_MOST_TABS = 80


@dataclass(frozen=True)
class Judged:
    """What a person saw on one page, and which side they chose."""

    prompt: str
    first: str
    second: str
    side: str


@dataclass
class Walked:
    """What a person saw and chose from the link to the completion code."""

    name: str
    judged: list[Judged] = field(default_factory=list)
    code: str = ""


def heading(page: Page) -> Locator:
    """Return the heading of a page."""
    return page.get_by_role("heading", level=1)


class Person(ABC):
    """Somebody who takes part, and remembers every pair and every choice.

    `prefers` is a letter a pair: l for the first response, r for the second.
    """

    name: str
    prefers: str

    def __init__(self, page: Page) -> None:
        self.page = page

    @abstractmethod
    def activate(self, found: Locator) -> None:
        """Press a button or follow a link."""

    @abstractmethod
    def choose(self, radio: Locator) -> None:
        """Choose one of several radios."""

    def judge(self, side: str) -> None:
        """Choose a response and send the choice."""
        self.choose(self.page.locator(f"#side-{side}"))
        self.activate(self.page.get_by_role("button", name="Continue"))

    def arrives_at(self, title: str) -> None:
        """See that the next page has come, and that it is announced: its heading has the focus."""
        expect(heading(self.page)).to_have_text(title)
        expect(heading(self.page)).to_be_focused()

    def press(self, name: str) -> None:
        """Press the button with this name."""
        self.activate(self.page.get_by_role("button", name=name, exact=True))

    def takes_part(self, there: Served, slug: str) -> Walked:
        """Go from the link to the completion code."""
        walked = Walked(self.name)
        self.page.goto(there.link(slug, self.name))
        self.arrives_at("Taking part")
        assert self.name not in self.page.url
        self.press("I agree to take part")
        self.arrives_at("How it works")
        self.press("Continue")
        self.arrives_at("Practice pair")
        self.judge("right")
        for position, letter in enumerate(self.prefers, start=1):
            self.arrives_at(f"Pair {position} of {len(self.prefers)}")
            side = "left" if letter == "l" else "right"
            walked.judged.append(self.reads(side))
            self.judge(side)
        self.arrives_at("Did you look anything up?")
        self.choose(self.page.get_by_label("No, I did not"))
        self.press("Continue")
        self.arrives_at("What was behind it")
        assert self.page.locator(".claim").count() == len(self.prefers)
        self.choose(self.page.get_by_label("Keep my answers"))
        self.press("Continue")
        self.arrives_at("Thank you")
        walked.code = self.page.locator("#code").text_content() or ""
        return walked

    def reads(self, side: str) -> Judged:
        """Read the pair on the page, and nothing else that it holds."""
        prompt, first, second = self.page.locator(".text--asis").all_text_contents()
        return Judged(prompt, first, second, side)


class ByKeyboard(Person):
    """Uses no pointer. Judges with every key there is: arrows, digits, and Tab with Space."""

    name = "someone-with-a-keyboard"
    prefers = "lrrlrl"

    def tab_to(self, found: Locator) -> None:
        """Press Tab until something has the focus."""
        for _ in range(_MOST_TABS):
            if found.evaluate("at => at === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {found}")

    def activate(self, found: Locator) -> None:
        self.tab_to(found)
        self.page.keyboard.press("Enter")

    def choose(self, radio: Locator) -> None:
        """Tab enters a group at its first radio, where none is chosen; the arrows move on from there."""
        group = self.page.locator(f"input[name={radio.get_attribute('name')}]")
        self.tab_to(group.first)
        if radio.evaluate("at => at === document.activeElement"):
            self.page.keyboard.press("Space")
        while not radio.is_checked():
            self.page.keyboard.press("ArrowDown")
        expect(radio).to_be_checked()

    def judge(self, side: str) -> None:
        title = heading(self.page).text_content() or ""
        keys = {"Pair 3 of 6": ("1", "2"), "Pair 4 of 6": ("1", "2"), "Pair 5 of 6": None, "Pair 6 of 6": None}
        pressed = keys.get(title, ("ArrowLeft", "ArrowRight"))
        if pressed is None:
            super().judge(side)
            return
        self.page.keyboard.press(pressed[side == "right"])
        expect(self.page.locator(f"#side-{side}")).to_be_checked()
        self.page.keyboard.press("Enter")


class WithoutJavascript(Person):
    """Uses a browser in which scripts are switched off."""

    name = "someone-without-javascript"
    prefers = "rrllrr"

    def activate(self, found: Locator) -> None:
        found.click()

    def choose(self, radio: Locator) -> None:
        radio.check()


class ByTapping(Person):
    """Uses a phone."""

    name = "someone-on-a-phone"
    prefers = "lllrrl"

    def activate(self, found: Locator) -> None:
        found.tap()

    def choose(self, radio: Locator) -> None:
        radio.tap()
        expect(radio).to_be_checked()
