"""Every page that there is, in one list: how to reach it, and the heading by which it is known.

The list is what the accessibility tests, the tests of all pages and the screenshots go through. A new page is one line.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.served import ADMIN, READING, RESEARCHER, Served, Walk
from tests.walker import Walker


def nothing(page: Page) -> None:
    """Do nothing more on a page."""


@dataclass(frozen=True)
class Shown:
    """A page: its name, its heading, the address a browser opens, who is signed in, and what is done there.

    `then` is a second address, for pages to which no link leads directly. `status` is what the server answers.
    """

    name: str
    heading: str
    opens: Callable[[Served], str]
    then: str = ""
    signed_in: str = ""
    act: Callable[[Page], None] = nothing
    status: int = 200

    def __str__(self) -> str:
        """Name the test of this page."""
        return self.name


def at(path: str) -> Callable[[Served], str]:
    """Open an address of the server."""
    return lambda there: there.base + path


def send_empty(page: Page) -> None:
    """Send the main form with nothing chosen, as a browser does that checks nothing by itself."""
    page.locator("#step").evaluate("form => { form.noValidate = true }")
    page.locator("#step button[type=submit]").first.click()
    page.locator(".summary").wait_for()


def sign_in_wrongly(page: Page) -> None:
    """Send a wrong password."""
    page.get_by_label("Email address").fill(RESEARCHER)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".summary").wait_for()


def choose_first(page: Page) -> None:
    """Choose the first response, and send nothing."""
    page.locator("#side-left").check()


def open_responses(page: Page) -> None:
    """Unfold the responses of the first claim."""
    page.locator("summary").first.click()


# How somebody comes to a page of the way, with a plain client.


async def to_instructions(walker: Walker, query: str) -> None:
    """Consent."""
    await walker.enter(query)
    await walker.send(consent="yes")


async def to_practice(walker: Walker, query: str) -> None:
    """Read the instructions."""
    await to_instructions(walker, query)
    await walker.send()


async def to_judging(walker: Walker, query: str) -> None:
    """Practise."""
    await walker.to_judging(query)


async def to_second_pair(walker: Walker, query: str) -> None:
    """Judge one pair."""
    await walker.to_judging(query)
    await walker.send(side="left")


async def to_looked_up(walker: Walker, query: str) -> None:
    """Judge every pair."""
    await walker.to_judging(query)
    while walker.path.startswith("/pairs/"):
        await walker.send(side="left" if walker.path.endswith(("1", "4", "5")) else "right")


async def to_debrief(walker: Walker, query: str) -> None:
    """Say that nothing was looked up."""
    await to_looked_up(walker, query)
    await walker.send(looked_up="no")


async def to_complete(walker: Walker, query: str) -> None:
    """Keep the data."""
    await to_debrief(walker, query)
    await walker.send(data="keep")


async def to_withdrawn(walker: Walker, query: str) -> None:
    """Withdraw the data."""
    await to_debrief(walker, query)
    await walker.send(data="withdraw")


async def to_stopped(walker: Walker, query: str) -> None:
    """Judge one pair, see the next, and stop."""
    await to_second_pair(walker, query)
    await walker.get("/stop")
    await walker.send()


async def to_stopped_at_once(walker: Walker, query: str) -> None:
    """Stop before the first pair."""
    await to_instructions(walker, query)
    await walker.get("/stop")
    await walker.send()


async def to_stopped_complete(walker: Walker, query: str) -> None:
    """Stop, and keep the data."""
    await to_stopped(walker, query)
    await walker.send(data="keep")


def person(walk: Walk | None = None, slug: str = READING) -> Callable[[Served], str]:
    """Open the link of somebody who has walked so far."""
    name = "at the start" if walk is None else walk.__name__
    return lambda there: there.someone(f"{slug} {name}".replace(" ", "-"), walk, slug)


ENTERS = person()
_SECOND = "Pair 2 of 6"
_STOP = f"/s/{READING}/stop"

PAGES: tuple[Shown, ...] = (
    Shown("start", "Candor", at("/")),
    Shown("start-demo", "Candor", lambda there: f"{there.demo}/"),
    Shown("login", "Sign in", at("/login")),
    Shown("login-error", "Sign in", at("/login"), act=sign_in_wrongly, status=403),
    Shown("login-link", "Sign in", lambda there: there.login_link(RESEARCHER)),
    Shown("login-link-used", "This link no longer signs you in", at("/login/link/used-before"), status=410),
    Shown("login-needed", "Sign in", at("/studies")),
    Shown("consent", "Taking part", ENTERS),
    Shown("consent-shorter", "Taking part", person(slug="shorter")),
    Shown("declined", "Thank you", at(f"/s/{READING}/declined")),
    Shown("instructions", "How it works", person(to_instructions)),
    Shown("practice", "Practice pair", person(to_practice)),
    Shown("judge", "Pair 1 of 6", person(to_judging)),
    Shown("judge-chosen", _SECOND, person(to_second_pair), act=choose_first),
    Shown("judge-error", _SECOND, person(to_second_pair), act=send_empty, status=422),
    Shown("stop", "Stop here?", person(to_second_pair), then=_STOP),
    Shown("looked-up", "Did you look anything up?", person(to_looked_up)),
    Shown("looked-up-error", "Did you look anything up?", person(to_looked_up), act=send_empty, status=422),
    Shown("debrief", "What was behind it", person(to_debrief)),
    Shown("debrief-open", "What was behind it", person(to_debrief), act=open_responses),
    Shown("debrief-error", "What was behind it", person(to_debrief), act=send_empty, status=422),
    Shown("debrief-stopped", "What was behind it", person(to_stopped)),
    Shown("debrief-nothing-seen", "What was behind it", person(to_stopped_at_once)),
    Shown("debrief-again", "What was behind it", person(to_complete), then=f"/s/{READING}/debrief"),
    Shown("complete", "Thank you", person(to_complete)),
    Shown("complete-prolific", "Thank you", person(to_complete, "prolific")),
    Shown("complete-withdrawn", "Thank you", person(to_withdrawn)),
    Shown("complete-stopped", "You have stopped", person(to_stopped_complete)),
    Shown("full", "This study is complete", person(slug="full"), status=410),
    Shown("no-place", "There is no place right now", person(slug="held"), status=503),
    Shown("paused", "This study is paused", person(slug="paused"), status=503),
    Shown("closed", "This study has ended", person(slug="closed"), status=410),
    Shown("example-takes-nobody", "This study is an example", person(slug="example"), status=403),
    Shown("unknown-study", "We do not know this study", at("/s/nothing?pid=x"), status=404),
    Shown("link-incomplete", "This link is incomplete", at(f"/s/{READING}"), status=400),
    Shown("place-lost", "We could not find your place", at(f"/s/{READING}/consent"), status=403),
    Shown("no-such-page", "There is no such page", at("/nothing"), status=404),
    Shown("studies", "Studies", at("/studies"), signed_in=RESEARCHER),
    Shown("studies-admin", "Studies", at("/studies"), signed_in=ADMIN),
    Shown("study", "Reading closely", at(f"/studies/{READING}"), signed_in=RESEARCHER),
    Shown("study-draft", "A study that is being prepared", at("/studies/draft"), signed_in=RESEARCHER),
    Shown("study-untouched", "A study that is paused", at("/studies/paused"), signed_in=RESEARCHER),
    Shown("study-filled", "An example, filled by synthetic annotators", at("/studies/example"), signed_in=RESEARCHER),
    Shown("study-two-arms", "Told to prefer the truth, or not", at("/studies/two-arms"), signed_in=RESEARCHER),
    Shown("studies-none", "Studies", at("/studies"), signed_in="new@lab.example"),
    Shown("not-for-this-role", "This page is for admins", at("/admin/sets"), signed_in=RESEARCHER, status=403),
    Shown("sets", "Sets", at("/admin/sets"), signed_in=ADMIN),
    Shown("accounts", "Accounts", at("/admin/accounts"), signed_in=ADMIN),
)
