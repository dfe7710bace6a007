"""Markdown as HTML that is safe to show: what annotators are told, and documents of a study.

Prompts and responses are never interpreted: people see exactly the text that a preference model scores.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

_LEADS_TO = frozenset({"http", "https", "mailto"})
_DEEPEST_HEADING = 6


def _leads_out(url: str) -> bool:
    """Say whether a link may be one: addresses without a scheme would lead into the study's own pages."""
    try:
        return urlsplit(url).scheme.lower() in _LEADS_TO
    except ValueError:
        return False


class _Renderer(RendererHTML):
    """Writes links that do not tell where the reader comes from, and headings below the page's own."""

    above = 1
    """How many headings stand above the text's first."""

    def link_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        tokens[at].attrSet("rel", "noreferrer")
        return self.renderToken(tokens, at, options, env)

    def renderInline(self, tokens: Sequence[Token], options: OptionsDict, env: Any) -> str:  # noqa: N802 - its name
        return str(super().renderInline(list(_without_empty_links(tokens)), options, env))

    def heading_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        tokens[at].tag = f"h{min(int(tokens[at].tag[1:]) + self.above, _DEEPEST_HEADING)}"
        return self.renderToken(tokens, at, options, env)

    heading_close = heading_open


class _DocumentRenderer(_Renderer):
    above = 2


def _without_empty_links(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out links to nowhere, `[x]()`, which the parser lets be without asking; links do not stand in links."""
    empty = False
    for token in tokens:
        if token.type == "link_open":
            empty = not token.attrGet("href")
        if not (empty and token.type in {"link_open", "link_close"}):
            yield token


def _parser(renderer: type[_Renderer]) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=renderer)
    parser.validateLink = _leads_out  # type: ignore[method-assign]
    return parser.disable(["image", "html_block", "html_inline"])


_TEXTS = _parser(_Renderer)
_DOCUMENTS = _parser(_DocumentRenderer).enable("table")


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """Return a text as HTML that is safe to show: no HTML of its own, no images, links that lead out alone."""
    return Markup(_TEXTS.render(text))  # noqa: S704 - the parser escapes everything that is not Markdown


def document(text: str) -> Markup:
    """Return a document for a section of a page: as `markdown`, with tables, its title a heading of the third rank."""
    tokens = list(_with_heads_that_say_something(_DOCUMENTS.parse(text)))
    return Markup(_DOCUMENTS.renderer.render(tokens, _DOCUMENTS.options, {}))  # noqa: S704 - as above


def _with_heads_that_say_something(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out the heads of tables that have none: Markdown cannot write a table without."""
    held: list[Token] = []
    for token in tokens:
        if not (held or token.type == "thead_open"):
            yield token
            continue
        held.append(token)
        if token.type == "thead_close":
            if any(inside.content for inside in held):
                yield from held
            held = []
