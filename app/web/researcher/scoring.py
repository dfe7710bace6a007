"""A study's preference models: its scoring runs, what they say beside the people, and taking a score file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from app.db import Sessions
from app.models import ScoringRun, Study
from app.study import scoring_queries, studies
from app.study.score_files import LARGEST, ScoreFileFaulty
from app.study.score_imports import import_scores
from app.study.scoring_queries import RunListed
from app.study.scoring_runs import RunElsewhere, RunStoredAlready
from app.study.studies import SetUnlevelled
from app.study.tokens import same
from app.terms import RunState
from app.web.addresses import SCORE_FILES
from app.web.deps import ReadSession, SnapshotSession, app_sessions
from app.web.desk import frame
from app.web.fields import sentence
from app.web.pages import render
from app.web.researcher.access import visible_study
from app.web.researcher.scoring_pages import ScoresImport, ShownRun
from app.web.researcher.scoring_told import models_page, shown_run
from app.web.signed_in import CurrentAccount, FormTokenWrong, Researcher

if TYPE_CHECKING:
    from app.results.model_rates import PeopleRates

router = APIRouter()

DONE = {
    "imported": "The score file was stored as a run.",
    "already": "This run was stored already. Nothing was changed.",
}


@router.get("/studies/{slug}/models")
async def show_models(
    slug: str, account: Researcher, session: SnapshotSession, run: str = "", done: str = ""
) -> Response:
    """Show the scoring runs of a study: those under way, and one that is done, whole."""
    await visible_study(session, slug, account)
    study = await studies.get_study(session, slug)
    listed = await scoring_queries.runs(session, study.id)
    chosen = _chosen(listed, run)
    shown = None if chosen is None else await _shown(session, study, chosen)
    synthetic = study.synthetic or (await scoring_queries.people(session, study.id)).synthetic
    return render(models_page(account, study, listed, shown, synthetic=synthetic, done=DONE.get(done, "")))


def _chosen(listed: Sequence[RunListed], asked: str) -> ScoringRun | None:
    """Return the run that was asked for, or the newest, of those that are done."""
    found = [one.run for one in listed if one.run.state == RunState.DONE]
    if not asked:
        return found[0] if found else None
    for run in found:
        if run.public_id == asked:
            return run
    raise HTTPException(404)


async def _shown(session: AsyncSession, study: Study, run: ScoringRun) -> ShownRun:
    # numpy is imported by whoever needs it, not by the server.
    from app.results.model_rates import rates_of_people, rates_of_run  # noqa: PLC0415

    margins = [one for one in await scoring_queries.pair_margins(session, study.id) if one.run == run.public_id]
    people: Sequence[PeopleRates] = ()
    if (await scoring_queries.people(session, study.id)).chose:
        people = await rates_of_people(session, study.slug)
    return shown_run(study, run, rates_of_run(margins), people)


@router.get("/studies/{slug}/models/import")
async def ask_scores(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Ask for a score file."""
    return render(_form(account, await visible_study(session, slug, account)))


@router.post(SCORE_FILES)
async def take_scores(
    request: Request, account: Researcher, sessions: Annotated[Sessions, Depends(app_sessions)], study: str = ""
) -> Response:
    """Store a score file as a run, or say what is wrong with it.

    The form is read here and not by a parameter, so that only who may see the study can make the server take a large
    file.
    """
    async with sessions() as reading:
        seen = await visible_study(reading, study, account)
    async with request.form(max_files=1, max_fields=2) as form:
        if not same(str(form.get("form_token", "")), account.form_token):
            raise FormTokenWrong
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.size:
            return _refused(account, seen, "Choose a score file; this one is empty")
        if file.size > LARGEST:
            return _refused(account, seen, f"The file is too large; at most {_largest()} are taken here")
        try:
            async with sessions.begin() as session:
                run = await import_scores(session, study, file.file, account.who.account_id)
        except ScoreFileFaulty as faulty:
            return _refused(account, seen, sentence(faulty), tuple(faulty.faults))
        except RunStoredAlready as already:
            return _done(study, already.run, "already")
        except (RunElsewhere, SetUnlevelled) as unfit:
            return _refused(account, seen, sentence(unfit))
    return _done(study, run.public_id, "imported")


def _done(slug: str, run: str, done: str) -> Response:
    return RedirectResponse(f"/studies/{quote(slug)}/models?run={run}&done={done}", 303)


def _refused(account: CurrentAccount, study: Study, error: str, faults: tuple[str, ...] = ()) -> Response:
    return render(_form(account, study, error, faults), 422)


def _form(account: CurrentAccount, study: Study, error: str = "", faults: tuple[str, ...] = ()) -> ScoresImport:
    return ScoresImport(
        title="Import a score file",
        **frame(account, "studies"),
        slug=study.slug,
        study_title=study.title,
        action=f"{SCORE_FILES}?study={quote(study.slug)}",
        largest=_largest(),
        error=error,
        faults=faults if len(faults) > 1 else (),
    )


def _largest() -> str:
    return f"{LARGEST // 2**20} MB"
