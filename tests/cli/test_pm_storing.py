"""A study scored where its database is: its page is told how far a run is, and its scores are stored."""

from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from app.cli import pm_storing
from app.cli.pm_storing import StudyRun
from app.db import transaction
from app.pm.item_files import ItemFile
from app.pm.oracle import Oracle
from app.pm.progress import Step
from app.pm.records import RunSettings
from app.pm.runner import score_items
from app.pm.variants import NON_SYCOPHANTIC, STANDARD
from app.study.studies import StudyUnknown
from tests.conftest import NewDatabase
from tests.studies import open_study

SETTINGS = RunSettings(shard_rows=12)


@pytest.fixture(scope="module")
async def url(new_database: NewDatabase) -> str:
    url = new_database()
    async with transaction(url) as session:
        for slug in ("whole", "broken"):
            await open_study(session, slug, per_level=1)
    return url


def held(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_run_is_told_of_shard_by_shard_and_then_stored(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pm_storing, "_SECONDS", 0.0)
    seen: list[tuple[object, ...]] = []

    def look(step: Step) -> None:
        if step.rows:
            seen.extend(held(url, "SELECT state, n_done, n_all FROM scoring_run"))

    run = StudyRun(url, "whole", tmp_path / "run")
    score_items(
        ItemFile(run.pairs), Oracle(), (STANDARD, NON_SYCOPHANTIC), tmp_path / "run", run.telling(48, look), SETTINGS
    )
    assert seen == [("running", n, 48) for n in (12, 24, 36, 48)]
    stored = run.store()
    assert held(url, "SELECT public_id, state, scorer FROM scoring_run") == [(stored, "done", "oracle")]
    assert held(url, "SELECT count(*) FROM response_score") == [(48,)]
    assert run.store() == stored, "it is there already"
    again = StudyRun(url, "whole", tmp_path / "run")
    score_items(
        ItemFile(again.pairs),
        Oracle(),
        (STANDARD, NON_SYCOPHANTIC),
        tmp_path / "run",
        again.telling(48, look),
        SETTINGS,
    )
    assert again.store() == stored
    assert held(url, "SELECT count(*) FROM scoring_run") == [(1,)]


def test_what_stops_a_run_is_told_and_the_run_goes_on_as_the_same(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pm_storing, "migrated_database", lambda: nullcontext(url))

    def stop(step: Step) -> None:
        if step.rows:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError), pm_storing.scoring_study("broken", tmp_path / "run") as run:
        score_items(ItemFile(run.pairs), Oracle(), (STANDARD,), tmp_path / "run", run.telling(24, stop), SETTINGS)
    study = "study_id = (SELECT id FROM study WHERE slug = 'broken')"
    ((public_id, state, fault),) = held(url, f"SELECT public_id, state, fault FROM scoring_run WHERE {study}")
    assert (state, fault) == ("failed", "out of memory")
    with pm_storing.scoring_study("broken", tmp_path / "run") as run:
        score_items(
            ItemFile(run.pairs), Oracle(), (STANDARD,), tmp_path / "run", run.telling(24, lambda _: None), SETTINGS
        )
        assert run.store() == public_id
    assert held(url, f"SELECT state, fault FROM scoring_run WHERE {study}") == [("done", None)]


def test_an_unknown_study_is_refused_before_anything_is_scored(url: str, tmp_path: Path) -> None:
    with pytest.raises(StudyUnknown):
        StudyRun(url, "nothing", tmp_path)
