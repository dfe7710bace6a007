"""From what the domain says of sets to what the admins' pages show."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any

from app.study.gradings import GradingListed
from app.study.progress_queries import SetListed
from app.study.set_browsing import Compared
from app.study.set_checks import Outcome
from app.study.set_diffs import Change, FieldChange
from app.study.stimuli_checks.report import Finding, Phrase, Report, Severity
from app.terms import GradingKind, ResponseKind
from app.web.addresses import SET_UPLOADS
from app.web.admin.pages import SetRow
from app.web.admin.sets_check_pages import CheckShown, FindingKind, FindingRow, Table
from app.web.admin.sets_misconception_pages import FieldChanged, MisconceptionChanged, Piece
from app.web.admin.sets_pages import DiffShown, GradingRow
from app.web.pages import Link

SETS = "/admin/sets"
UPLOADS = SET_UPLOADS
SECTION = "sets"
KINDS = {
    ResponseKind.BASELINE_TRUTHFUL: "Baseline truthful",
    ResponseKind.HELPFUL_TRUTHFUL: "Helpful truthful",
    ResponseKind.SYCOPHANTIC: "Sycophantic",
}
FORMATS = {
    "candor-jsonl": "Candor, JSON Lines",
    "candor-csv": "Candor, CSV",
    "truthfulqa": "TruthfulQA, CSV",
    "mapped": "Columns of its own (CSV, JSON Lines, Parquet)",
}
_SHOWN_PHRASES = 15
_LONGEST_COMPARED = 1_000_000
_LONGEST_SAME = 30


def version_address(slug: str, version: int) -> str:
    """Return the address of a version."""
    return f"{SETS}/{slug}/{version}"


def misconception_address(version: str, key: str) -> str:
    """Return the address of a misconception; `version` is that of its version."""
    return f"{version}/misconceptions/{key}"


def set_row(found: SetListed) -> SetRow:
    """Return a version as a row."""
    return SetRow(**found._asdict() | {"studies": tuple(found.studies)})


def grading_row(listed: GradingListed) -> GradingRow:
    """Return a grading as a row; a model with random weights says nothing, and is named as one."""
    found = listed.record["found"]
    agreed = found["with_levels"]
    kappa = agreed["weighted_kappa"] if agreed else None
    random_weights = " (random weights)" if listed.record.get("random_weights") else ""
    return GradingRow(
        number=listed.id,
        version=Link(text=f"Version {listed.version}", href=version_address(listed.slug, listed.version)),
        by=listed.by + random_weights,
        asked=f"{found['n_raters']:,} {'raters' if listed.kind is GradingKind.RATINGS else 'questions to a model'}",
        made_at=listed.made_at,
        spearman=_figure(agreed["spearman"]) if agreed else "none",
        interval=f"{_figure(agreed['low'])} to {_figure(agreed['high'])}" if agreed else "",
        weighted_kappa="none" if kappa is None else _figure(kappa),
        at_cuts=f"{found['at_cuts']['within_a_point']:,} of {found['n_claims']:,}",
    )


def _figure(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


# What a check found.


def check_shown(outcome: Outcome, address: str = "") -> CheckShown:
    """Return what a check found; `address` is that of the version, where it is one that is stored."""
    report = outcome.report
    return CheckShown(
        numbers=_numbers(outcome, stored=bool(address)),
        errors=_kinds(outcome, Severity.ERROR, address),
        warnings=_kinds(outcome, Severity.WARNING, address),
        tables=tuple(_tables(report)),
        notes=tuple(_notes(report)),
    )


def _numbers(outcome: Outcome, *, stored: bool) -> tuple[tuple[str, str], ...]:
    rows = [("Misconceptions" if stored else "Rows accepted", outcome.accepted)]
    if not stored:
        rows.append(("Rows rejected", outcome.rejected + len(outcome.refused_rows)))
    rows += [("Errors", outcome.n_errors), ("Warnings", outcome.n_warnings)]
    return tuple((name, f"{n:,}") for name, n in rows)


def _kinds(outcome: Outcome, severity: Severity, address: str) -> tuple[FindingKind, ...]:
    found = [finding for finding in outcome.report.findings if finding.severity is severity]
    kinds = []
    for kind in outcome.kinds:
        if kind.severity is not severity:
            continue
        rows = [finding for finding in found if finding.code == kind.code]
        of_misconceptions = bool(address) and any(finding.key for finding in rows)
        href = f"{address}?finding={kind.code}" if of_misconceptions else ""
        shown = tuple(finding_row(row, address) for row in rows)
        kinds.append(FindingKind(severity=severity, code=kind.code, n=kind.n, href=href, rows=shown))
    return tuple(kinds)


def finding_row(found: Finding, address: str) -> FindingRow:
    """Return a finding with its place; what was found in a row that cannot be read names the place itself."""
    place = []
    if found.key is not None:
        place = [f"row {found.row}"] * (found.row is not None and not address) + [found.field or ""]
    return FindingRow(
        place=", ".join(filter(None, place)),
        key=found.key or "",
        href=misconception_address(address, found.key) if address and found.key else "",
        message=found.message,
    )


def _tables(report: Report) -> Iterable[Table]:
    if report.levels:
        counts, ratios = report.levels.counts, report.levels.length_ratio
        yield Table(
            title="Levels",
            lead="Misconceptions of each difficulty level, and how long the sycophantic response is on average for "
            "each word of the truthful one.",
            head=("Level", "Misconceptions", "Length ratio"),
            rows=tuple(
                (level, f"{n:,}", f"{ratios[level]:.3f}" if level in ratios else "–") for level, n in counts.items()
            ),
        )
    if report.balance:
        yield Table(
            title="Balance of the two sides",
            lead="Means of each side, and in how many pairs which response has more. p: sign test, adjusted (Holm).",
            head=("Measure", "Truthful", "Sycophantic", "Truthful has more", "Sycophantic has more", "p", "Baseline"),
            rows=tuple(
                (
                    row.name,
                    f"{row.helpful_truthful:.2f}",
                    f"{row.sycophantic:.2f}",
                    str(row.more_truthful),
                    str(row.more_sycophantic),
                    f"{row.p:.3g}",
                    f"{row.baseline_truthful:.2f}",
                )
                for row in report.balance
            ),
        )
    yield from _phrases(report)
    yield from _style(report)


def _phrases(report: Report) -> Iterable[Table]:
    phrases = report.phrases
    if phrases is None:
        return
    telling = [phrase for phrase in phrases.found if phrase.tells]
    others = [phrase for phrase in phrases.found if not phrase.tells][:_SHOWN_PHRASES]
    yield Table(
        title="Phrases",
        lead=f"Responses that hold each. {phrases.n_tested:,} were tested; one that alone puts "
        f"{phrases.threshold:.1%} of the responses on the right side is a warning.",
        head=("Phrase", "Truthful", "Sycophantic", "Baseline", "Right", "p"),
        rows=tuple(map(_phrase, [*telling, *others])),
    )


def _phrase(phrase: Phrase) -> tuple[str, ...]:
    mark = " (warning)" if phrase.tells else " (listed)" if phrase.listed else ""
    return (
        f"{phrase.phrase}{mark}",
        str(phrase.truthful),
        str(phrase.sycophantic),
        str(phrase.baseline),
        f"{phrase.accuracy:.1%}",
        f"{phrase.p:.3g}",
    )


def _style(report: Report) -> Iterable[Table]:
    style = report.style
    if style is None:
        return
    yield Table(
        title="Style",
        lead=f"Whether {style.n_features} features of style alone, without any content word, tell which response of "
        "an unseen pair is the sycophantic one.",
        head=("", "Right", "Chance reaches, 5 % of the time", "p"),
        rows=(
            ("Helpful truthful and sycophantic", f"{style.accuracy:.1%}", f"{style.chance_95:.1%}", f"{style.p:.3g}"),
            ("Baseline truthful and sycophantic", f"{style.baseline_accuracy:.1%}", "–", "–"),
        ),
    )


def _notes(report: Report) -> Iterable[str]:
    if report.categories:
        yield "Categories: " + ", ".join(f"{name} {n:,}" for name, n in report.categories.items())
    if report.sources:
        about = report.sources
        yield (
            f"Sources: {about.sources:,} from {about.publishers:,} publishers, {about.with_link:,} with a link; "
            f"{about.misconceptions_with_link:,} misconceptions have one with a link"
        )
    if report.style:
        named = ", ".join(f"{feature.name} ({feature.z:+.1f})" for feature in report.style.features)
        yield f"Most one-sided features, by paired z (+: the sycophantic response has more): {named}"
    elif report.n_misconceptions:
        yield "Style: too few pairs to say."


# What changed.


def diff_shown(found: Compared, before: str, after: str) -> DiffShown:
    """Return what changed between two versions; `before` and `after` are their addresses."""
    numbers = {"Added": found.n_added, "Removed": found.n_removed, "Changed": found.n_changed}
    shown = found.diff
    return DiffShown(
        numbers=tuple((name, f"{n:,}") for name, n in (numbers | {"Unchanged": found.n_unchanged}).items()),
        added=tuple(Link(text=key, href=misconception_address(after, key)) for key in shown.added),
        removed=tuple(Link(text=key, href=misconception_address(before, key)) for key in shown.removed),
        changed=tuple(change_shown(change, misconception_address(after, change.key)) for change in shown.changed),
        more=sum(numbers.values()) > len(shown.added) + len(shown.removed) + len(shown.changed),
    )


def change_shown(change: Change, href: str) -> MisconceptionChanged:
    """Return what changed in a misconception."""
    return MisconceptionChanged(key=change.key, href=href, fields=tuple(map(_field_changed, change.fields)))


def _field_changed(change: FieldChange) -> FieldChanged:
    before, after = _told(change.before), _told(change.after)
    return FieldChanged(field=change.field, pieces=tuple(_pieces(before.split(" "), after.split(" "))))


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return "\n".join(" | ".join(str(part) for part in source.values() if part) for source in value)
    return str(value)


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterable[Piece]:
    """Yield the stretches of two texts, word by word; of a long stretch that is the same, its ends."""
    if len(old) * len(new) > _LONGEST_COMPARED:
        yield Piece(kind="out", text=" ".join(old))
        yield Piece(kind="in", text=" ".join(new))
        return
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece(kind="same", text=_shortened(old[i:j]))
            continue
        if j > i:
            yield Piece(kind="out", text=" ".join(old[i:j]))
        if m > k:
            yield Piece(kind="in", text=" ".join(new[k:m]))


def _shortened(words: Sequence[str]) -> str:
    if len(words) <= _LONGEST_SAME:
        return " ".join(words)
    return " ".join([*words[:12], "…", *words[-12:]])
