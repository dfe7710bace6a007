"""Reading the form of the judging page: what it says, or what is missing and what was given all the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import FormData

from app.study.choices import Judgement
from app.study.options import LONGEST_REASON, MOST_CONFIDENT, Options
from app.terms import Answer

NOTHING_CHOSEN = "Choose the response you prefer"


@dataclass(frozen=True, slots=True)
class FaultyForm:
    """What is wrong with a form, at which field, and what was given, so that nobody answers twice."""

    message: str
    at: str
    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def early(cls, options: Options, judgement: Judgement) -> "FaultyForm":
        """Say that the declared reading time is not over yet. Nothing was stored."""
        seconds = options.min_reading_seconds
        given = {"side": str(judgement.answer), "reason": judgement.reason or ""}
        if judgement.confidence is not None:
            given["confidence"] = str(judgement.confidence)
        return cls(
            f"Read both responses first. Each pair stays open for at least {seconds} seconds; then continue",
            f"side-{judgement.answer}",
            given,
        )


def chosen_answer(form: FormData, *, tie: bool) -> Answer | None:
    """Read the form's `side`; a tie only where the study allows it."""
    value = form.get("side")
    allowed = tuple(Answer) if tie else (Answer.LEFT, Answer.RIGHT)
    return Answer(value) if isinstance(value, str) and value in allowed else None


def whole_number(value: object) -> int | None:
    """Read a number that a script may have filled in."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 12 else None


def read_judgement(form: FormData, options: Options) -> Judgement | FaultyForm:
    """Return what the form says, or the first thing that it lacks."""
    answer = chosen_answer(form, tie=options.tie)
    confidence = whole_number(form.get("confidence")) if options.confidence else None
    reason = str(form.get("reason", "")).replace("\x00", "").strip() if options.reason != "off" else ""
    fault = _fault(options, answer, confidence, reason)
    if fault is not None or answer is None:
        given = {"side": answer or "", "confidence": str(confidence or ""), "reason": reason}
        message, at = fault or (NOTHING_CHOSEN, "side-left")
        return FaultyForm(message, at, given)
    return Judgement(
        answer=answer,
        browser_ms=whole_number(form.get("decision_ms")),
        confidence=confidence,
        reason=reason or None,
        times_away=whole_number(form.get("times_away")),
        pastes=whole_number(form.get("pastes")),
    )


def _fault(options: Options, answer: Answer | None, confidence: int | None, reason: str) -> tuple[str, str] | None:
    if answer is None:
        return (NOTHING_CHOSEN, "side-left")
    if options.confidence and (confidence is None or not 1 <= confidence <= MOST_CONFIDENT):
        return ("Say how sure you are", "confidence-1")
    if options.reason == "required" and not reason:
        return ("Say in a few words why", "reason")
    if len(reason) > LONGEST_REASON:
        return (f"Shorten your reason to {LONGEST_REASON} characters; it has {len(reason)}", "reason")
    return None
