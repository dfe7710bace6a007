"""A set's page shows its gradings beside it, and names a model with random weights as one."""

import re

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import gradings
from app.study.gradings import Graded
from app.study.sets import find_set, import_set
from app.terms import GradingKind, Role
from tests.example_sets import entries
from tests.web.desk import sign_in


async def test_gradings_are_shown_on_the_page_of_every_version(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    await sign_in(client, database, "root@example.org", Role.ADMIN)
    await import_set(database, entries(2), slug="one", title="One", licence="none")
    await database.commit()
    assert "Gradings" not in (await client.get("/admin/sets/one/1")).text
    ratings = {one.key: {"ann": 5.0 * n, "ben": 5.0 * n + 1} for n, one in enumerate(entries(2))}
    stored = await find_set(database, "one")
    people = Graded(by="r.csv", kind=GradingKind.RATINGS, prompt_hash=None, ratings=ratings, made_with={})
    model = Graded(
        by="a-<model>",
        kind=GradingKind.MODEL,
        prompt_hash="0" * 64,
        ratings={key: {"wording 1, True as A": 50.0} for key in ratings},
        made_with={"random_weights": True, "answered": 0.1},
    )
    first = await gradings.store(database, stored.id, people)
    await gradings.regroup(database, "one", first.id)
    await gradings.store(database, stored.id, model)
    await database.commit()
    for version in (1, 2):
        page = await client.get(f"/admin/sets/one/{version}")
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
        assert "a-&lt;model&gt; (random weights) Grading 2, 1 questions to a model Version 1" in said
        told = re.search(r"r\.csv Grading 1, 2 raters Version 1 \d+ \w+ \d+ (.*) Misconceptions Words", said)
        assert told is not None
        assert told.group(1) == "0.50 −0.03 to 0.81 0.48 0 of 16"
        assert re.search(r"questions to a model Version 1 \d+ \w+ \d+ none none 16 of 16", said)
    audit = (await client.get("/admin/audit")).text
    assert "Graded a set" in audit
    assert "one, version 2, by grading 1" in audit
