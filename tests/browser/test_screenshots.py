"""Pictures of every page, for people to look at: `pytest tests/browser --screenshots DIR` (or `make screenshots`)."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.screens import DESKTOP, PHONE, PLAIN, Screen, opened
from tests.browser.served import Served
from tests.browser.shown import PAGES, Shown

pytestmark = pytest.mark.browser

VARIANTS = {"light": DESKTOP, "dark": DESKTOP.dark(), "phone": PHONE, "plain": PLAIN}
# What a phone shows at first and at the end, where something stays on the screen.
_FIXED = ("practice", "judge", "judge-chosen", "judge-error", "practice-tie", "judge-tie", "judge-early")
_HERO = Screen(height=920, sharp=True)


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_picture(shown: Shown, browser: Browser, there: Served, screenshot_dir: Path) -> None:
    for variant, screen in VARIANTS.items():
        with opened(browser, there, screen, shown) as page:
            file = screenshot_dir / f"{shown.name}-{variant}.png"
            page.screenshot(path=file, full_page=True)
            assert file.stat().st_size > 2_000, "an empty page"
            if variant == "phone" and shown.name in _FIXED:
                page.screenshot(path=screenshot_dir / f"{shown.name}-phone-top.png")
                page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
                page.screenshot(path=screenshot_dir / f"{shown.name}-phone-end.png")


def test_picture_for_the_readme(browser: Browser, there: Served, screenshot_dir: Path) -> None:
    (judge,) = (shown for shown in PAGES if shown.name == "judge")
    with opened(browser, there, _HERO, judge) as page:
        page.screenshot(path=screenshot_dir / "readme.png")
        assert page.get_by_role("article").count() == 2
