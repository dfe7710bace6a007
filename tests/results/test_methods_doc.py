"""The page on methods says something of every figure and every number, and its table is the one that was recorded."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.results.finding.find import find
from app.results.findings import ArmFindings, Findings
from app.results.report.contents import sketches
from tests.results.observed_study import observed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
_HEADING = re.compile(r"^## (?P<name>[^(\n]+?) \(`(?P<anchor>[a-z-]+)`: (?P<keys>.+)\)$", re.MULTILINE)
_NO_NUMBERS = {"arm", "arms", "primary", "why_not", "facts", "source", "people", "exploratory"}


def kind_of(figure: str) -> str:
    """A figure's anchor without its number or its question."""
    return re.sub(r"-\d+$|^(background)-.*", r"\1", figure)


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    return {found["anchor"]: found["name"] for found in _HEADING.finditer(PAGE)}


def test_every_figure_has_a_section_under_its_name_and_in_its_order(sections: dict[str, str]) -> None:
    figures = {kind_of(figure.id): figure.name for figure in sketches(find(observed()))}
    assert len(figures) > 15
    assert set(sections) - set(figures) == {"model"}  # A fit has to be made before it is shown.
    assert list(figures) == [anchor for anchor in sections if anchor in figures]
    for anchor, name in figures.items():
        assert name.startswith(sections[anchor]), anchor


def test_every_number_is_named() -> None:
    keys = {key for found in _HEADING.finditer(PAGE) for key in re.findall(r"`(\w+)`", found["keys"])}
    numbers = {each.name for kind in (ArmFindings, Findings) for each in fields(kind)} - _NO_NUMBERS
    assert {name for name in numbers - keys if f"`{name}`" not in PAGE} == set()
    assert keys <= numbers


def test_the_table_of_validity_is_the_recorded_one() -> None:
    recorded = (ROOT / "benchmarks" / "validity" / "RESULTS.md").read_text(encoding="utf-8")
    table = re.findall(r"```\n(.+?)\n```", recorded, re.DOTALL)
    assert len(table) == 1
    assert f"```\n{table[0]}\n```" in PAGE.partition("\n## Validity\n")[2]
    assert "level intervals" in table[0]
    assert "primary test: size" in table[0]


def test_recorded_coverage_and_size_are_within_reach() -> None:
    """Rows that say what they ought to be are there, and are so: a change that breaks intervals shows when recorded."""
    rows = re.findall(r"(\d+\.\d) +\d+\.\d +\d+ \((\d+\.?\d*) to (\d+\.?\d*)\)", PAGE)
    assert len(rows) > 15
    for value, low, high in rows:
        assert float(low) <= float(value) <= float(high)
