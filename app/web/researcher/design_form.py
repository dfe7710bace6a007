"""The form of a design: from what was typed to the values that `check_design` takes, and from a design to the form.

What was typed is a text, or several, for each field's name. Both ways follow `app.web.researcher.design_fields`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from starlette.datastructures import FormData

from app.study.checks import default_comprehension
from app.study.designs import ArmDesign, DesignFaulty, StudyDesign, check_design
from app.study.options import Options
from app.web.researcher.design_field import Field
from app.web.researcher.design_fields import SET, fields
from app.web.researcher.option_fields import OWN_COMPREHENSION
from app.web.researcher.question_lines import (
    LinesFaulty,
    numbered,
    read_background,
    read_comprehension,
    write_background,
    write_comprehension,
)

Typed = Mapping[str, tuple[str, ...]]
"""What was typed or chosen in each field, by its name. A switch that is off is not there."""

ON = "on"


class FieldFault(NamedTuple):
    """What is wrong, and the name of the field that mends it."""

    field: str
    message: str


class SetChosen(NamedTuple):
    """A version of a set, as the form names it: `slug@version`."""

    slug: str
    version: int

    def __str__(self) -> str:
        return f"{self.slug}@{self.version}"


class FormFaulty(Exception):
    """The form cannot be taken; each fault is at its field."""

    def __init__(self, faults: list[FieldFault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


def typed_in(form: FormData) -> Typed:
    """Return what a form brings for the fields there are. Browsers send line breaks as two characters."""
    found = {
        field.name: tuple(
            value.replace("\r\n", "\n").replace("\r", "\n")
            for value in form.getlist(field.name)
            if isinstance(value, str)
        )
        for field in fields()
    }
    return {name: values for name, values in found.items() if values}


def read(typed: Typed, sets: Iterable[SetChosen]) -> tuple[StudyDesign, SetChosen]:
    """Return the design that was typed, and the set that was chosen among these.

    Raises
    ------
    FormFaulty
        Naming every fault at its field, in the order of the form.
    """
    faults = _line_faults(typed)
    chosen = next((known for known in sets if str(known) == _only(typed, SET.name)), None)
    if chosen is None:
        faults.append(FieldFault(SET.name, SET.if_blank))
    design = None
    try:
        design = check_design(_values(typed))
    except DesignFaulty as refused:
        faults += [_at_its_field(fault.at, fault.said, typed) for fault in refused.found]
    if design is None or chosen is None or faults:
        order = [field.name for field in fields()]
        raise FormFaulty(sorted(faults, key=lambda fault: order.index(fault.field)))
    return design, chosen


def typed_of(values: Mapping[str, Any], chosen: SetChosen | None) -> Typed:
    """Return what would have to be typed for the values of a design."""
    typed = {field.name: written(field, values) for field in fields()}
    if chosen is not None:
        typed[SET.name] = (str(chosen),)
    return {name: written for name, written in typed.items() if written}


def new(chosen: SetChosen | None) -> Typed:
    """Return the form of a new study: the defaults, and nothing where a name, a code or a seed is to be given."""
    design = check_design({"slug": "a", "title": "a", "contact": "a"}).model_dump()
    left_open = ("slug", "title", "contact", "completion_code", "failed_checks_code", "screened_out_code", "seed")
    return typed_of(design | dict.fromkeys(left_open), chosen)


# From the form to values.


def _values(typed: Typed) -> dict[str, Any]:
    values: dict[str, Any] = {"texts": {}, "options": {"exclusions": {}}}
    for field in fields():
        if field.name in _SPECIAL:
            continue
        value = _value(field, typed)
        if value is not None:
            _put(values, field.place, value)
    values["arms"] = [_arm(name) for name in typed.get("arms", ())]
    for name, questions in _questions(typed).items():
        values["options"][name] = questions
    return values


_SPECIAL = frozenset({"set", "arms", "options.background", "options.comprehension", OWN_COMPREHENSION})


def _only(typed: Typed, name: str) -> str:
    return typed.get(name, ("",))[0]


def _value(field: Field, typed: Typed) -> Any:
    if field.kind == "switch":
        return field.name in typed
    written = _only(typed, field.name)
    if field.may_be_empty and not written.strip():
        return None
    return written.strip() if field.kind == "number" else written


def _put(values: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *tables, name = place
    for table in tables:
        values = values.setdefault(table, {})
    values[name] = value


def _arm(name: str) -> Any:
    kind, _, instructions = name.partition("/")
    return {"truthful_kind": kind, "instructions": instructions}


def _questions(typed: Typed) -> dict[str, Any]:
    """Return the questions that can be read; what is wrong with the others is said by `_line_faults`."""
    asked: dict[str, Any] = {"background": _lines(typed, "options.background", read_background)}
    asked["comprehension"] = {
        "none": [],
        "default": "default",
        "own": _lines(typed, OWN_COMPREHENSION, read_comprehension),
    }.get(_only(typed, "options.comprehension"), [])
    return asked


def _lines(typed: Typed, name: str, read_lines: Callable[[str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    try:
        return read_lines(_only(typed, name))
    except LinesFaulty:
        return []


# Faults, at their fields.


def _line_faults(typed: Typed) -> list[FieldFault]:
    own = _only(typed, "options.comprehension") == "own"
    reads = {"options.background": read_background} | ({OWN_COMPREHENSION: read_comprehension} if own else {})
    faults = []
    for name, read_lines in reads.items():
        try:
            read_lines(_only(typed, name))
        except LinesFaulty as refused:
            faults += [FieldFault(name, f"{_named(name).label}, {fault}") for fault in refused.faults]
    if own and not numbered(_only(typed, OWN_COMPREHENSION)):
        faults.append(FieldFault(OWN_COMPREHENSION, f"{_named(OWN_COMPREHENSION).label}: write one, or choose none"))
    if _only(typed, "options.comprehension") not in {"none", "default", "own"}:
        faults.append(FieldFault("options.comprehension", f"{_named('options.comprehension').label}: choose one"))
    return faults


def _named(name: str) -> Field:
    return next(field for field in fields() if field.name == name)


def _at_its_field(at: tuple[str | int, ...], said: str, typed: Typed) -> FieldFault:
    """Put a fault at the field whose place begins like the fault's; one of a question names its line."""
    if at[:2] == ("options", "comprehension"):
        at = ("options", "comprehension", "own", *at[2:])
    field = max(fields(), key=lambda field: _shared(field.place, at))
    if field.if_blank and not any(written.strip() for written in typed.get(field.name, ())):
        return FieldFault(field.name, field.if_blank)
    numbers = [part for part in at if isinstance(part, int)]
    if field.kind == "lines" and numbers:
        lines = numbered(_only(typed, field.name))
        return FieldFault(field.name, f"{field.label}, line {lines[numbers[0]][0]}: {said}")
    return FieldFault(field.name, f"{field.label}: {said}")


def _shared(place: tuple[str, ...], at: tuple[str | int, ...]) -> int:
    pairs = list(zip(place, at, strict=False))
    return sum(1 for n in range(len(pairs)) if all(mine == theirs for mine, theirs in pairs[: n + 1]))


# From values to the form.


def written(field: Field, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what would have to be typed in one field for these values."""
    if field.name in _WRITES:
        return _WRITES[field.name](values)
    value: Any = values
    for name in field.place:
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    if field.kind == "switch":
        return (ON,) if value else ()
    return () if value is None else (str(value),)


def _write_arms(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(ArmDesign.model_validate(arm)) for arm in values["arms"])


def _options(values: Mapping[str, Any]) -> Options:
    return Options.model_validate(values["options"])


def _write_background(values: Mapping[str, Any]) -> tuple[str, ...]:
    lines = write_background(_options(values).background)
    return (lines,) if lines else ()


def _write_comprehension(values: Mapping[str, Any]) -> tuple[str, ...]:
    asked = _options(values).comprehension
    if not asked:
        return ("none",)
    return ("default",) if asked == default_comprehension() else ("own",)


def _write_own_comprehension(values: Mapping[str, Any]) -> tuple[str, ...]:
    asked = _options(values).comprehension
    return () if not asked or asked == default_comprehension() else (write_comprehension(asked),)


_WRITES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "set": lambda _: (),
    "arms": _write_arms,
    "options.background": _write_background,
    "options.comprehension": _write_comprehension,
    OWN_COMPREHENSION: _write_own_comprehension,
}
