"""What a study has switched on, in the words of the form on which it is designed."""

from collections.abc import Mapping
from typing import Any

from app.models import Study
from app.study.options import Options
from app.web.researcher.design_field import Field
from app.web.researcher.design_fields import SECTIONS
from app.web.researcher.design_form import written
from app.web.researcher.option_fields import OWN_COMPREHENSION
from app.web.researcher.question_lines import numbered

_DEFAULTS = {"options": Options().model_dump()}
_ROWS = {"judging": "Asked at each pair", "checks": "Questions and checks", "exclusions": "Exclusions"}


def switched_on(study: Study) -> tuple[tuple[str, str], ...]:
    """Return a term and its words for each section in which a study differs from the defaults."""
    values = {"options": study.options}
    rows = []
    for section in SECTIONS:
        if section.name in _ROWS:
            told = [words for field in section.fields if (words := _told(field, values, study))]
            rows.append((_ROWS[section.name], "; ".join(told)))
    return tuple(rows)


def _told(field: Field, values: Mapping[str, Any], study: Study) -> str:
    value = written(field, values)
    unasked = field.name == "options.failed_at" and not study.options["attention_checks"]
    if not value or value == written(field, _DEFAULTS) or unasked or field.name == OWN_COMPREHENSION:
        return ""
    if field.kind == "switch":
        return field.label
    return f"{field.label}: {_words(field, value[0], study)}"


def _questions(n: int) -> str:
    return f"{n} question{'' if n == 1 else 's'}"


def _words(field: Field, value: str, study: Study) -> str:
    if field.kind == "lines":
        return _questions(len(numbered(value)))
    if value == "own":
        return _questions(len(study.options["comprehension"]))
    if field.kind == "radios":
        return next(text for chosen, text, _ in field.choices if chosen == value)
    return f"{value} {field.unit}".strip()
