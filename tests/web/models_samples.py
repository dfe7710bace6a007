"""Samples of the pages of preference models, for the tests that every page meets: done, under way, none, refused."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.analysis.intervals import Interval
from app.analysis.rates import Rate
from app.models import MisconceptionSet, ScoringRun, Study
from app.results.facts import Arm
from app.results.model_rates import PeopleRates, rates_of_run
from app.study.login_sessions import SignedIn
from app.study.scoring_queries import PairMargin, RunListed
from app.terms import Role, RunState, StudyState
from app.web.researcher.scoring import _form
from app.web.researcher.scoring_pages import ModelsPage, ShownRun
from app.web.researcher.scoring_told import models_page, shown_run
from app.web.signed_in import CurrentAccount
from tests.scored import both_variants, run_record

ADA = CurrentAccount(SignedIn(1, "ada@example.org", Role.ADMIN), "form-token")
NOW = datetime.now(UTC)
FAULTS = ("line 2, field text_hash: 'claim-000' has another text", "line 9, field score: must be a finite number")


def study(**values: Any) -> Study:
    """Make a study that is in no database."""
    used = MisconceptionSet(slug="starter", version=1, title="Starter", licence="CC0", content_hash="c" * 64)
    made = {"slug": "reading", "title": "Reading closely", "state": StudyState.LIVE, "synthetic": False}
    return Study(**made | values, misconception_set=used)


def run(public_id: str = "a" * 16, **values: Any) -> ScoringRun:
    """Make a run that is in no database."""
    record = values.pop("record", both_variants(odd_key={"kept": [1, 2.5]}))
    made: dict[str, Any] = {
        "public_id": public_id,
        "scorer": record["scorer"],
        "model": record["model"],
        "model_revision": "r1",
        "random_weights": record["random_weights"],
        "record": record,
        "noise_floor": 0.125,
        "state": RunState.DONE,
        "fault": None,
        "n_done": 24,
        "n_all": 24,
        "tokens_per_second": None,
        "started_at": NOW - timedelta(minutes=10),
        "told_at": NOW - timedelta(seconds=5),
        "finished_at": NOW,
    }
    return ScoringRun(**made | values)


def margin(number: int, variant: str, kind: str, **values: Any) -> PairMargin:
    """Make the margin of one of 24 pairs, three a level: preferred more often the higher the level."""
    level = 1 + number % 8
    size = (level - 4.5 + number // 8 - (1 if variant == "non-sycophantic" else 0)) / 8
    told: dict[str, Any] = {
        "run": "a" * 16,
        "model": "made-up/reward-model",
        "scorer": "reward",
        "variant": variant,
        "misconception_key": f"claim-{number:03d}",
        "level": level,
        "truthful_kind": kind,
        "margin": size,
        "noise_floor": 0.125,
        "near_tie": abs(size) <= 0.125,
        "prefers_sycophantic": int(size > 0) if size else None,
        "position_term": None,
        "truncated": number == 7,
        "random_weights": False,
    }
    return PairMargin(**told | values)


def margins(kinds: Sequence[str] = ("helpful", "baseline"), **values: Any) -> list[PairMargin]:
    """Make a run's margins of 24 pairs in both variants."""
    return [
        margin(number, variant, kind, **values)
        for variant in ("standard", "non-sycophantic")
        for kind in kinds
        for number in range(24)
    ]


def rate(share: float) -> Rate:
    """Make a rate of people."""
    return Rate(share, Interval(share - 0.1, share + 0.1), "logit_t", 0.05, 90, 3, 40, 60)


PEOPLE = [PeopleRates(Arm("helpful", "neutral"), rate(0.3), {level: rate(0.1 + level / 20) for level in range(1, 9)})]


def whole(**values: Any) -> ShownRun:
    """Show a run whole."""
    return shown_run(study(), run(**values), rates_of_run(margins()), PEOPLE)


def page(listed: Sequence[ScoringRun], shown: ShownRun | None = None, *, synthetic: bool = False) -> ModelsPage:
    """Return the page of these runs."""
    return models_page(ADA, study(), [RunListed(one, None) for one in listed], shown, synthetic=synthetic)


RUNNING = run("b" * 16, state=RunState.RUNNING, n_done=6, finished_at=None, tokens_per_second=1234.5)
FAILED = run("c" * 16, state=RunState.FAILED, n_done=6, finished_at=None, fault="CUDA is out of memory")
RANDOM = run_record("d" * 16, scorer="judge", random_weights=True)
MODELS_PAGES = {
    "models": page([run()], whole()),
    "models-synthetic": page([RUNNING, run(), FAILED], whole(), synthetic=True),
    "models-none": page([]),
    "models-random": page(
        [run("d" * 16, record=RANDOM)],
        shown_run(study(), run("d" * 16, record=RANDOM), rates_of_run(margins(["helpful"], position_term=1.5)), []),
    ),
    "scores-import": _form(ADA, study()),
    "scores-import-error": _form(ADA, study(), "The score file, line 2, field text_hash: the text is another", FAULTS),
}
