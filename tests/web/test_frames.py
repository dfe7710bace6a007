"""A page that is filled into its frame is the page that its template renders, byte for byte."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.terms import Purpose
from app.web.annotator.judging import FILLED, SHARED, in_frame
from app.web.annotator.pages import Judge
from app.web.pages import render

PAIR = Judge(
    title="Pair 3 of 20",
    action="/s/study/pairs/3",
    token="3-abcdef",
    contact="someone@example.org",
    stop="/s/study/stop",
    question="Which response do you prefer?",
    prompt="I'm sure that bats are blind.",
    first="Bats can see.",
    second="Yes: they cannot.",
    practice=False,
    position=3,
    n_pairs=20,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["<b>&amp;</b>", "{{ page.token }}", "hole", "a\n\nb", "\"'>", "."]
)


def framed(page: Judge) -> bytes:
    return bytes(in_frame(page).body)


def rendered(page: Judge) -> bytes:
    return bytes(render(page).body)


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(FILLED, TEXT)),
    position=st.integers(1, 3),
    tie=st.booleans(),
    reason=st.sampled_from(["off", "optional", "required"]),
    purpose=st.sampled_from(Purpose),
    question=TEXT,
)
def test_a_page_in_its_frame_is_the_page_that_is_rendered(
    texts: dict[str, str], position: int, *, tie: bool, reason: str, purpose: Purpose, question: str
) -> None:
    filled: dict[str, Any] = dict(texts)
    page = replace(
        PAIR,
        **filled,
        position=position,
        title=f"Pair {position}",
        tie=tie,
        reason=reason,
        purpose=purpose,
        question=question,
    )
    assert framed(page) == rendered(page)


def test_nothing_stays_of_who_was_shown_a_page_before() -> None:
    mine = replace(PAIR, token="3-mine", prompt="My prompt", first="My first", second="My second")
    framed(mine)
    theirs = framed(PAIR)
    assert b"My " not in theirs
    assert b"3-mine" not in theirs


def test_every_field_of_the_page_is_filled_in_or_decides_about_its_frame() -> None:
    """A field that is forgotten would show one person what belongs to another."""
    every = {field.name for field in fields(Judge)}
    only_after_a_fault = {"error", "error_field", "given"}
    only_in_practice = {"practice"}
    assert every == {*FILLED, *SHARED, *only_after_a_fault, *only_in_practice}
