"""`candor study plan`: the power, the precision and the cost of a study that might be made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, errors, print_json, print_table
from app.cli.running import run_in_transaction
from app.results.planning.plans import Cost, Plan, cost_of, percentages, stated_pay, whole_numbers
from app.study.sizes import StudySize, size_of
from app.study.studies import get_study

if TYPE_CHECKING:
    from app.results.planning.simulation import Estimate, Expected

_INTERRUPTED = 130


def plan(  # noqa: PLR0913, PLR0917 - one parameter an option
    slug: Annotated[
        str | None, typer.Argument(help="A study whose pairs, k, n, arms and pay to take; options win over it.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Pairs a level: one number, or eight, easiest first. [default: 33]")
    ] = None,
    ratings_per_pair: Annotated[int | None, typer.Option(help="k, ratings a pair and arm. [default: 5]")] = None,
    pairs_per_annotator: Annotated[int | None, typer.Option(help="n, pairs a person. [default: 20]")] = None,
    arms: Annotated[int | None, typer.Option(help="Arms, each with people of its own. [default: 1]")] = None,
    rates: Annotated[
        str, typer.Option(help="Expected rates in percent: of the easiest and the hardest level, or of all eight.")
    ] = "20, 30",
    sd_pair: Annotated[float, typer.Option(help="Standard deviation of pairs within a level, in logits.")] = 0.9,
    sd_annotator: Annotated[float, typer.Option(help="Standard deviation of annotators, in logits.")] = 0.6,
    pay: Annotated[str | None, typer.Option(help="Pay for one person, such as £2.50.")] = None,
    fee: Annotated[float, typer.Option(help="What the platform takes on top, in percent.", min=0, max=1000)] = 0.0,
    simulations: Annotated[int, typer.Option(help="Studies to simulate.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Simulate a planned study: power of the difficulty slope, width of intervals, people and cost.

    Ctrl-C ends it early, and prints what is known by then.
    """
    size, stated = (None, "") if slug is None else _taken_from(slug)
    given: dict[str, Any] = {
        "pairs": None if pairs is None else whole_numbers("pairs", pairs),
        "ratings_per_pair": ratings_per_pair,
        "pairs_per_annotator": pairs_per_annotator,
        "arms": arms,
    }
    values = ({} if size is None else size._asdict()) | {name: each for name, each in given.items() if each is not None}
    asked = Plan(
        **values,
        rates=percentages("rates", rates),
        sd_pair=sd_pair,
        sd_annotator=sd_annotator,
        simulations=simulations,
        seed=seed,
    )
    cost = cost_of(asked, stated if pay is None else pay, fee)
    expected = _simulate(asked)
    if as_json:
        print_json(_facts(expected, cost))
    else:
        _print(expected, cost)
    if expected.simulations < asked.simulations:
        errors.print(f"Interrupted after {expected.simulations:,} of {asked.simulations:,} simulated studies.")
        raise typer.Exit(_INTERRUPTED)


def _taken_from(slug: str) -> tuple[StudySize, str]:
    async def work(session: AsyncSession) -> tuple[StudySize, str]:
        study = await get_study(session, slug)
        return await size_of(session, study), stated_pay(study.pay)

    return run_in_transaction(work)


def _simulate(asked: Plan) -> "Expected":
    from app.results.planning.simulation import expect  # noqa: PLC0415 - numpy and scipy take half a second to import

    with _progress(asked.simulations) as told:
        return expect(asked, told)


@contextmanager
def _progress(total: int) -> "Iterator[Any]":
    """Show a bar on standard error, and nothing of it afterwards."""
    columns = (TextColumn("Simulated studies"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, _total: bar.update(task, completed=done)


def _facts(expected: "Expected", cost: Cost | None) -> dict[str, Any]:
    plan = expected.plan
    return asdict(expected) | {
        "annotators": plan.annotators * plan.arms,
        "choices": plan.choices * plan.arms,
        "cost": None if cost is None else asdict(cost),
    }


def _print(expected: "Expected", cost: Cost | None) -> None:
    plan = expected.plan
    print_table(
        ["Level", "Pairs", "Planned rate (%)", "Interval, mean (%)", "Width (points)", "± error"],
        [
            [
                str(row.level),
                str(row.n_pairs),
                f"{100 * row.planned:.1f}",
                f"{100 * row.low:.1f} to {100 * row.high:.1f}",
                *_points(row.width),
            ]
            for row in expected.levels
        ],
    )
    console.print()
    print_table(
        ["What", "Expected", "± error"],
        [
            ["Power of the difficulty slope (%)", *_points(expected.slope_power)],
            ["Power of hardest against easiest (%)", *_points(expected.ends_power)],
            ["Slope (points a level)", *_points(expected.slope, 2)],
            ["Width of the slope's interval (points a level)", *_points(expected.slope_width, 2)],
        ],
    )
    console.print()
    each = f" in each of {plan.arms} arms" if plan.arms > 1 else ""
    console.print(f"{plan.annotators:,} annotators and {plan.choices:,} choices{each}.")
    if cost is not None:
        console.print(
            f"Cost: {cost.written(cost.total)} for {cost.people:,} people"
            f" ({cost.written(cost.pay)} pay, {cost.written(cost.fee)} fee).",
            markup=False,
        )
    console.print(f"{expected.simulations:,} simulated studies, seed {plan.seed}; ± is the Monte Carlo standard error.")


def _points(estimate: "Estimate | None", digits: int = 1) -> list[str]:
    if estimate is None:
        return ["–", ""]
    return [f"{100 * estimate.value:.{digits}f}", f"{100 * estimate.error:.{digits + 1}f}"]
