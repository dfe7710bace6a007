"""What `candor pm score` shows: how far it is, tokens a second, time left; and at the end, ties and near-ties."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.output import console, errors, print_json
from app.pm.progress import Progress as Told
from app.pm.progress import Step
from app.pm.runner import Outcome
from app.pm.score_files import Counts


class Tally:
    """What was done so far, for the line that says so when a run is stopped."""

    def __init__(self) -> None:
        self.rows = 0
        self.kept = 0
        self.tokens = 0
        self.started: float | None = None

    def add(self, step: Step) -> None:
        """Add a finished shard."""
        self.rows += step.rows
        self.kept += step.kept
        self.tokens += step.tokens

    def rate(self) -> float:
        """Return tokens a second since the first shard was begun."""
        return self.tokens / max(time.monotonic() - (self.started or time.monotonic()), 1e-9)


@contextmanager
def shown(total: int, tally: Tally) -> Iterator[Told]:
    """Show a bar on a terminal, lines elsewhere only when something is to be said."""
    bar = Progress(
        TextColumn("Scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    tally.started = time.monotonic()
    with bar:
        task = bar.add_task("", total=total, rate="")

        def told(step: Step) -> None:
            tally.add(step)
            bar.update(task, advance=step.rows, rate=f"{tally.rate():,.0f} tokens/s")
            if step.note:
                errors.print(step.note, markup=False)

        yield told


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
