"""Downloads. A file's length is not known beforehand, so it is sent in chunks: one cut short is seen as cut short."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response

from app.db import Sessions
from app.exports.bundle import bundle
from app.exports.files import Format, codebook_file, formats, table_file
from app.exports.payments import PAYMENTS
from app.exports.preferences import PREFERENCES, Form, Unit, preferences
from app.exports.tables import RELEASED
from app.study import events
from app.study.previews import refuse_preview
from app.web.deps import ReadSession, SnapshotSession, app_sessions
from app.web.researcher.access import visible_study
from app.web.signed_in import Researcher
from app.web.streaming import Sent

router = APIRouter()


def _download(chunks: AsyncGenerator[bytes, None], name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Sent(chunks, media_type=media_type, headers=headers)


async def _format(extension: str, _account: Researcher) -> Format:
    """Return the format that an address ends in; one that cannot be had here is no address of ours."""
    if extension not in formats():
        raise HTTPException(404)
    return Format(extension)


Extension = Annotated[Format, Depends(_format)]


@router.get("/studies/{slug}/export/bundle.zip")
async def whole_bundle(slug: str, account: Researcher, session: SnapshotSession) -> Response:
    """Stream every table but the payments, with all that says how they came to be."""
    refuse_preview(await visible_study(session, slug, account))
    return _download(bundle(session, slug), f"{slug}.zip", "application/zip")


async def _audited(
    slug: str, account: Researcher, _known: Extension, sessions: Annotated[Sessions, Depends(app_sessions)]
) -> None:
    """Record who takes personal data, before any of it leaves.

    The transaction is its own and over before the download's begins: a request that held one connection and waited for
    a second could block others.
    """
    async with sessions.begin() as session:
        study = await visible_study(session, slug, account)
        refuse_preview(study)
        await events.record(session, "payments_exported", study_id=study.id, account_id=account.who.account_id)


@router.get("/studies/{slug}/export/payments.{extension}", dependencies=[Depends(_audited)])
async def payments(slug: str, known: Extension, session: ReadSession) -> Response:
    """Stream who came from the platform, and what each is due."""
    return _download(table_file(session, PAYMENTS, slug, known), f"{slug}-payments.{known}", known.media_type)


@router.get("/studies/{slug}/export/codebook.{extension}")
async def codebook(slug: str, account: Researcher, known: Extension, session: ReadSession) -> Response:
    """Send the description of every column."""
    await visible_study(session, slug, account)
    return _download(codebook_file(known), f"codebook.{known}", known.media_type)


@router.get("/studies/{slug}/export/{table}.{extension}")
async def table(  # noqa: PLR0913 - all of it is in the address
    slug: str,
    table: str,
    account: Researcher,
    known: Extension,
    session: ReadSession,
    *,
    form: Form = Form.TRL,
    unit: Unit = Unit.CHOICE,
) -> Response:
    """Stream a table of a study. `form` and `unit` are of the preferences."""
    refuse_preview(await visible_study(session, slug, account))
    chosen = preferences(form, unit) if table == PREFERENCES.name else RELEASED.get(table)
    if chosen is None:
        raise HTTPException(404)
    return _download(table_file(session, chosen, slug, known), f"{slug}-{chosen.name}.{known}", known.media_type)
