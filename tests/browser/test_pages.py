"""What every page promises: nothing from elsewhere, no complaint of the browser, room on the narrowest screen."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screens import DESKTOP, NARROW, PLAIN, Screen, opened, overheard
from tests.browser.served import Served, starter_set
from tests.browser.shown import PAGES, Shown

pytestmark = pytest.mark.browser

JUDGING = tuple(
    shown
    for shown in PAGES
    if shown.name in {"practice", "practice-tie", "judge", "judge-error", "judge-tie", "judge-everything"}
)
DEBRIEF = next(shown for shown in PAGES if shown.name == "debrief")


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_a_page_asks_no_other_host_has_no_complaint_and_fits_the_narrowest_screen(
    shown: Shown, browser: Browser, there: Served
) -> None:
    with overheard(browser, there, DESKTOP, shown) as (page, heard):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert heard.hosts == {urlsplit(page.url).netloc}
        assert "/static/candor.css" in heard.paths
        assert heard.complaints == []
        page.set_viewport_size({"width": NARROW.width, "height": NARROW.height})
        _fits(page, NARROW.width)
        page.set_viewport_size({"width": DESKTOP.width, "height": DESKTOP.height})


def _fits(page: Page, width: int) -> None:
    """What is wider than the screen, and not within a table that scrolls by itself, is a fault."""
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    page.evaluate("window.scrollTo(1000, 0)")
    assert page.evaluate("scrollX") == 0
    beyond = page.evaluate(
        """(width) => [...document.querySelectorAll("body *")]
            .filter((at) => !at.closest(".scroll, .skip, .visually-hidden"))
            .filter((at) => at.getBoundingClientRect().right > width + 0.5)
            .map((at) => at.outerHTML.slice(0, 80))""",
        width,
    )
    assert beyond == []


_TEXTS_SEEN = """
() => [...document.querySelectorAll("main :is(h1, h2, h3, p, li, blockquote, .text)")]
    .filter((at) => !at.closest(".closing, .actions, .visually-hidden"))
    .filter((at) => at.checkVisibility({ visibilityProperty: true, opacityProperty: true })
                    && at.getBoundingClientRect().height > 0
                    && at.getBoundingClientRect().bottom > 0)
    .map((at) => at.textContent.trim())
"""


def test_the_printed_explanation_keeps_every_text(browser: Browser, there: Served) -> None:
    with opened(browser, there, DESKTOP, DEBRIEF) as page:
        everything = page.evaluate(
            "() => [...document.querySelectorAll('main :is(h1, h2, h3, p, li, blockquote, .text)')]"
            ".filter((at) => !at.closest('.closing, .actions, .visually-hidden')).map((at) => at.textContent.trim())"
        )
        on_screen = page.evaluate(_TEXTS_SEEN)
        page.emulate_media(media="print")
        printed = page.evaluate(_TEXTS_SEEN)
        assert printed == everything
        assert len(on_screen) < len(printed), "the responses should be folded on the screen"
        claims = page.locator(".claim").count()
        assert claims == 6
        told = set(printed)
        shown = [entry for entry in starter_set() if entry.fact in told]
        assert len(shown) == claims
        for entry in shown:
            assert {entry.prompt, entry.helpful_truthful, entry.sycophantic} <= told
        addresses = page.locator(".claim__sources a").evaluate_all(
            "all => all.map((at) => getComputedStyle(at, '::after').content.includes(at.getAttribute('href')))"
        )
        assert addresses
        assert all(addresses)


def test_a_printed_explanation_is_paper_and_ink_in_the_dark_too(browser: Browser, there: Served) -> None:
    with opened(browser, there, DESKTOP.dark(), DEBRIEF) as page:
        page.emulate_media(media="print", color_scheme="dark")
        colours = page.evaluate("(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))")
        assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


_APPEARANCE = """
(side) => {
    // What follows from where a card stands and how long its text is.
    const free = /^(height|block-size|perspective-origin|transform-origin)$/;
    const style = (at, part) => {
        const computed = getComputedStyle(at, part);
        return [...computed].filter((name) => !free.test(name))
            .map((name) => `${name}: ${computed.getPropertyValue(name)}`).join("; ");
    };
    const parts = [...document.querySelectorAll(`.response--${side}, .response--${side} *, .option--${side} *`)];
    return parts.map((at) => [at.tagName, at.className.replace(side, ""), style(at), style(at, "::before"),
                              style(at, "::after")]);
}
"""


class TestTheTwoResponsesWeighTheSame:
    """On every judging page, before anything is chosen."""

    @pytest.fixture(params=[DESKTOP, DESKTOP.dark(), PLAIN, Screen(width=800)], ids=["light", "dark", "plain", "800"])
    def screen(self, request: pytest.FixtureRequest) -> Screen:
        screen: Screen = request.param
        return screen

    @pytest.mark.parametrize("shown", JUDGING, ids=str)
    def test_at_a_desk(self, shown: Shown, browser: Browser, there: Served, screen: Screen) -> None:
        with opened(browser, there, screen, shown) as page:
            page.mouse.move(0, 0)
            self._same_size_and_top(page, ".response--left", ".response--right")
            self._same_size_and_top(page, ".option--left", ".option--right")
            left, right = page.evaluate(_APPEARANCE, "left"), page.evaluate(_APPEARANCE, "right")
            assert len(left) == len(right)
            for of_left, of_right in zip(left, right, strict=True):
                assert of_left == of_right

    def _same_size_and_top(self, page: Page, left: str, right: str) -> None:
        one, other = page.locator(left).bounding_box(), page.locator(right).bounding_box()
        assert one is not None
        assert other is not None
        for side in ("width", "height", "y"):
            assert one[side] == pytest.approx(other[side], abs=0.01)
        viewport = page.viewport_size
        assert viewport is not None
        assert one["x"] == pytest.approx(viewport["width"] - other["x"] - other["width"], abs=0.01)

    def test_and_so_do_the_chosen_ones(self, browser: Browser, there: Served) -> None:
        looks: list[Any] = []
        judge = next(shown for shown in PAGES if shown.name == "judge")
        with opened(browser, there, DESKTOP, judge) as page:
            for side in ("left", "right"):
                page.locator(f"#side-{side}").check()
                page.mouse.move(0, 0)
                page.locator("h1").focus()
                looks.append(page.evaluate(_APPEARANCE, side))
        assert looks[0] == looks[1]
