"""The contexts of forms about studies: the design of one, and small ones that ask for a word before they act."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from app.markdown import markdown
from app.web.desk import frame
from app.web.researcher.design_field import Field, Section
from app.web.researcher.design_fields import SECTIONS
from app.web.researcher.design_form import FieldFault, Typed
from app.web.signed_in import CurrentAccount, SignedInPage

SAVE = "save"
"""The button that saves; what is wrong with the form as a whole is said there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the choices of a field."""

    id: str
    value: str
    text: str
    help: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShown:
    """A field as it is on the page: what was typed, what is wrong with it and, where asked for, its text rendered."""

    id: str
    name: str
    kind: str
    label: str
    help: str
    example: str
    unit: str
    rows: int
    choices: tuple[Choice, ...]
    value: str
    errors: tuple[str, ...]
    rendered: Markup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionShown:
    """Fields under a heading."""

    name: str
    title: str
    lead: str
    fields: tuple[FieldShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultShown:
    """What is wrong, and the element that mends it."""

    message: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyForm(SignedInPage):
    """The form of a design. `seen` is what the draft was when the form was made; `error` is the first of `faults`."""

    template: ClassVar[str] = "researcher/configure.html"
    action: str
    back: str
    seen: str
    sections: tuple[SectionShown, ...]
    faults: tuple[FaultShown, ...]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(SignedInPage):
    """A small form: what will happen, what has to be known for it, and the button that does it."""

    template: ClassVar[str] = "researcher/ask.html"
    paragraphs: tuple[str, ...]
    fields: tuple[FieldShown, ...]
    action: str
    button: str
    back: str
    faults: tuple[FaultShown, ...]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """What a form of a design holds: what was typed, the sets to choose from, what is wrong, and what is asked for."""

    typed: Typed
    sets: tuple[tuple[str, str], ...]
    faults: Sequence[FieldFault] = ()
    seen: str = ""
    rendered: bool = False


def study_form(account: CurrentAccount, title: str, action: str, back: str, state: FormState) -> StudyForm:
    """Return the page of a design's form."""
    faults = _faults(state.faults, state)
    return StudyForm(
        title=title,
        **frame(account, "studies"),
        action=action,
        back=back,
        seen=state.seen,
        sections=tuple(_section(section, state) for section in SECTIONS),
        faults=faults,
        error=faults[0].message if faults else "",
    )


def ask_fields(fields: Sequence[Field], typed: Typed, faults: Sequence[FieldFault]) -> tuple[FieldShown, ...]:
    """Return the fields of a small form."""
    state = FormState(typed=typed, sets=(), faults=faults)
    return tuple(_field(field, state) for field in fields)


def ask_faults(faults: Sequence[FieldFault]) -> tuple[FaultShown, ...]:
    """Return what is wrong with a small form, in which each field is one element."""
    return tuple(FaultShown(message=fault.message, id=_id(fault.field)) for fault in faults)


def _faults(faults: Sequence[FieldFault], state: FormState) -> tuple[FaultShown, ...]:
    first = {field.name: _first_element(_field(field, state)) for section in SECTIONS for field in section.fields}
    return tuple(FaultShown(message=fault.message, id=first.get(fault.field, fault.field)) for fault in faults)


def _first_element(field: FieldShown) -> str:
    return field.choices[0].id if field.kind in {"radios", "checkboxes"} else field.id


def _section(section: Section, state: FormState) -> SectionShown:
    fields = tuple(_field(field, state) for field in section.fields)
    return SectionShown(name=section.name, title=section.title, lead=section.lead, fields=fields)


def _id(name: str) -> str:
    return name.replace(".", "-")


def _field(field: Field, state: FormState) -> FieldShown:
    typed = state.typed.get(field.name, ())
    choices = tuple((value, text, "") for value, text in state.sets) if field.name == "set" else field.choices
    value = typed[0] if typed else ""
    return FieldShown(
        id=_id(field.name),
        name=field.name,
        kind=field.kind,
        label=field.label,
        help=field.help,
        example=field.example,
        unit=field.unit,
        rows=max(field.rows, _lines(value)) if field.kind == "lines" else field.rows,
        choices=tuple(
            Choice(id=f"{_id(field.name)}-{number}", value=value, text=text, help=told, chosen=value in typed)
            for number, (value, text, told) in enumerate(choices, start=1)
        ),
        value=value,
        errors=tuple(fault.message for fault in state.faults if fault.field == field.name),
        rendered=markdown(value) if state.rendered and field.kind == "markdown" else None,
    )


def _lines(text: str) -> int:
    return text.count("\n") + 1


def only(values: Mapping[str, str]) -> Typed:
    """Return what was typed in a small form, one text a field."""
    return {name: (value,) for name, value in values.items()}
