"""The one-time links by which a password is set: an invitation makes an account, a reset mends one."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.db import Sessions
from app.settings import Settings
from app.study import invitations, login_sessions, password_changes
from app.study.password_rules import SHORTEST, PasswordRefused
from app.web.deps import AppSettings, ReadSession, WriteSession, app_sessions
from app.web.fields import FieldFaulty, Typed, same_twice, sentence
from app.web.login import cookies
from app.web.login.forms import LoginToken, OwnLoginForm
from app.web.login.pages import SetPassword
from app.web.pages import render
from app.web.signed_in import session_token

router = APIRouter(prefix="/login")

Reads = Annotated[Sessions, Depends(app_sessions)]


@router.get("/invitation/{link}")
async def show_invitation(request: Request, link: str, token: LoginToken, session: ReadSession) -> Response:
    """Show who is invited, and ask for a password."""
    page = _invitation(link, token, await invitations.whose(session, link))
    return cookies.give_login(request, render(page), token)


@router.post("/invitation/{link}")
async def accept_invitation(  # noqa: PLR0913, PLR0917 - one parameter a thing that the request brings
    request: Request,
    link: str,
    token: OwnLoginForm,
    reads: Reads,
    session: WriteSession,
    settings: AppSettings,
    password: Typed = "",
    again: Typed = "",
) -> Response:
    """Make the account, and sign the person in."""
    try:
        account_id = await invitations.accept(reads, session, link, same_twice(password, again))
    except (FieldFaulty, PasswordRefused) as fault:
        page = _invitation(link, token, await invitations.whose(session, link), fault)
        return cookies.give_login(request, render(page, 422), token)
    return await _sign_in(request, session, settings, account_id, "invitation")


@router.get("/password/{link}")
async def show_reset(request: Request, link: str, token: LoginToken, session: ReadSession) -> Response:
    """Ask for the new password of an account."""
    page = _reset(link, token, await password_changes.whose(session, link))
    return cookies.give_login(request, render(page), token)


@router.post("/password/{link}")
async def reset(  # noqa: PLR0913, PLR0917 - one parameter a thing that the request brings
    request: Request,
    link: str,
    token: OwnLoginForm,
    reads: Reads,
    session: WriteSession,
    settings: AppSettings,
    password: Typed = "",
    again: Typed = "",
) -> Response:
    """Set the new password, end every session there is, and sign the person in."""
    try:
        account_id = await password_changes.reset(reads, session, link, same_twice(password, again))
    except (FieldFaulty, PasswordRefused) as fault:
        page = _reset(link, token, await password_changes.whose(session, link), fault)
        return cookies.give_login(request, render(page, 422), token)
    return await _sign_in(request, session, settings, account_id, "reset link")


async def _sign_in(request: Request, session: WriteSession, settings: Settings, account_id: int, way: str) -> Response:
    await login_sessions.end(session, session_token(request))
    token = await login_sessions.start(session, account_id, settings.session_hours, way=way)
    return cookies.signed_in(request, token, settings.session_hours, "/studies")


_Fault = FieldFaulty | PasswordRefused | None


def _invitation(link: str, token: str, invited: invitations.Invited, fault: _Fault = None) -> SetPassword:
    return SetPassword(
        title="Make your account",
        form_token=token,
        action=f"/login/invitation/{quote(link)}",
        email=invited.email,
        role=invited.role,
        shortest=SHORTEST,
        button="Make my account",
        **_wrong(fault),
    )


def _reset(link: str, token: str, email: str, fault: _Fault = None) -> SetPassword:
    return SetPassword(
        title="Set a new password",
        form_token=token,
        action=f"/login/password/{quote(link)}",
        email=email,
        role="",
        shortest=SHORTEST,
        button="Set the password",
        **_wrong(fault),
    )


def _wrong(fault: _Fault) -> dict[str, str]:
    if fault is None:
        return {}
    field = fault.field if isinstance(fault, FieldFaulty) else "password"
    return {"error": sentence(fault), "error_field": field}
