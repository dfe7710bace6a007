"""What a step of the way is: a page, and what its form does."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.study.places import Place
from app.web.pages import Page


class Faulty(NamedTuple):
    """What is wrong with a form, and the form, so that what was given is shown again."""

    message: str
    form: FormData


Show = Callable[[AsyncSession, Place, Faulty | None], Awaitable[Page]]
Take = Callable[[AsyncSession, Place, FormData], Awaitable[Place | str]]


class StepOfTheWay(NamedTuple):
    """A page, and what its form does: it returns the place the person goes on to, or what is wrong with the form."""

    show: Show
    take: Take


def error_of(fault: Faulty | None) -> str:
    """Return what is wrong with a form, empty where nothing is."""
    return fault.message if fault else ""
