"""Questions one a line: what each line means, what is said of one that means nothing, and that all of it reads back."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.checks import default_comprehension
from app.study.options import BackgroundQuestion, ComprehensionQuestion
from app.web.researcher.question_lines import (
    LinesFaulty,
    read_background,
    read_comprehension,
    write_background,
    write_comprehension,
)


def test_a_background_question_has_a_key_answers_and_those_that_screen_out() -> None:
    text = (
        "english: Is English your first language? | Yes | No !\n\n  age:How old are you?|Under 18 !|18 or older  \r\n"
    )
    assert read_background(text) == [
        {
            "key": "english",
            "question": "Is English your first language?",
            "answers": ["Yes", "No"],
            "screens_out": ["No"],
        },
        {
            "key": "age",
            "question": "How old are you?",
            "answers": ["Under 18", "18 or older"],
            "screens_out": ["Under 18"],
        },
    ]


def test_a_comprehension_question_has_its_right_answer_marked() -> None:
    assert read_comprehension("May you look things up? | Yes | No *") == [
        {"question": "May you look things up?", "answers": ["Yes", "No"], "right": "No"}
    ]


@pytest.mark.parametrize(
    ("line", "question", "answers"),
    [
        ("k: Why? | Yes! | No", "Why?", ["Yes!", "No"]),
        (r"k: This \| that? | Yes \! | No", "This | that?", ["Yes !", "No"]),
        (r"k: Two\nlines? | a\\n | b*", "Two\nlines?", ["a\\n", "b*"]),
        ("k: At 10:30? | Yes | No", "At 10:30?", ["Yes", "No"]),
        ("k: Which? | a | ", "Which?", ["a", ""]),
        ("k: Which? | a | b\\", "Which?", ["a", "b\\"]),
    ],
)
def test_a_mark_stands_apart_and_a_backslash_takes_its_meaning(line: str, question: str, answers: list[str]) -> None:
    (read,) = read_background(line)
    assert (read["question"], read["answers"], read["screens_out"]) == (question, answers, [])


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("How old? | Young | Old", ["line 1: begin with a key and a colon, such as"]),
        (
            "a: One? | Yes\n\nnothing\nb: Two?",
            ["line 3: begin with a key", "line 4: put the answers after the question"],
        ),
        ("Which | a:b | c", ["line 1: begin with a key"]),
    ],
)
def test_a_line_that_is_no_background_question_is_named(text: str, faults: list[str]) -> None:
    with pytest.raises(LinesFaulty) as refusal:
        read_background(text)
    assert len(refusal.value.faults) == len(faults)
    for said, expected in zip(refusal.value.faults, faults, strict=True):
        assert said.startswith(expected)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Which? | a | b", "line 1: put * after the one right answer; it is after none"),
        ("\nWhich? | a * | b *", "line 2: put * after the one right answer; it is after 2"),
        ("Which?", "line 1: put the answers after the question, each after a |"),
    ],
)
def test_a_line_that_is_no_comprehension_question_is_named(text: str, fault: str) -> None:
    with pytest.raises(LinesFaulty) as refusal:
        read_comprehension(text)
    assert refusal.value.faults == [fault]


def test_nothing_is_no_question() -> None:
    assert read_background(" \n\n") == read_comprehension("") == []


def test_the_bundled_questions_read_back() -> None:
    written = write_comprehension(default_comprehension())
    assert tuple(map(ComprehensionQuestion.model_validate, read_comprehension(written))) == default_comprehension()


# What a design may hold: text without NUL that is not blank at its ends.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20).filter(
    lambda words: words == words.strip()
)
TRICKY = st.one_of(
    WORDS, st.text("ab |!*\\\n\r:", min_size=1, max_size=12).filter(lambda words: words == words.strip())
)
ANSWERS = st.lists(TRICKY, min_size=2, max_size=5, unique=True)


@given(st.lists(st.tuples(TRICKY, ANSWERS, st.sets(st.integers(0, 4))), max_size=3))
def test_background_questions_read_back_whatever_they_say(asked: list[Any]) -> None:
    questions = [
        BackgroundQuestion.model_construct(
            key=f"key_{n}",
            question=question,
            answers=tuple(answers),
            screens_out=tuple(answer for at, answer in enumerate(answers) if at in marked),
        )
        for n, (question, answers, marked) in enumerate(asked)
    ]
    read = read_background(write_background(questions))
    assert [(q["key"], q["question"], tuple(q["answers"]), tuple(q["screens_out"])) for q in read] == [
        (q.key, q.question, q.answers, q.screens_out) for q in questions
    ]


@given(TRICKY, ANSWERS)
def test_comprehension_questions_read_back_whatever_they_say(question: str, answers: list[str]) -> None:
    asked = ComprehensionQuestion.model_construct(question=question, answers=tuple(answers), right=answers[-1])
    assert read_comprehension(write_comprehension([asked])) == [
        {"question": question, "answers": answers, "right": answers[-1]}
    ]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_background, read_comprehension):
        with suppress(LinesFaulty):
            assert len(read(text)) <= text.count("\n") + text.count("\r") + 1
