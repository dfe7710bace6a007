"""The planner's page: a plan has an address, what is wrong is said at its field, and no request asks too much."""

import asyncio
import re
from html import unescape

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.results.planning.plans import Plan, PlanFaulty
from app.study import accounts
from app.web.researcher.planning import within_reach
from tests.studies import draft_study, open_study
from tests.web.desk import sign_in

SMALL = {"pairs": "4", "ratings_per_pair": "3", "pairs_per_annotator": "8", "simulations": "20"}


def text_of(page: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def value_of(page: httpx.Response, field: str) -> str:
    found = re.search(rf'<input[^>]*name="{field}"[^>]*?value="([^"]*)"', page.text, re.DOTALL)
    assert found is not None, field
    return unescape(found[1])


@pytest.fixture
async def signed_in(client: httpx.AsyncClient, database: AsyncSession) -> httpx.AsyncClient:
    await sign_in(client, database, "ada@example.org")
    return client


async def test_the_form_comes_filled_and_simulates_nothing_yet(signed_in: httpx.AsyncClient) -> None:
    page = await signed_in.get("/studies/plan")
    assert page.status_code == 200
    assert (value_of(page, "pairs"), value_of(page, "rates"), value_of(page, "sd_pair")) == ("33", "20, 30", "0.9")
    assert "<svg" not in page.text
    assert 'href="/studies/plan"' in (await signed_in.get("/studies")).text


async def test_a_plan_has_an_address(signed_in: httpx.AsyncClient) -> None:
    asked = SMALL | {"pay": "£2.50", "fee": "10", "arms": "2", "rates": "25, 45"}
    page = await signed_in.get("/studies/plan", params=asked)
    assert page.status_code == 200
    said = text_of(page)
    assert "The difficulty slope would be found in" in said
    assert "12 annotators judge 32 pairs: 96 choices in each of 2 arms" in said
    assert "Cost: £66.00 for 24 people: £60.00 pay, £6.00 fee." in said
    assert "20 simulated studies from seed 1" in said
    assert {name: value_of(page, name) for name in asked} == asked
    assert page.text.count('class="chart__people"') == page.text.count('class="chart__interval"') == 8
    assert (await signed_in.get("/studies/plan", params=asked)).text == page.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("rates", "0.2, 0.3", "Rates: give percentages from 1 to 99, such as 20, 30"),
        ("pairs", "<b>", "Pairs: give whole numbers"),
        ("pay", "a voucher", "Pay: give an amount for one person, such as £2.50"),
        ("fee", "-1", "Fee: give a number, such as 0.9"),
        ("pairs_per_annotator", "33", "Pairs per annotator: must be 1 to 32, the pairs there are"),
        ("ratings_per_pair", "1000000", "Ratings per pair: must be 1 to 1,000"),
        ("pairs", "2000", "Pairs: this makes 48,000"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    signed_in: httpx.AsyncClient, field: str, typed: str, said: str
) -> None:
    asked = SMALL | {field: typed} | ({"ratings_per_pair": "9"} if typed == "2000" else {})
    page = await signed_in.get("/studies/plan", params=asked)
    assert page.status_code == 422
    shown = said if typed != "2000" else "Pairs: this makes 144,000 choices, too many to simulate while a page waits"
    assert unescape(page.text).count(shown) == 2
    assert f'href="#{field}"' in page.text
    assert value_of(page, field) == typed
    assert "<svg" not in page.text


def test_a_page_simulates_no_more_than_it_can_wait_for() -> None:
    assert within_reach(Plan(simulations=10)).simulations == 10
    assert 200 < within_reach(Plan(simulations=100_000)).simulations < 1000
    large = within_reach(Plan(pairs=(1000,), simulations=100_000))
    assert 30 <= large.simulations < 100
    assert large.choices * large.simulations < 6_000_000
    with pytest.raises(PlanFaulty, match="too many to simulate while a page waits; use candor study plan"):
        within_reach(Plan(pairs=(1501,)))


async def test_fewer_simulations_than_asked_for_are_said(
    signed_in: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.researcher.planning._SECONDS", 0.2)
    page = await signed_in.get("/studies/plan", params=SMALL | {"simulations": "5000"})
    assert "43 studies were simulated, not 5,000: no more can be while a page waits." in text_of(page)
    assert value_of(page, "simulations") == "5000"


async def test_other_pages_are_answered_meanwhile(signed_in: httpx.AsyncClient) -> None:
    await signed_in.get("/studies/plan", params=SMALL)  # What is imported once is not waited for.
    planning = asyncio.create_task(signed_in.get("/studies/plan", params={"simulations": "250"}))
    answered = 0
    while not planning.done():
        assert (await signed_in.get("/studies/plan")).status_code == 200
        answered += not planning.done()
    assert (await planning).status_code == 200
    assert answered >= 3


async def test_a_study_leads_to_its_own_plan(signed_in: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "mine", per_level=3, ratings_per_pair=4, pairs_per_annotator=6, pay="£3.00")
    await open_study(database, "free", per_level=1, levels=5, pairs_per_annotator=5)
    mine = await accounts.id_of(database, "ada@example.org")
    await database.execute(update(Study).values(owner_id=mine))
    await draft_study(database, "hers")
    await database.commit()
    assert 'href="/studies/mine/plan"' in (await signed_in.get("/studies/mine")).text
    there = await signed_in.get("/studies/mine/plan")
    assert there.status_code == 303
    page = await signed_in.get(there.headers["location"] + "&simulations=20")
    assert value_of(page, "pairs") == "3 3 3 3 3 3 3 3"
    assert "16 annotators judge 24 pairs: 96 choices" in text_of(page)
    assert "Cost: £48.00 for 16 people." in text_of(page)
    free = await signed_in.get((await signed_in.get("/studies/free/plan")).headers["location"])
    assert free.status_code == 422
    assert "Pairs: every level needs at least one" in text_of(free)
    assert (await signed_in.get("/studies/hers/plan")).status_code == 404


@pytest.mark.parametrize("path", ["/studies/plan", "/studies/demo/plan"])
async def test_who_is_not_signed_in_plans_nothing(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["location"] == f"/login?next={path}"
