"""What can be read of studies: the list, one, how far it is; and the codebook of every table."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.exports import codebook
from app.study import progress_queries, scoring_queries
from app.web.api.access import reachable
from app.web.api.callers import Reader
from app.web.api.conditional import document
from app.web.api.documents import (
    Codebook,
    ColumnDescribed,
    Progress,
    Studies,
    StudyDocument,
    progress_document,
    studies_document,
    study_document,
)
from app.web.api.scoring_documents import ScoringRuns, scoring_run_document
from app.web.deps import ReadSession

router = APIRouter()


@router.get("/studies", response_model=Studies)
async def list_studies(request: Request, caller: Reader, session: ReadSession) -> Response:
    """List the studies that the caller may see, the newest first."""
    return document(request, studies_document(await progress_queries.studies(session, caller.who)))


@router.get("/studies/{slug}", response_model=StudyDocument)
async def read_study(request: Request, slug: str, caller: Reader, session: ReadSession) -> Response:
    """Read one study: its design, state, hashes, amendments and preregistration."""
    await reachable(session, slug, caller)
    return document(request, await study_document(session, slug))


@router.get("/studies/{slug}/progress", response_model=Progress)
async def read_progress(request: Request, slug: str, caller: Reader, session: ReadSession) -> Response:
    """Read how far a study is: slots by level and arm, people by stage."""
    study = await reachable(session, slug, caller)
    levels = await progress_queries.levels(session, study.id)
    stages = await progress_queries.stages(session, study.id)
    return document(request, progress_document(study, levels, stages))


@router.get("/studies/{slug}/scoring-runs", response_model=ScoringRuns)
async def list_scoring_runs(request: Request, slug: str, caller: Reader, session: ReadSession) -> Response:
    """List what preference models were run over a study's pairs, with the record of each; the scores are a table."""
    study = await reachable(session, slug, caller)
    found = await scoring_queries.runs(session, study.id)
    return document(request, ScoringRuns(scoring_runs=[scoring_run_document(one.run) for one in found]))


@router.get("/codebook", response_model=Codebook)
async def read_codebook(request: Request, _: Reader) -> Response:
    """Read what every column of every table means."""
    rows = (dict(zip(codebook.COLUMNS, row, strict=True)) for row in codebook.rows())
    return document(request, Codebook(columns=[ColumnDescribed(**row) for row in rows]))
