"""What every page promises, each opened once: nothing from elsewhere, room on a narrow screen, no fault for axe."""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.browser.screens import DESKTOP, NARROW, PHONE, Heard, Screen, overheard
from tests.browser.served import Served
from tests.browser.shown import PAGES

pytestmark = pytest.mark.browser

_EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What can differ in the dark, where the page is the same but for its colours.
_COLOURS = ["color-contrast", "link-in-text-block"]


class Visit(NamedTuple):
    """A page that is open, and what the browser asked for and complained about on the way to it."""

    page: Page
    heard: Heard


@pytest.fixture(scope="module", params=PAGES, ids=str)
def visit(request: pytest.FixtureRequest, browser: Browser, there: Served) -> Iterator[Visit]:
    with overheard(browser, there, DESKTOP, request.param) as (page, heard):
        yield Visit(page, heard)
        _resize(page, DESKTOP)


def _resize(page: Page, screen: Screen) -> None:
    page.set_viewport_size({"width": screen.width, "height": screen.height})


def test_a_page_asks_no_other_host_and_the_browser_has_no_complaint(visit: Visit) -> None:
    page, heard = visit
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert heard.hosts == {urlsplit(page.url).netloc}
    assert "/static/candor.css" in heard.paths
    assert heard.complaints == []


def test_what_is_wider_than_the_narrowest_screen_scrolls_by_itself(visit: Visit) -> None:
    page, _ = visit
    _resize(page, NARROW)
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [NARROW.width, NARROW.width]
    page.evaluate("window.scrollTo(1000, 0)")
    assert page.evaluate("scrollX") == 0
    beyond = page.evaluate(
        """(width) => [...document.querySelectorAll("body *")]
            .filter((at) => !at.closest(".scroll:not(:has(.things)), .skip, .visually-hidden"))
            .filter((at) => at.getBoundingClientRect().right > width + 0.5)
            .map((at) => at.outerHTML.slice(0, 80))""",
        NARROW.width,
    )
    assert beyond == []


def test_axe_finds_nothing_at_a_desk_on_a_phone_and_in_the_dark(visit: Visit) -> None:
    page, _ = visit
    page.evaluate(AXE_SCRIPT)
    for screen in (PHONE, DESKTOP):
        _resize(page, screen)
        assert _faults(page, "tag", _EVERYTHING) == []
    page.emulate_media(color_scheme="dark")
    assert _faults(page, "rule", _COLOURS) == []


def _faults(page: Page, kind: Literal["tag", "rule"], values: list[str]) -> list[tuple[str, ...]]:
    options = {"runOnly": {"type": kind, "values": values}, "resultTypes": ["violations"]}
    # What passed is counted there: to fetch all of it takes as long as to look.
    n_passed, violations = page.evaluate(
        "async (options) => { const { passes, violations } = await axe.run(options);"
        " return [passes.length, violations]; }",
        options,
    )
    assert n_passed > 0, "axe looked at nothing"
    return [
        (violation["id"], str(node["target"]), node["failureSummary"])
        for violation in violations
        for node in violation["nodes"]
    ]
