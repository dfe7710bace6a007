r"""Questions written one a line, as the form of a study takes them, and back.

A background question is `key: question | answer | answer !`, where `!` after an answer means that nobody who gives it
can take part. A question about the instructions is `question | right answer * | other answer`. A backslash makes
`|`, `!`, `*` or `\` an ordinary character; `\n` is a line break. Lines that are empty mean nothing.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from app.study.options import BackgroundQuestion, ComprehensionQuestion

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"[\\|!*]")
_BREAKS = {"n": "\n", "r": "\r"}


class LinesFaulty(Exception):
    """Lines that are not questions. `faults` says what is wrong in each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class _LineFaulty(Exception):
    pass


class _Part(NamedTuple):
    words: str
    marked: bool


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the lines that say something, each with its number."""
    lines = enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def read_background(text: str) -> list[dict[str, Any]]:
    """Return the background questions in these lines, as values of a design.

    Raises
    ------
    LinesFaulty
        Naming each line that is no question.
    """
    return _read(text, _background)


def read_comprehension(text: str) -> list[dict[str, Any]]:
    """Return the questions about the instructions in these lines, as values of a design.

    Raises
    ------
    LinesFaulty
        Naming each line that is no question.
    """
    return _read(text, _comprehension)


def write_background(questions: Iterable[BackgroundQuestion]) -> str:
    """Return background questions as lines that read back."""
    return "\n".join(
        _line(f"{question.key}: {_escaped(question.question)}", question.answers, "!", question.screens_out)
        for question in questions
    )


def write_comprehension(questions: Iterable[ComprehensionQuestion]) -> str:
    """Return questions about the instructions as lines that read back."""
    return "\n".join(
        _line(_escaped(question.question), question.answers, "*", (question.right,)) for question in questions
    )


def _read(text: str, read: Callable[[str], dict[str, Any]]) -> list[dict[str, Any]]:
    questions, faults = [], []
    for number, line in numbered(text):
        try:
            questions.append(read(line))
        except _LineFaulty as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        raise LinesFaulty(faults)
    return questions


def _background(line: str) -> dict[str, Any]:
    key, colon, rest = line.partition(":")
    if not colon or "|" in key:
        raise _LineFaulty("begin with a key and a colon, such as “age: How old are you? | Under 18 ! | 18 or older”")
    question, answers = _question(rest, "!")
    screens_out = [answer.words for answer in answers if answer.marked]
    values = [answer.words for answer in answers]
    return {"key": key.strip(), "question": question, "answers": values, "screens_out": screens_out}


def _comprehension(line: str) -> dict[str, Any]:
    question, answers = _question(line, "*")
    right = [answer.words for answer in answers if answer.marked]
    if len(right) != 1:
        raise _LineFaulty(f"put * after the one right answer; it is after {len(right) or 'none'}")
    return {"question": question, "answers": [answer.words for answer in answers], "right": right[0]}


def _question(line: str, mark: str) -> tuple[str, list[_Part]]:
    question, *answers = _split(line)
    if not answers:
        raise _LineFaulty("put the answers after the question, each after a |")
    return _plain(question.strip()), [_answer(answer.strip(), mark) for answer in answers]


def _split(line: str) -> list[str]:
    """Return what stands between the bars that no backslash makes ordinary; backslashes stay."""
    parts = [""]
    characters = iter(line)
    for character in characters:
        if character == "|":
            parts.append("")
        else:
            parts[-1] += character + (next(characters, "") if character == "\\" else "")
    return parts


def _answer(written: str, mark: str) -> _Part:
    marked = written.endswith(f" {mark}")
    return _Part(_plain(written.removesuffix(mark).rstrip() if marked else written), marked)


def _plain(written: str) -> str:
    return _ESCAPED.sub(lambda found: _BREAKS.get(found[1], found[1]), written)


def _escaped(words: str) -> str:
    escaped = _SPECIAL.sub(lambda found: "\\" + found[0], words)
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def _line(beginning: str, answers: Iterable[str], mark: str, marked: Iterable[str]) -> str:
    chosen = set(marked)
    return " | ".join([beginning, *(_escaped(answer) + f" {mark}" * (answer in chosen) for answer in answers)])
