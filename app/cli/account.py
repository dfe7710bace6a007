"""`candor account`: make, list and disable the accounts of researchers and admins."""

import sys
from typing import Annotated

import typer

from app.cli.output import console, print_json, print_table
from app.cli.running import run_in_transaction
from app.study import accounts
from app.terms import Role

account = typer.Typer(help="Accounts of researchers and admins.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="the email address that the account signs in with")]


def _asked_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask for the password on; give --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again"))


@account.command()
def create(
    email: Email,
    role: Annotated[Role, typer.Option(help="an admin sees every study, the sets and the accounts")],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="read the password from stdin")] = False,
) -> None:
    """Make an account; asks for its password."""
    password = _asked_password(from_stdin=password_stdin)
    run_in_transaction(lambda session: accounts.create(session, email, role, password))
    console.print(f"Made the {role} account {accounts.normalised(email)}.", markup=False)


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
    print_table(["Email", "Role", "State", "Open sessions", "Added"], [_as_row(found) for found in listed])


def _as_row(found: accounts.AccountListed) -> list[str]:
    state = "disabled" if found.disabled_at else "active"
    return [found.email, found.role, state, str(found.n_sessions), f"{found.created_at:%Y-%m-%d}"]


def _as_json(found: accounts.AccountListed) -> dict[str, str | int | None]:
    return {
        "email": found.email,
        "role": found.role,
        "created_at": found.created_at.isoformat(),
        "disabled_at": found.disabled_at.isoformat() if found.disabled_at else None,
        "n_sessions": found.n_sessions,
    }


@account.command()
def disable(email: Email) -> None:
    """Close an account: it is signed out everywhere at once, and its login links stop working."""
    run_in_transaction(lambda session: accounts.disable(session, email))
    console.print(f"Disabled {accounts.normalised(email)}.", markup=False)
