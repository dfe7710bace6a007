"""The admins' pages about invitations: made, renewed, withdrawn. The admin sends the link; Candor sends no mail."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from app.settings import Settings
from app.study import invitations
from app.study.accounts import EmailImplausible, EmailTaken
from app.study.invitations import LIFETIME, AlreadyInvited
from app.terms import Role
from app.web.admin.contexts import ACCOUNTS, INVITATIONS, SECTION
from app.web.admin.pages import Invite
from app.web.deps import AppSettings, ReadSession, WriteSession
from app.web.desk import Confirm, ShownOnce, frame, outward
from app.web.fields import FieldFaulty, Typed, sentence
from app.web.pages import Link, render
from app.web.signed_in import Admin, CurrentAccount, OwnForm

router = APIRouter(prefix="/invitations")

InvitationId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/new")
async def ask(account: Admin) -> Response:
    """Ask whom to invite, and as what."""
    return render(_form(account))


@router.post("/new")
async def invite(
    request: Request,
    account: Admin,
    _: OwnForm,
    session: WriteSession,
    settings: AppSettings,
    address: Typed = "",
    role: Typed = "",
) -> Response:
    """Invite somebody and show the link to send, once."""
    try:
        wanted = _role(address, role)
        token = await invitations.invite(session, address, wanted, by=account.who.account_id)
    except FieldFaulty as fault:
        return render(_form(account, address, role, str(fault), fault.field), 422)
    except (EmailImplausible, EmailTaken, AlreadyInvited) as fault:
        return render(_form(account, address, role, sentence(fault), "address"), 422)
    return _link(request, settings, account, address.strip(), token)


def _role(address: str, role: str) -> Role:
    if not address.strip():
        raise FieldFaulty("Enter an email address", "address")
    if role not in {*Role}:
        raise FieldFaulty("Choose a role", f"role-{Role.RESEARCHER}")
    return Role(role)


def _form(account: CurrentAccount, address: str = "", role: str = "", error: str = "", field: str = "") -> Invite:
    given = frame(account, SECTION)
    typed = {"address": address, "role": role, "error": error, "error_field": field}
    return Invite(title="Invite somebody", **given, days=LIFETIME.days, **typed)


def _link(request: Request, settings: Settings, account: CurrentAccount, address: str, token: str) -> Response:
    paragraphs = (
        f"Send this link to {address} yourself: Candor sends no mail. It works once, for {LIFETIME.days} days.",
        "Whoever opens it can make the account, so send it in a way that only they can read.",
        "It is not shown again.",
    )
    page = ShownOnce(
        title="The invitation is ready",
        **frame(account, SECTION),
        paragraphs=paragraphs,
        what="link",
        value=outward(request, settings, "/login/invitation/", token),
        back=Link(text="Back to the accounts", href=ACCOUNTS),
    )
    return render(page)


@router.get("/{invitation_id}/renew")
async def ask_renew(invitation_id: InvitationId, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to make a new link."""
    invited = await invitations.seen(session, invitation_id)
    page = Confirm(
        title=f"Renew the invitation of {invited.email}?",
        **frame(account, SECTION),
        paragraphs=(f"You get a new link, for {LIFETIME.days} days. The earlier link stops working.",),
        action=f"{INVITATIONS}/{invitation_id}/renew",
        button="Make a new link",
        back=ACCOUNTS,
    )
    return render(page)


@router.post("/{invitation_id}/renew")
async def renew(
    request: Request,
    invitation_id: InvitationId,
    account: Admin,
    _: OwnForm,
    session: WriteSession,
    settings: AppSettings,
) -> Response:
    """Make a new link for a pending invitation and show it, once."""
    invited = await invitations.seen(session, invitation_id)
    token = await invitations.renew(session, invitation_id, by=account.who.account_id)
    return _link(request, settings, account, invited.email, token)


@router.get("/{invitation_id}/withdraw")
async def ask_withdraw(invitation_id: InvitationId, account: Admin, session: ReadSession) -> Response:
    """Ask once whether to withdraw an invitation."""
    invited = await invitations.seen(session, invitation_id)
    page = Confirm(
        title=f"Withdraw the invitation of {invited.email}?",
        **frame(account, SECTION),
        paragraphs=("The link that was sent stops working. You can invite the person again.",),
        action=f"{INVITATIONS}/{invitation_id}/withdraw",
        button="Withdraw the invitation",
        back=ACCOUNTS,
    )
    return render(page)


@router.post("/{invitation_id}/withdraw")
async def withdraw(invitation_id: InvitationId, account: Admin, _: OwnForm, session: WriteSession) -> Response:
    """Withdraw an invitation."""
    await invitations.withdraw(session, invitation_id, by=account.who.account_id)
    return RedirectResponse(f"{ACCOUNTS}?done=withdrawn", 303)
