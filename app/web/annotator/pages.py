"""The contexts of the annotator's pages. Before the debrief nothing here tells which response is which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from app.terms import Purpose
from app.web.pages import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Page):
    """A page of the way: one form, `id="step"`, posted to `action` with the step's opaque token.

    `stop` is the address of "Stop here", empty where there is nothing to stop. `error` is shown in a summary and at
    the field. `purpose` says whether this is a preview or a pilot, which every page then tells.
    """

    action: str
    token: str
    contact: str
    stop: str = ""
    error: str = ""
    purpose: str = Purpose.STUDY


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Step):
    """What taking part means, how long it takes and what it pays. `shorter` says that fewer pairs than usual are left.

    The form has two buttons, `name="consent"` with `yes` and `no`.
    """

    template: ClassVar[str] = "annotator/consent.html"
    text: Markup
    n_pairs: int
    shorter: bool
    expected_minutes: int
    pay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions(Step):
    """How to judge, and the question that will be asked."""

    template: ClassVar[str] = "annotator/instructions.html"
    text: Markup
    question: str
    min_reading_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Step):
    """A pair to judge. The form posts `side` (left, right or tie), and what the study asks besides.

    `decision_ms`, `times_away` and `pastes` are filled by JavaScript alone. `first` is shown left, or first on a phone.
    Texts are shown as they are: line breaks kept, nothing interpreted. `given` is what was sent before a fault, by
    field; `error_field` is the id of the field that the fault is at.
    """

    template: ClassVar[str] = "annotator/judge.html"
    question: str
    prompt: str
    first: str
    second: str
    practice: bool
    position: int
    n_pairs: int
    tie: bool = False
    confidence: bool = False
    reason: str = "off"
    given: Mapping[str, str] = field(default_factory=dict)
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief(Step):
    """How likely a claim is to be true, before its pair is shown: `belief`, 0 to 100 in steps of ten."""

    template: ClassVar[str] = "annotator/belief.html"
    claim: str
    position: int
    n_pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with answers to choose from. `name` is its field."""

    name: str
    legend: str
    answers: tuple[str, ...]
    given: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions(Step):
    """A page of questions about the person, or about the instructions, which can then be read again (`text`)."""

    template: ClassVar[str] = "annotator/questions.html"
    lead: tuple[str, ...]
    questions: tuple[Question, ...]
    error_field: str
    text: Markup = field(default_factory=Markup)
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCheck(Step):
    """An instruction to follow: the form posts `answer`."""

    template: ClassVar[str] = "annotator/check.html"
    paragraphs: tuple[str, ...]
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp(Step):
    """Whether the person looked anything up: `looked_up`, yes or no, without penalty."""

    template: ClassVar[str] = "annotator/looked_up.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact can be read. `url` may be empty."""

    publisher: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Debriefed:
    """One claim that this person saw: the fact, the two responses with the false one named, and what they chose.

    `chose` is "truthful", "false", "neither", "erased" after a withdrawal, or "" where they did not choose.
    """

    claim: str
    fact: str
    sources: tuple[Source, ...]
    prompt: str
    truthful_response: str
    false_response: str
    chose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Debrief(Step):
    """What was false and why, then the choice about the data: `data`, keep or withdraw.

    `decided` hides the form when the choice has been made and the page is read again from the last page.
    `answered`: anything of theirs is stored, if only what they said before the first pair.
    `stopped`: pairs are left that they did not judge.
    """

    template: ClassVar[str] = "annotator/debrief.html"
    text: Markup
    claims: tuple[Debriefed, ...]
    answered: bool
    stopped: bool
    decided: bool
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Step):
    """Asks once before stopping; `back` returns to where the person was. `all_judged`: one question alone is left."""

    template: ClassVar[str] = "annotator/stop.html"
    back: str
    all_judged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Page):
    """The end: the completion code, large, and the way back to the platform. Both are empty where no code is due.

    `said` tells how it ended. `debrief` is the address of the explanation, empty for who saw no pair.
    """

    template: ClassVar[str] = "annotator/complete.html"
    contact: str
    code: str
    way_out: str
    said: tuple[str, ...]
    debrief: str
    purpose: str = Purpose.STUDY
