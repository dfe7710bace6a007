"""The admins' pages: the misconception sets, the accounts, the audit log."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.web.admin import accounts, audit, invitations, sets, sets_misconceptions, sets_uploads

router = APIRouter(prefix="/admin")
for part in (
    invitations.router,
    accounts.router,
    audit.router,
    sets.router,
    sets_uploads.router,
    sets_misconceptions.router,  # Last: a misconception's key is the end of its address.
):
    router.include_router(part)


@router.get("")
async def show_first() -> Response:
    """Lead to the first of the admins' pages, which checks who asks."""
    return RedirectResponse("/admin/sets", 303)
