"""A plain client that reads a page's main form as a browser would: its fields, its choices, its texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class ReadPage:
    """A page of the annotator's way as a plain client reads it: its form, the texts shown as they are, all its words.

    `hidden` fields are sent back as they came, one of the `options` of a field is chosen, `written` fields take words.
    """

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    completion_code: str = ""
    words: str = ""
    n_pairs: int = 0


class _Reader(HTMLParser):
    """Collects the form with id="step", and the texts shown as they are (prompt, first, second)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = ReadPage()
        self._in_step = False
        self._text_tag = ""
        self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("id") == "step":
            self._in_step = True
            self.page.action = values.get("action", "")
        elif self._in_step and tag in {"input", "button"} and "name" in values:
            self._field(values)
        elif self._in_step and tag == "textarea":
            self.page.written.append(values.get("name", ""))
        elif self._in_step and tag == "progress":
            self.page.n_pairs = int(values.get("max", "0"))
        if "text--asis" in values.get("class", "").split():
            self._text_tag = tag
            self.page.texts.append("")
        self._in_code = values.get("id") == "code"

    def _field(self, values: dict[str, str]) -> None:
        if values.get("type") in {"radio", "submit", "checkbox"}:
            self.page.options.setdefault(values["name"], []).append(values.get("value", ""))
        else:
            self.page.hidden[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_step = False
        if tag == self._text_tag:
            self._text_tag = ""
        self._in_code = False

    def handle_data(self, data: str) -> None:
        self.page.words += data
        if self._text_tag:
            self.page.texts[-1] += data
        if self._in_code:
            self.page.completion_code += data.strip()


def read_page(html: str) -> ReadPage:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.page
