"""`python -m benchmarks.validity`: studies with planted effects, analysed as the results page analyses real ones."""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.analysis.contrasts import rate_difference
from app.analysis.intervals import Interval
from app.analysis.majority import majority_by_level
from app.analysis.margins import margins_of
from app.analysis.rates import rates_of
from app.analysis.trend import slope_of
from app.results.planning.simulation import ALPHA, choices_of, studies
from benchmarks.validity.planted import Case, Truth, cases, truth_of

LEVELS, EASIEST, HARDEST = "level intervals", "the easiest level's", "the hardest level's"
SLOPE, ENDS, OVERALL, MAJORITY = "slope interval", "hardest − easiest", "all levels together", "majority, by level"
SIZE, POWER = "primary test: size", "primary test: power"
REACH = {LEVELS: (93.0, 97.0), EASIEST: (93.0, 97.0), HARDEST: (93.0, 97.0), SLOPE: (93.0, 97.0), SIZE: (3.5, 6.5)}
"""Per cent that each ought to lie within, where one was set."""
console = Console(width=110)


class Row(NamedTuple):
    """How often something held, in per cent of studies, with its Monte Carlo standard error."""

    case: Case
    what: str
    per_cent: float
    error: float
    n: int


def held(case: Case, truth: Truth) -> Iterator[dict[str, float]]:
    """Return of each simulated study what held: 1 or 0, or for all levels the share of them."""
    for shape, answers in studies(case.plan):
        choices = choices_of(shape, answers)
        sums = margins_of(choices)
        rates, slope = rates_of(sums), slope_of(sums)
        votes = majority_by_level(choices)
        last = len(truth.rates)
        ends = rate_difference(choices, choices.level == last, choices.level == 1)
        assert rates.overall is not None and ends is not None and slope is not None  # noqa: PT018
        levels = [_holds(rates.by_level[level].interval, rate) for level, rate in enumerate(truth.rates, 1)]
        rejected = SIZE if case.is_null else POWER
        yield {
            LEVELS: float(np.mean(levels)),
            EASIEST: levels[0],
            HARDEST: levels[-1],
            SLOPE: _holds(slope.interval, truth.slope),
            rejected: float(slope.p is not None and slope.p < ALPHA),
            ENDS: _holds(ends.interval, truth.rates[-1] - truth.rates[0]),
            OVERALL: _holds(rates.overall.interval, float(truth.rates.mean())),
            MAJORITY: float(np.mean([
                found is None or _holds(found.interval, truth.majorities[level - 1])
                for level, found in ((level, vote.ties_excluded) for level, vote in votes.items())
            ])),
        }  # fmt: skip


def _holds(interval: Interval | None, value: float) -> float:
    """Return 1 where an interval holds a value; where there is none, nothing is claimed, and it counts as covered."""
    return float(interval is None or interval.low <= value <= interval.high)


def measure(case: Case, on: Callable[[], None]) -> list[Row]:
    """Simulate and analyse the studies of one case."""
    found: dict[str, list[float]] = {}
    for study in held(case, truth_of(case.plan)):
        for what, value in study.items():
            found.setdefault(what, []).append(value)
        on()
    return [_row(case, what, np.array(values)) for what, values in found.items()]


def _row(case: Case, what: str, values: np.ndarray) -> Row:
    n, mean = len(values), float(values.mean())
    spread = float(values.std(ddof=1)) or sqrt(2 / (n + 4) * (1 - 2 / (n + 4)))  # None and all are not known for sure.
    return Row(case, what, 100 * mean, 100 * spread / sqrt(n), n)


def table(rows: list[Row]) -> Table:
    made = Table("planted", "what", "studies", "per cent", "± 1 error", "ought to be", box=None, pad_edge=False)
    told = ""
    for row in rows:
        reach = REACH.get(row.what)
        nominal = "95" if row.what not in {SIZE, POWER} else "5" if row.what == SIZE else ""
        made.add_row(
            "" if row.case.name == told else row.case.planted, row.what, f"{row.n:,}", f"{row.per_cent:.1f}",
            f"{row.error:.1f}", f"{nominal} ({reach[0]:g} to {reach[1]:g})" if reach else nominal,
        )  # fmt: skip
        told = row.case.name
    return made


def main() -> None:
    """Simulate, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__)
    parser.add_argument("--studies", type=int, default=5000, help="simulated studies of each case")
    parser.add_argument("--many", type=int, default=1000, help="simulated studies of many votes a pair")
    parser.add_argument("--record", action="store_true", help="write benchmarks/validity/RESULTS.md")
    given = parser.parse_args()
    began = time.process_time()
    rows: list[Row] = []
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for case in cases(given.studies, given.many):
            task = progress.add_task(case.name, total=case.plan.simulations)
            rows += measure(case, lambda task=task: progress.advance(task))  # type: ignore[misc]
            progress.console.print(table([row for row in rows if row.case.name == case.name]))
    if given.record:
        _record(rows, time.process_time() - began)


def _record(rows: list[Row], seconds: float) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=110, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    plan = rows[0].case.plan
    shown = "\n".join(line.rstrip() for line in recorder.export_text().splitlines())
    file.write_text(
        f"# Validity\n\n`python -m benchmarks.validity --record`, {seconds / 60:.0f} minutes of one core, "
        f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}.\n\n"
        f"Studies of {len(plan.rates)} levels, {plan.pairs_per_annotator} pairs a person; logit P = a(level) + pair + "
        f"person, standard deviations {plan.sd_pair:g} and\n{plan.sd_annotator:g}. The truth is that of the population "
        "that pairs and people are drawn from. Seeds are fixed: the table\nis the same at every run.\n\n"
        f"```\n{shown}\n```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
