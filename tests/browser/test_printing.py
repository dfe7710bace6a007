"""The explanation on paper: every text of it, as ink on white."""

import pytest
from playwright.sync_api import Browser

from tests.browser.screens import DESKTOP, opened
from tests.browser.served import Served, starter_set
from tests.browser.shown import PAGES

pytestmark = pytest.mark.browser

DEBRIEF = next(shown for shown in PAGES if shown.name == "debrief")

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
