"""The progress page changes in place: new numbers, and nothing else moves."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.screens import DESKTOP, opened
from tests.browser.served import Served
from tests.browser.shown import PAGES, to_second_pair

pytestmark = pytest.mark.browser

PROGRESS = next(shown for shown in PAGES if shown.name == "progress")
_SEEN_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
_PEOPLE = "Number(document.querySelector('#arrivals').textContent.match(/\\d+/)[0])"


def test_numbers_change_in_place(browser: Browser, there: Served) -> None:
    there.someone("was-here", to_second_pair)
    with opened(browser, there, DESKTOP, PROGRESS) as page:
        assert page.locator("#by-itself").is_visible()
        page.locator("#arrivals ~ details summary").click()
        page.locator("#arrivals ~ details summary").focus()
        before = page.evaluate(_PEOPLE)
        there.someone("comes-meanwhile", to_second_pair)
        page.evaluate(_SEEN_AGAIN)
        expect(page.locator("#arrivals")).to_contain_text(f"{before + 1} people have come")
        assert page.locator("#arrivals ~ details").get_attribute("open") is not None
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.locator("#by-itself").is_visible()
        assert page.locator("#trouble").is_hidden()


def test_what_could_not_be_fetched_is_said(browser: Browser, there: Served) -> None:
    with opened(browser, there, DESKTOP, PROGRESS) as page:
        shown = page.locator("#live").inner_text()
        page.route("**/progress", lambda route: route.fulfill(status=503, body="away"))
        page.evaluate(_SEEN_AGAIN)
        page.locator("#trouble").wait_for()
        assert page.locator("#live").inner_text() == shown
        page.unroute("**/progress")
        page.evaluate(_SEEN_AGAIN)
        page.locator("#trouble").wait_for(state="hidden")
