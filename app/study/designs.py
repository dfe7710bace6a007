"""A study's design: what a researcher decides before it opens, checked in one place, and hashed when it is frozen."""

import re
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from app.errors import CandorError
from app.study.checks import default_comprehension
from app.study.options import Misfit, Options, Whole
from app.study.plain_faults import plain
from app.study.texts import default_texts
from app.terms import Instructions, Platform, TruthfulKind

_CODE = re.compile(r"[A-Za-z0-9-]{4,40}")
_TEXTS = ("consent", "instructions", "instructions_prefer_truth", "debrief", "practice")
_LONGEST_SHOWN = 80
_PRACTICE = {"prompt", "first", "second"}
_RESERVED = frozenset({"new", "plan"})  # Pages beside the studies: `/studies/new` and `/studies/plan`.
LONGEST_SLUG = 60
MOST_RATINGS = 1000

Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


def _made_up_code() -> str:
    return secrets.token_hex(4).upper()


class Fault(NamedTuple):
    """What is wrong with one value of a design.

    `at` is its place among the values, empty where it is of none of them; `said` is what is wrong, without the name of
    the option; `text` says all of it in a line.
    """

    at: tuple[str | int, ...]
    said: str
    text: str


class DesignFaulty(CandorError):
    """A study cannot be made as asked for. `faults` names each option and what to do, `found` also where."""

    def __init__(self, faults: Sequence[str | Fault]) -> None:
        self.found = [fault if isinstance(fault, Fault) else Fault((), fault, fault) for fault in faults]
        self.faults = [fault.text for fault in self.found]
        super().__init__("; ".join(self.faults))


class ArmDesign(BaseModel):
    """Truthful kind x instructions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    truthful_kind: TruthfulKind = TruthfulKind.HELPFUL
    instructions: Instructions = Instructions.NEUTRAL

    def __str__(self) -> str:
        """Name the arm as exports and options do."""
        return f"{self.truthful_kind}/{self.instructions}"

    @classmethod
    def named(cls, name: str) -> "ArmDesign":
        """Read `helpful/neutral` and the like."""
        kind, _, instructions = name.partition("/")
        try:
            return cls(truthful_kind=TruthfulKind(kind), instructions=Instructions(instructions or "neutral"))
        except ValueError:
            choices = ", ".join(f"{k}/{i}" for k in TruthfulKind for i in Instructions)
            raise DesignFaulty([f"arm {name!r} is unknown; choose from {choices}"]) from None


class StudyDesign(BaseModel):
    """Everything that the annotators of a study meet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=LONGEST_SLUG)]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    ratings_per_pair: Whole = Field(default=5, ge=1, le=MOST_RATINGS)
    pairs_per_annotator: Whole = Field(default=20, ge=1, le=500)
    min_pairs: Whole = Field(default=1, ge=1, le=500)
    arms: tuple[ArmDesign, ...] = (ArmDesign(),)
    question: Paragraphs = Field(default_factory=lambda: str(default_texts()["question"]))
    texts: dict[str, Any] = Field(default_factory=dict)
    contact: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    platform: Platform = Platform.GENERIC
    completion_code: str = Field(default_factory=_made_up_code)
    failed_checks_code: str = Field(default_factory=_made_up_code)
    screened_out_code: str = Field(default_factory=_made_up_code)
    expected_minutes: Whole = Field(default=15, ge=1, le=600)
    pay: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "unpaid"
    entry_hold_minutes: Whole = Field(default=10, ge=1, le=120)
    hold_minutes: Whole = Field(default=40, ge=5, le=1440)
    entry_holds: Whole | None = Field(default=None, ge=1, le=1_000_000)
    options: Options = Options()
    seed: Whole = Field(default_factory=lambda: secrets.randbelow(2**31), ge=0, lt=2**63)
    synthetic: bool = False

    @field_validator("slug")
    @classmethod
    def _free(cls, slug: str) -> str:
        if slug in _RESERVED:
            raise ValueError("is the name of a page; choose another")
        return slug

    @field_validator("texts")
    @classmethod
    def _complete(cls, texts: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(texts) - set(_TEXTS))
        if unknown:
            raise ValueError(f"has no text named {unknown[0]}; there are {', '.join(_TEXTS)}")
        for name, text in texts.items():
            parts = text if name == "practice" else {"": text}
            if not isinstance(parts, dict):
                raise Misfit(f"has no words for {name}", name)
            for part, words in parts.items():
                if not _says_something(words):
                    raise Misfit(f"has no words for {name}", name, *([part] if part else []))
        if set(texts.get("practice", _PRACTICE)) != _PRACTICE:
            raise Misfit(f"has a practice pair that is not {', '.join(sorted(_PRACTICE))}", "practice")
        return {name: texts.get(name, default_texts()[name]) for name in _TEXTS}

    @field_validator("options", mode="before")
    @classmethod
    def _bundled_comprehension(cls, options: Any) -> Any:
        if isinstance(options, dict) and options.get("comprehension") == "default":
            return options | {"comprehension": default_comprehension()}
        return options

    @field_validator("title", "question", "contact", "pay")
    @classmethod
    def _storable(cls, text: str) -> str:
        if "\x00" in text:
            raise ValueError("holds a NUL character")
        return text

    @field_validator("completion_code", "failed_checks_code", "screened_out_code")
    @classmethod
    def _code(cls, code: str) -> str:
        if not _CODE.fullmatch(code):
            raise ValueError("must be 4 to 40 letters, digits or hyphens")
        return code

    @model_validator(mode="after")
    def _fits(self) -> "StudyDesign":
        if self.min_pairs > self.pairs_per_annotator:
            raise Misfit("min-pairs is larger than pairs-per-annotator; lower it", "min_pairs")
        if not self.arms or len(set(self.arms)) < len(self.arms):
            raise Misfit("arms must be given, and each only once", "arms")
        if len({self.completion_code, self.failed_checks_code, self.screened_out_code}) < 3:
            raise Misfit("the three completion codes must differ; change one", "completion_code")
        if self.options.signed_links and self.platform is Platform.PROLIFIC:
            said = "options.signed_links cannot be had on Prolific, which adds its ids itself; switch it off"
            raise Misfit(said, "options", "signed_links")
        self._fit_options()
        return self

    def _fit_options(self) -> None:
        n, options = self.pairs_per_annotator, self.options
        if options.swapped_repeats > (n + 1) // 2:
            said = "options.swapped_repeats is more than half of pairs-per-annotator; lower it"
            raise Misfit(said, "options", "swapped_repeats")
        if options.attention_checks >= n + options.swapped_repeats:
            said = "options.attention_checks do not fit between the pairs that each annotator sees; lower it"
            raise Misfit(said, "options", "attention_checks")


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and "\x00" not in text


def is_version(value: object) -> bool:
    """Whether a value can be the version of a set: a whole number (True is one in Python), or none for the newest."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def check_design(values: dict[str, Any]) -> StudyDesign:
    """Return the design that these values make.

    Raises
    ------
    DesignFaulty
        Naming every option that cannot be taken.
    """
    try:
        return StudyDesign.model_validate({"texts": {}} | values)
    except ValidationError as error:
        raise DesignFaulty([_fault(fault) for fault in error.errors()]) from None


_PATTERNS = {
    "slug": "must be lower-case letters and digits, with hyphens",
    "key": "must be lower-case letters, digits and underscores, beginning with a letter",
}


def _fault(fault: Any) -> Fault:
    misfit = fault.get("ctx", {}).get("error")
    at = (*fault["loc"], *(misfit.at if isinstance(misfit, Misfit) else ()))
    said = _said(fault)
    return Fault(at, said, _in_a_line(fault, said))


def _in_a_line(fault: Any, said: str) -> str:
    """Return a fault with the name of its option, and what was given."""
    if not fault["loc"]:
        return said
    option = ".".join(str(part) for part in fault["loc"])
    if len(fault["loc"]) == 1:  # An option of the command; what is within one is written in a design file alone.
        option = option.replace("_", "-")
    if fault["type"] == "missing":
        return f"{option}: {said}"
    given = repr(fault["input"])
    shown = given if len(given) <= _LONGEST_SHOWN else given[:_LONGEST_SHOWN] + "…"
    return f"{option}: {said} (given: {shown})"


def _said(fault: Any) -> str:
    return plain(fault, _PATTERNS.get(fault["loc"][-1] if fault["loc"] else "", "holds a NUL character"))
