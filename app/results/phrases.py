"""What sentences are made of: shares, differences, intervals and counts in words."""

from app.analysis.intervals import Interval


def percent(share: float) -> str:
    """Return a share as whole percent; what is not 0 or 1 never reads so."""
    return f"{_hundredths(share)} %"


def _hundredths(share: float) -> str:
    written = f"{100 * share:.0f}"
    if written in {"0", "100"} and share not in {0.0, 1.0}:
        written = f"{100 * share:.1f}"
        return {"0.0": "< 0.1", "100.0": "> 99.9"}.get(written, written)
    return written


def points(difference: float) -> str:
    """Return a difference of shares as points, with its sign."""
    written = f"{100 * difference:+.1f}"
    return (written[1:] if float(written) == 0 else written).replace("-", "−") + " points"


def interval_words(interval: Interval) -> str:
    """Return an interval of a share."""
    low, high = _hundredths(interval.low), _hundredths(interval.high)
    between = " to " if "<" in f"{low}{high}" or ">" in f"{low}{high}" else "–"  # A dash would read as a minus.
    return f"95 % interval {low}{between}{high} %"


def interval_points(interval: Interval) -> str:
    """Return an interval of a difference of shares."""
    low, high = (points(end).removesuffix(" points") for end in (interval.low, interval.high))
    return f"95 % interval {low} to {high}"


def above(interval: Interval, value: float) -> int:
    """Return 1 where the whole interval is above a value, -1 where it is below, 0 where it holds it."""
    return (interval.low > value) - (interval.high < value)


def p_words(p: float) -> str:
    """Return a p as `= 0.012` or `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def heading(sentence: str) -> str:
    """Return a sentence as a heading: without its full stop."""
    return sentence.removesuffix(".")


def many(n: int, one: str, more: str = "") -> str:
    """Return a count with what it counts."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"
