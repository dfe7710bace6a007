"""Axe finds nothing on any page: in the light and in the dark, as wide as a desk and as narrow as a phone."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.screens import DESKTOP, PHONE, opened
from tests.browser.served import Served
from tests.browser.shown import PAGES, Shown

pytestmark = pytest.mark.browser

_AXE = Axe()
_EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What can differ in the dark, where the page is the same but for its colours.
_COLOURS = ["color-contrast", "link-in-text-block"]


def _faults(page: Page, kind: Literal["tag", "rule"], values: list[str]) -> list[tuple[str, ...]]:
    options = {"runOnly": {"type": kind, "values": values}, "resultTypes": ["violations"]}
    response = _AXE.run(page, options=options).response
    assert response["passes"], "axe looked at nothing"
    return [
        (violation["id"], str(node["target"]), node["failureSummary"])
        for violation in response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_axe_finds_nothing(shown: Shown, browser: Browser, there: Served) -> None:
    with opened(browser, there, DESKTOP, shown) as page:
        for screen in (PHONE, DESKTOP):
            page.set_viewport_size({"width": screen.width, "height": screen.height})
            page.emulate_media(color_scheme="light")
            assert _faults(page, "tag", _EVERYTHING) == []
        page.emulate_media(color_scheme="dark")
        assert _faults(page, "rule", _COLOURS) == []
