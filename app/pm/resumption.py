"""Whether a run is gone on with by the model that began it, where no file can tell: a server's, by what it answers.

A server names its model as it likes, so other weights may stand behind the same name. What its backend scored when it
was connected is in the run's record, and how far rounding may move that; a run is gone on with only within it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.pm.shards import RunDirectoryUnfit

SCORES = "scores"
TOLERANCE = "tolerance"
"""Where a self-check keeps what the model said of its canaries, and how far that may move from start to start."""


def refuse_another_model(begun: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Hold the record of a run that goes on to the one that it was begun with.

    Raises
    ------
    RunDirectoryUnfit
        When the model says otherwise of the canaries than rounding explains.
    """
    before, after = begun.get("self_check") or {}, now.get("self_check") or {}
    then, again = before.get(SCORES), after.get(SCORES)
    if not then or not again:
        return
    allowed = max(before.get(TOLERANCE) or 0.0, after.get(TOLERANCE) or 0.0)
    off = max(abs(one - other) for one, other in zip(then, again, strict=False))
    # Written so that what is no number is refused too.
    if len(then) != len(again) or not off <= allowed:
        raise RunDirectoryUnfit(
            f"{path} holds a run that another model began: what the server says of the canaries differs by {off:.2g} "
            f"from what it said then, and rounding explains {allowed:.2g}. Other weights or another dtype are served "
            f"under the name {now.get('model')}: serve those of the begun run to go on, or choose another folder"
        )
