"""What the judgements say of how a study goes: how long they take, which sides are chosen, what fills no slot."""

from app.study.progress import Progress, Quartiles, Sample
from app.web.researcher.progress_pages import Fact, Taken
from app.web.researcher.progress_words import Slots, counted, percent


def times(read: Progress) -> tuple[Taken, ...]:
    """Return the quartiles of both times, where there are any."""
    minutes, seconds, drawn = read.sample.minutes, read.sample.seconds, _drawn(read.sample)
    rows = (
        ("Minutes from first coming to the last page", minutes, counted(minutes.n, "person", "people") + drawn),
        ("Seconds a judgement", seconds, counted(seconds.n, "judgement", "judgements") + drawn),
    )
    return tuple(_taken(name, quartiles, of) for name, quartiles, of in rows if quartiles.median is not None)


def _taken(name: str, quartiles: Quartiles, of: str) -> Taken:
    quarter, median, three_quarters = map(_rough, (quartiles.low, quartiles.median, quartiles.high))
    return Taken(name=name, quarter=quarter, median=median, three_quarters=three_quarters, of=of)


def _rough(number: float | None) -> str:
    return "" if number is None else f"{number:,.1f}"


def _drawn(sample: Sample) -> str:
    return "" if sample.everybody else ", a sample"


def times_finding(read: Progress) -> str:
    """Return the medians in a sentence."""
    minutes, seconds = read.sample.minutes.median, read.sample.seconds.median
    parts = []
    if minutes is not None:
        parts.append(f"Half of those who finished took {_rough(minutes)} minutes or less")
    if seconds is not None:
        half = "half of the judgements" if parts else "Half of the judgements"
        parts.append(f"{half} {'' if parts else 'took '}{_rough(seconds)} seconds or less")
    return ", and ".join(parts)


def judgements(read: Progress, slots: Slots) -> tuple[Fact, ...]:
    """Return the counts and shares of the judgements; none where nobody has judged."""
    n = sum(group.n_judged for group in read.groups)
    if not n:
        return ()
    kept = [group for group in read.groups if group.left != "withdrew"]
    withdrawn = n - sum(group.n_judged for group in kept)
    own = sum(group.n_own for group in kept)
    repeats = sum(group.n_judged for group in kept) - own
    counting = slots.filled + read.besides.n_filled_retired
    beside = max(0, own - counting)
    return (
        Fact(name="Stored", value=f"{n:,}", of="judgements"),
        Fact(name="Fill a slot", value=f"{counting:,}", of=_of(counting, n)),
        Fact(name="Swapped repeats, which fill none", value=f"{repeats:,}", of=_of(repeats, n)),
        Fact(name="Surplus, or excluded and asked again", value=f"{beside:,}", of=_of(beside, n)),
        Fact(name="Withdrawn", value=f"{withdrawn:,}", of=_of(withdrawn, n)),
        Fact(name="Late: after their hold had ended", value=f"{read.besides.n_late:,}", of=_of(read.besides.n_late, n)),
        *_checks(read),
        *_sides(read.sample),
    )


def _of(part: int, whole: int) -> str:
    return f"{percent(part, whole)} % of those stored"


def _checks(read: Progress) -> tuple[Fact, ...]:
    answered = sum(group.n_checked for group in read.groups)
    failed = sum(group.n_checks_failed for group in read.groups)
    people = sum(group.n_failed_some for group in read.groups)
    if not answered:
        return ()
    of = f"{percent(failed, answered)} % of {answered:,} answered; by {counted(people, 'person', 'people')}"
    return (Fact(name="Attention checks failed", value=f"{failed:,}", of=of),)


def _sides(sample: Sample) -> tuple[Fact, ...]:
    chosen = sample.n_left + sample.n_right
    if not chosen:
        return ()
    shown = counted(sample.n, "judgement", "judgements") + _drawn(sample)
    margin = "" if sample.margin is None else f" ± {100 * sample.margin:.1f}"
    return (
        Fact(
            name="Left response chosen",
            value=f"{_share(sample.n_left, chosen)}{margin} %",
            of=f"of {_sided(sample)}",
        ),
        Fact(
            name="Truthful response shown left",
            value=f"{_share(sample.n_truthful_left, sample.n)} %",
            of=f"of {shown}",
        ),
    )


def _sided(sample: Sample) -> str:
    ties = sample.n - sample.n_left - sample.n_right
    said = counted(sample.n_left + sample.n_right, "judgement", "judgements") + _drawn(sample)
    return f"{said}; {counted(ties, 'tie', 'ties')} left out" if ties else said


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


def judgements_finding(read: Progress) -> str:
    """Return how even the sides are, in a sentence."""
    sample = read.sample
    chosen = sample.n_left + sample.n_right
    if not chosen:
        return ""
    left = _share(sample.n_left, chosen)
    truthful = _share(sample.n_truthful_left, sample.n)
    return f"The left response was chosen in {left} % of judgements; the truthful one was left in {truthful} %"


def sample_said(sample: Sample) -> str:
    """Return what the numbers rest on."""
    exact = "Counts of slots, people and judgements are exact"
    if sample.everybody:
        return f"{exact}; times and sides are of everybody who judged, without swapped repeats and withdrawn answers."
    return (
        f"{exact}. Times and sides are of a sample: {sample.n_people:,} people drawn at random, the same ones at each "
        f"update, and their {sample.n:,} judgements, without swapped repeats and withdrawn answers."
    )
