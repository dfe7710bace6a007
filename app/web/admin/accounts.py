"""The admins' pages about accounts: listed, disabled, enabled, given a role, a link or fewer tokens."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from app.study import accounts, api_tokens, invitations, password_changes
from app.study.accounts import AccountListed, LastActiveAdmin
from app.terms import Role
from app.web.admin.contexts import ACCOUNTS, SECTION, account_page, accounts_page
from app.web.admin.pages import ChangeRole
from app.web.deps import AppSettings, ReadSession, WriteSession
from app.web.desk import Confirm, ShownOnce, frame, outward
from app.web.fields import Typed, sentence
from app.web.pages import Link, render
from app.web.signed_in import Admin, CurrentAccount, OwnForm

router = APIRouter(prefix="/accounts")

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_DONE = {
    "withdrawn": "The invitation was withdrawn.",
    "disabled": "The account was disabled.",
    "enabled": "The account was enabled.",
    "role": "The role was changed.",
    "token": "The token was revoked.",
}


@router.get("")
async def show(account: Admin, session: ReadSession, done: str = "") -> Response:
    """List every account and every pending invitation."""
    listed, invited = await accounts.listed(session), await invitations.listed(session)
    return render(accounts_page(account, listed, invited, _DONE.get(done, "")))


@router.get("/{number}")
async def show_one(number: Number, account: Admin, session: ReadSession, done: str = "") -> Response:
    """Show one account, and what can be done with it."""
    found = await accounts.seen(session, number)
    tokens = await api_tokens.listed(session, number)
    return render(account_page(account, found, tokens, _DONE.get(done, "")))


@router.get("/{number}/disable")
async def ask_disable(number: Number, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to disable an account."""
    found = await accounts.seen(session, number)
    said = (
        f"{found.email} is signed out everywhere at once.",
        "Their API tokens and their links, those to results too, stop working for good.",
        "Their studies and all that was recorded stay. You can enable the account again.",
    )
    return _ask(account, found, "disable", f"Disable {found.email}?", said, "Disable the account")


@router.post("/{number}/disable")
async def disable(number: Number, account: Admin, _: OwnForm, session: WriteSession) -> Response:
    """Disable an account."""
    await accounts.disable(session, (await accounts.seen(session, number)).email, by=account.who.account_id)
    return _back(number, "disabled")


@router.get("/{number}/enable")
async def ask_enable(number: Number, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to enable an account."""
    found = await accounts.seen(session, number)
    said = (f"{found.email} can sign in again, with the password and the role that they had.",)
    return _ask(account, found, "enable", f"Enable {found.email}?", said, "Enable the account")


@router.post("/{number}/enable")
async def enable(number: Number, account: Admin, _: OwnForm, session: WriteSession) -> Response:
    """Enable an account."""
    await accounts.enable(session, (await accounts.seen(session, number)).email, by=account.who.account_id)
    return _back(number, "enabled")


@router.get("/{number}/reset")
async def ask_reset(number: Number, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to make a link that sets a password."""
    found = await accounts.seen(session, number)
    said = (
        f"You get a link to send to {found.email}, with which they set a new password within a day.",
        "Until they have used it the old password works. To shut somebody out at once, disable the account.",
    )
    return _ask(account, found, "reset", f"Let {found.email} set a new password?", said, "Make a link")


@router.post("/{number}/reset")
async def reset(
    request: Request, number: Number, account: Admin, _: OwnForm, session: WriteSession, settings: AppSettings
) -> Response:
    """Make a link that sets a password and show it, once."""
    found = await accounts.seen(session, number)
    token = await password_changes.make_link(session, found.email, by=account.who.account_id)
    paragraphs = (
        f"Send this link to {found.email} yourself: Candor sends no mail. It works once, within a day.",
        "Whoever opens it can take over the account, so send it in a way that only they can read.",
        "It is not shown again.",
    )
    page = ShownOnce(
        title="The link is ready",
        **frame(account, SECTION),
        paragraphs=paragraphs,
        what="link",
        value=outward(request, settings, "/login/password/", token),
        back=Link(text=f"Back to {found.email}", href=f"{ACCOUNTS}/{number}"),
    )
    return render(page)


@router.get("/{number}/role")
async def ask_role(number: Number, account: Admin, session: ReadSession) -> Response:
    """Ask which role an account is to have."""
    found = await accounts.seen(session, number)
    return render(_role_form(account, found, found.role))


@router.post("/{number}/role")
async def change_role(number: Number, account: Admin, _: OwnForm, session: WriteSession, role: Typed = "") -> Response:
    """Give an account another role."""
    found = await accounts.seen(session, number)
    if role not in {*Role}:
        return render(_role_form(account, found, "", "Choose a role"), 422)
    try:
        await accounts.change_role(session, found.email, Role(role), by=account.who.account_id)
    except LastActiveAdmin as fault:
        return render(_role_form(account, found, role, sentence(fault)), 422)
    return _back(number, "role")


@router.get("/{number}/tokens/{token_id}/revoke")
async def ask_revoke(number: Number, token_id: Number, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to revoke somebody's token."""
    found = await accounts.seen(session, number)
    token = await api_tokens.seen(session, number, token_id)
    said = (f"Programs of {found.email} that use it are refused from now on. This cannot be undone.",)
    asked = f"Revoke the token {token.name}?"
    return _ask(account, found, f"tokens/{token_id}/revoke", asked, said, "Revoke the token")


@router.post("/{number}/tokens/{token_id}/revoke")
async def revoke(number: Number, token_id: Number, account: Admin, _: OwnForm, session: WriteSession) -> Response:
    """Revoke somebody's token."""
    token = await api_tokens.seen(session, number, token_id)
    await api_tokens.revoke(session, number, token.name, by=account.who.account_id)
    return _back(number, "token")


def _back(number: int, done: str) -> Response:
    return RedirectResponse(f"{ACCOUNTS}/{number}?done={done}", 303)


def _ask(
    account: CurrentAccount, found: AccountListed, act: str, title: str, said: tuple[str, ...], button: str
) -> Response:
    there = f"{ACCOUNTS}/{found.id}"
    page = Confirm(
        title=title,
        **frame(account, SECTION),
        paragraphs=said,
        action=f"{there}/{act}",
        button=button,
        back=there,
    )
    return render(page)


def _role_form(account: CurrentAccount, found: AccountListed, role: str, error: str = "") -> ChangeRole:
    there = f"{ACCOUNTS}/{found.id}"
    return ChangeRole(
        title=f"The role of {found.email}",
        **frame(account, SECTION),
        account=found.email,
        action=f"{there}/role",
        back=there,
        role=role,
        error=error,
        error_field=f"role-{Role.RESEARCHER}" if error else "",
    )
