"""Who calls: the owner of an API token, or of a signed-in browser's session, and whether they may change anything."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from app.db import Sessions
from app.errors import CandorError
from app.study import api_tokens
from app.study.api_tokens import Bearer
from app.study.login_sessions import SignedIn
from app.study.tokens import same
from app.web.deps import AppSettings, app_sessions
from app.web.security import SAFE
from app.web.signed_in import SESSION_COOKIE, FormTokenWrong, current_account, session_token

FORM_TOKEN = "X-Form-Token"  # noqa: S105 - the name of a header


class TokenWrong(CandorError):
    """The token is unknown, expired or revoked, or its account is disabled: nobody is told which."""

    def __init__(self) -> None:
        super().__init__("this API token is not valid; it may have expired or been revoked")


class TooManyWrongTokens(CandorError):
    """Too many wrong tokens came from this address, so none is looked at for a while."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many wrong API tokens came from this address; try again later")
        self.wait = wait


class TokenReadsOnly(CandorError):
    """The token may read, and what was asked for changes something."""

    def __init__(self) -> None:
        super().__init__("this API token may only read; make one with the scope control")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that a request is made for, and whether it may change studies."""

    who: SignedIn
    may_control: bool


_DECLARED = (
    HTTPBearer(scheme_name="token", description="an API token: `candor_…`", auto_error=False),
    APIKeyCookie(
        name=SESSION_COOKIE,
        scheme_name="session",
        description=f"a signed-in browser's session; what changes something needs the header {FORM_TOKEN} too",
        auto_error=False,
    ),
)
DECLARED = [Depends(scheme) for scheme in _DECLARED]
"""What OpenAPI says of the two ways in; `_caller` reads them itself, to tell none from a wrong one."""


async def _caller(
    request: Request, sessions: Annotated[Sessions, Depends(app_sessions)], settings: AppSettings
) -> Caller:
    shown = request.headers.get("authorization")
    if shown is None:
        return await _of_session(request, sessions)
    scheme, _, token = shown.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenWrong
    address = request.client.host if request.client else ""
    found = await api_tokens.bearer(sessions, token.strip(), address, attempts=settings.login_attempts)
    if isinstance(found, Bearer):
        return Caller(found.who, found.may_control)
    raise TokenWrong if found.wait is None else TooManyWrongTokens(found.wait)


async def _of_session(request: Request, sessions: Sessions) -> Caller:
    account = await current_account(session_token(request), sessions)
    if request.method not in SAFE and not same(request.headers.get(FORM_TOKEN, ""), account.form_token):
        raise FormTokenWrong
    return Caller(account.who, may_control=True)


Reader = Annotated[Caller, Depends(_caller)]


async def _controller(caller: Reader) -> Caller:
    if not caller.may_control:
        raise TokenReadsOnly
    return caller


Controller = Annotated[Caller, Depends(_controller)]
