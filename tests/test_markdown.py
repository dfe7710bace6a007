"""Markdown in texts and documents: what it may become, and that nothing else gets through."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.markdown import document, markdown
from app.study.texts import default_texts

ALLOWED = {
    *("p", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "hr", "br"),
    *("h2", "h3", "h4", "h5", "h6"),
}


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_paragraphs_headings_lists_and_emphasis() -> None:
    html = markdown("# Who we are\n\nA *lab*.\nStill.\n\n- one\n- two\n\n###### Small")
    assert html == (
        "<h2>Who we are</h2>\n<p>A <em>lab</em>.\nStill.</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n<h6>Small</h6>\n"
    )


def test_a_link_leads_out_and_does_not_say_from_where() -> None:
    assert markdown("[us](https://lab.example/?a=1&b)") == (
        '<p><a href="https://lab.example/?a=1&amp;b" rel="noreferrer">us</a></p>\n'
    )
    assert 'href="mailto:a@b.example"' in markdown("<mailto:a@b.example>")


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](/admin/accounts)",
        "[x](//evil.example)",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: vbscript:x",
        "[x]()",
        '[x]( "title")',
        "[]()",
    ],
)
def test_no_other_link_is_one(text: str) -> None:
    assert "<a" not in markdown(text)


@pytest.mark.parametrize("text", ["<script>x</script>", "a <b>b</b>", '<img src="x">', "<!-- x -->", "&lt;b&gt;"])
def test_html_is_shown_and_does_nothing(text: str) -> None:
    assert {tag for tag, _ in Tags(markdown(text)).found} <= {"p"}


def test_no_image_is_loaded() -> None:
    assert "<img" not in markdown("![x](https://tracker.example/x.png)")


@given(st.text(max_size=200) | st.text("<>[]()!#*_`\\\n &\"'=:/ax", max_size=80))
def test_whatever_is_written_becomes_nothing_but_text(text: str) -> None:
    for tag, attributes in Tags(markdown(text)).found:
        assert tag in ALLOWED
        assert set(attributes) <= {"href", "rel", "title", "start", "class"}
        if tag == "a":
            assert str(attributes["href"]).lower().startswith(("http:", "https:", "mailto:"))
            assert attributes["rel"] == "noreferrer"


@pytest.mark.parametrize("name", ["consent", "instructions", "instructions_prefer_truth", "debrief"])
def test_the_bundled_texts_are_plain_paragraphs(name: str) -> None:
    text = default_texts()[name]
    parts = [part.strip() for part in text.strip().split("\n\n")]
    assert markdown(text) == "".join(f"<p>{part}</p>\n" for part in parts)


# Documents.


def test_a_document_has_tables_and_begins_below_a_section_s_heading() -> None:
    html = document("# Plan\n\n## Test\n\n| a | b |\n| --- | --- |\n| 1 | <i>2</i> |")
    assert html.startswith("<h3>Plan</h3>\n<h4>Test</h4>\n<table>\n<thead>\n<tr>\n<th>a</th>")
    assert "<td>&lt;i&gt;2&lt;/i&gt;</td>" in html


def test_the_head_of_a_table_that_has_none_is_left_out() -> None:
    html = document("| | |\n| --- | --- |\n| Pairs | 8 |")
    assert [tag for tag, _ in Tags(html).found] == ["table", "tbody", "tr", "td", "td"]


def test_a_text_for_annotators_has_no_tables() -> None:
    assert "<table" not in markdown("| a | b |\n| --- | --- |\n| 1 | 2 |")
