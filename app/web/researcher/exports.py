"""Downloads. A file's length is not known beforehand, so it is sent in chunks: one cut short is seen as cut short."""

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from app.exports.csv_files import choices_csv, codebook_csv
from app.web.deps import ReadSession
from app.web.researcher.access import visible_study
from app.web.signed_in import Researcher

router = APIRouter()


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@router.get("/studies/{slug}/export/choices.csv")
async def choices(slug: str, session: ReadSession, account: Researcher) -> Response:
    """Stream a study's choices."""
    await visible_study(session, slug, account)
    return StreamingResponse(
        choices_csv(session, slug), media_type="text/csv; charset=utf-8", headers=_download(f"{slug}-choices.csv")
    )


@router.get("/studies/{slug}/export/codebook.csv")
async def codebook(slug: str, session: ReadSession, account: Researcher) -> Response:
    """Send the description of every column."""
    await visible_study(session, slug, account)
    return StreamingResponse(codebook_csv(), media_type="text/csv; charset=utf-8", headers=_download("codebook.csv"))
