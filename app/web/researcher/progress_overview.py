"""From what was read of a study's progress to what its page says: counts, shares, and a finding for each."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from app.models import Study
from app.study.progress import Coverage as Covered
from app.study.progress import Group, Progress
from app.terms import Stage
from app.web.researcher.contexts import STAGES, WAYS_OUT, arm_words
from app.web.researcher.progress_arrivals import arrivals, ending
from app.web.researcher.progress_judgements import judgements, judgements_finding, sample_said, times, times_finding
from app.web.researcher.progress_pages import Coverage, CoverageCell, CoverageRow, Overview, People, Step
from app.web.researcher.progress_words import Slots, counted, percent

_MOST_COLUMNS = 11
_EVEN = 1  # points between the levels


def overview(study: Study, read: Progress) -> Overview:
    """Return all that the page shows of a study that has been opened."""
    k = study.ratings_per_pair
    slots = slots_of(read, k)
    before = [group.n for group in read.groups if group.here and not group.consented]
    after = [group.n for group in read.groups if group.here and group.consented]
    coming = arrivals(read.hours, read.as_of)
    return Overview(
        n_filled=slots.filled,
        n_slots=slots.total,
        n_open=slots.total - slots.filled - slots.held,
        n_held=slots.held,
        held_said=f"{counted(sum(before), 'person', 'people')} before consent, {sum(after):,} after it",
        n_retired=read.besides.n_retired,
        ending=ending(study, read, slots),
        coverage=_coverages(read.coverage, k),
        arrivals=coming,
        people=_people(read),
        times=times(read),
        times_finding=times_finding(read),
        judgements=judgements(read, slots),
        judgements_finding=judgements_finding(read),
        sample_said=sample_said(read.sample),
    )


def slots_of(read: Progress, k: int) -> Slots:
    """Return how many slots there are, filled and held; those of retired pairs are left out."""
    return Slots(
        total=k * sum(cell.n_pairs for cell in read.coverage),
        filled=sum(cell.n_pairs * cell.ratings for cell in read.coverage),
        held=sum(cell.n_held for cell in read.coverage),
    )


# Coverage.


def _coverages(covered: Sequence[Covered], k: int) -> tuple[Coverage, ...]:
    return tuple(_coverage(arm_words(arm), list(cells), k) for arm, cells in groupby(covered, lambda cell: cell.arm))


def _coverage(arm: str, covered: Sequence[Covered], k: int) -> Coverage:
    ranges = _ranges(k)
    rows = tuple(
        _coverage_row(level, list(cells), k, ranges) for level, cells in groupby(covered, lambda cell: cell.level)
    )
    columns = tuple(f"{low:,}" if low == high else f"{low:,}–{high:,}" for low, high in ranges)
    return Coverage(arm=arm, finding=_coverage_finding(rows, k), columns=columns, rows=rows)


def _ranges(k: int) -> list[tuple[int, int]]:
    """Return the numbers of ratings that a column each stands for: none, all, and what is between in equal ranges."""
    width = max(1, -(-(k - 1) // (_MOST_COLUMNS - 2)))
    between = [(low, min(low + width - 1, k - 1)) for low in range(1, k, width)]
    return [(0, 0), *between, (k, k)]


def _coverage_row(level: int, cells: Sequence[Covered], k: int, ranges: Sequence[tuple[int, int]]) -> CoverageRow:
    n_pairs, n_filled = sum(cell.n_pairs for cell in cells), sum(cell.n_pairs * cell.ratings for cell in cells)
    counts = [sum(cell.n_pairs for cell in cells if low <= cell.ratings <= high) for low, high in ranges]
    return CoverageRow(
        level=level,
        n_pairs=n_pairs,
        cells=tuple(CoverageCell(n_pairs=n, share=n / n_pairs) for n in counts),
        n_filled=n_filled,
        n_slots=n_pairs * k,
        percent=100 * n_filled // (n_pairs * k),  # Rounded down: 100 only when nothing is missing.
    )


def _coverage_finding(rows: Sequence[CoverageRow], k: int) -> str:
    filled, total = sum(row.n_filled for row in rows), sum(row.n_slots for row in rows)
    if filled == total:
        return f"Every pair has all its {k:,} ratings"
    if not filled:
        return "No rating is in yet"
    said = f"{100 * filled // total} % of the ratings are in"
    least, most = min(row.percent for row in rows), max(row.percent for row in rows)
    if most - least <= _EVEN:
        return f"{said}, evenly over the levels"
    return f"{said}; {_levels([row.level for row in rows if row.percent == least])} furthest behind, at {least} %"


def _levels(behind: Sequence[int]) -> str:
    if len(behind) == 1:
        return f"level {behind[0]} is"
    return f"levels {', '.join(map(str, behind[:-1]))} and {behind[-1]} are"


# People.


def _people(read: Progress) -> People | None:
    ended = [group for group in read.groups if _has_ended(group)]
    others = [group for group in read.groups if not _has_ended(group)]
    n = sum(group.n for group in read.groups) + read.besides.n_declined
    if not n:
        return None
    finished = sum(group.n for group in ended if not group.left)
    return People(
        finding=_people_finding(n, finished, sum(group.n for group in others if group.here)),
        n=n,
        on_their_way=_by_stage((group for group in others if group.here), n),
        gone_quiet=_by_stage((group for group in others if not group.here), n),
        ended=_ended(ended, read.besides.n_declined, n),
    )


def _has_ended(group: Group) -> bool:
    return bool(group.left) or group.stage == Stage.COMPLETE


def _people_finding(n: int, finished: int, here: int) -> str:
    said = f"{finished:,} of {counted(n, 'person', 'people')} who came finished ({percent(finished, n)} %)"
    return f"{said}; {here:,} {'is' if here == 1 else 'are'} on the way now" if here else said


def _by_stage(groups: Iterable[Group], n: int) -> tuple[Step, ...]:
    listed = list(groups)
    counts = ((words, sum(group.n for group in listed if group.stage == stage)) for stage, words in STAGES.items())
    return tuple(_step(words, count, n) for words, count in counts if count)


def _ended(groups: Sequence[Group], n_declined: int, n: int) -> tuple[Step, ...]:
    stopped = [group for group in groups if group.left == "stopped"]
    counts = [
        ("Declined on the consent page", n_declined),
        (WAYS_OUT["screened_out"], _left(groups, "screened_out")),
        ("Stopped before the first judgement", sum(group.n for group in stopped if not group.begun)),
        ("Stopped while judging", sum(group.n for group in stopped if group.begun)),
        (WAYS_OUT["returned"], _left(groups, "returned")),
        (WAYS_OUT["withdrew"], _left(groups, "withdrew")),
        (WAYS_OUT["failed_checks"], _left(groups, "failed_checks")),
        (STAGES[Stage.COMPLETE], _left(groups, "")),
    ]
    return tuple(_step(words, count, n) for words, count in counts if count)


def _left(groups: Iterable[Group], how: str) -> int:
    return sum(group.n for group in groups if group.left == how)


def _step(name: str, count: int, n: int) -> Step:
    return Step(name=name, n=count, percent=percent(count, n))
