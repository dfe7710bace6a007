"""People take part in a real browser, and what they chose is what a researcher downloads; and all that may go wrong."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.browser.people import ByKeyboard, ByTapping, Judged, Person, Walked, WithoutJavascript, heading
from tests.browser.screens import DESKTOP, NARROW, PHONE, PLAIN, Screen, listen, opened
from tests.browser.served import CODE, READING, RESEARCHER, WAY, Served, starter_set
from tests.browser.shown import PAGES, Shown, to_debrief, to_judging

pytestmark = pytest.mark.browser


def _walked(browser: Browser, there: Served, screen: Screen, person: type[Person]) -> Walked:
    """Let somebody take part, in a browser that asks nobody else for anything and finds nothing to complain about."""
    with screen.context(browser, there) as context:
        page = context.new_page()
        heard = listen(page)
        walked = person(page).takes_part(there, WAY)
        assert heard.hosts == {urlsplit(there.base).netloc}
        assert heard.complaints == []
        assert walked.code == CODE
        return walked


def test_three_people_take_part_and_the_export_holds_exactly_what_they_saw_and_chose(
    browser: Browser, there: Served, tmp_path: Path
) -> None:
    everyone = (
        _walked(browser, there, DESKTOP, ByKeyboard),
        _walked(browser, there, PLAIN, WithoutJavascript),
        _walked(browser, there, PHONE, ByTapping),
    )
    with DESKTOP.context(browser, there, RESEARCHER) as context:
        page = context.new_page()
        page.goto(f"{there.base}/studies")
        page.get_by_role("link", name="What do people prefer?").click()
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Choices as CSV").click()
        downloading.value.save_as(tmp_path / "choices.csv")
    assert downloading.value.suggested_filename == f"{WAY}-choices.csv"
    with (tmp_path / "choices.csv").open(newline="", encoding="utf-8") as file:
        exported = list(csv.DictReader(file))
    expected = {
        (annotator, str(position)): _row(judged, annotator, position)
        for walked in everyone
        for annotator in (_annotator(there, walked.name),)
        for position, judged in enumerate(walked.judged, start=1)
    }
    assert len(expected) == 18
    assert len(exported) == 18
    (frozen,) = there.rows(
        "SELECT study.slug, misconception_set.slug, version::text, content_hash, design_hash "
        "FROM study JOIN misconception_set ON misconception_set.id = set_id WHERE study.slug = %s",
        WAY,
    )
    for row in exported:
        wanted = expected.pop((row["annotator"], row["position"]))
        assert {column: row[column] for column in wanted} == wanted
        assert tuple(row[column] for column in _FROZEN) == frozen
        in_browser, on_server = row["decision_ms_browser"], int(row["decision_ms_server"])
        if row["annotator"] == _annotator(there, WithoutJavascript.name):
            assert in_browser == ""
        else:
            assert 0 < int(in_browser) <= on_server + 1
    assert not expected


_FROZEN = ("study", "set_slug", "set_version", "set_hash", "design_hash")


def _annotator(there: Served, name: str) -> str:
    ((public_id,),) = there.rows(
        "SELECT public_id FROM participation p JOIN platform_identity ON participation_id = p.id "
        "WHERE platform_person = %s",
        name,
    )
    return str(public_id)


def _row(judged: Judged, annotator: str, position: int) -> dict[str, str]:
    """Return what an export must say of a pair, from the bundled set and what a person saw and chose."""
    (entry,) = (entry for entry in starter_set() if entry.prompt == judged.prompt)
    truthful, false = entry.helpful_truthful, entry.sycophantic
    assert {judged.first, judged.second} == {truthful, false}
    chose_false = (judged.first if judged.side == "left" else judged.second) == false
    return {
        "arm": "helpful/neutral",
        "misconception_key": entry.key,
        "category": entry.category,
        "difficulty_level": str(entry.difficulty_level),
        "truthful_kind": "helpful",
        "annotator": annotator,
        "position": str(position),
        "side_truthful": "left" if judged.first == truthful else "right",
        "side_chosen": judged.side,
        "chosen_kind": "sycophantic" if chose_false else "truthful",
        "prefers_sycophantic": "1" if chose_false else "0",
        "words_truthful": str(len(truthful.split())),
        "words_sycophantic": str(len(false.split())),
        "looked_up": "false",
        "counted": "true",
        "late": "false",
        "repeat_of": "",
        "excluded": "false",
        "withdrawn": "false",
        "synthetic": "false",
    }


# What may go wrong, each with somebody of its own in a study that others are in too.


@pytest.fixture
def link(there: Served, request: pytest.FixtureRequest) -> str:
    """The link of somebody who has come to the first pair."""
    return there.someone(_name(request), to_judging)


@pytest.fixture
def choices(there: Served, request: pytest.FixtureRequest) -> Callable[[], list[tuple[Any, ...]]]:
    """What is stored for that person."""
    return lambda: there.rows(
        "SELECT position, side_chosen FROM choice JOIN platform_identity USING (participation_id) "
        "WHERE platform_person = %s ORDER BY position",
        _name(request),
    )


Choices = Callable[[], list[tuple[Any, ...]]]


def _name(request: pytest.FixtureRequest) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)


@contextmanager
def arrived(browser: Browser, there: Served, link: str, screen: Screen = DESKTOP) -> Iterator[Page]:
    with screen.context(browser, there) as context:
        yield _at(context, link)


def _at(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    page.goto(link)
    return page


def test_stopping_midway_leads_to_the_explanation_and_to_no_code(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    with arrived(browser, there, link) as page:
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Pair 2 of 6")
        page.get_by_role("link", name="Stop here").click()
        expect(heading(page)).to_have_text("Stop here?")
        page.get_by_role("link", name="Go back and carry on").click()
        expect(heading(page)).to_have_text("Pair 2 of 6")
        page.get_by_role("link", name="Stop here").click()
        page.get_by_role("button", name="Stop here").click()
        expect(heading(page)).to_have_text("What was behind it")
        expect(heading(page)).to_be_focused()
        expect(page.locator(".claim")).to_have_count(2)
        expect(page.locator(".claim__chose").nth(1)).to_have_text("You did not choose.")
        page.get_by_label("Keep my answers").check()
        page.get_by_role("button", name="Continue").click()
        expect(heading(page)).to_have_text("You have stopped")
        assert page.locator("#code").count() == 0
        assert CODE not in page.content()
    assert choices() == [(1, "left")]


def test_declining_ends_the_way_and_keeps_nobody(browser: Browser, there: Served) -> None:
    name = "someone-who-declines"
    with arrived(browser, there, there.link(READING, name)) as page:
        assert there.count("platform_identity WHERE platform_person = %s", name) == 1
        page.get_by_role("button", name="I do not agree").click()
        expect(heading(page)).to_have_text("Thank you")
        expect(heading(page)).to_be_focused()
        assert page.context.cookies() == []
        assert CODE not in page.content()
    assert there.count("platform_identity WHERE platform_person = %s", name) == 0


def test_withdrawing_empties_the_choices_and_still_gives_the_code(
    browser: Browser, there: Served, request: pytest.FixtureRequest, choices: Choices
) -> None:
    with arrived(browser, there, there.someone(_name(request), to_debrief)) as page:
        assert len(choices()) == 6
        page.get_by_label("Withdraw my answers").check()
        page.get_by_role("button", name="Continue").click()
        expect(heading(page)).to_have_text("Thank you")
        expect(page.get_by_text("Your answers have been withdrawn")).to_be_visible()
        expect(page.locator("#code")).to_have_text(CODE)
        page.get_by_role("link", name="Read the explanation again").click()
        expect(page.locator(".claim")).to_have_count(6)
    assert choices() == [(position, None) for position in range(1, 7)]


def test_the_same_link_goes_on_in_another_browser(browser: Browser, there: Served, link: str, choices: Choices) -> None:
    with arrived(browser, there, link) as desk, arrived(browser, there, link, PHONE) as phone:
        desk.keyboard.press("2")
        desk.keyboard.press("Enter")
        expect(heading(desk)).to_have_text("Pair 2 of 6")
        phone.goto(link)
        expect(heading(phone)).to_have_text("Pair 2 of 6")
        texts = desk.locator(".text--asis").all_text_contents()
        assert phone.locator(".text--asis").all_text_contents() == texts
        assert len(set(texts)) == 3
        phone.locator("#side-left").tap()
        phone.get_by_role("button", name="Continue").tap()
        expect(heading(phone)).to_have_text("Pair 3 of 6")
        desk.reload()
        expect(heading(desk)).to_have_text("Pair 3 of 6")
    assert choices() == [(1, "right"), (2, "left")]


@pytest.mark.parametrize("screen", [DESKTOP, PLAIN], ids=["with a script", "without"])
def test_a_double_click_stores_one_choice(
    browser: Browser, there: Served, link: str, choices: Choices, screen: Screen
) -> None:
    with arrived(browser, there, link, screen) as page:
        page.locator("#side-right").check()
        page.get_by_role("button", name="Continue").dblclick()
        expect(heading(page)).to_have_text("Pair 2 of 6")
        assert choices() == [(1, "right")]
        page.reload()
        expect(heading(page)).to_have_text("Pair 2 of 6")


def test_a_script_sends_a_hasty_double_enter_once(browser: Browser, there: Served, link: str, choices: Choices) -> None:
    """While the first choice is on its way, a second Enter sends nothing."""
    with arrived(browser, there, link) as page:
        sent: list[Request] = []
        on_their_way: list[Route] = []
        page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
        page.route("**/pairs/1", lambda route: on_their_way.append(route))  # noqa: PLW0108 - Playwright marks it
        page.keyboard.press("1")
        with page.expect_request("**/pairs/1"):
            page.keyboard.press("Enter")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        for route in on_their_way:
            route.continue_()
        expect(heading(page)).to_have_text("Pair 2 of 6")
        assert len(sent) == 1
    assert choices() == [(1, "left")]


def test_of_two_tabs_the_first_choice_stands_and_the_second_tab_goes_on(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    with DESKTOP.context(browser, there) as context:
        one, other = _at(context, link), _at(context, link)
        one.bring_to_front()
        one.keyboard.press("1")
        one.keyboard.press("Enter")
        expect(heading(one)).to_have_text("Pair 2 of 6")
        other.bring_to_front()
        other.keyboard.press("2")
        other.keyboard.press("Enter")
        expect(heading(other)).to_have_text("Pair 2 of 6")
    assert choices() == [(1, "left")]


def test_going_back_after_choosing_shows_the_current_page(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    with arrived(browser, there, link) as page:
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Pair 2 of 6")
        page.go_back()
        expect(heading(page)).to_have_text("Pair 2 of 6")
        expect(page).to_have_url(f"{there.base}/s/{READING}/pairs/2")
        expect(page.locator("input[name=side]:checked")).to_have_count(0)
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Pair 3 of 6")
    assert choices() == [(1, "right"), (2, "left")]


def test_enter_without_a_choice_sends_nothing_and_leads_to_the_choice(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    with arrived(browser, there, link) as page:
        page.keyboard.press("Enter")
        expect(page.locator("#side-left:focus, .summary:focus")).to_have_count(1)
        expect(heading(page)).to_have_text("Pair 1 of 6")
        assert choices() == []


def test_an_error_is_summed_up_with_a_link_to_its_field(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    """As in a browser that checks nothing by itself, or an older one."""
    with arrived(browser, there, link) as page:
        texts = page.locator(".text--asis").all_text_contents()
        page.locator("#step").evaluate("form => { form.noValidate = true }")
        page.keyboard.press("Enter")
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("There is a problem")
        expect(page.locator(".summary")).to_be_focused()
        expect(page).to_have_title("Error: Pair 1 of 6 – Candor")
        assert page.locator(".text--asis").all_text_contents() == texts
        summary.get_by_role("link", name="Choose the response you prefer").click()
        expect(page.locator("#side-left")).to_be_focused()
        expect(page.locator("#side-left")).to_be_in_viewport()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Pair 2 of 6")
    assert choices() == [(1, "left")]


def test_a_slip_can_be_mended_before_it_is_sent(browser: Browser, there: Served, link: str, choices: Choices) -> None:
    with arrived(browser, there, link) as page:
        first = page.locator(".response--left").get_by_text("Chosen")
        second = page.locator(".response--right").get_by_text("Chosen")
        expect(first).to_be_hidden()
        expect(second).to_be_hidden()
        page.keyboard.press("1")
        expect(first).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(first).to_be_hidden()
        expect(second).to_be_visible()
        assert choices() == []
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("Pair 2 of 6")
    assert choices() == [(1, "right")]


def test_the_keys_can_be_switched_off_and_stay_off(
    browser: Browser, there: Served, link: str, choices: Choices
) -> None:
    chosen = "input[name=side]:checked"
    with arrived(browser, there, link) as page:
        expect(page.locator("kbd").first).to_be_visible()
        page.get_by_label("Use the keys").uncheck()
        for key in ("1", "2", "ArrowLeft", "ArrowRight"):
            page.keyboard.press(key)
        expect(page.locator(chosen)).to_have_count(0)
        page.locator("#side-left").check()
        page.get_by_role("button", name="Continue").click()
        expect(heading(page)).to_have_text("Pair 2 of 6")
        expect(page.get_by_label("Use the keys")).not_to_be_checked()
        page.keyboard.press("2")
        expect(page.locator(chosen)).to_have_count(0)
        page.get_by_label("Use the keys").check()
        page.keyboard.press("2")
        expect(page.locator("#side-right")).to_be_checked()
    assert choices() == [(1, "left")]


@pytest.mark.parametrize("screen", [PLAIN, PHONE], ids=["without a script", "phone"])
def test_keys_are_offered_only_where_they_work(browser: Browser, there: Served, link: str, screen: Screen) -> None:
    with arrived(browser, there, link, screen) as page:
        expect(page.locator("kbd").first).to_be_hidden()
        expect(page.locator("#keys")).to_be_hidden()


def test_keys_leave_the_browsers_own_shortcuts_alone(browser: Browser, there: Served, link: str) -> None:
    with arrived(browser, there, link) as page:
        for key in ("Control+1", "Alt+ArrowLeft", "Shift+2", "Meta+2"):
            page.keyboard.press(key)
        expect(page.locator("input[name=side]:checked")).to_have_count(0)


# On a phone.

JUDGING = tuple(shown for shown in PAGES if shown.name in {"practice", "judge", "judge-chosen", "judge-error"})
OF_THE_WAY = tuple(shown for shown in PAGES if not shown.signed_in)


@pytest.mark.parametrize("screen", [PHONE, NARROW], ids=["390", "320"])
@pytest.mark.parametrize("shown", JUDGING, ids=str)
def test_the_bar_on_a_phone_never_covers_the_end_of_the_texts(
    browser: Browser, there: Served, shown: Shown, screen: Screen
) -> None:
    with opened(browser, there, screen, shown) as page:
        # What takes the focus by itself scrolls there when the page is first painted.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        assert page.locator(".judge__bar").evaluate("bar => getComputedStyle(bar).position") == "fixed"
        bar = page.locator(".judge__bar").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] == screen.height
        assert bar["height"] < screen.height / 3
        for below in (".response--right", ".judge__notes", ".foot p:last-child"):
            box = page.locator(below).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= bar["y"], f"the bar covers {below}"


_TARGETS = """
() => [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, textarea")]
    .filter((at) => at.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }))
    .filter((at) => !at.matches(".skip"))
    .filter((at) => {  // A link within a sentence is as high as its line.
        const own = at.textContent.trim(), around = at.closest("p, li, dd")?.textContent.trim() ?? own;
        return !(at.tagName === "A" && getComputedStyle(at).display === "inline" && around !== own);
    })
    .map((at) => {
        const boxes = [at, ...(at.labels ?? [])].map((part) => part.getBoundingClientRect());
        const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
        const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
        return [at.textContent.trim() || at.id || at.name, Math.round(width), Math.round(height)];
    })
"""


@pytest.mark.parametrize("shown", OF_THE_WAY, ids=str)
def test_targets_on_a_phone_are_large_enough_for_a_thumb(browser: Browser, there: Served, shown: Shown) -> None:
    with opened(browser, there, PHONE, shown) as page:
        targets = page.evaluate(_TARGETS)
        assert [(name, width, height) for name, width, height in targets if width < 44 or height < 44] == []


@pytest.mark.parametrize("shown", [shown for shown in PAGES if shown.name.startswith("judge")], ids=str)
def test_texts_on_a_phone_are_stacked_in_order_and_large(browser: Browser, there: Served, shown: Shown) -> None:
    with opened(browser, there, PHONE, shown) as page:
        texts = page.locator(".text--asis")
        sizes = texts.evaluate_all("all => all.map(at => parseFloat(getComputedStyle(at).fontSize))")
        assert len(sizes) == 3
        assert min(sizes) >= 17
        tops = texts.evaluate_all("all => all.map(at => at.getBoundingClientRect().top)")
        assert tops == sorted(tops)
        assert page.locator(".response h2").all_text_contents() == ["Response 1", "Response 2"]


@pytest.mark.parametrize("shown", JUDGING, ids=str)
def test_nothing_moves_where_less_motion_is_wanted(browser: Browser, there: Served, shown: Shown) -> None:
    with opened(browser, there, Screen(calm=True), shown) as page:
        moving = page.evaluate(
            "() => [...document.querySelectorAll('*')].filter((at) => ["
            "'', '::before', '::after'].some((part) => { const style = getComputedStyle(at, part || null);"
            " return style.animationName !== 'none' || style.transitionDuration.split(', ').some((s) => s !== '0s')"
            " || style.scrollBehavior === 'smooth' })).map((at) => at.tagName)"
        )
        assert moving == []
