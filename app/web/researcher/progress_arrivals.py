"""Who came when, and when the study may be full if they go on coming like that."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, log10

from app.models import Study
from app.study.forecasts import Forecast, forecast
from app.study.progress import Hour, Progress
from app.terms import StudyState
from app.web.researcher.progress_pages import Arrivals, Bar, Ending
from app.web.researcher.progress_words import Slots, counted, time_span

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MOST_HOURS = 72
_MOST_DAYS = 60
_LABELS = 6
_LATELY = timedelta(hours=24)
_LONGEST = timedelta(days=3650)


def arrivals(hours: Sequence[Hour], now: datetime) -> Arrivals | None:
    """Return who came when, by the hour while that fits, and by the day in a longer study."""
    if not hours:
        return None
    by_hour = hours[-1].hour - hours[0].hour < _MOST_HOURS * _HOUR
    bars = _bars(hours, _HOUR, _MOST_HOURS) if by_hour else _bars(hours, _DAY, _MOST_DAYS)
    return Arrivals(
        finding=_finding(hours, now),
        unit="hour" if by_hour else "day",
        bars=bars,
        top=_round_up(max(bar.n for bar in bars)),
        newest=tuple(bar for bar in reversed(bars) if bar.n),
    )


def _finding(hours: Sequence[Hour], now: datetime) -> str:
    n, lately = sum(hour.n for hour in hours), sum(hour.n for hour in hours if hour.hour >= now - _LATELY)
    came = f"{counted(n, 'person has', 'people have')} come"
    if lately == n:
        return f"{came}, all in the last 24 hours"
    return f"{came}, {lately:,} of them in the last 24 hours" if lately else f"{came}, none in the last 24 hours"


def _bars(hours: Sequence[Hour], unit: timedelta, most: int) -> tuple[Bar, ...]:
    """Return a bar for each hour or day up to the last on which somebody came, those without people too."""
    people: Counter[datetime] = Counter()
    judged: Counter[datetime] = Counter()
    for hour in hours:
        people[_start(hour.hour, unit)] += hour.n
        judged[_start(hour.hour, unit)] += hour.n_judged
    first, last = min(people), max(people)
    n = min(most, round((last - first) / unit) + 1)
    starts = [last - unit * (n - 1 - i) for i in range(n)]
    every = ceil(n / _LABELS)
    return tuple(
        Bar(at=_named(at, unit), label=_label(at, unit) if i % every == 0 else "", n=people[at], n_judged=judged[at])
        for i, at in enumerate(starts)
    )


def _start(at: datetime, unit: timedelta) -> datetime:
    in_utc = at.astimezone(UTC)
    return in_utc if unit == _HOUR else in_utc.replace(hour=0)


def _label(at: datetime, unit: timedelta) -> str:
    return f"{at:%H}:00" if unit == _HOUR else f"{at.day} {at:%b}"


def _named(at: datetime, unit: timedelta) -> str:
    return f"{at.day} {at:%b %Y}, {at:%H}:00 UTC" if unit == _HOUR else f"{at.day} {at:%b %Y}"


def _round_up(n: int) -> int:
    """Return the next number that an axis may end with: 2, 4, 10, 20, 40, 100 and so on, halved without a rest."""
    scale: int = 10 ** int(log10(n))
    return next(top for top in (2 * scale, 4 * scale, 10 * scale) if top >= n)


def ending(study: Study, read: Progress, slots: Slots) -> Ending:
    """Return when the study may be full, with how rough that is."""
    missing = slots.total - slots.filled
    if not missing:
        return Ending(value="Full", said="Every slot is filled.")
    if study.state != StudyState.LIVE:
        return Ending(value="None", said=f"The study is {study.state}: it takes no newcomers.")
    n_judged = sum(group.n_judged for group in read.groups)
    counting = (slots.filled + read.besides.n_filled_retired) / n_judged if n_judged else 0.0
    expected = forecast(read.hours, missing, min(counting, 1.0), read.as_of)
    if expected is None or expected.longest > _LONGEST:
        return Ending(value="Too early to say", said="Fewer than ten people came lately, or they judged too little.")
    return Ending(value=f"In about {time_span(expected.middle)}", said=_hedged(expected))


def _hedged(expected: Forecast) -> str:
    since = f"{counted(expected.n_recent, 'person', 'people')} came in the last {time_span(expected.window)}"
    between = f"between {time_span(expected.shortest)} and {time_span(expected.longest)} by chance alone"
    return (
        f"If people go on coming and judging like that: {since}, for {expected.per_day:,.0f} ratings a day. It may be "
        f"{between}; nights, weekends and what the platform does come on top."
    )
