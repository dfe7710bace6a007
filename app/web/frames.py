"""Pages that differ in a few texts alone: the rest is rendered once and kept, and the texts are put in.

What is put in is escaped as the template would, so a page is byte for byte what `pages.render` gives.
"""

import secrets
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from fastapi.responses import HTMLResponse
from markupsafe import escape

from app.web.pages import Page, render

_KEPT = 4096  # Frames, of some five KB each.
_MARK = f"hole{secrets.token_hex(16)}-"  # In no text that anybody could have written.


class _Same:
    """What all pages of a frame share: hashed by what decides about it, with one of the pages to render it from."""

    __slots__ = ("key", "page")

    def __init__(self, key: Hashable, page: Page) -> None:
        self.key = key
        self.page = page

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.key == other.key


def render_in_frame(page: Page, filled: tuple[str, ...], same: Hashable) -> HTMLResponse:
    """Render a page of which `filled` names the texts that are put in.

    `same` must hold every other field that the page's template reads: pages of one kind for which it is equal get the
    same frame.
    """
    frame = _frame(_Same((type(page), same), page), filled)
    parts = [frame.start]
    for name, after in frame.pieces:
        parts += (escape(getattr(page, name)), after)
    return HTMLResponse("".join(parts))


class _Frame(NamedTuple):
    start: str
    pieces: tuple[tuple[str, str], ...]
    """The name of what is put in, and what follows it."""


@lru_cache(_KEPT)
def _frame(of: _Same, filled: tuple[str, ...]) -> _Frame:
    marked = render(replace(of.page, **{name: f"{_MARK}{name}." for name in filled}))
    start, *pieces = bytes(marked.body).decode().split(_MARK)
    named = (piece.partition(".") for piece in pieces)
    return _Frame(start, tuple((name, after) for name, _, after in named))
