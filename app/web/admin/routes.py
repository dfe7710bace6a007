"""The admins' pages: the misconception sets and the accounts."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.study import accounts, progress_queries
from app.web.admin.pages import AccountRow, Accounts, SetRow, Sets
from app.web.deps import ReadSession
from app.web.pages import render
from app.web.signed_in import Admin

router = APIRouter(prefix="/admin")


@router.get("")
async def show_first() -> Response:
    """Lead to the first of the admins' pages, which checks who asks."""
    return RedirectResponse("/admin/sets", 303)


@router.get("/sets")
async def show_sets(account: Admin, session: ReadSession) -> Response:
    """List every version of every misconception set."""
    listed = await progress_queries.sets(session)
    page = Sets(
        title="Sets",
        email=account.who.email,
        is_admin=account.who.is_admin,
        section="sets",
        form_token=account.form_token,
        sets=tuple(_set_row(found) for found in listed),
    )
    return render(page)


@router.get("/accounts")
async def show_accounts(account: Admin, session: ReadSession) -> Response:
    """List every account."""
    listed = await accounts.listed(session)
    page = Accounts(
        title="Accounts",
        email=account.who.email,
        is_admin=account.who.is_admin,
        section="accounts",
        form_token=account.form_token,
        accounts=tuple(_account_row(found) for found in listed),
    )
    return render(page)


def _set_row(found: progress_queries.SetListed) -> SetRow:
    values = found._asdict() | {"studies": tuple(found.studies)}
    return SetRow(**values)


def _account_row(found: accounts.AccountListed) -> AccountRow:
    return AccountRow(
        email=found.email,
        role=found.role,
        created_at=found.created_at,
        disabled=found.disabled_at is not None,
        n_sessions=found.n_sessions,
    )
