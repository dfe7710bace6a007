"""A study by page alone, from the form to its tables and results; only the people are a program."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.cli import simulate
from app.db import transaction
from app.exports.verifying import verify
from app.results.finding.find import find
from app.results.sources.from_files import from_files
from tests.browser.screens import DESKTOP
from tests.browser.served import RESEARCHER, Served, apart

pytestmark = pytest.mark.browser
SLUG = "whole-way"
PEOPLE, PAIRS, RATINGS = 8, 24, 2


def test_a_study_is_configured_opened_filled_and_exported_by_page_alone(
    browser: Browser, there: Served, tmp_path: Path
) -> None:
    with DESKTOP.context(browser, there, RESEARCHER) as context:
        page = context.new_page()
        page.goto(f"{there.base}/studies")
        configure(page)
        open_it(page)
        apart(lambda: fill(there))
        page.goto(f"{there.base}/studies/{SLUG}")
        expect(page.get_by_text(f"of {PAIRS * RATINGS} slots")).to_be_visible()
        page.get_by_role("link", name="Results", exact=False).first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Results of The whole way")
        expect(page.locator("section.finding").first).to_contain_text(f"on {PAIRS} pairs")
        page.goto(f"{there.base}/studies/{SLUG}")
        choices = table(
            downloaded(
                page, page.get_by_role("row", name="Choices").get_by_role("link", name="CSV"), tmp_path / "c.csv"
            )
        )
        bundle = downloaded(page, page.get_by_role("link", name="Download everything"), tmp_path / "bundle.zip")
    stored = there.rows(
        """SELECT m.key, choice.side_chosen FROM choice
           JOIN participation p ON p.id = choice.participation_id JOIN study s ON s.id = p.study_id
           JOIN assignment a ON a.participation_id = p.id AND a.position = choice.position
           JOIN pair ON pair.id = a.pair_id JOIN misconception m ON m.id = pair.misconception_id
           WHERE s.slug = %s""",
        SLUG,
    )
    assert len(choices) == len(stored) == PAIRS * RATINGS
    assert sorted((row["misconception_key"], row["side_chosen"]) for row in choices) == sorted(stored)
    assert {row["synthetic"] for row in choices} == {"true"}
    read_whole(bundle, choices)


def configure(page: Page) -> None:
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Title").fill("The whole way")
    page.get_by_label("Name in addresses").fill(SLUG)
    page.get_by_label("Contact").fill("ada@lab.example")
    page.get_by_label("Set of misconceptions").select_option(label=f"Starter set (starter, version 1): {PAIRS} pairs")
    page.get_by_label("Ratings of each pair").fill(str(RATINGS))
    page.get_by_label("Pairs for each annotator").fill(str(PAIRS * RATINGS // PEOPLE))
    page.get_by_label("For synthetic annotators alone").check()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The whole way")


def open_it(page: Page) -> None:
    page.get_by_role("link", name="Open the study").click()
    page.get_by_role("button", name="Open the study").click()
    expect(page.get_by_role("status").first).to_be_visible()


async def fill(there: Served) -> None:
    async with transaction(there.database_url) as session:
        simulation = await simulate.prepare(session, SLUG, there.base, seed=3)
    await simulate.run(simulation, PEOPLE, concurrency=2)


def downloaded(page: Page, link: Locator, file: Path) -> Path:
    with page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(file)
    return file


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def read_whole(bundle: Path, choices: list[dict[str, str]]) -> None:
    """Read the bundle as others do: hold it against its manifest, and read its table of choices."""
    assert verify(bundle).rows["choices.csv"] == len(choices)
    with zipfile.ZipFile(bundle) as files:
        assert list(csv.DictReader(io.StringIO(files.read("choices.csv").decode("utf-8")))) == choices
    facts = find(from_files(bundle)).facts
    assert (facts.slug, facts.synthetic) == (SLUG, True)
