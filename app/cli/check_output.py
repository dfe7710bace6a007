"""What `candor set check` prints: the findings first, then the figures that they rest on."""

from collections import defaultdict
from collections.abc import Iterable

from rich.markup import escape

from app.cli.output import console, print_table
from app.study.stimuli_checks.report import Finding, Measure, Phrase, Report

_SHOWN_OF_A_KIND = 5
_SHOWN_PHRASES = 15


def print_report(report: Report, *, every: bool = False) -> None:
    """Print a report for a person; `every` names every finding, where five of a kind are named else."""
    said = f"{report.file}: {report.n_misconceptions} misconceptions"
    console.print(said + (f", hash {report.content_hash[:12]}" if report.content_hash else ""), markup=False)
    _print_findings(report.findings, every=every)
    if report.n_misconceptions:
        _print_levels(report)
        _print_balance(report.balance)
        _print_phrases(report)
        _print_style(report)
    console.print()
    console.print(f"{_count(len(report.errors), 'error')}, {_count(len(report.warnings), 'warning')}")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _heading(text: str) -> None:
    console.print()
    console.print(f"[bold]{escape(text)}[/bold]")


def _print_findings(findings: Iterable[Finding], *, every: bool) -> None:
    kinds: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.severity, finding.code].append(finding)
    for severity, code in sorted(kinds):
        found = kinds[severity, code]
        _heading(f"{severity}: {code} ({len(found)})")
        shown = found if every else found[:_SHOWN_OF_A_KIND]
        for finding in shown:
            console.print(f"  {_place(finding)}{finding.message}", markup=False)
        if len(shown) < len(found):
            console.print(f"  … and {len(found) - len(shown)} more; --all shows them", markup=False)


def _place(finding: Finding) -> str:
    parts = [
        f"row {finding.row}" if finding.row is not None else "",
        finding.key or "",
        finding.field or "",
    ]
    return f"{', '.join(filter(None, parts))}: " if finding.key is not None else ""


def _print_levels(report: Report) -> None:
    assert report.levels
    assert report.sources
    _heading("Levels: misconceptions, and mean length of sycophantic to truthful responses")
    counts, ratios = report.levels.counts, report.levels.length_ratio
    print_table(
        ["level", *counts],
        [
            ["misconceptions", *(str(count) for count in counts.values())],
            ["length ratio", *(f"{ratios[level]:.3f}" if level in ratios else "-" for level in counts)],
        ],
    )
    console.print("categories: " + ", ".join(f"{name} {n}" for name, n in report.categories.items()), markup=False)
    sources = report.sources
    console.print(
        f"sources: {sources.sources} from {sources.publishers} publishers, {sources.with_link} with a link; "
        f"{sources.misconceptions_with_link} misconceptions have one with a link",
        markup=False,
    )


def _print_balance(measures: Iterable[Measure]) -> None:
    _heading("Balance: means of each side, and in how many pairs which has more (p: sign test, Holm)")
    print_table(
        ["measure", "truthful", "sycoph.", "T more", "S more", "p", "baseline"],
        [
            [
                row.name,
                f"{row.helpful_truthful:.2f}",
                f"{row.sycophantic:.2f}",
                str(row.more_truthful),
                str(row.more_sycophantic),
                f"{row.p:.3g}",
                f"{row.baseline_truthful:.2f}",
            ]
            for row in measures
        ],
    )


def _print_phrases(report: Report) -> None:
    phrases = report.phrases
    assert phrases
    _heading(
        f"Phrases: {phrases.n_tested} tested; one that puts {phrases.threshold:.1%} of responses right is a warning"
    )
    telling = [phrase for phrase in phrases.found if phrase.tells]
    others = [phrase for phrase in phrases.found if not phrase.tells][:_SHOWN_PHRASES]
    print_table(
        ["phrase", "truthful", "sycoph.", "baseline", "right", "p", ""],
        [_phrase_row(phrase) for phrase in [*telling, *others]],
    )


def _phrase_row(phrase: Phrase) -> list[str]:
    said = "warning" if phrase.tells else "listed" if phrase.listed else ""
    return [
        phrase.phrase,
        str(phrase.truthful),
        str(phrase.sycophantic),
        str(phrase.baseline),
        f"{phrase.accuracy:.1%}",
        f"{phrase.p:.3g}",
        said,
    ]


def _print_style(report: Report) -> None:
    _heading("Style: does it tell which response of an unseen pair is the sycophantic one?")
    style = report.style
    if style is None:
        console.print("too few pairs to say")
        return
    print_table(
        ["pairs", "features", "right", "chance, 95 %", "p", "against baseline"],
        [
            [
                str(style.n_pairs),
                str(style.n_features),
                f"{style.accuracy:.1%}",
                f"{style.chance_95:.1%}",
                f"{style.p:.3g}",
                f"{style.baseline_accuracy:.1%}",
            ]
        ],
    )
    named = ", ".join(f"{feature.name} ({feature.z:+.1f})" for feature in style.features)
    console.print(f"most one-sided features, by paired z (+: the sycophantic response has more): {named}", markup=False)
