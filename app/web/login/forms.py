"""What login forms bring, and the pages that they are on."""

import re
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Cookie, Depends, Form, Query, Request
from fastapi.responses import Response

from app.study.logins import Guess, Refused
from app.study.tokens import same
from app.web.fields import Typed, try_again
from app.web.login.pages import Login
from app.web.pages import render
from app.web.signed_in import FormTokenWrong

_LANDING = "/studies"
_GIVEN_BY_US = re.compile(r"[A-Za-z0-9_-]{43}")
# Browsers drop tabs and line breaks from an address, and read a backslash as a slash.
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f]")
_WRONG = "The email address or the password is wrong."

LoginCookie = Annotated[str, Cookie(alias="candor_login")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedIn:
    """What was typed into the login form, and where its page was to lead."""

    email: str = ""
    password: str = ""
    to: str = ""

    def guess(self, request: Request) -> Guess:
        """Return it as a guess from the address that it came from."""
        address = request.client.host if request.client else ""
        return Guess(email=self.email, password=self.password, address=address)


def _typed_in(email: Typed = "", password: Typed = "", to: Annotated[str, Form(alias="next")] = "") -> TypedIn:
    return TypedIn(email=email, password=password, to=to)


def _login_token(cookie: LoginCookie = "") -> str:
    """Return the value of the browser's cookie, so that two tabs work, or a new one."""
    return cookie if _GIVEN_BY_US.fullmatch(cookie) else secrets.token_urlsafe(32)


def _checked(form_token: Typed = "", cookie: LoginCookie = "") -> str:
    if not cookie or not same(form_token, cookie):
        raise FormTokenWrong
    return cookie


Entered = Annotated[TypedIn, Depends(_typed_in)]
LoginToken = Annotated[str, Depends(_login_token)]
# The browser's token, on a form that this browser was given.
OWN_LOGIN_FORM = Depends(_checked)
OwnLoginForm = Annotated[str, OWN_LOGIN_FORM]
# Where an address says to go afterwards.
Next = Annotated[str, Query(alias="next")]


def safe_next(wanted: str) -> str:
    """Return a path of this site to go to, or where everyone lands."""
    if not wanted.startswith("/") or wanted.startswith("//") or _UNSAFE.search(wanted):
        return _LANDING
    return wanted


def login_page(token: str, typed: TypedIn, *, demo: bool, error: str = "") -> Login:
    """Return the login page; the password is never sent back."""
    return Login(title="Sign in", form_token=token, email=typed.email, next=typed.to, error=error, demo=demo)


def refusal(token: str, typed: TypedIn, refused: Refused, *, demo: bool) -> Response:
    """Return the form again, saying what to do. All wrong logins read the same."""
    if refused.wait is None:
        return render(login_page(token, typed, demo=demo, error=_WRONG), 403)
    return try_again(refused.wait, lambda said: login_page(token, typed, demo=demo, error=said))
