"""Reading the form of the judging page: what it says, or what is missing and what was given all the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request

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
        least = f"{seconds} second{'s' if seconds > 1 else ''}"
        return cls(
            f"Read both responses first, for at least {least}",
            f"side-{judgement.answer}",
            _shown_again(
                side=judgement.answer,
                confidence=judgement.confidence,
                reason=judgement.reason,
                decision_ms=judgement.browser_ms,
                times_away=judgement.times_away,
                pastes=judgement.pastes,
            ),
        )


def _shown_again(**given: object) -> dict[str, str]:
    """Return what a form gave, for the same form again: nobody answers twice, and what was counted is counted on."""
    return {name: "" if value is None else str(value) for name, value in given.items()}


async def read_form(request: Request) -> FormData:
    """Return a form as browsers send those of the way. Whatever comes in any other shape has no field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return await request.form() if kind == "application/x-www-form-urlencoded" else FormData()


def one_of(answers: Sequence[str], given: object) -> str | None:
    """Return the answer that was given, if it is one of these. Browsers send each line's end as two characters."""
    return next((answer for answer in answers if _lines(answer) == _lines(str(given))), None)


def _lines(words: str) -> str:
    return words.replace("\r\n", "\n").replace("\r", "\n")


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
    reason = _words(form.get("reason", "")) if options.reason != "off" else ""
    counted = {name: whole_number(form.get(name)) for name in ("decision_ms", "times_away", "pastes")}
    fault = _fault(options, answer, confidence, reason)
    if fault is not None or answer is None:
        message, at = fault or (NOTHING_CHOSEN, "side-left")
        return FaultyForm(message, at, _shown_again(side=answer, confidence=confidence, reason=reason, **counted))
    return Judgement(
        answer=answer,
        browser_ms=counted["decision_ms"],
        confidence=confidence,
        reason=reason or None,
        times_away=counted["times_away"],
        pastes=counted["pastes"],
    )


def _words(written: object) -> str:
    """Return what was written, without what no column holds."""
    return _lines(str(written).replace("\x00", "")).strip()


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
