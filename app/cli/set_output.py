"""What importing and comparing sets print."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from app.cli.output import console
from app.study.importers.tally import Tally
from app.study.set_diffs import FieldChange, SetDiff
from app.study.sets import Imported

_SHOWN_FAULTS = 10


def import_summary(done: Imported, tally: Tally) -> dict[str, Any]:
    """Return what an import did, for a program."""
    return {field: getattr(done, field) for field in done.__slots__} | {
        "format": tally.format,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "n_faults": tally.n_faults,
        "faults": [
            {"unit": fault.unit, "number": fault.number, "place": fault.place, "reason": fault.reason}
            for fault in tally.faults
        ],
        "levels": dict(sorted(tally.levels.items())),
        "categories": dict(tally.categories.most_common()),
    }


def print_import(done: Imported, tally: Tally) -> None:
    """Say what an import did."""
    verb = "Imported" if done.new else "Already there:"
    console.print(f"{verb} {done.slug} version {done.version}, {done.n_misconceptions} misconceptions")
    console.print(f"levels: {_listed(dict(sorted(tally.levels.items())))}", markup=False)
    console.print(f"categories: {_listed(dict(tally.categories.most_common()))}", markup=False)
    if tally.rejected:
        console.print(f"left out: {tally.rejected} rows", markup=False)
        for fault in tally.faults[:_SHOWN_FAULTS]:
            console.print(f"  {fault}", markup=False)
        if tally.n_faults > _SHOWN_FAULTS:
            console.print(f"  … and {tally.n_faults - _SHOWN_FAULTS} more; --json names them", markup=False)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def print_diff(found: SetDiff) -> None:
    """Say what changed, one line a key and one a field."""
    for key in found.removed:
        console.print(f"- {key}", markup=False, style="red")
    for key in found.added:
        console.print(f"+ {key}", markup=False, style="green")
    for change in found.changed:
        console.print(f"~ {change.key}", markup=False, style="yellow")
        for field in change.fields:
            console.print(f"    {field.field}: {_said(field)}", markup=False)
    console.print(
        f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed, "
        f"{found.unchanged} unchanged"
    )


def _said(change: FieldChange) -> str:
    if isinstance(change.before, str) and isinstance(change.after, str):
        return _marked(change.before, change.after)
    return f"{change.before!r} → {change.after!r}"


def _marked(before: str, after: str) -> str:
    """Return a text with what went in [-…-] and what came in {+…+}, and long stretches of the same left out."""
    old, new = before.split(" "), after.split(" ")
    parts = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(_shortened(old[i:j]))
        else:
            parts += [f"[-{' '.join(old[i:j])}-]"] * (j > i) + [f"{{+{' '.join(new[k:m])}+}}"] * (m > k)
    return " ".join(parts).replace("\n", "⏎")


def _shortened(words: list[str]) -> str:
    return " ".join(words) if len(words) <= 10 else " ".join([*words[:4], "…", *words[-4:]])
