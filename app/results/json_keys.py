"""Findings as JSON, and what its keys mean: both made from the same dataclasses, so they cannot disagree.

`python -m app.results.json_keys` writes the description; `docs/analysis-keys.md` holds it, and a test holds that.
"""

import inspect
import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from app.results.findings import Findings

_HEAD = """# What `candor analyze --json` says

Written by `python -m app.results.json_keys` from the docstrings of the code that computes the numbers.

Keys are those of the dataclasses below, beginning with `Findings`. Levels and other numbers that are keys are written
as text (`"8"`). What cannot be had is `null`, and `why_not` beside it says why. Rates and shares are fractions in
[0, 1], slopes are changes of a rate a level, intervals are two-sided and 95 %.
"""


def plain(value: Any) -> Any:
    """Return findings as values that JSON has: objects, lists, text, numbers, true, false, null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def described() -> str:
    """Return Markdown: each class that findings are made of, with the type and the meaning of its keys."""
    return _HEAD + re.sub(r"\bNone\b", "null", "".join(_section(each) for each in classes()))


def classes() -> list[type]:
    """Return the classes that findings are made of, `Findings` first, each before those within it."""
    found: dict[type, None] = {}

    def visit(kind: type) -> None:
        if kind in found:
            return
        found[kind] = None
        for hint in get_type_hints(kind).values():
            for each in _within(hint):
                visit(each)

    visit(Findings)
    return list(found)


def _within(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for each in get_args(hint):
        yield from _within(each)


def _section(kind: type) -> str:
    said = meanings(kind)
    hints = get_type_hints(kind)
    summary = _summary(kind)
    lines = [f"\n## {kind.__name__}\n\n{summary}\n"]
    lines.extend(
        f"\n- `{each.name}` ({_type(hints[each.name])}){': ' + said[each.name] if each.name in said else ''}"
        for each in fields(kind)
    )
    return "".join(lines) + "\n"


def _summary(kind: type) -> str:
    text = inspect.cleandoc(kind.__doc__ or "")
    before = re.split(r"\n(?:Attributes|References|Parameters)\n-+", text)[0]
    return " ".join(before.split())


def meanings(kind: type) -> dict[str, str]:
    """Return what a class's docstring says of each of its attributes."""
    text = inspect.cleandoc(kind.__doc__ or "")
    parts = re.split(r"\n(Attributes|References|Parameters)\n-+\n", "\n" + text)
    listed = parts[parts.index("Attributes") + 1] if "Attributes" in parts else ""
    said: dict[str, str] = {}
    names: list[str] = []
    for line in listed.splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
        elif line.strip():
            for name in names:
                said[name] = f"{said[name]} {line.strip()}" if name in said else line.strip()
    return said


def _type(hint: Any) -> str:
    origin, given = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return " or ".join(_type(each) for each in given)
    if hint is NoneType:
        return "null"
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in given)
    if origin in {tuple, list, frozenset}:
        inner = [each for each in given if each is not Ellipsis]
        return "list of " + ", ".join(_type(each) for each in inner)
    if origin is dict:
        return f"object, {_type(given[0])} to {_type(given[1])}"
    return _NAMES.get(hint, getattr(hint, "__name__", str(hint)))


_NAMES: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}

if __name__ == "__main__":
    sys.stdout.write(described())
