"""`candor pm again`: the recorded run scored again on this machine, and held against what was recorded."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import console, print_json
from app.errors import CandorError


class ScoresDiffer(CandorError):
    """The recorded scores cannot be had again on this machine."""


def again(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the run; an unfinished one is gone on with.")
    ],
    at_most: Annotated[int | None, typer.Option("--pairs", help="Only so many pairs; all if not given.", min=1)] = None,
    threads: Annotated[int, typer.Option(help="Threads; 0: all.", min=0)] = 0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score the bundled set again as the recorded run was, and say how far both agree."""
    from app.cli.pm_recorded import TOLERANCE, score_again  # noqa: PLC0415 - numpy takes a while to import

    found = score_again(output, at_most, threads)
    if not found.holds:
        raise ScoresDiffer(
            f"of {found.rows:,} rows one differs by {found.largest:.2g} from what was recorded, more than {TOLERANCE}; "
            f"{found.flipped} of {found.pairs:,} preferences are others; the scores are in {output}"
        )
    if as_json:
        print_json({"rows": found.rows, "largest": found.largest, "flipped": found.flipped, "tolerance": TOLERANCE})
        return
    others = (
        f"{found.flipped:,} of {found.pairs:,} preferences" if found.flipped else f"none of {found.pairs:,} preferences"
    )
    console.print(
        f"{found.rows:,} rows agree with the recorded run: no logit differs by more than {found.largest:.2g} "
        f"(allowed: {TOLERANCE}), and {others} changed."
    )
