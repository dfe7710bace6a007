"""`candor account`: the accounts of researchers and admins, their invitations and their API tokens."""

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, print_json, print_table
from app.cli.running import run_in_transaction
from app.settings import settings
from app.study import accounts, api_tokens, invitations, password_changes
from app.study.api_tokens import NewToken
from app.terms import Role, TokenScope

account = typer.Typer(help="Accounts of researchers and admins.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="the email address that the account signs in with")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON")]
_ROLE_HELP = "an admin sees every study, the sets and the accounts"


def _asked_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask for the password on; give --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again"))


@account.command()
def create(
    email: Email,
    role: Annotated[Role, typer.Option(help=_ROLE_HELP)],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read the password from stdin")] = False,
) -> None:
    """Make an account; asks for its password."""
    password = _asked_password(from_stdin=password_stdin)
    run_in_transaction(lambda session: accounts.create(session, email, role, password))
    console.print(f"Made the {role} account {accounts.normalised(email)}.", markup=False)


@account.command()
def invite(
    email: Email,
    role: Annotated[Role, typer.Option(help=_ROLE_HELP)],
    days: Annotated[int, typer.Option(help="days until the link expires", min=1, max=90)] = invitations.LIFETIME.days,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a link by which somebody makes their own account; it works once. Send it to them yourself."""
    lifetime = timedelta(days=days)
    token = run_in_transaction(lambda session: invitations.invite(session, email, role, lifetime))
    _print_link("invitation", token, as_json=as_json)


@account.command("invitations")
def list_invitations(*, as_json: AsJson = False) -> None:
    """List the invitations that are pending."""
    listed = run_in_transaction(invitations.listed)
    if as_json:
        print_json([found._asdict() for found in listed])
        return
    rows = [[found.email, found.role, _until(found.expires_at, over=found.expired)] for found in listed]
    print_table(["Email", "Role", "Expires"], rows)


@account.command()
def withdraw(email: Email) -> None:
    """Withdraw a pending invitation: its link stops working."""

    async def work(session: AsyncSession) -> None:
        await invitations.withdraw(session, await invitations.pending_for(session, email))

    _do(work, f"Withdrew the invitation of {accounts.normalised(email)}.")


@account.command()
def reset(email: Email, *, as_json: AsJson = False) -> None:
    """Print a link that sets a password once, within a day. Send it to the person yourself."""
    token = run_in_transaction(lambda session: password_changes.make_link(session, email))
    _print_link("password", token, as_json=as_json)


def _print_link(kind: str, token: str, *, as_json: bool) -> None:
    base = str(settings().public_url or "http://127.0.0.1:8000").rstrip("/")
    link = f"{base}/login/{kind}/{token}"
    if as_json:
        print_json({"link": link})
    else:
        sys.stdout.write(f"{link}\n")


@account.command("list")
def list_accounts(*, json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """List every account."""
    listed = run_in_transaction(accounts.listed)
    if json:
        print_json([_as_json(found) for found in listed])
        return
    if not listed:
        console.print("There is no account yet: candor account create EMAIL --role admin")
        return
    headings = ["Email", "Role", "State", "Last sign-in", "Open sessions", "API tokens", "Added"]
    print_table(headings, [_as_row(found) for found in listed])


def _as_row(found: accounts.AccountListed) -> list[str]:
    state = "disabled" if found.disabled_at else "active"
    last = f"{found.last_signed_in_at:%Y-%m-%d %H:%M}" if found.last_signed_in_at else "never"
    counts = [str(found.n_sessions), str(found.n_tokens)]
    return [found.email, found.role, state, last, *counts, f"{found.created_at:%Y-%m-%d}"]


def _as_json(found: accounts.AccountListed) -> dict[str, Any]:
    return {
        "email": found.email,
        "role": found.role,
        "created_at": found.created_at.isoformat(),
        "disabled_at": found.disabled_at.isoformat() if found.disabled_at else None,
        "last_signed_in_at": found.last_signed_in_at.isoformat() if found.last_signed_in_at else None,
        "n_sessions": found.n_sessions,
        "n_tokens": found.n_tokens,
    }


def _do(work: Callable[[AsyncSession], Awaitable[object]], done: str) -> None:
    run_in_transaction(work)
    console.print(done, markup=False)


@account.command()
def disable(email: Email) -> None:
    """Close an account: it is signed out at once, and its tokens and links, those to results too, stop working."""
    _do(lambda session: accounts.disable(session, email), f"Disabled {accounts.normalised(email)}.")


@account.command()
def enable(email: Email) -> None:
    """Open a disabled account again, with the password that it had."""
    _do(lambda session: accounts.enable(session, email), f"Enabled {accounts.normalised(email)}.")


@account.command("role")
def change_role(email: Email, role: Annotated[Role, typer.Option(help=_ROLE_HELP)]) -> None:
    """Give an account another role."""
    said = f"{accounts.normalised(email)} has the role {role}."
    _do(lambda session: accounts.change_role(session, email, role), said)


@account.command("token")
def make_token(
    email: Email,
    name: Annotated[str, typer.Option(help="where the token is used")],
    scope: Annotated[TokenScope, typer.Option(help="control may also change studies")] = TokenScope.READ,
    days: Annotated[int, typer.Option(help="days until it expires", min=1, max=api_tokens.LONGEST_DAYS)] = 90,
    *,
    as_json: AsJson = False,
) -> None:
    """Make an API token of an account and print it: it cannot be shown again."""
    wanted = NewToken(name=name, scope=scope, expires_at=api_tokens.in_days(days))
    token = run_in_transaction(lambda session: api_tokens.make(session, email, wanted))
    if as_json:
        print_json({"token": token, "expires_at": wanted.expires_at.isoformat()})
    else:
        sys.stdout.write(f"{token}\n")


@account.command("tokens")
def list_tokens(email: Email, *, as_json: AsJson = False) -> None:
    """List an account's API tokens; what they are cannot be shown again."""

    async def work(session: AsyncSession) -> list[api_tokens.TokenListed]:
        return await api_tokens.listed(session, await _known(session, email))

    listed = run_in_transaction(work)
    if as_json:
        print_json([found._asdict() for found in listed])
        return
    print_table(["Name", "Scope", "Expires", "Last used"], [_token_row(found) for found in listed])


def _token_row(found: api_tokens.TokenListed) -> list[str]:
    used = f"{found.last_used_at:%Y-%m-%d %H:%M}" if found.last_used_at else "never"
    return [found.name, found.scope, _until(found.expires_at, over=found.expired), used]


def _until(moment: datetime, *, over: bool) -> str:
    return f"{moment:%Y-%m-%d %H:%M}{' (expired)' if over else ''}"


@account.command("revoke-token")
def revoke_token(email: Email, name: Annotated[str, typer.Argument(help="the token's name")]) -> None:
    """Revoke an API token: it stops working at once."""

    async def work(session: AsyncSession) -> None:
        await api_tokens.revoke(session, await _known(session, email), name)

    _do(work, f"Revoked the token {name} of {accounts.normalised(email)}.")


async def _known(session: AsyncSession, email: str) -> int:
    account_id = await accounts.id_of(session, email)
    if account_id is None:
        raise accounts.AccountUnknown(accounts.normalised(email))
    return account_id
