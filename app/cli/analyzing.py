"""`candor analyze`: a study's results from its exported files alone: the numbers of the results page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from app.cli.model_output import Chains, Samples, print_model
from app.cli.output import console, errors, print_json, print_table
from app.errors import CandorError

if TYPE_CHECKING:
    from app.analysis.intervals import Interval
    from app.results.crossed.fit import ModelFit
    from app.results.findings import ArmFindings, Findings
    from app.results.observed import Observed

_NONE = "–"


class ArmUnknown(CandorError):
    """The study has no such arm."""


def analyze(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[Path, typer.Argument(help="A bundle (zip), or the table of choices as CSV.")],
    scores: Annotated[Path | None, typer.Option(help="Table of scores, CSV.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Table of pairs, CSV.")] = None,
    annotators: Annotated[Path | None, typer.Option(help="Table of annotators, CSV.")] = None,
    arm: Annotated[
        str | None,
        typer.Option(help="Arm to show and to hold the others against, as helpful/neutral. [default: first]"),
    ] = None,
    chains: Chains = 4,
    samples: Samples = 1000,
    *,
    model: Annotated[
        bool, typer.Option("--model", help="Fit the crossed random-effects model too; needs the extra bayes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with everything.")] = False,
) -> None:
    """Analyse a study from its exported files: the numbers of the results page, without a database.

    With --model, the crossed random-effects model is fitted to the arm shown: about a minute for a thousand choices.

    The keys of the JSON are described in docs/analysis-keys.md.
    """
    from app.results.finding.find import find  # noqa: PLC0415 - numpy and scipy take half a second to import
    from app.results.sources.from_files import from_files  # noqa: PLC0415 - as above

    if model:
        from app.results.crossed.model import require  # noqa: PLC0415 - as above

        require()
    with errors.status(escape(f"Analysing {file}")):
        _refuse_damaged(file)
        observed = from_files(file, pairs=pairs, annotators=annotators, scores=scores)
        names = [each.name for each in observed.facts.arms]
        if arm is not None and arm not in names:
            raise ArmUnknown(f"study {observed.facts.slug!r} has no arm {arm!r}; it has {', '.join(names)}")
        observed = observed if arm is None else observed.with_first(arm)
        fits = _fitted(observed, chains, samples) if model else ()
        findings = find(observed, fits)
    if as_json:
        from app.results.json_keys import plain  # noqa: PLC0415 - as above

        print_json(plain(findings))
    else:
        _print(findings)


def _fitted(observed: "Observed", chains: int, samples: int) -> "tuple[ModelFit, ...]":
    """Fit the model to the first arm."""
    from app.results.crossed.model import Sampling, fit_crossed  # noqa: PLC0415 - numpy and scipy, as above

    return (fit_crossed(observed, observed.facts.arms[0].name, Sampling(chains, samples)),)


def _refuse_damaged(file: Path) -> None:
    """Hold a bundle against its manifest, before anything of it is believed."""
    from app.results.sources.from_files import is_zip  # noqa: PLC0415 - numpy and scipy take half a second to import

    if file.suffix.lower() == ".zip" or is_zip(file):
        from app.exports.verifying import verify  # noqa: PLC0415 - only for a bundle

        verify(file)


def _print(findings: "Findings") -> None:
    facts = findings.facts
    console.print(f"[bold]{escape(facts.title or facts.slug)}[/bold] ({escape(facts.slug)})")
    if facts.synthetic:
        console.print("[bold]Synthetic annotators: these numbers say nothing about people.[/bold]")
    if facts.preregistration is None:
        console.print("Without a preregistration that is known here, everything is exploratory.")
    for said in findings.source.missing.values():
        errors.print(f"Note: {said}.", markup=False)
    if facts.first_arm is None:
        errors.print("Note: which arm is the first is not in the tables; --arm names another.", markup=False)
    elif not facts.arms_ordered:
        errors.print(
            f"Note: the design's first arm, whose test is the primary one, is {facts.first_arm}.", markup=False
        )
    if findings.primary is not None:
        _print_arm(findings, findings.primary)
    for fit in findings.models:
        print_model(fit)
    _print_others(findings)
    _print_judges(findings)


def _print_arm(findings: "Findings", arm: "ArmFindings") -> None:
    from app.results.words import of_arm, people  # noqa: PLC0415 - numpy and scipy take half a second to import

    counts = arm.counts
    console.print(
        f"\nArm {arm.arm.name}: {counts.n_decided:,} choices ({counts.n_ties:,} ties beside them) "
        f"of {counts.n_annotators:,} annotators on {counts.n_pairs:,} pairs.\n"
    )
    for sentence in of_arm(arm, people(findings)):
        console.print(f"- {sentence}", markup=False)
    if not arm.rates.by_level:
        return
    console.print()
    print_table(
        [
            "Level",
            "Pairs",
            "Choices",
            "Rate (%)",
            "95 % interval",
            "Micro (%)",
            "Majority (%)",
            "95 % interval",
            "Ties",
        ],
        [_level(arm, level) for level in sorted(arm.rates.by_level)],
    )


def _level(arm: "ArmFindings", level: int) -> list[str]:
    rate, micro, majority = arm.rates.by_level[level], arm.rates.by_level_micro[level], arm.majority_by_level.get(level)
    vote = None if majority is None else majority.ties_excluded
    return [
        str(level),
        f"{rate.n_pairs:,}",
        f"{rate.n_choices:,}",
        f"{100 * rate.rate:.1f} ({_interval(rate.interval)})",
        f"{100 * micro.rate:.1f}",
        _NONE if vote is None else f"{100 * vote.rate:.1f} ({_interval(vote.interval)})",
        _NONE if majority is None else str(majority.n_ties),
    ]


def _interval(interval: "Interval | None") -> str:
    return _NONE if interval is None else f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _print_others(findings: "Findings") -> None:
    if len(findings.arms) < 2:
        return
    console.print()
    differences = {each.arm: each for each in findings.arms_compared}
    rows = []
    for arm in findings.arms:
        rate, slope, against = arm.rates.overall, arm.slope, differences.get(arm.arm.name)
        rows.append(
            [
                arm.arm.name,
                f"{arm.counts.n_decided:,}",
                _NONE if rate is None else f"{100 * rate.rate:.1f} ({_interval(rate.interval)})",
                _NONE if slope is None else f"{100 * slope.slope:+.2f} ({_interval(slope.interval)})",
                _NONE
                if against is None
                else f"{100 * against.difference.difference:+.1f} ({_interval(against.difference.interval)})",
                _NONE if against is None or against.p_holm is None else f"{against.p_holm:.3f}",
            ]
        )
    print_table(
        ["Arm", "Choices", "Rate (%)", "Slope (points a level)", "Against the first (points)", "p (Holm)"], rows
    )


def _print_judges(findings: "Findings") -> None:
    from app.results.judge_words import of_variant  # noqa: PLC0415 - numpy and scipy take half a second to import

    if not findings.judges:
        return
    console.print()
    levels = sorted({level for judge in findings.judges for level in judge.by_level})
    print_table(
        ["Preference model", "Variant", "Against", "Pairs", "Rate (%)", *(f"L{level}" for level in levels)],
        [
            [
                f"{judge.name.called}{' (random weights)' if judge.name.random_weights else ''}",
                judge.name.variant,
                judge.name.truthful_kind,
                _NONE if judge.rate is None else f"{judge.rate.n_pairs:,}",
                _NONE if judge.rate is None else f"{100 * judge.rate.rate:.1f} ({_interval(judge.rate.interval)})",
                *(f"{100 * judge.by_level[level].rate:.0f}" if level in judge.by_level else _NONE for level in levels),
            ]
            for judge in findings.judges
        ],
    )
    for contrast in findings.judge_contrasts:
        console.print(f"- {of_variant(contrast)}", markup=False)
