"""What is wrong with a value, in plain words: the one place that knows how pydantic names its faults.

Each text goes on after the name of the field: "must be a whole number". None of pydantic's own wording is passed on.
"""

from typing import Any

_WORDS = {
    "missing": "missing",
    "extra_forbidden": "unknown; remove it or check its spelling",
    "string_type": "must be text",
    "string_unicode": "holds half of a surrogate pair (\\ud800 to \\udfff); write the character itself",
    "string_too_long": "must have at most {max_length:,} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a table of named values",
    "model_type": "must be a table of named values",
    "model_attributes_type": "must be a table of named values",
    "too_short": "must have {min_length} or more",
    "too_long": "must have {max_length} or fewer",
    "datetime_type": "must be a date and time",
    "datetime_parsing": "must be a date and time in ISO 8601",
    "datetime_from_date_parsing": "must be a date and time in ISO 8601",
    "timezone_aware": "must be a date and time with its time zone",
    "path_type": "must be a path",
    "json_invalid": "not JSON",
    "json_type": "must be JSON",
}


def plain(fault: Any, pattern: str = "is not written as it must be") -> str:
    """Return a fault of a `ValidationError` in plain words; `pattern` is said of a text that has the wrong form."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "value_error":  # Raised by a validator of ours, in words of ours.
        return _lower(str(fault["msg"]).removeprefix("Value error, "))
    if kind == "string_pattern_mismatch":
        return pattern
    if kind == "string_too_short":
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"must have {least:,} characters or more"
    return _WORDS.get(kind, "cannot be taken as it is").format_map(context)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
