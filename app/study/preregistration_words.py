"""What a preregistration says about a design, in words: from the bundled text and the study's own options."""

import tomllib
from functools import lru_cache
from typing import Any

from app import resources
from app.study.exclusions import RULES
from app.study.options import Exclusions, Options


@lru_cache
def words() -> dict[str, Any]:
    """Return the bundled text of preregistrations."""
    with resources.content("preregistration.toml").open("rb") as file:
        return tomllib.load(file)


def hypotheses(n_arms: int) -> dict[str, Any]:
    """Return the primary hypothesis and the secondary ones."""
    said = words()["hypotheses"]
    more = [said["secondary_arms"]] if n_arms > 1 else []
    return {"primary": said["primary"], "secondary": [*said["secondary"], *more]}


def primary_test(n_arms: int) -> dict[str, Any]:
    """Return the primary test, step by step, and where its code is."""
    said = words()["primary_test"]
    arms = said["several_arms"] if n_arms > 1 else said["one_arm"]
    return {name: said[name] for name in ("code", "alpha", "sides")} | {"steps": [*said["steps"], arms]}


def secondary_tests(n_arms: int) -> list[str]:
    """Return the secondary tests."""
    said = words()["secondary_tests"]
    return [*said["always"], *([said["arms"]] if n_arms > 1 else [])]


def exclusions(options: Options) -> list[str]:
    """Return what is left out of the analysis, in the order in which the rules are asked."""
    said = words()["exclusions"]
    declared = [said[rule].format(n=_value(options.exclusions, rule)) for rule in RULES if _is_on(options, rule)]
    after = [said["refilled"] if options.refill_excluded else said["kept_filled"]] if declared else [said["none"]]
    return [*words()["always_left_out"]["rules"], *declared, *after]


def _value(declared: Exclusions, rule: str) -> Any:
    return getattr(declared, rule)


def _is_on(options: Options, rule: str) -> bool:
    value = _value(options.exclusions, rule)
    return value is not None and value is not False


def response_times(options: Options) -> list[str]:
    """Return the declared thresholds of response times, and the others at which results are repeated."""
    said, rules = words()["response_times"], options.exclusions
    given = {"fastest": rules.fastest_ms, "words": rules.words_a_minute}
    names = [name for name, value in given.items() if value is not None]
    enforced = [said["enforced"].format(seconds=options.min_reading_seconds)] if options.min_reading_seconds else []
    if not names:
        return [said["none"], *enforced]
    rule = said["both" if len(names) > 1 else names[0]].format(**given)
    return [said["declared"].format(rule=rule), said["sensitivity"], *enforced]


def exploratory(options: Options) -> list[str]:
    """Return what is looked at without a hypothesis, as far as this study asks for it."""
    said = words()["exploratory"]
    asked = {
        "confidence": options.confidence,
        "prior_belief": options.prior_belief,
        "reason": options.reason != "off",
        "background": options.background,
        "swapped_repeats": options.swapped_repeats,
        "tie": options.tie,
    }
    return [*said["always"], *(said[name] for name, on in asked.items() if on)]


def stopping() -> list[str]:
    """Return when data collection ends."""
    return list(words()["stopping"]["rules"])
