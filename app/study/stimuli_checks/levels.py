"""Whether every level has its share of the misconceptions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

from app.study.stimuli_checks.balance import length_ratio
from app.study.stimuli_checks.report import Checked, Finding, Levels, warning

UNLEVELLED = "none"


def counted(checked: Sequence[Checked]) -> Levels:
    """Return how many misconceptions each level has, and how their responses' lengths compare."""
    named = [(_name(item), item) for item in checked]
    counts = Counter(name for name, _ in named)
    shown = [str(level) for level in range(1, 9)] + [UNLEVELLED] * (UNLEVELLED in counts)
    ratios = {
        name: fmean(length_ratio(item.entry) for of, item in named if of == name) for name in shown if counts[name]
    }
    return Levels({name: counts[name] for name in shown}, ratios)


def _name(item: Checked) -> str:
    level = item.entry.difficulty_level
    return UNLEVELLED if level is None else str(level)


def find(levels: Levels) -> Iterator[Finding]:
    """Yield a warning if misconceptions have no level, and one if the levels are uneven."""
    missing = levels.counts.get(UNLEVELLED, 0)
    if missing:
        yield warning(
            "unlevelled",
            f"{missing} misconceptions have no difficulty level; no study can be opened until each has one",
            field="difficulty_level",
            misconceptions=missing,
        )
    graded = {name: count for name, count in levels.counts.items() if name != UNLEVELLED}
    if any(graded.values()) and max(graded.values()) - min(graded.values()) > 1:
        least, most = min(graded, key=graded.__getitem__), max(graded, key=graded.__getitem__)
        yield warning(
            "levels-uneven",
            f"level {most} has {graded[most]} misconceptions and level {least} has {graded[least]}; "
            "annotators' sets are spread evenly over the levels, so fill up the small ones",
            field="difficulty_level",
            fewest=graded[least],
            most=graded[most],
        )
