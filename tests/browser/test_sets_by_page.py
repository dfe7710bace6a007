"""An admin brings a set in by page alone: sends a faulty file, reads what is wrong, mends it, stores it, edits it."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.study.set_files import to_jsonl
from tests.browser.screens import DESKTOP, PHONE, PLAIN, Screen
from tests.browser.served import ADMIN, Served, starter_set

pytestmark = pytest.mark.browser


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def lines() -> list[dict[str, Any]]:
    """The starter set's first ten misconceptions, in words of their own, so that they repeat no other set's."""
    made = [json.loads(line) for line in to_jsonl(starter_set()[:10])]
    return [one | {"key": f"{one['key']}-too"[-60:]} for one in made]


def choose(page: Page, name: str, rows: list[dict[str, Any]]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    page.get_by_label("File").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content})


@pytest.mark.parametrize("screen", [DESKTOP, PLAIN, PHONE], ids=["scripts", "no-scripts", "phone"])
def test_a_set_is_sent_mended_stored_browsed_and_edited_by_page_alone(
    browser: Browser, there: Served, screen: Screen, request: pytest.FixtureRequest
) -> None:
    slug = f"by-{request.node.callspec.id}"
    rows = lines()
    faulty = [*rows[:3], {**rows[3], "category": "Not a word"}, *rows[4:]]
    faulty[6] = {name: cell for name, cell in rows[6].items() if name != "fact"}
    with screen.context(browser, there, ADMIN) as context:
        page = context.new_page()
        page.goto(f"{there.base}/admin/sets")
        page.get_by_role("link", name="Upload a set").click()
        expect(heading(page)).to_have_text("Upload a set")
        choose(page, f"{slug}.jsonl", faulty)
        page.get_by_role("button", name="Check the file").click()
        read_what_is_wrong(page, slug)
        page.get_by_role("link", name="Send another file").click()
        choose(page, "mended.jsonl", rows)
        page.get_by_label("Name", exact=True).fill(slug)
        page.get_by_label("Title").fill("Brought by page")
        page.get_by_role("button", name="Check the file").click()
        expect(page.locator("#decide")).to_have_text("It can be stored")
        page.get_by_role("button", name="Store 10 misconceptions").click()
        expect(page.get_by_role("status")).to_have_text("The set was stored.")
        expect(heading(page)).to_have_text("Brought by page")
        browse(page, rows)
        edit(page)
    stored = there.rows("SELECT version, content_hash FROM misconception_set WHERE slug = %s ORDER BY version", slug)
    assert [version for version, _ in stored] == [1, 2]
    events = "event JOIN account ON account.id = account_id WHERE kind = 'set_imported' AND detail->>'set' = %s"
    assert there.count(f"{events} AND email = %s", slug, ADMIN) == 2
    fact = "SELECT fact FROM misconception m JOIN misconception_set s ON s.id = set_id WHERE slug = %s AND key = %s"
    assert [row[0] for row in there.rows(f"{fact} ORDER BY version", slug, rows[2]["key"])] == [
        rows[2]["fact"],
        "It is air that is heated.",
    ]


def read_what_is_wrong(page: Page, slug: str) -> None:
    """Read the findings by row; try to store them all the same."""
    expect(heading(page)).to_have_text(f"Check of {slug}.jsonl")
    expect(page.locator(".totals dd")).to_have_text(["8", "2", "2", page.locator(".totals dd").last.inner_text()])
    errors = page.locator("section", has=page.get_by_role("heading", name="Errors"))
    expect(errors.locator(".finding")).to_have_text(
        ["line 4, field category: must be lower-case letters and digits, with hyphens", "line 7, field fact: missing"]
    )
    expect(page.get_by_role("heading", name="Balance of the two sides")).to_be_visible()
    page.get_by_role("button", name="Store 8 misconceptions").click()
    expect(page.locator(".summary a")).to_have_text(
        "The file has errors; mend them and send it again, or choose to leave those rows out"
    )


def browse(page: Page, rows: list[dict[str, Any]]) -> None:
    """Search, look at one misconception, and see its pair as annotators see it."""
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_label("Words").fill("clouds")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody th a")).to_have_text([rows[2]["claim"]])
    page.locator("tbody th a").click()
    expect(heading(page)).to_have_text(rows[2]["claim"])
    page.get_by_role("link", name="Preview the pair").click()
    expect(page.locator(".rehearsal")).to_contain_text("Preview:")
    texts = [rows[2][name] for name in ("prompt", "helpful_truthful", "sycophantic")]
    assert page.locator(".text--asis").all_text_contents() == texts
    expect(page.locator("#side-left")).to_be_disabled()
    page.get_by_role("link", name="Swap the sides").click()
    assert page.locator(".text--asis").all_text_contents() == [texts[0], texts[2], texts[1]]
    page.get_by_role("link", name="Back to the misconception").click()


def edit(page: Page) -> None:
    """Edit it, wrongly at first; see what changes; store it."""
    page.get_by_role("link", name="Edit").click()
    fact = page.get_by_label("Fact", exact=True)
    fact.fill("")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator(".summary a")).to_have_text(["Fact: must not be empty"])
    fact.fill("It is air that is heated.")
    page.get_by_role("button", name="See what changes").click()
    expect(page.locator(".change ins")).not_to_have_count(0)
    page.get_by_role("button", name="Go on editing").click()
    expect(fact).to_have_value("It is air that is heated.")
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Store version 2").click()
    expect(page.get_by_role("status")).to_have_text("The changed misconception was stored in a new version.")
    page.get_by_role("link", name="all versions, and what changed").click()
    expect(page.locator(".totals dd")).to_have_text(["0", "0", "1", "9"])
    expect(page.locator(".change")).to_have_count(1)


def test_a_file_is_dropped_onto_its_field(browser: Browser, there: Served) -> None:
    with DESKTOP.context(browser, there, ADMIN) as context:
        page = context.new_page()
        page.goto(f"{there.base}/admin/set-uploads/new")
        dropped = page.evaluate_handle(
            """(text) => {
                const data = new DataTransfer();
                data.items.add(new File([text], "dropped.jsonl"));
                return data;
            }""",
            "".join(to_jsonl(starter_set()[:2])),
        )
        page.dispatch_event(".drop", "dragover", {"dataTransfer": dropped})
        expect(page.locator(".drop--over")).to_have_count(1)
        page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
        expect(page.locator(".drop--over")).to_have_count(0)
        expect(page.locator("[data-said]")).to_contain_text("dropped.jsonl, ")
        page.get_by_role("button", name="Check the file").click()
        expect(heading(page)).to_have_text("Check of dropped.jsonl")
        page.get_by_role("button", name="Throw the file away").click()
        expect(page.get_by_role("status")).to_contain_text("thrown away")
