"""One's own account: what it is, its password, its API tokens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response

from app.db import Sessions
from app.study import accounts, api_tokens
from app.study.accounts import AccountListed
from app.study.api_tokens import TokenListed, TokenNameFaulty, TokenNameTaken
from app.study.logins import Guess, Refused
from app.study.password_changes import change
from app.study.password_rules import PasswordRefused
from app.web.account.forms import EnteredPassword, EnteredToken, password_page, token_page
from app.web.account.pages import YourAccount
from app.web.deps import AppSettings, ReadSession, WriteSession, app_sessions
from app.web.desk import Confirm, ShownOnce, frame, token_row
from app.web.fields import FieldFaulty, sentence, try_again
from app.web.pages import Link, render
from app.web.signed_in import CurrentAccount, OwnForm, Researcher

router = APIRouter(prefix="/account")

_DONE = {
    "password": "Your password was changed. You are signed out everywhere else.",
    "token": "The token was revoked.",
}
_SECTION = "account"
TokenId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("")
async def show(account: Researcher, session: ReadSession, done: str = "") -> Response:
    """Show one's own account."""
    found = await accounts.seen(session, account.who.account_id)
    tokens = await api_tokens.listed(session, account.who.account_id)
    return render(_page(account, found, tokens, _DONE.get(done, "")))


@router.get("/password")
async def ask_password(account: Researcher) -> Response:
    """Ask for the current password and a new one."""
    return render(password_page(account))


@router.post("/password")
async def change_password(  # noqa: PLR0913, PLR0917 - one parameter a thing that the request brings
    request: Request,
    account: Researcher,
    own: OwnForm,
    entered: EnteredPassword,
    reads: Annotated[Sessions, Depends(app_sessions)],
    session: WriteSession,
    settings: AppSettings,
) -> Response:
    """Change one's own password; every other browser is signed out."""
    address = request.client.host if request.client else ""
    guess = Guess(email=account.who.email, password=entered.current, address=address)
    try:
        new = entered.checked()
        outcome = await change(reads, session, guess, new, keep=own, attempts=settings.login_attempts)
    except FieldFaulty as fault:
        return render(password_page(account, str(fault), fault.field), 422)
    except PasswordRefused as fault:
        return render(password_page(account, sentence(fault), "new"), 422)
    if isinstance(outcome, Refused):
        return _refused(account, outcome)
    return RedirectResponse("/account?done=password", 303)


def _refused(account: CurrentAccount, outcome: Refused) -> Response:
    if outcome.wait is None:
        return render(password_page(account, "This is not your current password", "current"), 403)
    return try_again(outcome.wait, lambda said: password_page(account, said, "current"))


@router.get("/tokens/new")
async def ask_token(account: Researcher) -> Response:
    """Ask for what a new API token is to be."""
    return render(token_page(account))


@router.post("/tokens/new")
async def make_token(account: Researcher, _: OwnForm, typed: EnteredToken, session: WriteSession) -> Response:
    """Make an API token and show it, once."""
    try:
        wanted = typed.checked()
        token = await api_tokens.make(session, account.who.email, wanted, by=account.who.account_id)
    except (FieldFaulty, TokenNameFaulty, TokenNameTaken) as fault:
        return render(token_page(account, typed, fault), 422)
    paragraphs = (
        "Copy the token now and keep it where you keep passwords. It is stored as a hash, so it cannot be shown again.",
        f"Programs send it in the header Authorization, after the word Bearer. {_until(wanted)}",
    )
    back = Link(text="Back to your account", href="/account")
    page = ShownOnce(
        title="Your new token", **frame(account, _SECTION), paragraphs=paragraphs, what="token", value=token, back=back
    )
    return render(page)


def _until(wanted: api_tokens.NewToken) -> str:
    return f"It works until {wanted.expires_at:%d %B %Y, %H:%M} UTC."


@router.get("/tokens/{token_id}/revoke")
async def ask_revoke(token_id: TokenId, account: Researcher, session: ReadSession) -> Response:
    """Ask once whether to revoke a token."""
    token = await api_tokens.seen(session, account.who.account_id, token_id)
    page = Confirm(
        title=f"Revoke the token {token.name}?",
        **frame(account, _SECTION),
        paragraphs=("Programs that use it are refused from now on. This cannot be undone.",),
        action=f"/account/tokens/{token_id}/revoke",
        button="Revoke the token",
        back="/account",
    )
    return render(page)


@router.post("/tokens/{token_id}/revoke")
async def revoke(token_id: TokenId, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Revoke a token of one's own."""
    account_id = account.who.account_id
    token = await api_tokens.seen(session, account_id, token_id)
    await api_tokens.revoke(session, account_id, token.name, by=account_id)
    return RedirectResponse("/account?done=token", 303)


def _page(account: CurrentAccount, found: AccountListed, tokens: list[TokenListed], done: str) -> YourAccount:
    return YourAccount(
        title="Your account",
        **frame(account, _SECTION),
        role=found.role,
        created_at=found.created_at,
        last_signed_in_at=found.last_signed_in_at,
        has_password=found.has_password,
        tokens=tuple(token_row(token, f"/account/tokens/{token.id}/revoke") for token in tokens),
        done=done,
    )
