"""Markup that annotators would see raw: texts are shown as they are, and Markdown is not interpreted."""

import re
from collections.abc import Iterator, Sequence

from app.study.stimuli_checks.report import Checked, Finding, warning

SHOWN = ("claim", "prompt", "fact", "baseline_truthful", "helpful_truthful", "sycophantic")
_MARKS = {
    "bold or italic marks": re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=[^\s*_])[^\n*_]+(?<=[^\s*_])\1(?![\w*])"),
    "a heading": re.compile(r"^#{1,6} +\S", re.MULTILINE),
    "a list": re.compile(r"^ {0,3}(?:[-*+•]|\d{1,3}[.)]) +\S", re.MULTILINE),
    "a quotation mark of Markdown": re.compile(r"^> ?\S", re.MULTILINE),
    "a Markdown link": re.compile(r"\[[^\]\n]+\]\([^)\s]+\)"),
    "code marks": re.compile(r"`+[^`\n]+`+|^```", re.MULTILINE),
    "a table": re.compile(r"^\|.*\|\s*$", re.MULTILINE),
    "a rule": re.compile(r"^(?:-{3,}|\*{3,}|_{3,})$", re.MULTILINE),
    "an HTML tag": re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>\n]*)?/?>"),
    "an HTML entity": re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});"),
    "LaTeX": re.compile(r"\\[(\[]|\$\$|\$[^$\n]*[\\^_{}][^$\n]*\$|\\[a-z]+\{"),
    "a web address": re.compile(r"https?://\S+"),
}


def marks(text: str) -> list[tuple[str, str]]:
    """Return each piece of markup in a text: what it is, and its beginning."""
    return [(what, found.group()[:40]) for what, pattern in _MARKS.items() for found in pattern.finditer(text)]


def find(checked: Sequence[Checked]) -> Iterator[Finding]:
    """Yield the markup in every text that annotators see."""
    for item in checked:
        for field in SHOWN:
            found = marks(getattr(item.entry, field))
            if found:
                what, piece = found[0]
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                yield warning(
                    "markup",
                    f"holds {what} ({' '.join(piece.split())!r}){more}, which would be shown raw; write plain text",
                    item,
                    field=field,
                    marks=len(found),
                )
