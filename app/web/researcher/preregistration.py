"""A study's preregistration: the block on its page, making it, and its two files."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import preregistrations
from app.study.preregistration_markdown import markdown
from app.terms import StudyState
from app.web.deps import ReadSession, WriteSession
from app.web.researcher.access import visible_study
from app.web.signed_in import OwnForm, Researcher

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreregistrationBlock:
    """What a study's page shows of its preregistration: made, with its hash, or the button that makes it (`make`)."""

    make: str = ""
    made_at: datetime | None = None
    document_hash: str = ""
    design_hash: str = ""
    markdown: str = ""
    json: str = ""


async def preregistration_block(session: AsyncSession, study: Study) -> PreregistrationBlock | None:
    """Return the block; None where nothing was written down before the study opened."""
    path = f"/studies/{quote(study.slug)}"
    found = await preregistrations.find(session, study.id)
    if found is None:
        return PreregistrationBlock(make=f"{path}/preregister") if study.state == StudyState.DRAFT else None
    return PreregistrationBlock(
        made_at=found.made_at,
        document_hash=found.document_hash,
        design_hash=found.document["hashes"]["design"],
        markdown=f"{path}/preregistration.md",
        json=f"{path}/preregistration.json",
    )


@router.post("/studies/{slug}/preregister")
async def preregister(slug: str, account: Researcher, session: WriteSession, _own: OwnForm) -> Response:
    """Write down what the study will test; from then on its draft stays as it is."""
    study = await visible_study(session, slug, account)
    await preregistrations.preregister(session, study.slug, account.who.account_id)
    return RedirectResponse(f"/studies/{quote(slug)}#preregistration", 303)


@router.get("/studies/{slug}/preregistration.md")
async def as_markdown(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Send the preregistration to read."""
    found = await preregistrations.get(session, await visible_study(session, slug, account))
    return _file(markdown(found.document, found.document_hash), f"{slug}-preregistration.md", "text/markdown")


@router.get("/studies/{slug}/preregistration.json")
async def as_json(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Send the preregistration for a program, beside its hash."""
    found = await preregistrations.get(session, await visible_study(session, slug, account))
    return _file(preregistrations.json_of(found), f"{slug}-preregistration.json", "application/json")


def _file(content: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content.encode(), media_type=f"{media_type}; charset=utf-8", headers=headers)
