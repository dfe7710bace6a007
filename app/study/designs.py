"""A study's design: what a researcher decides before it opens, checked in one place, and hashed when it is frozen."""

import re
import secrets
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from app.errors import CandorError
from app.study.checks import default_comprehension
from app.study.options import Options
from app.study.texts import default_texts
from app.terms import Instructions, Platform, TruthfulKind

_CODE = re.compile(r"[A-Za-z0-9-]{4,40}")
_TEXTS = ("consent", "instructions", "instructions_prefer_truth", "debrief", "practice")
_LONGEST_SHOWN = 80
_PRACTICE = {"prompt", "first", "second"}

Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


def _made_up_code() -> str:
    return secrets.token_hex(4).upper()


class DesignFaulty(CandorError):
    """A study cannot be made as asked for. `faults` names each option and what to do."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


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

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    ratings_per_pair: int = Field(default=5, ge=1, le=1000)
    pairs_per_annotator: int = Field(default=20, ge=1, le=500)
    min_pairs: int = Field(default=1, ge=1, le=500)
    arms: tuple[ArmDesign, ...] = (ArmDesign(),)
    question: Paragraphs = Field(default_factory=lambda: str(default_texts()["question"]))
    texts: dict[str, Any] = Field(default_factory=dict)
    contact: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    platform: Platform = Platform.GENERIC
    completion_code: str = Field(default_factory=_made_up_code)
    failed_checks_code: str = Field(default_factory=_made_up_code)
    screened_out_code: str = Field(default_factory=_made_up_code)
    expected_minutes: int = Field(default=15, ge=1, le=600)
    pay: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "unpaid"
    entry_hold_minutes: int = Field(default=10, ge=1, le=120)
    hold_minutes: int = Field(default=40, ge=5, le=1440)
    entry_holds: int | None = Field(default=None, ge=1, le=1_000_000)
    options: Options = Options()
    seed: int = Field(default_factory=lambda: secrets.randbelow(2**31), ge=0, lt=2**63)
    synthetic: bool = False

    @field_validator("texts")
    @classmethod
    def _complete(cls, texts: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(texts) - set(_TEXTS))
        if unknown:
            raise ValueError(f"has no text named {unknown[0]}; there are {', '.join(_TEXTS)}")
        for name, text in texts.items():
            parts = text if name == "practice" else {"": text}
            if not isinstance(parts, dict) or not all(map(_says_something, parts.values())):
                raise ValueError(f"has no words for {name}")
        if set(texts.get("practice", _PRACTICE)) != _PRACTICE:
            raise ValueError(f"has a practice pair that is not {', '.join(sorted(_PRACTICE))}")
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
            raise ValueError("min-pairs is larger than pairs-per-annotator; lower it")
        if not self.arms or len(set(self.arms)) < len(self.arms):
            raise ValueError("arms must be given, and each only once")
        if len({self.completion_code, self.failed_checks_code, self.screened_out_code}) < 3:
            raise ValueError("the three completion codes must differ; change one")
        if self.options.signed_links and self.platform is Platform.PROLIFIC:
            raise ValueError("options.signed_links cannot be had on Prolific, which adds its ids itself; switch it off")
        self._fit_options()
        return self

    def _fit_options(self) -> None:
        n, options = self.pairs_per_annotator, self.options
        if options.swapped_repeats > (n + 1) // 2:
            raise ValueError("options.swapped_repeats is more than half of pairs-per-annotator; lower it")
        if options.attention_checks >= n + options.swapped_repeats:
            raise ValueError("options.attention_checks do not fit between the pairs that each annotator sees; lower it")


def _says_something(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and "\x00" not in text


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
        raise DesignFaulty([_plain(fault) for fault in error.errors()]) from None


def _plain(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    option = ".".join(str(part) for part in fault["loc"])
    if len(fault["loc"]) == 1:  # An option of the command; what is within one is written in a design file alone.
        option = option.replace("_", "-")
    if fault["type"] == "missing":
        return f"{option}: missing"
    if fault["type"] == "string_pattern_mismatch":
        message = "must be lower-case letters and digits, with hyphens"
    given = repr(fault["input"])
    shown = given if len(given) <= _LONGEST_SHOWN else given[:_LONGEST_SHOWN] + "…"
    return f"{option}: {message[:1].lower() + message[1:]} (given: {shown})"
