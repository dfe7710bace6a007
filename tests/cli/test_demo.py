"""What the demo brings into an empty database, and what it leaves alone in one that it filled before."""

import json
from pathlib import Path

import pytest

from app import resources
from app.cli import demo
from app.db import transaction
from app.study import scoring_queries
from app.study.studies import get_study
from app.web.start import EXAMPLE_STUDY

RECORDED = resources.content(demo.RECORDED_SCORES)
AGAIN = "ab" * 16


@pytest.fixture
def scored_again(tmp_path: Path) -> Path:
    """The recorded scores as another run of the same model."""
    head, *rest = RECORDED.read_text(encoding="utf-8").splitlines(keepends=True)
    told = json.loads(head)
    told["run"]["id"] = AGAIN
    path = tmp_path / "scores.jsonl"
    path.write_text(json.dumps(told) + "\n" + "".join(rest), encoding="utf-8")
    return path


async def runs(url: str) -> list[str]:
    async with transaction(url) as session:
        example = await get_study(session, EXAMPLE_STUDY)
        return [listed.run.public_id for listed in await scoring_queries.runs(session, example.id)]


async def test_the_example_has_the_recorded_run_once(own_database_url: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8").split("\n", 1)[0])["run"]["id"]
    links = [await demo._prepare(own_database_url, None) for _ in range(2)]
    assert await runs(own_database_url) == [recorded]
    assert links[0] != links[1], "a one-time link is made at every start"


async def test_scores_made_again_stand_in_place_of_the_recorded_ones(own_database_url: str, scored_again: Path) -> None:
    for _ in range(2):
        await demo._prepare(own_database_url, scored_again)
    assert await runs(own_database_url) == [AGAIN]


async def test_a_score_file_that_is_not_there_is_named(own_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(demo.ScoresUnreadable, match=r"none\.jsonl cannot be read: No such file"):
        await demo._prepare(own_database_url, tmp_path / "none.jsonl")
