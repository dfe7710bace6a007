"""Samples of the progress page, for the tests that every page meets: a study half-way, a long one, an empty one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.models import Study
from app.study.login_sessions import SignedIn
from app.study.progress import Besides, Coverage, Group, Hour, Progress, Quartiles, Sample
from app.study.progress_queries import ArmKind
from app.terms import Instructions, Role, StudyState, TruthfulKind
from app.web.researcher.progress import progress_page
from app.web.signed_in import CurrentAccount

ADA = CurrentAccount(SignedIn(1, "ada@example.org", Role.ADMIN), "form-token")
NOW = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
NEUTRAL = ArmKind(TruthfulKind.HELPFUL, Instructions.NEUTRAL)
TOLD = ArmKind(TruthfulKind.HELPFUL, Instructions.PREFER_TRUTH)
NONE = Quartiles(0, None, None, None)


def study(state: str = StudyState.LIVE, k: int = 5) -> Study:
    """Make a study that is in no database."""
    return Study(slug="reading", title="Reading closely", state=state, ratings_per_pair=k, synthetic=False)


def group(left: str, stage: str, n: int, judged: int, *, here: bool = False, consented: bool = True) -> Group:
    """Make a group of people who judged so many pairs each, two of them repeats."""
    own = max(0, judged - 2)
    return Group(left, stage, here, consented, judged > 0, False, n, n * judged, n * own, n * 2, n // 4, n // 4)


def covered(arm: ArmKind, k: int = 5) -> list[Coverage]:
    """Give eight levels, each a little further behind."""
    return [
        Coverage(arm, level, ratings, 3 + (ratings * 7 + level) % 11, ratings % 2)
        for level in range(1, 9)
        for ratings in range(max(0, k - level // 2 - 2), k + 1)
    ]


READ = Progress(
    coverage=covered(NEUTRAL),
    groups=[
        group("", "complete", 52, 20),
        group("", "judging", 7, 9, here=True),
        group("", "consent", 3, 0, here=True, consented=False),
        group("", "judging", 4, 6),
        group("", "debrief", 1, 20),
        group("stopped", "complete", 3, 6),
        group("stopped", "complete", 2, 0),
        group("screened_out", "complete", 5, 0),
        group("failed_checks", "complete", 2, 20),
        group("returned", "debrief", 1, 3),
        group("withdrew", "complete", 1, 20),
    ],
    hours=[
        Hour(NOW.replace(minute=0) - timedelta(hours=h), n, 20 * n)
        for h, n in zip(range(19, -1, -1), (1 + h * 5 % 9 for h in range(20)), strict=True)
    ],
    besides=Besides(n_declined=4, n_late=6, n_retired=1, n_filled_retired=3),
    sample=Sample(
        71, 1_090, 540, 520, 549, 0.034, Quartiles(54, 9.1, 12.4, 17.0), Quartiles(1_090, 14.2, 21.7, 33.9), True
    ),
    as_of=NOW,
)  # fmt: skip
EMPTY = Progress([Coverage(NEUTRAL, level, 0, 3, 0) for level in range(1, 9)], [], [], Besides(0, 0, 0, 0),
                 Sample(0, 0, 0, 0, 0, None, NONE, NONE, True), NOW)  # fmt: skip
LONG = READ._replace(
    coverage=[*covered(NEUTRAL, 40), *covered(TOLD, 40)],
    hours=[Hour(NOW.replace(hour=9, minute=0) - timedelta(days=d), d * 7 % 40, d * 140) for d in range(90, 2, -1)],
    sample=READ.sample._replace(everybody=False, margin=None),
)
PAGE = progress_page(ADA, study(), READ)
PROGRESS_PAGES = {
    "progress": PAGE,
    "progress-arms": progress_page(ADA, study(StudyState.PAUSED, 40), LONG),
    "progress-empty": progress_page(ADA, study(), EMPTY),
    "progress-synthetic": replace(PAGE, synthetic=True),
    "progress-draft": progress_page(ADA, study(StudyState.DRAFT), EMPTY._replace(coverage=[])),
}
