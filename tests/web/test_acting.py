"""What can be done with a study from its page: every act, by whom, and what it says when it cannot be done."""

import re
from html import unescape

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Participation, Study
from app.study import accounts, studies
from app.terms import Role
from tests.studies import draft_study, open_study
from tests.walker import Walker
from tests.web.desk import acts, form_token, sign_in, sign_in_again, summary

GETS = ("open", "close", "pilot", "clone", "raise", "retire", "edit")
POSTS = ("open", "pause", "close", "preview", "pilot", "clone", "raise", "retire", "edit")


@pytest.fixture
async def ada(client: httpx.AsyncClient, database: AsyncSession) -> int:
    """A researcher who is signed in, with a draft and an open study."""
    ada = await sign_in(client, database, "ada@example.org")
    await draft_study(database, "draft", title="A draft")
    await open_study(database, "live", title="A live one")
    await database.execute(update(Study).values(owner_id=ada))
    await database.commit()
    return ada


async def state(database: AsyncSession, slug: str) -> str:
    return str(await database.scalar(select(Study.state).filter_by(slug=slug)))


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    token = form_token(await client.get("/studies"))
    return await client.post(path, data={"form_token": token} | fields)


def asked(page: httpx.Response) -> tuple[str, str]:
    """The heading of a page that asks, and its button."""
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    button = re.findall(r'<button class="button" type="submit">(.*?)</button>', page.text)
    assert heading is not None
    return unescape(heading[1]).strip(), button[-1]


async def test_a_study_offers_what_can_be_done_in_its_state(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    offered = acts(await client.get("/studies/draft"))
    assert offered == ["Open the study", "Edit", "Preview", "Pilot", "Clone"]
    living = ["Preview", "Pilot", "Clone", "Raise ratings", "Retire a pair"]
    assert acts(await client.get("/studies/live")) == [*living, "Pause", "Close"]
    await post(client, "/studies/live/pause")
    assert acts(await client.get("/studies/live")) == ["Let it go on", *living, "Close"]
    await post(client, "/studies/live/close")
    assert acts(await client.get("/studies/live")) == ["Preview", "Clone"]


async def test_a_study_is_opened_paused_and_closed(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    page = await client.get("/studies/draft/open")
    assert asked(page) == ("Open “A draft”?", "Open the study")
    assert "frozen" in page.text
    for act, done, expected in [
        ("open", "opened", "live"),
        ("pause", "paused", "paused"),
        ("open", "goes-on", "live"),
        ("close", "closed", "closed"),
    ]:
        sent = await post(client, f"/studies/draft/{act}")
        assert (sent.status_code, sent.headers["location"]) == (303, f"/studies/draft?done={done}")
        assert await state(database, "draft") == expected
        assert 'class="done"' in (await client.get(sent.headers["location"])).text
    assert asked(await client.get("/studies/draft/close")) == ("Close “A draft”?", "Close the study")
    again = await post(client, "/studies/draft/open")
    assert again.status_code == 409
    said = "Study 'draft' is closed, so it cannot be opened; it must be a draft or paused."
    assert said in unescape(again.text)
    kinds = await database.execute(
        select(Event.kind, Event.account_id).where(Event.kind.like("study_%"), Event.account_id.is_not(None))
    )
    assert {(kind, by) for kind, by in kinds} == {(f"study_{kind}", ada) for kind in ("live", "paused", "closed")}


async def test_a_draft_that_cannot_open_says_why(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    await draft_study(database, "small", per_level=1, levels=2, pairs_per_annotator=8)
    await database.execute(update(Study).values(owner_id=ada))
    await database.commit()
    page = await post(client, "/studies/small/open")
    assert page.status_code == 409
    assert "lower pairs-per-annotator to 2 or fewer" in page.text
    assert 'href="/studies/small"' in page.text
    assert await state(database, "small") == "draft"


async def test_a_preview_is_walked_to_its_end_says_so_on_every_page_and_is_in_no_list(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    sent = await post(client, "/studies/draft/preview")
    slug = sent.headers["location"].removeprefix("/s/")
    assert re.fullmatch("preview-[0-9a-f]{12}", slug)
    walker = Walker(client, slug)
    pages = []
    await walker.enter("")
    pages.append(walker.page)
    while walker.path != "/complete":
        await walker.send(consent="yes", side="left", looked_up="no", data="keep")
        pages.append(walker.page)
    assert len(pages) == 14
    for page in pages:
        assert "Preview: nothing you do here counts." in " ".join(page.words.split())
    assert slug not in (await client.get("/studies")).text
    assert await state(database, "draft") == "draft"
    shown = await client.get(f"/studies/{slug}")
    assert 'href="/studies/draft"' in shown.text
    assert "<strong>Preview.</strong>" in shown.text
    assert "/export/" not in shown.text
    for path in ("bundle.zip", "choices.csv", "preferences.jsonl", "payments.csv"):
        refused = await client.get(f"/studies/{slug}/export/{path}")
        assert (refused.status_code, "nothing of it is exported" in refused.text) == (409, True), path
        programs = await client.get(f"/api/studies/{slug}/export/{path}") if path[:3] != "pay" else refused
        assert programs.status_code == 409
    told = (await client.get(f"/api/studies/{slug}/choices")).json()["error"]
    assert told["code"] == "preview"
    counted = await database.scalar(
        select(Participation.id).join(Study, Study.id == Participation.study_id).where(Study.slug == "draft")
    )
    assert counted is None


async def test_the_next_preview_takes_the_place_of_the_last(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    first, second = [(await post(client, "/studies/draft/preview")).headers["location"] for _ in range(2)]
    assert (await client.get(first)).status_code == 404
    assert (await client.get(second)).status_code == 303
    there = await database.scalars(select(Study.slug).where(Study.purpose == "preview"))
    assert [f"/s/{slug}" for slug in there] == [second]
    root = await sign_in(client, database, "root@example.org", Role.ADMIN)
    assert root != ada
    audit = (await client.get("/admin/audit?kind=preview_opened")).text
    assert all(address.removeprefix("/s/") in audit for address in (first, second)), "that they were opened is told"


async def test_a_pilot_is_for_real_is_told_on_its_pages_and_can_be_reset(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    assert asked(await client.get("/studies/live/pilot")) == ("Start a pilot of “A live one”?", "Start the pilot")
    sent = await post(client, "/studies/live/pilot")
    assert sent.headers["location"] == "/studies/live-pilot-1?done=pilot"
    page = await client.get(sent.headers["location"])
    assert "<strong>Pilot.</strong>" in page.text
    assert "http://testserver/s/live-pilot-1?pid=ID" in page.text
    assert acts(page) == ["Pause", "Close", "Reset the pilot"]
    entered = await client.get("/s/live-pilot-1?pid=someone", follow_redirects=True)
    assert "<strong>Pilot:</strong>" in entered.text
    choices = await client.get("/studies/live-pilot-1/export/choices.csv")
    assert choices.status_code == 200
    assert choices.text.startswith("study,set_slug")
    assert "live-pilot-1" not in (await client.get("/studies")).text
    assert 'href="/studies/live-pilot-1"' in (await client.get("/studies/live")).text

    for again in (await post(client, "/studies/live-pilot-1/pilot"), await client.get("/studies/live-pilot-1/pilot")):
        assert again.status_code == 409
        assert "is a pilot of 'live', so it cannot have pilots or previews" in unescape(again.text)
    asks = await client.get("/studies/live/pilot")
    assert asked(asks) == ("Reset the pilot of “A live one”?", "Reset the pilot")
    assert "live-pilot-1, is closed" in asks.text
    await post(client, "/studies/live/pilot")
    assert await state(database, "live-pilot-1") == "closed"
    assert await state(database, "live-pilot-2") == "live"


async def test_the_study_itself_says_nothing_of_previews(client: httpx.AsyncClient, ada: int) -> None:
    entered = await client.get("/s/live?pid=someone", follow_redirects=True)
    assert "rehearsal" not in entered.text


async def test_a_clone_is_a_draft_of_its_maker(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    assert asked(await client.get("/studies/live/clone")) == ("Clone “A live one”", "Make the draft")
    for new, said in [
        ("live", "There is a study 'live' already; choose another slug"),
        ("No", "Name in addresses: must be lower-case letters and digits, with hyphens"),
        ("", "Give the new study a name for its addresses"),
        ("a\x00b", "Name in addresses: must be lower-case letters and digits, with hyphens"),
    ]:
        page = await post(client, "/studies/live/clone", new=new)
        assert (page.status_code, summary(page)) == (422, [(said, "new")])
    root = await sign_in(client, database, "root@example.org", Role.ADMIN)
    sent = await post(client, "/studies/live/clone", new="wave-2")
    assert sent.headers["location"] == "/studies/wave-2?done=cloned"
    copy = await studies.get_study(database, "wave-2")
    assert (copy.state, copy.owner_id, copy.title) == ("draft", root, "A live one")


async def test_ratings_are_raised_and_the_amendment_is_told(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    before = (await studies.get_study(database, "live")).design_hash
    for ratings, said in [
        ("", "Ratings of each pair: must be a whole number"),
        ("x", "Ratings of each pair: must be a whole number"),
        ("3", "Study 'live' asks for 3 ratings a pair, which can be raised only; 3 is not more than that"),
        ("1001", "Study 'live' can ask for at most 1000 ratings a pair; 1001 is more than that"),
    ]:
        page = await post(client, "/studies/live/raise", ratings=ratings)
        assert (page.status_code, summary(page)) == (422, [(said, "ratings")])
        assert f'value="{ratings}"' in page.text
    sent = await post(client, "/studies/live/raise", ratings=" 5 ")
    assert sent.headers["location"] == "/studies/live?done=raised"
    page = await client.get("/studies/live")
    assert "Ratings of each pair raised from 3 to 5" in page.text
    database.expunge_all()
    after = (await studies.get_study(database, "live")).design_hash
    assert after != before
    assert str(after) in page.text
    assert (await post(client, "/studies/draft/raise", ratings="9")).status_code == 409


async def test_a_pair_is_retired_for_a_reason(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    not_one = "is not one of its pairs; `candor export pairs` lists them"
    for key, reason, said, at in [
        ("claim-001", " ", "Say in a few words why the pair is retired", "reason"),
        (
            "nothing",
            "wrong",
            f"Study 'live': 'nothing' {not_one}",
            "key",
        ),
        ("a\x00b", "wrong", f"Study 'live': 'a\\x00b' {not_one}", "key"),
    ]:
        page = await post(client, "/studies/live/retire", key=key, reason=reason)
        assert (page.status_code, summary(page)) == (422, [(said, at)])
    sent = await post(client, "/studies/live/retire", key=" claim-001 ", reason="its fact is\x00 <disputed>")
    assert sent.headers["location"] == "/studies/live?done=retired"
    page = await client.get("/studies/live")
    assert "Pair claim-001 retired" in page.text
    assert "its fact is &lt;disputed&gt;" in page.text
    again = await post(client, "/studies/live/retire", key="claim-001", reason="again")
    assert summary(again) == [("Study 'live': 'claim-001' is retired already", "key")]


async def test_nobody_acts_on_someone_else_s_study(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    await sign_in(client, database, "bob@example.org")
    for slug in ("draft", "live"):
        for act in GETS:
            assert (await client.get(f"/studies/{slug}/{act}")).status_code == 404, act
        for act in POSTS:
            answer = await post(client, f"/studies/{slug}/{act}", new="mine", ratings="9", key="claim-001", reason="x")
            assert answer.status_code == 404, act
    client.cookies.clear()
    for act in GETS:
        answer = await client.get(f"/studies/live/{act}")
        assert answer.headers["location"] == f"/login?next=/studies/live/{act}"
    for act in POSTS:
        assert (await client.post(f"/studies/live/{act}", data={"x": "y"})).status_code == 401
    assert await database.scalar(select(Study.id).where(Study.slug.not_in(["draft", "live"]))) is None
    assert (await state(database, "draft"), await state(database, "live")) == ("draft", "live")


async def test_without_its_token_a_form_does_nothing(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    for token in ("", "made up"):
        for act in POSTS:
            answer = await client.post(f"/studies/live/{act}", data={"form_token": token, "new": "x", "ratings": "9"})
            # The form of a draft is shown again with what was typed, and a live study has none.
            assert answer.status_code == (409 if act == "edit" else 403), act
    assert await state(database, "live") == "live"
    assert await database.scalar(select(Study.id).where(Study.slug.not_in(["draft", "live"]))) is None


async def test_a_disabled_account_acts_no_more(client: httpx.AsyncClient, database: AsyncSession, ada: int) -> None:
    token = form_token(await client.get("/studies"))
    await accounts.disable(database, "ada@example.org")
    await database.commit()
    assert (await client.post("/studies/live/close", data={"form_token": token})).status_code == 401
    await sign_in_again(client, database, await accounts.create(database, "c@example.org", Role.ADMIN, None))
    assert (await client.get("/studies/live/close")).status_code == 200
