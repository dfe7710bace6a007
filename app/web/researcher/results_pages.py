"""The contexts of the results page and of the page that a read-only link shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from app.web.pages import Page
from app.web.signed_in import SignedInPage

if TYPE_CHECKING:
    from app.results.report.parts import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLink:
    """The read-only link that a study has: when it was made and by whom; `made_by` is empty for a command."""

    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsPage(SignedInPage):
    """The results of a study, and who else may see them.

    `results` is what is shown, `methods` are terms with what was really run. `may_share` is false while the study is a
    draft. `done` says what has just been done.
    """

    template: ClassVar[str] = "researcher/results.html"
    slug: str
    study_title: str
    state: str
    results: "Results"
    methods: tuple[tuple[str, str], ...]
    may_share: bool
    link: SharedLink | None
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedResults(Page):
    """The results alone, for who has the link: no navigation, no names of accounts, no way on."""

    template: ClassVar[str] = "results/shared.html"
    results: "Results"
    methods: tuple[tuple[str, str], ...]
