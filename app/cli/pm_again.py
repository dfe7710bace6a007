"""`candor pm again`: the recorded run scored again on this machine, and held against what was recorded."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import console, print_json
from app.cli.pm_backends import backend
from app.cli.pm_progress import Tally, shown
from app.errors import CandorError
from app.pm.backends.local import LocalSpec
from app.pm.recorded import TOLERANCE, Recorded, agreement, bundled_items
from app.pm.records import RunSettings
from app.pm.runner import asked_in_all, score_items
from app.pm.shards import SCORES_FILE
from app.pm.variants import chosen_variants


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
    recorded = Recorded()
    record = recorded.record
    items = bundled_items(record["made_by"]["input"]["header"], at_most)
    variants = chosen_variants([variant["name"] for variant in record["variants"]], None)
    scorer = backend(LocalSpec(model=record["model"], use="judge", dtype=record["dtype"], threads=threads))
    tally = Tally()
    settings = RunSettings(record["plan"]["budget"], record["plan"]["shard_rows"])
    with shown(asked_in_all(items.contents(), variants, None, judges=True), tally) as progress:
        score_items(items, scorer, variants, output, progress, settings)
    found = agreement(recorded, output / SCORES_FILE)
    if not found.holds:
        raise ScoresDiffer(
            f"of {found.rows:,} rows one differs by {found.largest:.2g} from what was recorded, more than {TOLERANCE}; "
            f"{found.flipped} preferences are others"
        )
    if as_json:
        print_json({"rows": found.rows, "largest": found.largest, "flipped": found.flipped, "tolerance": TOLERANCE})
        return
    console.print(
        f"{found.rows:,} rows agree with the recorded run: no logit differs by more than {found.largest:.2g}, "
        f"and {found.flipped} preferences do."
    )
