"""Kinds of browser that people sit at, and the opening of pages in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, StorageState, expect

from tests.browser.served import Served
from tests.browser.shown import Shown

PATIENCE_MS = 10_000


@dataclass(frozen=True)
class Screen:
    """One kind of browser."""

    width: int = 1280
    height: int = 900
    touch: bool = False
    javascript: bool = True
    colours: Literal["light", "dark"] = "light"
    calm: bool = False
    sharp: bool = False

    def context(self, browser: Browser, there: Served, signed_in: str = "") -> BrowserContext:
        """Open a browser of this kind, with nothing remembered but who is signed in."""
        context = browser.new_context(
            viewport={"width": self.width, "height": self.height},
            has_touch=self.touch,
            is_mobile=self.touch,
            java_script_enabled=self.javascript,
            color_scheme=self.colours,
            reduced_motion="reduce" if self.calm else "no-preference",
            device_scale_factor=2 if self.sharp else 1,
            storage_state=signed_in_state(browser, there, signed_in) if signed_in else None,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(PATIENCE_MS)
        return context

    def dark(self) -> "Screen":
        """Return the same browser in the dark."""
        return replace(self, colours="dark")


DESKTOP = Screen()
PHONE = Screen(width=390, height=844, touch=True)
NARROW = Screen(width=320, height=568, touch=True)
PLAIN = Screen(javascript=False)


def signed_in_state(browser: Browser, there: Served, email: str) -> StorageState:
    """Sign in with a one-time link, once, and return the cookies."""
    if email not in there.sessions:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(there.login_link(email), timeout=PATIENCE_MS)
            page.get_by_role("button", name="Sign in").click(timeout=PATIENCE_MS)
            expect(page.get_by_role("heading", level=1)).to_have_text("Studies")
            there.sessions[email] = context.storage_state()
    state: StorageState = there.sessions[email]
    return state


def go_to(page: Page, there: Served, shown: Shown) -> None:
    """Take a browser to a page of the list, and see that it is that page."""
    response = page.goto(shown.opens(there))
    if shown.then:
        response = page.goto(there.base + shown.then)
    assert response is not None
    if shown.status != 422 and shown.name != "login-error":
        assert response.status == shown.status
    shown.act(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(shown.heading)


@dataclass
class Heard:
    """What a browser asked for, and what it complained about."""

    hosts: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.hosts.clear()
        self.paths.clear()
        self.complaints.clear()


def listen(page: Page) -> Heard:
    """Note from now on what a page asks for, and what the browser complains about: errors, and what is refused."""
    heard = Heard()

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        heard.hosts.add(address.netloc)
        heard.paths.add(address.path)

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # The browser went on to the next page.
            heard.complaints.append(f"{request.url} failed: {request.failure}")

    def said(message: ConsoleMessage) -> None:
        # The browser also mentions that a page came with a status like 404, which is as it should be.
        of_the_page = message.location["url"] == page.url and message.text.startswith("Failed to load resource")
        if message.type in {"error", "warning"} and not of_the_page:
            heard.complaints.append(message.text)

    page.on("request", asked)
    page.on("requestfailed", failed)
    page.on("console", said)
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (event) => {"
        " console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI}`) })"
    )
    return heard


# Opening a browser anew costs more than all else, so pages are looked at in one window for each kind of browser. What
# people do in sequence, where something may be remembered, gets a browser of its own: `Screen.context`.
_WINDOWS: dict[Browser, dict[tuple[Screen, str], tuple[Page, Heard]]] = {}


def close(browser: Browser) -> None:
    """Close a browser and forget its windows."""
    _WINDOWS.pop(browser, None)
    browser.close()


def _window(browser: Browser, there: Served, screen: Screen, signed_in: str) -> tuple[Page, Heard]:
    windows = _WINDOWS.setdefault(browser, {})
    if (screen, signed_in) not in windows:
        page = screen.context(browser, there, signed_in).new_page()
        windows[screen, signed_in] = page, listen(page)
    page, heard = windows[screen, signed_in]
    if not signed_in:
        page.context.clear_cookies()
    page.emulate_media(media="null", color_scheme=screen.colours)
    page.mouse.move(0, 0)
    heard.forget()
    return page, heard


@contextmanager
def overheard(browser: Browser, there: Served, screen: Screen, shown: Shown) -> Iterator[tuple[Page, Heard]]:
    """Open a page of the list, noting what it asks for."""
    page, heard = _window(browser, there, screen, shown.signed_in)
    go_to(page, there, shown)
    yield page, heard


@contextmanager
def opened(browser: Browser, there: Served, screen: Screen, shown: Shown) -> Iterator[Page]:
    """Open a page of the list."""
    with overheard(browser, there, screen, shown) as (page, _):
        yield page
