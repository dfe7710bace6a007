"""`candor report` as people run it: one file, the same at every run but for the time; figures where asked for."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.commands import app
from app.results.figures import paper as paper_figures
from app.settings import settings
from tests.exports.filled import filled_study

RUN = CliRunner()
_MADE_AT = re.compile(rb'<time datetime="[^"]*">[^<]*</time>')


@pytest.fixture
async def filled(own_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_DATABASE_URL", own_database_url)
    settings.cache_clear()
    async with filled_study(own_database_url, "filled"):
        pass


@pytest.mark.usefixtures("filled")
def test_a_report_is_one_file_that_is_the_same_at_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / "one.html", tmp_path / "two.html"]
    for file in files:
        done = RUN.invoke(app, ["report", "filled", "-o", str(file)])
        assert done.exit_code == 0, done.output
    one, two = (_MADE_AT.sub(b"", file.read_bytes()) for file in files)
    assert one == two
    assert b"What was written down before the study opened" in one
    assert b"non-sycophantic PM" in one
    assert b"person-" not in one, "a platform's id"
    monkeypatch.setattr(paper_figures, "require", _missing)
    refused = RUN.invoke(app, ["report", "filled", "-o", str(tmp_path / "no.html"), "--figures", str(tmp_path)])
    assert isinstance(refused.exception, paper_figures.FiguresMissing)
    assert not (tmp_path / "no.html").exists()
    unknown = RUN.invoke(app, ["report", "nothing", "-o", str(tmp_path / "no.html")])
    assert "nothing" in str(unknown.exception)
    assert not (tmp_path / "no.html").exists()


def _missing() -> None:
    raise paper_figures.FiguresMissing
