"""The context of the planner's page, and what it says of a plan."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.results.planning.plans import Cost, Plan, PlanFaulty
from app.web.desk import frame
from app.web.fields import sentence
from app.web.signed_in import CurrentAccount, SignedInPage

if TYPE_CHECKING:
    from app.results.planning.simulation import Estimate, Expected

DEFAULTS = {
    "pairs": "33",
    "ratings_per_pair": "5",
    "pairs_per_annotator": "20",
    "arms": "1",
    "rates": "20, 30",
    "sd_pair": "0.9",
    "sd_annotator": "0.6",
    "pay": "",
    "fee": "0",
    "simulations": "300",
    "seed": "1",
}
"""What the form holds before anything was typed."""

_ASKED = {
    "pairs": ("Pairs at each level", "One number, or eight, easiest level first."),
    "ratings_per_pair": ("Ratings of each pair", "k, in each arm."),
    "pairs_per_annotator": ("Pairs for each annotator", "n, as many as one person judges."),
    "arms": ("Arms", "Each has annotators of its own; the power is that of one arm."),
    "rates": (
        "Expected preference rates (%)",
        "Of the easiest and the hardest level, or of all eight: the share of choices for the sycophantic response.",
    ),
    "sd_pair": (
        "Spread of pairs (logits)",
        "Standard deviation of pairs around their level. 0.9 takes an average of 20 % to 9 % or 38 %.",
    ),
    "sd_annotator": ("Spread of annotators (logits)", "Standard deviation of people."),
    "pay": ("Pay for one person", "With its currency, such as £2.50. Empty: no cost is worked out."),
    "fee": ("The platform's fee (%)", "On top of the pay."),
    "simulations": ("Simulated studies", "More take longer and are more exact."),
    "seed": ("Seed", "The same seed gives the same numbers."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanField:
    """One field of the form: what is asked, with which help, what was typed, and what is wrong with that."""

    name: str
    label: str
    help: str
    value: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLevel:
    """One level's row and point in the chart; rates are in percent, the width in points."""

    level: int
    n_pairs: int
    rate: float
    low: float
    high: float
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """What a plan can be expected to show.

    `finding` is the sentence that heads it. `numbers` are rows of what, how much and its Monte Carlo error.
    """

    finding: str
    levels: tuple[PlanLevel, ...]
    numbers: tuple[tuple[str, str, str], ...]
    people: str
    cost: str
    made_from: str
    fewer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage(SignedInPage):
    """The planner: its form, sent by GET, and the result once it was sent."""

    template: ClassVar[str] = "researcher/plan.html"
    fields: tuple[PlanField, ...]
    error: str = ""
    error_field: str = ""
    result: PlanResult | None = None


def plan_page(
    account: CurrentAccount, typed: dict[str, str], *, fault: PlanFaulty | None = None, result: PlanResult | None = None
) -> PlanPage:
    """Return the page with what was typed; and what is wrong with it, or what comes of it."""
    error, field = ("", "") if fault is None else (sentence(fault), fault.field)
    return PlanPage(
        title="Plan a study",
        **frame(account, "studies"),
        fields=tuple(
            PlanField(name=name, label=label, help=said, value=typed[name], error=error if name == field else "")
            for name, (label, said) in _ASKED.items()
        ),
        error=error,
        error_field=field,
        result=result,
    )


def plan_result(expected: "Expected", asked: Plan, cost: Cost | None) -> PlanResult:
    """Return what is said of a simulated plan."""
    slope, ends = expected.slope_power, expected.ends_power
    fewer = ""
    if expected.simulations < asked.simulations:
        fewer = (
            f"{expected.simulations:,} studies were simulated, not {asked.simulations:,}: no more can be while a page"
            f" waits. The command candor study plan takes its time."
        )
    return PlanResult(
        finding=(
            f"The difficulty slope would be found in {100 * slope.value:.0f} % of such studies "
            f"(± {100 * slope.error:.1f} points), hardest against easiest in {100 * ends.value:.0f} % "
            f"(± {100 * ends.error:.1f} points)"
        ),
        levels=tuple(
            PlanLevel(
                level=row.level,
                n_pairs=row.n_pairs,
                rate=100 * row.planned,
                low=100 * row.low,
                high=100 * row.high,
                width=f"{100 * row.width.value:.1f}",
            )
            for row in expected.levels
        ),
        numbers=_numbers(expected),
        people=_people(asked),
        cost="" if cost is None else _cost(cost),
        made_from=(
            f"{expected.simulations:,} simulated studies from seed {asked.seed}; found means p < 0.05, two-sided. "
            f"± is the Monte Carlo standard error."
        ),
        fewer=fewer,
    )


def _numbers(expected: "Expected") -> tuple[tuple[str, str, str], ...]:
    rows = (
        ("Power of the difficulty slope (%)", expected.slope_power, 0),
        ("Power of hardest against easiest (%)", expected.ends_power, 0),
        ("Slope (points a level)", expected.slope, 2),
        ("Width of the slope's 95 % interval (points a level)", expected.slope_width, 2),
    )
    return tuple((name, *_points(estimate, digits)) for name, estimate, digits in rows)


def _points(estimate: "Estimate | None", digits: int) -> tuple[str, str]:
    if estimate is None:
        return "cannot be estimated", ""
    return f"{100 * estimate.value:.{digits}f}", f"{100 * estimate.error:.{digits + 1}f}"


def _people(plan: Plan) -> str:
    each = f" in each of {plan.arms} arms" if plan.arms > 1 else ""
    return f"{plan.annotators:,} annotators judge {sum(plan.pairs):,} pairs: {plan.choices:,} choices{each}"


def _cost(cost: Cost) -> str:
    whole = f"{cost.written(cost.total)} for {cost.people:,} people"
    return f"{whole}: {cost.written(cost.pay)} pay, {cost.written(cost.fee)} fee" if cost.fee else whole
