"""A study is configured, looked at, opened, rehearsed and amended by page alone: with scripts, without, on a phone."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.screens import DESKTOP, PHONE, PLAIN, Screen
from tests.browser.served import RESEARCHER, Served

pytestmark = pytest.mark.browser


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def banner(page: Page) -> Locator:
    return page.locator(".masthead .rehearsal")


def continue_to(page: Page, button: str, title: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(heading(page)).to_have_text(title)


@pytest.mark.parametrize("screen", [DESKTOP, PLAIN, PHONE], ids=["scripts", "no-scripts", "phone"])
def test_a_study_is_designed_looked_at_and_opened_by_page_alone(
    browser: Browser, there: Served, screen: Screen, request: pytest.FixtureRequest
) -> None:
    slug = f"by-page-{request.node.callspec.id}"
    with screen.context(browser, there, RESEARCHER) as context:
        page = context.new_page()
        page.goto(f"{there.base}/studies")
        page.get_by_role("link", name="New study").click()
        expect(heading(page)).to_have_text("New study")
        design(page, slug)
        change(page)
        look_at(page, slug)
        open_it(page, there, slug)
        rehearse(page, slug)
        amend(page, slug)
    assert there.count("slot JOIN arm ON arm.id = arm_id JOIN study ON study.id = study_id WHERE slug = %s", slug) == 96
    assert there.count("choice JOIN participation p ON p.id = participation_id WHERE study_id IN "
                       "(SELECT id FROM study WHERE slug = %s)", slug) == 0  # fmt: skip


def design(page: Page, slug: str) -> None:
    """Fill the form, wrongly at first."""
    page.get_by_label("Title").fill("Made by page")
    page.get_by_label("Name in addresses").fill("By Page")
    page.get_by_label("Contact").fill("ada@lab.example")
    page.get_by_label("Set of misconceptions").select_option(label="Starter set (starter, version 1): 24 pairs")
    page.get_by_label("Ratings of each pair").fill("3")
    page.get_by_label("Pairs for each annotator").fill("4")
    page.get_by_label("Consent", exact=True).fill("# About this study\n\nRead **closely**.")
    page.get_by_label("“No preference” as a third answer").check()
    page.get_by_label("Background questions").fill("english: Is English your first language? | Yes | No")
    page.get_by_label("Pay", exact=True).fill("£1.20")
    page.get_by_label("Pay", exact=True).press("Enter")
    expect(page.locator(".summary a")).to_have_text(
        ["Name in addresses: must be lower-case letters and digits, with hyphens"]
    )
    page.locator(".summary a").click()
    wrong = page.get_by_label("Name in addresses")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value("By Page")
    expect(page.get_by_label("“No preference” as a third answer")).to_be_checked()
    wrong.fill(slug)
    continue_to(page, "Preview the texts", "New study")
    expect(page.locator(".rendered h2")).to_have_text("About this study")
    expect(page.get_by_label("Name in addresses")).to_have_value(slug)
    continue_to(page, "Save the draft", "Made by page")
    expect(page.get_by_role("status").first).to_have_text("The draft is saved. Nobody can take part until you open it.")


def change(page: Page) -> None:
    """Edit the draft: questions of one's own appear where they are asked for."""
    page.get_by_role("link", name="Edit").click()
    expect(heading(page)).to_have_text("Edit “Made by page”")
    own = page.get_by_label("My own questions about the instructions")
    expect(own).to_be_hidden()
    page.get_by_label("My own, below").check()
    expect(own).to_be_visible()
    own.fill("What are you asked? | Which I prefer * | Who wrote it")
    continue_to(page, "Save the draft", "Made by page")


def look_at(page: Page, slug: str) -> None:
    """Walk into a preview as far as the first pair, which says all the way that it is one."""
    there = page.url
    page.get_by_role("button", name="Preview").click()
    expect(heading(page)).to_have_text("Taking part")
    assert re.fullmatch(r"/s/preview-[0-9a-f]+/consent", urlsplit(page.url).path)
    expect(page.locator(".prose h2")).to_have_text("About this study")
    for button, title in [
        ("I agree to take part", "About you"),
        ("Continue", "How it works"),
        ("Continue", "A few questions about the task"),
        ("Continue", "Practice pair"),
        ("Continue", "Pair 1 of 4"),
    ]:
        expect(banner(page)).to_have_text("Preview: nothing you do here counts.")
        for answer in ("Yes", "Which I prefer"):
            if page.get_by_label(answer, exact=True).count():
                page.get_by_label(answer, exact=True).check()
        if page.locator("#side-tie").count():
            page.locator("#side-tie").check()
        continue_to(page, button, title)
    expect(banner(page)).to_be_visible()
    page.goto(there)


def open_it(page: Page, there: Served, slug: str) -> None:
    """Open the study, after having been told what freezes."""
    page.get_by_role("link", name="Open the study").click()
    expect(heading(page)).to_have_text("Open “Made by page”?")
    continue_to(page, "Open the study", "Made by page")
    expect(page.locator("#paste-address")).to_have_text(f"{there.base}/s/{slug}?pid=ID")
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def rehearse(page: Page, slug: str) -> None:
    """Start a pilot, and reset it."""
    for n in (1, 2):
        page.get_by_role("link", name="Pilot", exact=True).click()
        continue_to(page, "Start the pilot" if n == 1 else "Reset the pilot", "Made by page")
        expect(page.locator("#paste-address")).to_contain_text(f"/s/{slug}-pilot-{n}?pid=ID")
        page.get_by_role("link", name="Made by page").click()
    expect(page.get_by_role("link", name=f"{slug}-pilot-")).to_have_text([f"{slug}-pilot-2", f"{slug}-pilot-1"])


def amend(page: Page, slug: str) -> None:
    """Ask for one rating more of each pair."""
    page.get_by_role("link", name="Raise ratings").click()
    page.get_by_label("Ratings of each pair").fill("4")
    continue_to(page, "Raise the ratings", "Made by page")
    expect(page.locator(".amendments li")).to_have_count(1)
    expect(page.locator(".amendments")).to_contain_text("raised from 3 to 4")
