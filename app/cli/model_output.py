"""How commands print a fit of the crossed random-effects model, and the options of how it is sampled."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import console, errors, print_table

if TYPE_CHECKING:
    from app.results.crossed.fit import ModelFit

Chains = Annotated[int, typer.Option(help="Chains of the model's sampler.", min=2, max=64)]
Samples = Annotated[int, typer.Option(help="Draws that each chain keeps.", min=100, max=100_000)]

_PRINTED = ("Term", "Mean", "SD", "95 % interval")  # A terminal is narrow; --json and the page have the others.


def print_model(fit: "ModelFit") -> None:
    """Print coefficients with their diagnostics, rates by level, and what speaks against them."""
    from app.results.report import model as told  # noqa: PLC0415 - numpy and scipy take a while to import

    console.print(f"\nCrossed random-effects model, arm {fit.arm} (logits):\n", markup=False)
    kept = [place for place, column in enumerate(told.COEFFICIENTS) if column.text in _PRINTED]
    both = zip(told.coefficient_rows(fit), told.diagnostic_rows(fit), strict=True)
    print_table(
        [*_PRINTED, *(column.text for column in told.DIAGNOSTICS[1:])],
        [[*(one[place] for place in kept), *other[1:]] for one, other in both],
    )
    console.print()
    print_table([column.text for column in told.RATES], [list(row) for row in told.rate_rows(fit)])
    console.print()
    for sentence in told.made(fit):
        console.print(f"- {sentence}", markup=False)
    for warning in fit.warnings:
        errors.print(f"Warning: {warning}", markup=False)
