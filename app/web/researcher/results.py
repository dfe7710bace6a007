"""The results page: what a study shows, computed once for each version of its data."""

from asyncio import Lock
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from weakref import WeakKeyDictionary

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.models import Study
from app.study import data_versions, result_links
from app.terms import StudyState
from app.web.deps import SnapshotSession
from app.web.desk import frame
from app.web.pages import render
from app.web.researcher.access import visible_study
from app.web.researcher.results_pages import ResultsPage, SharedLink
from app.web.signed_in import Researcher

if TYPE_CHECKING:
    from app.results.crossed.fit import ModelFit
    from app.results.findings import Findings
    from app.results.observed import Observed
    from app.results.report.parts import Results

router = APIRouter()

_KEPT = 16
_DONE = {"revoked": "The link is revoked. Who has it sees nothing any more."}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of one version of a study's data."""

    results: "Results"
    methods: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Kept:
    """What was computed last, by study and version of its data; one thing is computed at a time."""

    lock: Lock = field(default_factory=Lock)
    shown: OrderedDict[tuple[int, str], Shown] = field(default_factory=OrderedDict)

    def find(self, key: tuple[int, str]) -> Shown | None:
        """Return what is kept, as what was used last."""
        found = self.shown.get(key)
        if found is not None:
            self.shown.move_to_end(key)
        return found

    def keep(self, key: tuple[int, str], shown: Shown) -> None:
        """Keep it, and forget what was not used for the longest time."""
        self.shown[key] = shown
        while len(self.shown) > _KEPT:
            self.shown.popitem(last=False)


_KEPT_FOR: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()


async def _kept(request: Request) -> _Kept:
    database: Database = request.app.state.database
    return _KEPT_FOR.setdefault(database, _Kept())


Kept = Annotated[_Kept, Depends(_kept)]


@router.get("/studies/{slug}/results")
async def show_results(
    slug: str, account: Researcher, session: SnapshotSession, kept: Kept, done: str = ""
) -> Response:
    """Show what a study shows. All numbers are of one moment."""
    study = await visible_study(session, slug, account)
    shown = await shown_of(session, study, kept)
    link = await result_links.current(session, study.id)
    page = ResultsPage(
        title=f"Results of {study.title}",
        **frame(account, "studies"),
        slug=study.slug,
        study_title=study.title,
        state=study.state,
        results=shown.results,
        methods=shown.methods,
        may_share=study.state != StudyState.DRAFT,
        link=None if link is None else SharedLink(made_at=link.made_at, made_by=link.made_by or ""),
        done=_DONE.get(done, ""),
    )
    return render(page)


async def shown_of(session: AsyncSession, study: Study, kept: _Kept) -> Shown:
    """Return what a study shows, computed if its data have changed since."""
    from app.results.crossed.stored import models_of  # noqa: PLC0415 - as above
    from app.results.sources.from_database import from_database  # noqa: PLC0415 - numpy is imported by whoever needs it

    key = (study.id, await data_versions.of_study(session, study.id))
    async with kept.lock:
        found = kept.find(key)
        if found is None:
            observed = await from_database(session, study.slug)
            models = await models_of(session, study.id)
            found = await to_thread.run_sync(_computed, observed, models, key[1])
            kept.keep(key, found)
    return found


def _computed(observed: "Observed", models: "tuple[ModelFit, ...]", data_version: str) -> Shown:
    from app.results.finding.find import find  # noqa: PLC0415 - as above
    from app.results.report.contents import results  # noqa: PLC0415 - as above
    from app.results.report.methods import methods  # noqa: PLC0415 - as above

    findings: Findings = find(observed, models)
    shown = results(findings, data_version)
    return Shown(shown, methods(findings, data_version) if shown.figures else ())
