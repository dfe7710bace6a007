"""The contexts of the login pages and of the start page."""

from dataclasses import dataclass
from typing import ClassVar

from app.web.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Login(Page):
    """The login form: `email`, `password`, `form_token`, `next` (a path of this site to go to afterwards).

    `demo` adds a paragraph: in the demo you sign in with the links printed in the terminal.
    """

    template: ClassVar[str] = "login/login.html"
    form_token: str
    email: str = ""
    next: str = ""
    error: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLink(Page):
    """One button that uses up a one-time link, so that a link preview cannot: POST to `action` with `form_token`."""

    template: ClassVar[str] = "login/link.html"
    form_token: str
    action: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword(Page):
    """Where an invitation or a reset link leads: the form with `password` and `again`, and the button that uses it up.

    Opening the page uses nothing up, so that a link preview cannot. `role` is what an invitation gives, else empty.
    """

    template: ClassVar[str] = "login/password.html"
    form_token: str
    action: str
    email: str
    role: str
    shortest: int
    button: str
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Page):
    """What Candor is; in the demo, the three ways in: take part, see results, manage."""

    template: ClassVar[str] = "start.html"
    demo: bool
    take_part: str = ""
    results: str = ""
    manage: str = ""
