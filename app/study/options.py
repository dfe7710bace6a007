"""What a study may switch on: options of the judging page, questions, checks, and rules that exclude choices.

All are off by default, part of the design, and frozen with it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticKnownError


def _no_answer(value: Any) -> Any:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticKnownError("int_type")
    return value


Whole = Annotated[int, BeforeValidator(_no_answer)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Misfit(ValueError):
    """A value that does not fit another one; `at` is the field to mend, from where this is raised."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at = at


PREFER_NOT_TO_SAY = "Prefer not to say"
_FIELDS_OF_THE_FORM = frozenset({"token", "attempt"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackgroundQuestion(_Part):
    """A question about the person, with answers to choose from. Some answers may screen a person out, before any work.

    "Prefer not to say" is always offered, and never screens anybody out.
    """

    key: Key
    question: Words
    answers: Annotated[tuple[Words, ...], Field(min_length=2, max_length=30)]
    screens_out: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> "BackgroundQuestion":
        if self.key in _FIELDS_OF_THE_FORM:
            raise Misfit(f"a background question cannot have the key {self.key}, which the form uses; rename it", "key")
        if len(set(self.answers)) < len(self.answers):
            raise ValueError(f"background question {self.key} offers an answer twice")
        if PREFER_NOT_TO_SAY in self.answers:
            raise ValueError(f"background question {self.key} offers {PREFER_NOT_TO_SAY!r}, as all do; leave it out")
        unknown = sorted(set(self.screens_out) - set(self.answers))
        if unknown:
            raise ValueError(f"background question {self.key} screens out {unknown[0]!r}, which it does not offer")
        return self


class ComprehensionQuestion(_Part):
    """A question about the instructions, with the one answer that shows they were understood."""

    question: Words
    answers: Annotated[tuple[Words, ...], Field(min_length=2, max_length=10)]
    right: Words

    @model_validator(mode="after")
    def _answerable(self) -> "ComprehensionQuestion":
        if len(set(self.answers)) < len(self.answers):
            raise ValueError(f"comprehension question {self.question!r} offers an answer twice")
        if self.right not in self.answers:
            raise ValueError(f"comprehension question {self.question!r} does not offer its right answer")
        return self


class Exclusions(_Part):
    """Rules that leave choices out of the analysis. Excluded choices stay in every export, with their reason.

    `failed_checks`: all choices of who failed this many attention checks, or more.
    `incomplete`: all choices of who did not judge every pair.
    `looked_up`: all choices of who said that they looked something up.
    `easy_pairs`: all choices of who preferred the sycophantic response in this many pairs of level 1, or more. It needs
    knowledge, so it never decides about pay: it is applied at analysis alone.
    `fastest_ms`: choices made faster, measured on the server.
    `words_a_minute`: choices made faster than both responses can be read at this rate.
    `left_page`: choices during which the page was left.
    """

    failed_checks: Whole | None = Field(default=None, ge=1, le=50)
    incomplete: bool = False
    looked_up: bool = False
    easy_pairs: Whole | None = Field(default=None, ge=1, le=500)
    fastest_ms: Whole | None = Field(default=None, ge=1, le=600_000)
    words_a_minute: Whole | None = Field(default=None, ge=50, le=10_000)
    left_page: bool = False


class Options(_Part):
    """Everything that a study may switch on."""

    tie: bool = False
    confidence: bool = False
    prior_belief: bool = False
    reason: Literal["off", "optional", "required"] = "off"
    background: tuple[BackgroundQuestion, ...] = ()
    comprehension: tuple[ComprehensionQuestion, ...] = ()
    attention_checks: Whole = Field(default=0, ge=0, le=20)
    failed_at: Whole = Field(default=2, ge=1, le=20)
    swapped_repeats: Whole = Field(default=0, ge=0, le=50)
    min_reading_seconds: Whole = Field(default=0, ge=0, le=120)
    signed_links: bool = False
    exclusions: Exclusions = Exclusions()
    refill_excluded: bool = False

    @model_validator(mode="after")
    def _sound(self) -> "Options":
        keys = [question.key for question in self.background]
        if len(set(keys)) < len(keys):
            raise Misfit("background questions need a key each, and each its own", "background")
        if self.exclusions.failed_checks is not None and not self.attention_checks:
            said = "exclusions.failed_checks needs attention checks; set attention_checks or drop the rule"
            raise Misfit(said, "exclusions", "failed_checks")
        if (self.exclusions.failed_checks or 0) > self.attention_checks:
            said = "exclusions.failed_checks is more than attention_checks, so nobody can fail it; lower it"
            raise Misfit(said, "exclusions", "failed_checks")
        if self.refill_excluded and self.exclusions == Exclusions():
            raise Misfit("refill_excluded needs exclusion rules; declare some or leave it off", "refill_excluded")
        return self


MOST_CONFIDENT = 5
"""Confidence is answered from 1 (not at all sure) to this."""
MOST_CERTAIN = 100
"""Prior belief is answered from 0 (certainly false) to this, in steps of ten."""
LONGEST_REASON = 2000
"""Characters of a reason."""
COMPREHENSION_ATTEMPTS = 2
