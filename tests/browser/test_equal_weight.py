"""The two responses weigh the same on every judging page, before anything is chosen and after."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screens import DESKTOP, PLAIN, Screen, opened
from tests.browser.served import Served
from tests.browser.shown import PAGES, Shown

pytestmark = pytest.mark.browser

JUDGING = tuple(
    shown
    for shown in PAGES
    if shown.name in {"practice", "practice-tie", "judge", "judge-error", "judge-tie", "judge-everything"}
)

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


@pytest.fixture(params=[DESKTOP, DESKTOP.dark(), PLAIN, Screen(width=800)], ids=["light", "dark", "plain", "800"])
def screen(request: pytest.FixtureRequest) -> Screen:
    screen: Screen = request.param
    return screen


@pytest.mark.parametrize("shown", JUDGING, ids=str)
def test_before_anything_is_chosen_they_differ_in_nothing_but_their_place(
    shown: Shown, browser: Browser, there: Served, screen: Screen
) -> None:
    with opened(browser, there, screen, shown) as page:
        page.mouse.move(0, 0)
        _same_size_and_top(page, ".response--left", ".response--right")
        _same_size_and_top(page, ".option--left", ".option--right")
        left, right = page.evaluate(_APPEARANCE, "left"), page.evaluate(_APPEARANCE, "right")
        assert len(left) == len(right)
        for of_left, of_right in zip(left, right, strict=True):
            assert of_left == of_right


def _same_size_and_top(page: Page, left: str, right: str) -> None:
    one, other = page.locator(left).bounding_box(), page.locator(right).bounding_box()
    assert one is not None
    assert other is not None
    for side in ("width", "height", "y"):
        assert one[side] == pytest.approx(other[side], abs=0.01)
    viewport = page.viewport_size
    assert viewport is not None
    assert one["x"] == pytest.approx(viewport["width"] - other["x"] - other["width"], abs=0.01)


def test_the_chosen_one_looks_the_same_on_either_side(browser: Browser, there: Served) -> None:
    looks: list[Any] = []
    judge = next(shown for shown in PAGES if shown.name == "judge")
    with opened(browser, there, DESKTOP, judge) as page:
        for side in ("left", "right"):
            page.locator(f"#side-{side}").check()
            page.mouse.move(0, 0)
            page.locator("h1").focus()
            looks.append(page.evaluate(_APPEARANCE, side))
    assert looks[0] == looks[1]
