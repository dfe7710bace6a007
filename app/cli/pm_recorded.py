"""How `candor pm again` scores: the recorded run's pairs, variants, model and plan, on this machine."""

from pathlib import Path

from app.cli.output import errors
from app.cli.pm_backends import backend
from app.cli.pm_progress import Tally, shown, stopping
from app.pm.backends.local import LocalSpec
from app.pm.recorded import TOLERANCE, Agreement, Recorded, agreement, bundled_items
from app.pm.records import RunSettings
from app.pm.runner import asked_in_all, score_items
from app.pm.shards import SCORES_FILE
from app.pm.variants import chosen_variants

__all__ = ["TOLERANCE", "score_again"]


def score_again(output: Path, at_most: int | None, threads: int) -> Agreement:
    """Score the recorded run's pairs again, or the first of them, and compare."""
    recorded = Recorded()
    record = recorded.record
    items = bundled_items(record["made_by"]["input"]["header"], at_most)
    variants = chosen_variants([variant["name"] for variant in record["variants"]], None)
    total = asked_in_all(items.contents(), variants, None, judges=True)
    tally = Tally()
    with stopping(output):
        scorer = backend(LocalSpec(model=record["model"], use="judge", dtype=record["dtype"], threads=threads))
        errors.print(
            f"Judging {len(items.listed):,} pairs with {record['model']}: {total:,} rows. "
            "Ctrl-C stops; the same command goes on.",
            markup=False,
        )
        settings = RunSettings(record["plan"]["budget"], record["plan"]["shard_rows"])
        with shown(total, tally) as progress:
            score_items(items, scorer, variants, output, progress, settings)
    return agreement(recorded, output / SCORES_FILE)
