"""Stored fits of the crossed model: kept as they are, newest first, shown with what they were fitted to."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from app.cli.commands import app
from app.db import transaction
from app.models import Event
from app.results.crossed.fit import ModelFit
from app.results.crossed.model import NothingToFit
from app.results.crossed.stored import models_of, record_of
from app.results.finding.find import find
from app.results.sources.from_database import from_database
from app.settings import settings
from app.study import data_versions, model_fits
from app.study.studies import get_study
from tests.exports.filled import filled_study
from tests.results.made_up_fits import made_up_fit, made_up_sampler
from tests.results.planted import planted
from tests.studies import open_study

ARM = "helpful/neutral"
RUN = CliRunner()


async def test_of_an_arm_s_fits_the_newest_is_shown_and_storing_one_is_an_event(session: AsyncSession) -> None:
    study = await open_study(session, "fits")
    assert await model_fits.newest(session, study.id) == []
    before = await data_versions.of_study(session, study.id)
    fit = made_up_fit(planted(per_level=2), ARM)
    await model_fits.store(session, study.id, ARM, "1" * 64, {"old": True})
    await model_fits.store(session, study.id, "baseline/neutral", "1" * 64, {"other": True})
    stored = await model_fits.store(session, study.id, ARM, "2" * 64, record_of(fit))
    other, newest = await model_fits.newest(session, study.id)
    assert (other.arm, other.record) == ("baseline/neutral", {"other": True})
    assert (newest.id, newest.data_version) == (stored, "2" * 64)
    assert await models_of(session, study.id) == (replace(fit, outdated=None),), "what cannot be read is left out"
    assert await data_versions.of_study(session, study.id) != before, "pages that are kept must be made anew"
    event = (await session.scalars(select(Event).filter_by(kind="model_fitted").order_by(Event.id.desc()))).first()
    assert event is not None
    assert event.detail == {"arm": ARM, "fit": stored}


@pytest.mark.parametrize("statement", ["UPDATE model_fit SET arm = 'x'", "DELETE FROM model_fit", "TRUNCATE model_fit"])
async def test_a_stored_fit_stays_as_it_is(session: AsyncSession, statement: str) -> None:
    study = await open_study(session, "kept")
    await model_fits.store(session, study.id, ARM, "1" * 64, {})
    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(text(statement))


@pytest.fixture
async def filled(own_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_DATABASE_URL", own_database_url)
    settings.cache_clear()
    async with filled_study(own_database_url, "filled"):
        pass


@pytest.mark.usefixtures("filled")
def test_the_command_stores_a_fit_that_the_report_shows_until_choices_change(
    own_database_url: str, tmp_path: Path
) -> None:
    with made_up_sampler():
        done = RUN.invoke(app, ["study", "fit", "filled", "--chains", "2", "--samples", "300"])
        unknown = RUN.invoke(app, ["study", "fit", "filled", "--arm", "helpful/none"])
    assert done.exit_code == 0, done.output
    assert "Crossed random-effects model, arm helpful/neutral" in done.stdout
    assert "2 chains of 300 draws" in done.stdout
    assert isinstance(unknown.exception, NothingToFit)
    models, version = asyncio.run(shown(own_database_url))
    assert len(models) > 0
    assert [fit.outdated for fit in models] == [False] * len(models), "an event is no change of choices"
    assert models[0].data_version != version
    assert from_bundle(tmp_path / "filled.zip")["choices_hash"] == models[0].choices_hash
    assert "Out of date" not in report(tmp_path)
    asyncio.run(nobody_looked_anything_up(own_database_url))
    assert "Out of date: by the random-effects model" in report(tmp_path)


def from_bundle(file: Path) -> dict[str, Any]:
    """Return the fit that `candor analyze --model` makes of the study's exported files."""
    exported = RUN.invoke(app, ["export", "bundle", "--study", "filled", "-o", str(file)])
    assert exported.exit_code == 0, exported.output
    with made_up_sampler():
        done = RUN.invoke(app, ["analyze", str(file), "--model", "--json"])
        told = RUN.invoke(app, ["analyze", str(file), "--model"])
    assert "Crossed random-effects model, arm helpful/neutral" in told.stdout
    (fit,) = json.loads(done.stdout)["models"]
    return dict(fit)


async def shown(url: str) -> tuple[tuple[ModelFit, ...], str]:
    async with transaction(url) as session:
        study = await get_study(session, "filled")
        found = find(await from_database(session, "filled"), await models_of(session, study.id))
        return found.models, await data_versions.of_study(session, study.id)


async def nobody_looked_anything_up(url: str) -> None:
    """Let choices count that a rule left out."""
    async with transaction(url) as session:
        await session.execute(text("UPDATE participation SET looked_up = false WHERE looked_up"))


def report(folder: Path) -> str:
    file = folder / "report.html"
    done = RUN.invoke(app, ["report", "filled", "-o", str(file)])
    assert done.exit_code == 0, done.output
    return file.read_text(encoding="utf-8")
