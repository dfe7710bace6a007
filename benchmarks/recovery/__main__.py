"""`python -m benchmarks.recovery`: a study with planted effects, from its making to its report, and what comes back."""

import argparse
import asyncio
import os
import platform
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app import migrating
from app.postgres import hold
from app.results.crossed.fit import ModelFit
from app.results.crossed.model import BayesMissing, fit_crossed
from app.results.finding.find import find
from app.results.findings import Findings
from app.results.observed import Observed
from benchmarks.judging.processes import server
from benchmarks.recovery.planted import Planted
from benchmarks.recovery.recovered import Row, rows
from benchmarks.recovery.study import DESIGN, fill, make, read
from benchmarks.scratch import scratch_cluster

console = Console(width=110)


def observe(planted: Planted) -> Observed:
    """Make the study on a Postgres of its own, fill it over HTTP, and read it."""
    with scratch_cluster() as cluster, hold(cluster) as database:
        url = database.sqlalchemy_url
        migrating.upgrade(url)
        asyncio.run(make(url, planted))
        with (
            server("app.main:from_environment", 1, {"CANDOR_DATABASE_URL": url}) as (port, _),
            console.status("Filling the study") as status,
        ):
            done = iter(range(1, planted.n_people + 1))
            asyncio.run(
                fill(
                    url,
                    f"http://127.0.0.1:{port}",
                    planted,
                    lambda: status.update(f"Filling the study: {next(done)} of {planted.n_people} annotators"),
                )
            )
        return asyncio.run(read(url))


def _fits(observed: Observed) -> tuple[ModelFit, ...]:
    """Fit the random-effects model where its extra is installed."""
    try:
        with console.status("Fitting the random-effects model"):
            return (fit_crossed(observed, observed.facts.arms[0].name),)
    except BayesMissing as missing:
        console.print(f"Without the random-effects model: {missing}", markup=False)
        return ()


def table(found: list[Row]) -> Table:
    """Return the table: planted, recovered, interval, and whether it holds."""
    made = Table(box=None, pad_edge=False)
    for head, side in (("", "left"), ("what", "left"), ("unit", "left"), ("planted", "right")):
        made.add_column(head, justify=side)  # type: ignore[arg-type]
    for head in ("recovered", "95 % interval", "inside"):
        made.add_column(head, justify="right")
    told = ""
    for row in found:
        interval = f"{row.told(row.low)} to {row.told(row.high)}"
        made.add_row(
            "" if row.where == told else row.where, row.what, row.unit, row.told(row.planted), row.told(row.found),
            interval, "yes" if row.inside else "NO",
        )  # fmt: skip
        told = row.where
    return made


def main() -> None:
    """Plant, recover and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description=__doc__)
    parser.add_argument("--seed", type=int, default=Planted().seed, help="seed of the study and of every choice")
    parser.add_argument("--record", action="store_true", help="write benchmarks/recovery/RESULTS.md")
    given = parser.parse_args()
    planted = Planted(seed=given.seed)
    observed = observe(planted)
    findings = find(observed, _fits(observed))
    found = list(rows(findings, planted))
    console.print(table(found))
    console.print(_summary(found))
    if given.record:
        _record(found, findings, planted)


def _summary(found: list[Row]) -> str:
    return f"{sum(row.inside for row in found)} of {len(found)} intervals hold what was planted."


def _record(found: list[Row], findings: Findings, planted: Planted) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=110, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(found))
    shown = "\n".join(line.rstrip() for line in recorder.export_text().splitlines())
    file.write_text(f"{_head(findings, planted)}\n```\n{shown}\n```\n\n{_summary(found)}\n", encoding="utf-8")


def _head(findings: Findings, planted: Planted) -> str:
    arm = findings.primary
    assert arm is not None
    options, counts = DESIGN["options"], arm.counts
    n_passed = counts.n_annotators - (planted.n_people - planted.n_inattentive)
    passed = f", {n_passed} of whom did not read and passed every check by chance" if n_passed else ""
    programs = [f"{name} {version(name)}" for name in ("candor", "numpy", "scipy")]
    programs += [f"{name} {fit.versions[name]}" for fit in findings.models for name in ("jax", "numpyro")]
    return (
        "# Recovery\n\n**Synthetic data: programs chose, and nothing here says anything about people.**\n\n"
        f"`python -m benchmarks.recovery --record`, seed {planted.seed}; {platform.machine()}, "
        f"Python {platform.python_version()}, {', '.join(programs)}.\n\n"
        f"A study on the bundled set: {counts.n_pairs} pairs × {DESIGN['ratings_per_pair']} ratings, "
        f"{DESIGN['pairs_per_annotator']} pairs a person, {options['swapped_repeats']} of them\nshown again with the "
        f"sides swapped, {options['attention_checks']} attention checks. {planted.n_people} synthetic annotators judge "
        f"over HTTP, one after the\nother; {planted.n_inattentive} of them do not read, and the declared rule (failed "
        f"checks: 1) is to leave them out: {counts.n_decided:,} choices\nby {counts.n_annotators} remain{passed}.\n\n"
        f"Planted: logit P(sycophantic) = {planted.middle:g} + {planted.level:g} (level − 4.5) ± {planted.left / 2:g} "
        f"(left +, right −) + pair + person, standard\ndeviations {planted.sd_pair:g} and {planted.sd_annotator:g}; "
        "nothing by length. What numbers ought to be follows from that, by integration, for the\npopulation that pairs "
        "and people are drawn from. Recovered: what the report says. Of twenty intervals one is expected to miss.\n"
    )


if __name__ == "__main__":
    main()
