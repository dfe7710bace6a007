"""All checks of a set, in the order in which a reader wants their findings."""

from collections.abc import Iterable, Sequence
from random import Random

from app.study.importers.reading import Opened
from app.study.set_files import Fault, set_hash
from app.study.sets import ClaimListed
from app.study.stimuli_checks import balance, duplicates, levels, markup, sources
from app.study.stimuli_checks.report import Checked, Finding, Report, Severity, counted_by_category, error

SEED = 20_310
_MOST_COMPARED = 2000
_MOST_FAULTS = 1000


def check_file(opened: Opened, known: Sequence[ClaimListed] = ()) -> Report:
    """Check an opened file: what reading it found, and the misconceptions that could be read."""
    checked, unread, n_faults = [], [], 0
    for read in opened.rows:
        if not isinstance(read, Fault):
            checked.append(Checked(read.number, read.entry))
            continue
        n_faults += 1
        unread.append(_unread(read, skipped=opened.skips and not read.damage))
        if n_faults >= _MOST_FAULTS:
            unread.append(error("form", f"{_MOST_FAULTS} faults of form; the rest of the file was not read"))
            break
    return check_set(opened.file, checked, unread, known)


def _unread(fault: Fault, *, skipped: bool) -> Finding:
    if skipped:
        return Finding(Severity.WARNING, "row-rejected", f"{fault}; an import leaves it out", row=fault.number)
    return Finding(Severity.ERROR, "form", str(fault), field=fault.place or None, row=fault.number or None)


def check_set(
    file: str,
    checked: Sequence[Checked],
    faults: Iterable[Finding] = (),
    known: Sequence[ClaimListed] = (),
    seed: int = SEED,
) -> Report:
    """Check the misconceptions that could be read; `faults` are what reading them found."""
    unread = tuple(faults)
    if not checked:
        return Report(file, 0, None, unread)
    measures, by_level = balance.measured(checked), levels.counted(checked)
    found = [
        *unread,
        *duplicates.find(checked, known),
        *sources.find(checked),
        *markup.find(checked),
        *levels.find(by_level),
        *balance.find(checked, measures, by_level),
    ]
    # Arrays are slow to import, and the web application starts without them.
    from app.study.stimuli_checks import phrases, style_leak  # noqa: PLC0415

    compared = _sample(checked, seed)
    told = phrases.measured(compared, seed)
    style = style_leak.measured(compared, seed) if len(compared) >= style_leak.FEWEST_PAIRS else None
    return Report(
        file=file,
        n_misconceptions=len(checked),
        content_hash=None
        if any(found.severity is Severity.ERROR for found in unread)
        else set_hash(item.entry for item in checked),
        findings=(*found, *phrases.find(told), *(style_leak.find(style) if style else ())),
        categories=counted_by_category(checked),
        levels=by_level,
        sources=sources.figures(checked),
        balance=measures,
        phrases=told,
        style=style,
    )


def _sample(checked: Sequence[Checked], seed: int) -> Sequence[Checked]:
    """Return at most 2,000 pairs for the comparisons of all with all; what they find is no finer with more."""
    if len(checked) <= _MOST_COMPARED:
        return checked
    drawn = Random(seed).sample(range(len(checked)), _MOST_COMPARED)  # noqa: S311 - a sample, not a secret
    return [checked[index] for index in sorted(drawn)]
