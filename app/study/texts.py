"""The default texts of a study, from the bundled content."""

import tomllib
from functools import lru_cache
from typing import Any

from app import resources
from app.terms import Instructions


@lru_cache
def default_texts() -> dict[str, Any]:
    """Return the default question, consent, instructions, debrief and practice pair."""
    with resources.content("study_texts.toml").open("rb") as file:
        return tomllib.load(file)


def instructions_of(texts: dict[str, Any], instructions: Instructions) -> str:
    """Return the instructions that an arm's annotators read."""
    key = "instructions_prefer_truth" if instructions is Instructions.PREFER_TRUTH else "instructions"
    return str(texts[key])
