"""Checks: that the instructions were understood, and that somebody is reading. Never a question of knowledge.

Which attention check a person meets, and where, follows from the study's seed and their id, so a reload shows the same.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.study import events
from app.study.options import COMPREHENSION_ATTEMPTS, ComprehensionQuestion
from app.study.places import Place
from app.terms import CheckKind


class AttentionCheck(NamedTuple):
    """An instruction to follow: what to read, the answers offered, and the one that it asks for."""

    paragraphs: tuple[str, ...]
    legend: str
    answers: tuple[str, ...]
    asked_for: str


@lru_cache
def _bundled() -> dict[str, Any]:
    with resources.content("checks.toml").open("rb") as file:
        return tomllib.load(file)


def default_comprehension() -> tuple[ComprehensionQuestion, ...]:
    """Return the bundled questions about the default instructions."""
    return tuple(ComprehensionQuestion.model_validate(question) for question in _bundled()["comprehension"])


def due_after(n_planned: int, n_checks: int) -> list[int]:
    """Return after how many judged pairs each check comes: spread evenly, each between two pairs, at most one at once.

    A set of n pairs has n - 1 such places, so a short one may get fewer checks than the study asks for.
    """
    n = min(n_checks, n_planned - 1)
    return [round(number * n_planned / (n + 1)) for number in range(1, n + 1)]


def attention_check(place: Place, number: int) -> AttentionCheck:
    """Return the numbered check of this person, the same each time."""
    rng = Random(f"{place.study.seed}/{place.annotator}/check {number}")  # noqa: S311 - the same at each reload
    written = rng.choice(_bundled()["attention"])
    asked_for = rng.choice(written["answers"])
    return AttentionCheck(
        tuple(paragraph.format(answer=asked_for) for paragraph in written["paragraphs"]),
        written["legend"],
        tuple(written["answers"]),
        asked_for,
    )


async def answer_attention_check(session: AsyncSession, place: Place, answer: str) -> Place:
    """Store the answer to the check that is due, and go on whatever it was."""
    number = place.n_checked + 1
    passed = answer == attention_check(place, number).asked_for
    await _store(session, place, CheckKind.ATTENTION, number, 1, answer=answer, passed=passed)
    due = due_after(place.n_planned, place.study.options.attention_checks)
    following = due[number] if number < len(due) else None
    failed = place.checks_failed + (not passed)
    await session.execute(
        _CHECKED,
        {"participation": place.participation_id, "number": number, "failed": failed, "next": following},
    )
    return replace(place, n_checked=number, next_check=following, checks_failed=failed)


_CHECKED = text("""
    UPDATE participation
    SET n_checked = :number, checks_failed = :failed, next_check = CAST(:next AS smallint)
    WHERE id = :participation
""")


async def answer_comprehension(session: AsyncSession, place: Place, answers: Sequence[str]) -> tuple[bool, int]:
    """Store the answers to the comprehension questions; say whether all are right, and how many attempts are left."""
    questions = place.study.options.comprehension
    attempt = 1 + await session.scalar(_ATTEMPTS, {"participation": place.participation_id})
    passed = [given == question.right for given, question in zip(answers, questions, strict=True)]
    for number, given in enumerate(answers, start=1):
        right = passed[number - 1]
        await _store(session, place, CheckKind.COMPREHENSION, number, attempt, answer=given, passed=right)
    return all(passed), COMPREHENSION_ATTEMPTS - attempt


async def comprehension_attempts(session: AsyncSession, place: Place) -> int:
    """Return how often this person has answered the comprehension questions."""
    attempts: int = await session.scalar(_ATTEMPTS, {"participation": place.participation_id})
    return attempts


_ATTEMPTS = text("""
    SELECT coalesce(max(attempt), 0) FROM check_answer
    WHERE participation_id = :participation AND kind = 'comprehension'
""")


async def _store(  # noqa: PLR0913 - one parameter a column
    session: AsyncSession, place: Place, kind: CheckKind, number: int, attempt: int, *, answer: str, passed: bool
) -> None:
    await session.execute(
        text("""
            INSERT INTO check_answer (participation_id, kind, number, attempt, answer, passed)
            VALUES (:participation, :kind, :number, :attempt, :answer, :passed)
        """),
        {
            "participation": place.participation_id,
            "kind": kind,
            "number": number,
            "attempt": attempt,
            "answer": answer,
            "passed": passed,
        },
    )
    await events.record(
        session,
        f"{kind}_check",
        study_id=place.study.id,
        participation_id=place.participation_id,
        number=number,
        attempt=attempt,
    )
