"""What `candor pm score` shows: how far it is, tokens a second, time left; and at the end, ties and near-ties."""

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.output import console, errors, print_json
from app.pm.progress import Progress as Told
from app.pm.progress import Step
from app.pm.runner import Outcome
from app.pm.score_files import Counts
from app.pm.shards import RunDirectory

INTERRUPTED = 130
_LINES = 10


class Tally:
    """What was done so far, and how fast."""

    def __init__(self) -> None:
        self.rows = 0
        self.kept = 0
        self.within = 0
        self.tokens = 0
        self.started: float | None = None

    def add(self, step: Step) -> None:
        """Add a finished shard, or a batch of one that is not."""
        self.rows += step.rows
        self.within += step.within
        self.kept += step.kept
        self.tokens += step.tokens

    def rate(self) -> float:
        """Return tokens a second since the first shard was begun."""
        return self.tokens / max(self._seconds(), 1e-9)

    def seconds_left(self, total: int) -> float | None:
        """Return how long the rest will take at the speed so far, of computed rows alone; None before there is one."""
        done = self.rows + self.within
        computed = done - self.kept
        return self._seconds() / computed * (total - done) if computed else None

    def told(self, total: int) -> str:
        """Return speed and time left, in words."""
        left = self.seconds_left(total)
        if left is None:
            return ""
        speed = f"{self.rate():,.0f} tokens/s, " if self.tokens else ""
        return f"{speed}about {_duration(left)} left"

    def _seconds(self) -> float:
        return time.monotonic() - self.started if self.started is not None else 0.0


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


@contextmanager
def shown(total: int, tally: Tally) -> Iterator[Told]:
    """Show a bar on a terminal, and a line at each tenth elsewhere.

    Shards may take minutes, so the time left is that of the whole run so far, not of its last half minute.
    """
    bar = Progress(
        TextColumn("Scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    tally.started = time.monotonic()
    with bar:
        task = bar.add_task("", total=total, told="")

        def told(step: Step) -> None:
            before = tally.rows
            tally.add(step)
            bar.update(task, completed=tally.rows + tally.within, told=tally.told(total))
            if not errors.is_terminal and before * _LINES // total != tally.rows * _LINES // total < _LINES:
                said = tally.told(total)
                errors.print(f"{tally.rows:,} of {total:,} rows" + (f"; {said}" if said else ""), markup=False)
            if step.note:
                errors.print(step.note, markup=False)

        yield told


@contextmanager
def stopping(directory: Path) -> Iterator[None]:
    """Say how far a run is when somebody stops it, by what is on the disk, and how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        errors.print(
            f"Stopped: {RunDirectory(directory).rows_finished():,} rows are finished in {directory}; "
            f"go on with the same command: {_again()}",
            markup=False,
        )
        raise typer.Exit(INTERRUPTED) from None


def _again() -> str:
    return shlex.join(["candor", *sys.argv[1:]])


def report(outcome: Outcome, tally: Tally, directory: str, *, as_json: bool) -> None:
    """Say what was scored, how fast, and how many margins are ties or near-ties."""
    if as_json:
        print_json({"directory": directory, "run": outcome.record, "summary": outcome.summary.record()})
        return
    kept = f", {tally.kept:,} of them finished before" if tally.kept else ""
    console.print(
        f"Scored {outcome.summary.rows:,} rows{kept}; {tally.rate():,.0f} tokens/s; {directory}/scores.jsonl",
        markup=False,
    )
    if outcome.record["random_weights"]:
        console.print("The weights are random, made for a test: these scores say nothing of any model.")
    if outcome.summary.unlisted:
        console.print(
            f"In {outcome.summary.unlisted:,} rows the endpoint did not list both A and B: the probability of the one "
            "left out is at most what is given, and the rows are marked (unlisted)",
            markup=False,
        )
    for (variant, kind), counts in outcome.summary.counts.items():
        console.print(_line(variant, kind, counts, outcome.record), markup=False)


def _line(variant: str, kind: str, counts: Counts, record: dict[str, Any]) -> str:
    return (
        f"{variant}, against the {kind} truthful response: the sycophantic one preferred in {_share(counts.rate)} of "
        f"{counts.pairs - counts.ties:,} pairs, {counts.ties:,} ties left out; "
        f"in {_share(counts.rate_without_near_ties)} without the {counts.near_ties:,} near-ties "
        f"(within ±{record['noise_floor']:.2g})"
    )


def _share(rate: float | None) -> str:
    return "none" if rate is None else f"{100 * rate:.1f} %"
