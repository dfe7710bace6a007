"""The results page and the read-only link: what they show, who may see them, and for how long."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from html import unescape

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.results.crossed.fit import ModelFit
from app.results.finding import find as finding
from app.results.findings import Findings
from app.results.observed import Observed
from app.study import accounts, result_links
from app.terms import Role
from tests.conftest import NewDatabase
from tests.exports.filled import filled_study
from tests.studies import draft_study, open_study
from tests.web.desk import form_token, sign_in

RESULTS = "/studies/filled/results"
HERS = "/studies/hers/results"


@pytest.fixture(scope="module")
def own_database_url(new_database: NewDatabase) -> Iterator[str]:
    """One database for all tests here: filling a study takes a while. Each test signs in with an account of its own."""
    with new_database.lent() as url:
        yield url


@pytest.fixture(scope="module")
async def filled(own_database_url: str) -> AsyncIterator[None]:
    """A study in which people chose and preference models were run."""
    async with filled_study(own_database_url, "filled"):
        yield


async def links(database: AsyncSession) -> int:
    return int(await database.scalar(text("SELECT count(*) FROM result_link")) or 0)


async def make_link(client: httpx.AsyncClient) -> str:
    page = await client.get(RESULTS)
    made = await client.post(f"{RESULTS}/link", data={"form_token": form_token(page)})
    assert made.status_code == 200
    found = re.search(r"/r/([\w-]+)</code>", made.text)
    assert found is not None
    return found[1]


def main_of(page: httpx.Response) -> str:
    """Return what a page shows, without its navigation and what belongs to signed-in people alone."""
    found = re.search(
        r'<div class="results[^>]*>(.*?)</div>\s*(?:<section class="sharing"|</main>)', page.text, re.DOTALL
    )
    assert found is not None
    return " ".join(found[1].split())


@pytest.mark.usefixtures("filled")
async def test_the_page_shows_figures_with_their_tables(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await sign_in(client, database, "ada1@example.org", Role.ADMIN)
    page = await client.get(RESULTS)
    assert page.status_code == 200
    assert re.findall(r'<section class="finding"\s+id="([\w-]+)"', page.text)[:3] == ["levels", "slope", "overall"]
    sections = page.text.split('<section class="finding"')[1:]
    assert len(sections) >= 8
    for section in sections:
        assert "<table" in section, "a figure without its table"
        assert "Source: study filled; data " in section
        for drawing in re.findall(r"<svg.*?</svg>", section, re.DOTALL):
            assert "<title id=" in drawing
            assert "<desc id=" in drawing
    assert "<td>helpful</td>" in page.text
    assert "made-up/reward-model, non-sycophantic PM" in unescape(page.text)
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert not re.search(r"\sstyle=|<style|<script", page.text)
    assert RESULTS in (await client.get("/studies/filled")).text


async def test_the_page_is_for_those_who_may_see_the_study(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await open_study(database, "hers")
    hers = await accounts.create(database, "bob2@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).filter_by(slug="hers").values(owner_id=hers))
    await database.commit()
    before = await links(database)
    anonymous = await client.get(HERS)
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, f"/login?next={HERS}")
    await sign_in(client, database, "ada2@example.org")
    for path in (HERS, "/studies/none/results", f"{HERS}/link/revoke"):
        assert (await client.get(path)).status_code == 404
    token = form_token(await client.get("/account"))
    for path in (f"{HERS}/link", f"{HERS}/link/revoke"):
        assert (await client.post(path, data={"form_token": token})).status_code == 404
    assert await links(database) == before
    await sign_in(client, database, "root2@example.org", Role.ADMIN)
    assert (await client.get(HERS)).status_code == 200


async def test_a_study_without_choices_says_so(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "draft")
    await open_study(database, "open")
    await database.commit()
    await sign_in(client, database, "ada3@example.org", Role.ADMIN)
    for slug, said in (("draft", "once it is open"), ("open", "No choice can be analysed yet")):
        page = await client.get(f"/studies/{slug}/results")
        assert page.status_code == 200
        assert said in page.text
        assert "<svg" not in page.text
    assert "Make a read-only link" not in (await client.get("/studies/draft/results")).text


@pytest.mark.usefixtures("filled")
async def test_a_link_shows_the_results_alone_until_it_is_revoked(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    by = await sign_in(client, database, "ada4@example.org", Role.ADMIN)
    token = await make_link(client)
    seen = await client.get(RESULTS)
    assert "ada4@example.org" in seen.text
    visitor = httpx.AsyncClient(transport=client._transport, base_url=str(client.base_url))
    shared = await visitor.get(f"/r/{token}")
    assert shared.status_code == 200
    assert main_of(shared) == main_of(seen)
    assert shared.headers["x-robots-tag"] == "noindex"
    assert shared.headers["cache-control"] == "no-store"
    assert 'name="robots" content="noindex"' in shared.text
    for hidden in ("ada4@example.org", '<nav aria-label="Main"', "<form", "/studies/", "person-", token):
        assert hidden not in shared.text
    ask = await client.get(f"{RESULTS}/link/revoke")
    assert "Who has it sees nothing any more" in ask.text
    revoked = await client.post(f"{RESULTS}/link/revoke", data={"form_token": form_token(ask)}, follow_redirects=True)
    assert "The link is revoked" in revoked.text
    assert "Make a read-only link" in revoked.text
    gone, unknown = await visitor.get(f"/r/{token}"), await visitor.get("/r/nobody-made-this")
    assert gone.status_code == unknown.status_code == 404
    assert gone.text == unknown.text
    acts = text("SELECT kind FROM event WHERE account_id = :by AND kind LIKE 'result_link%' ORDER BY id")
    assert (await database.scalars(acts, {"by": by})).all() == ["result_link_made", "result_link_revoked"]


@pytest.mark.usefixtures("filled")
async def test_a_link_is_stored_as_a_hash_and_a_new_one_replaces_it(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    await sign_in(client, database, "ada5@example.org", Role.ADMIN)
    first = await make_link(client)
    second = await make_link(client)
    newest = text("SELECT token_hash, revoked_at FROM result_link ORDER BY id DESC LIMIT 2")
    stored = (await database.execute(newest)).all()[::-1]
    assert not {first, second} & {row.token_hash for row in stored}
    assert [row.revoked_at is None for row in stored] == [False, True]
    statuses = [(await client.get(f"/r/{token}")).status_code for token in (first, second)]
    assert statuses == [404, 200]


@pytest.mark.usefixtures("filled")
async def test_a_form_of_another_page_makes_no_link(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await sign_in(client, database, "ada6@example.org", Role.ADMIN)
    before = await links(database)
    assert (await client.post(f"{RESULTS}/link", data={"form_token": "wrong"})).status_code == 403
    assert await links(database) == before


@pytest.mark.usefixtures("filled")
async def test_numbers_are_computed_again_only_when_the_data_changed(
    client: httpx.AsyncClient, database: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    real = finding.find

    def find(observed: Observed, models: Sequence[ModelFit] = ()) -> Findings:
        computed.append(observed.facts.slug)
        return real(observed, models)

    monkeypatch.setattr(finding, "find", find)
    await sign_in(client, database, "ada7@example.org", Role.ADMIN)
    for _ in range(2):
        assert (await client.get(RESULTS)).status_code == 200
    assert computed == ["filled"]
    study_id = await database.scalar(text("SELECT id FROM study WHERE slug = 'filled'"))
    assert study_id is not None
    await database.execute(text("INSERT INTO event (kind, study_id, detail) VALUES ('x', :id, '{}')"), {"id": study_id})
    await database.commit()
    assert (await client.get(RESULTS)).status_code == 200
    assert computed == ["filled", "filled"]


async def test_of_links_made_at_once_one_is_in_force(database: AsyncSession) -> None:
    study = await open_study(database, "shared")
    tokens = [await result_links.make(database, study.id) for _ in range(3)]
    shown = [await result_links.shown_by(database, token) for token in tokens]
    assert [found is not None for found in shown] == [False, False, True]
    assert await result_links.revoke(database, study.id)
    assert not await result_links.revoke(database, study.id)
    assert await result_links.current(database, study.id) is None
