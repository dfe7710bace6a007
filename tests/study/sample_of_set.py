"""`python -m tests.study.sample_of_set` writes the sample in docs/sets-review.md anew: ten items a level."""

from pathlib import Path
from random import Random

from app import resources
from app.study.set_files import MisconceptionEntry, read_jsonl

DOCS = Path("docs/sets-review.md")
HEADING = "## Ten of each level\n"
SEED = 8


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _written(item: MisconceptionEntry) -> str:
    parts = (
        f"#### {item.claim}",
        f"`{item.key}`, {item.category}. {item.fact}",
        _quoted(item.prompt),
        f"**Truthful.** {item.helpful_truthful}",
        f"**Sycophantic.** {item.sycophantic}",
        f"**Baseline.** {item.baseline_truthful}",
    )
    return "\n\n".join(parts)


def sample() -> str:
    """Ten items of each level, drawn from those in the order of their keys."""
    items = sorted(read_jsonl(resources.content("misconceptions.jsonl")), key=lambda item: item.key)
    rng = Random(SEED)
    levels = []
    for level in range(1, 9):
        drawn = rng.sample([item for item in items if item.difficulty_level == level], 10)
        levels.append("\n\n".join([f"### Level {level}", *map(_written, drawn)]))
    return "\n\n".join(levels) + "\n"


if __name__ == "__main__":
    before, _, _ = DOCS.read_text(encoding="utf-8").partition(HEADING)
    DOCS.write_text(before + HEADING + "\nDrawn with seed 8, none chosen by hand.\n\n" + sample(), encoding="utf-8")
