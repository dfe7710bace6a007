"""Signing in by password or link, and signing out. `links` serves the links by which a password is set."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.db import Sessions
from app.study import login_links, login_sessions
from app.study.logins import Refused, sign_in
from app.web.deps import AppSettings, ReadSession, WriteSession, app_sessions
from app.web.login import cookies, links
from app.web.login.forms import (
    OWN_LOGIN_FORM,
    Entered,
    LoginToken,
    Next,
    OwnLoginForm,
    TypedIn,
    login_page,
    refusal,
    safe_next,
)
from app.web.login.pages import LoginLink
from app.web.pages import render
from app.web.signed_in import OwnForm, Researcher, session_token

router = APIRouter()
router.include_router(links.router)


@router.get("/login")
async def show_login(request: Request, token: LoginToken, settings: AppSettings, to: Next = "") -> Response:
    """Ask for email and password."""
    page = login_page(token, TypedIn(to=to), demo=settings.demo)
    return cookies.give_login(request, render(page), token)


@router.post("/login")
async def log_in(
    request: Request,
    token: OwnLoginForm,
    entered: Entered,
    reads: Annotated[Sessions, Depends(app_sessions)],
    session: WriteSession,
    settings: AppSettings,
) -> Response:
    """Sign in with a password; a browser that was signed in gives up its old session."""
    guess, attempts, hours = entered.guess(request), settings.login_attempts, settings.session_hours
    outcome = await sign_in(reads, session, guess, attempts=attempts, hours=hours)
    if isinstance(outcome, Refused):
        return cookies.give_login(request, refusal(token, entered, outcome, demo=settings.demo), token)
    await login_sessions.end(session, session_token(request))
    return cookies.signed_in(request, outcome.token, hours, safe_next(entered.to))


@router.get("/login/link/{link}")
async def show_link(request: Request, link: str, token: LoginToken, session: ReadSession, to: Next = "") -> Response:
    """Show the one button that signs in, so that a preview of the link cannot use it up."""
    email = await login_links.whose(session, link)
    action = f"/login/link/{quote(link)}?{urlencode({'next': safe_next(to)})}"
    page = LoginLink(title="Sign in", form_token=token, action=action, email=email)
    return cookies.give_login(request, render(page), token)


@router.post("/login/link/{link}", dependencies=[OWN_LOGIN_FORM])
async def use_link(
    request: Request, link: str, session: WriteSession, settings: AppSettings, to: Next = ""
) -> Response:
    """Use the link up and sign in."""
    account_id = await login_links.use(session, link)
    await login_sessions.end(session, session_token(request))
    token = await login_sessions.start(session, account_id, settings.session_hours, way="link")
    return cookies.signed_in(request, token, settings.session_hours, safe_next(to))


@router.post("/logout")
async def log_out(token: OwnForm, session: WriteSession) -> Response:
    """Sign this browser out; a session that has ended meanwhile is no error."""
    await login_sessions.end(session, token)
    return cookies.signed_out()


@router.post("/logout-everywhere")
async def log_out_everywhere(_: OwnForm, account: Researcher, session: WriteSession) -> Response:
    """Sign the account out in every browser."""
    await login_sessions.end_all(session, account.who.account_id)
    return cookies.signed_out()
