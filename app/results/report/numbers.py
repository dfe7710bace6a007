"""Numbers as they are read: percent and points with one decimal in tables, rounded in drawings; p as it is known."""

from app.analysis.contrasts import Difference
from app.analysis.functionals import PairShare
from app.analysis.intervals import Interval
from app.analysis.judges import JudgeRate
from app.analysis.rates import Rate
from app.analysis.resampling import Resampled
from app.results.figures.charts import Point, Row, Shape

NONE = "–"
"""Where a number cannot be had."""

AnyRate = Rate | PairShare | JudgeRate


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign; what rounds to nothing has none."""
    written = f"{value:+.{digits}f}".replace("-", "−")
    return written[1:] if float(f"{value:.{digits}f}") == 0 else written


def plain(value: float | None, digits: int = 1) -> str:
    """Return a number, or a dash for none."""
    return NONE if value is None else f"{value + 0.0:,.{digits}f}".replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share in percent, without its unit."""
    return NONE if share is None else plain(100 * share, digits)


def points(difference: float | None, digits: int = 1) -> str:
    """Return a difference of shares in points, with its sign."""
    return NONE if difference is None else signed(100 * difference, digits)


def within(interval: Interval | None, digits: int = 1, *, scale: float = 100, sign: bool = False) -> str:
    """Return an interval as `low to high`."""
    if interval is None:
        return NONE
    ends = (interval.low * scale, interval.high * scale)
    low, high = ((signed if sign else plain)(end, digits) for end in ends)
    return f"{low} to {high}"


def p_value(p: float | None) -> str:
    """Return a p as it is known: never 0."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(n: int | None) -> str:
    """Return a count."""
    return NONE if n is None else f"{n:,}"


def rate_point(at: float, rate: AnyRate) -> Point:
    """Return a rate as a point of a chart, in percent."""
    return Point(x=at, y=100 * rate.rate, low=100 * rate.interval.low, high=100 * rate.interval.high)


def rate_row(label: str, rate: AnyRate | None, shape: Shape = Shape.CIRCLE, group: str = "") -> Row:
    """Return a rate as a row of a chart, in percent."""
    if rate is None:
        return Row(label=label, value=None, low=None, high=None, told="cannot be estimated", shape=shape, group=group)
    low, high = 100 * rate.interval.low, 100 * rate.interval.high
    told = f"{100 * rate.rate:.0f} % [{low:.0f}, {high:.0f}]"
    return Row(label=label, value=100 * rate.rate, low=low, high=high, told=told, shape=shape, group=group)


def rate_cells(rate: AnyRate | None) -> tuple[str, str]:
    """Return a rate and its interval as two cells, in percent."""
    return (NONE, NONE) if rate is None else (percent(rate.rate), within(rate.interval))


def difference_cells(difference: Difference | None) -> tuple[str, str, str]:
    """Return a difference, its interval and its p as three cells."""
    if difference is None:
        return NONE, NONE, NONE
    return points(difference.difference), within(difference.interval, sign=True), p_value(difference.p)


def resampled_cells(found: Resampled | None) -> tuple[str, str]:
    """Return a bootstrapped number and its interval, as they are."""
    return (NONE, NONE) if found is None else (plain(found.estimate, 2), within(found.interval, 2, scale=1))
