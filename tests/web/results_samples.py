"""Results pages made of a made-up study: whole, with few choices, before anybody came, and shown by a link."""

from dataclasses import replace
from datetime import UTC, datetime

from app.results.finding.find import find
from app.results.observed import Observed
from app.results.report.contents import results
from app.results.report.methods import methods
from app.web.desk import frame
from app.web.researcher.results_pages import ResultsPage, SharedLink, SharedResults
from tests.results.observed_study import first_choices, observed, untouched
from tests.web.progress_samples import ADA

VERSION = "d4" * 32


def _page(seen: Observed, state: str = "closed") -> ResultsPage:
    findings = find(seen)
    return ResultsPage(
        title="Results of A made-up study",
        **frame(ADA, "studies"),
        slug="made-up",
        study_title="A made-up study",
        state=state,
        results=results(findings, VERSION),
        methods=methods(findings, VERSION),
        may_share=state != "draft",
        link=None,
    )


PAGE = _page(observed())
LINK = SharedLink(made_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC), made_by="ada@example.org")
RESULTS_PAGES = {
    "results": PAGE,
    "results-linked": replace(PAGE, link=LINK),
    "results-linked-by-command": replace(PAGE, link=replace(LINK, made_by=""), done="The link is revoked."),
    "results-few": _page(first_choices(7), "live"),
    "results-draft": replace(_page(untouched(), "draft"), methods=()),
    "results-shared": SharedResults(title=PAGE.title, results=PAGE.results, methods=PAGE.methods),
}
