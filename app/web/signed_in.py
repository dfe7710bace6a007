"""What every page for a signed-in person shares: who they are, what they may see, and the proof that a form is ours."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request

from app.db import Sessions
from app.errors import CandorError
from app.study import login_sessions
from app.study.login_sessions import SignedIn
from app.study.tokens import same
from app.web.deps import app_sessions
from app.web.pages import Page

SESSION_COOKIE = "candor_session"


class NotSignedIn(CandorError):
    """The page is for people who are signed in, and nobody is, or no longer."""

    def __init__(self) -> None:
        super().__init__("sign in to see this page")


class NotForThisRole(CandorError):
    """The page is for admins, and the person is a researcher."""

    def __init__(self) -> None:
        super().__init__("this page is for admins; ask one of them for what you need")


class FormTokenWrong(CandorError):
    """A form came without the token of the page that it was on, so nothing was done."""

    def __init__(self) -> None:
        super().__init__(
            "the page that was sent is out of date, so nothing was done; open it again and send it once more"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInPage(Page):
    """A page of the researchers' and admins' part: who is signed in, where they are, and the token of its forms.

    `section` is the entry of the navigation that is current: studies, sets or accounts. `is_admin` shows the last two.
    """

    email: str
    is_admin: bool
    section: str
    form_token: str


@dataclass(frozen=True, slots=True)
class CurrentAccount:
    """Who is signed in, and the token that forms on their pages carry."""

    who: SignedIn
    form_token: str


def session_token(request: Request) -> str:
    """Return the token in the session cookie, or an empty text."""
    return request.cookies.get(SESSION_COOKIE, "")


def form_token(token: str) -> str:
    """Return what the forms of one session carry. It tells nothing about the session's own token."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


SessionToken = Annotated[str, Depends(session_token)]


async def current_account(token: SessionToken, sessions: Annotated[Sessions, Depends(app_sessions)]) -> CurrentAccount:
    """Return who is signed in.

    The connection is given back before the handler takes its own: requests that each held one and waited for a second
    could use up the pool and block each other.
    """
    if not token:
        raise NotSignedIn
    async with sessions() as reading:
        who = await login_sessions.signed_in(reading, token)
    if who is None:
        raise NotSignedIn
    return CurrentAccount(who, form_token(token))


Researcher = Annotated[CurrentAccount, Depends(current_account)]


async def _admin(account: Researcher) -> CurrentAccount:
    if not account.who.is_admin:
        raise NotForThisRole
    return account


Admin = Annotated[CurrentAccount, Depends(_admin)]


async def _checked_form(token: SessionToken, form_token_sent: Annotated[str, Form(alias="form_token")] = "") -> str:
    if not token or not same(form_token_sent, form_token(token)):
        raise FormTokenWrong
    return token


# The session's token, on a form that one of this session's own pages sent.
OwnForm = Annotated[str, Depends(_checked_form)]
