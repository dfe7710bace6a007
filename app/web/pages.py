"""What a page may know: one frozen context a page, and the rendering of it. What is not in a context cannot leak."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The context of one page. `title` is the heading and, before the site's name, the document's title."""

    template: ClassVar[str]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link in words. `apart` opens it in a tab of its own, where the page that it is on is still needed."""

    text: str
    href: str
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Page):
    """A page that only says something: a study is full, a link is wrong, something failed."""

    template: ClassVar[str] = "notice.html"
    paragraphs: tuple[str, ...]
    links: tuple[Link, ...] = ()


@lru_cache
def static_url(name: str) -> str:
    """Return the address of a static file, with its content's hash so that it may be kept for ever."""
    content = (resources.folder("static") / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resources.folder("templates")),
        undefined=StrictUndefined,
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["static_url"] = static_url
    return environment


def render(page: Page, status: int = 200) -> HTMLResponse:
    """Render a page from its context, which is all that the template sees."""
    return HTMLResponse(_environment().get_template(page.template).render(page=page), status_code=status)
