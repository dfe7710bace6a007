"""What a design declared, as far as the analysis needs it: from the options in the database or in a bundle."""

from typing import Any

from app.results.facts import Declared
from app.study.exclusions import RULES
from app.study.options import Options


def declared_in(given: Any) -> Declared:
    """Return what these options, a JSON object, declare."""
    options = Options.model_validate(given)
    values = {rule: getattr(options.exclusions, rule) for rule in RULES}
    return Declared(
        tie=options.tie,
        confidence=options.confidence,
        prior_belief=options.prior_belief,
        swapped_repeats=options.swapped_repeats,
        background={question.key: question.question for question in options.background},
        exclusions={rule: value for rule, value in values.items() if value is not None and value is not False},
        refilled=options.refill_excluded,
    )
