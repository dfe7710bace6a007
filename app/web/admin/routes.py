"""The admins' pages: the misconception sets, the accounts, the audit log."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.study import progress_queries
from app.web.admin import accounts, audit, invitations
from app.web.admin.pages import SetRow, Sets
from app.web.deps import ReadSession
from app.web.desk import frame
from app.web.pages import render
from app.web.signed_in import Admin

router = APIRouter(prefix="/admin")
for part in (invitations.router, accounts.router, audit.router):
    router.include_router(part)


@router.get("")
async def show_first() -> Response:
    """Lead to the first of the admins' pages, which checks who asks."""
    return RedirectResponse("/admin/sets", 303)


@router.get("/sets")
async def show_sets(account: Admin, session: ReadSession) -> Response:
    """List every version of every misconception set."""
    listed = await progress_queries.sets(session)
    return render(Sets(title="Sets", **frame(account, "sets"), sets=tuple(_set_row(found) for found in listed)))


def _set_row(found: progress_queries.SetListed) -> SetRow:
    values = found._asdict() | {"studies": tuple(found.studies)}
    return SetRow(**values)
