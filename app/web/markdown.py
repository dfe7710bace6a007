"""Texts that researchers write in Markdown: what annotators are told before and after they judge.

Prompts and responses are never interpreted: people see exactly the text that a preference model scores.
"""

from collections.abc import Sequence
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

    def link_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        tokens[at].attrSet("rel", "noreferrer")
        return self.renderToken(tokens, at, options, env)

    def heading_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        tokens[at].tag = f"h{min(int(tokens[at].tag[1:]) + 1, _DEEPEST_HEADING)}"
        return self.renderToken(tokens, at, options, env)

    heading_close = heading_open


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    parser.validateLink = _leads_out  # type: ignore[method-assign]
    return parser.disable(["image", "html_block", "html_inline"])


_PARSER = _parser()


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """Return a text as HTML that is safe to show: no HTML of its own, no images, links that lead out alone."""
    return Markup(_PARSER.render(text))  # noqa: S704 - the parser escapes everything that is not Markdown
