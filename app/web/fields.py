"""What forms have in common: fields that are typed into, and what is said of one that cannot be taken."""

from collections.abc import Callable
from datetime import date, timedelta
from math import ceil
from typing import Annotated

from fastapi import Form
from fastapi.responses import Response

from app.errors import CandorError
from app.web.pages import Page, render

Typed = Annotated[str, Form()]


class FieldFaulty(CandorError):
    """A field of a form that cannot be taken as it is; `field` is the id of the element that mends it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def same_twice(password: str, again: str) -> str:
    """Return a new password that was typed twice alike."""
    if password != again:
        raise FieldFaulty("The two passwords are not the same", "again")
    return password


def kept_day(typed: str) -> str:
    """Return what was typed where a date field can show it: one takes nothing but a date."""
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        return ""


def sentence(fault: CandorError) -> str:
    """Return what was wrong as it stands on a page: a domain's message begins with a small letter."""
    said = str(fault)
    return said[:1].upper() + said[1:]


def try_again(wait: timedelta, page: Callable[[str], Page]) -> Response:
    """Return the page that a form was on, saying when it may be sent again after too many wrong passwords."""
    minutes = max(1, ceil(wait.total_seconds() / 60))
    said = f"There were too many wrong attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
    response = render(page(said), 429)
    response.headers["Retry-After"] = str(ceil(wait.total_seconds()))
    return response
