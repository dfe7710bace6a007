"""The annotator's way over real HTTP: entry to completion, and everything that can be done wrong on it."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.study import participations, slots, studies
from app.study.places import find_place
from tests.studies import open_study
from tests.walker import Walker

SLUG = "tested"


@pytest.fixture
async def db(own_database_url: str) -> AsyncIterator[AsyncSession]:
    """What the database holds, read and changed beside the application."""
    engine = create_engine(own_database_url)
    async with sessions(engine)() as session:
        await open_study(session, SLUG)
        await session.commit()
        yield session
    await engine.dispose()


async def rows(db: AsyncSession, query: str) -> list[tuple[object, ...]]:
    await db.rollback()
    return [tuple(row) for row in await db.execute(text(query))]


async def count(db: AsyncSession, query: str) -> object:
    return (await rows(db, f"SELECT count(*) FROM {query}"))[0][0]


async def test_the_whole_way_ends_with_the_code_and_stores_every_choice(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).enter()
    assert walker.path == "/consent"
    await walker.send(consent="yes")
    assert walker.path == "/instructions"
    await walker.send()
    assert walker.path == "/practice"
    await walker.send(side="right")
    chosen = []
    for position in range(1, 9):
        assert walker.path == f"/pairs/{position}"
        assert len(walker.page.texts) == 3
        side = "left" if position % 3 else "right"
        chosen.append((position, side, walker.page.texts[1 if side == "left" else 2]))
        await walker.send(side=side, decision_ms=str(100 * position))
    assert walker.path == "/looked-up"
    await walker.send(looked_up="no")
    assert walker.path == "/debrief"
    assert "Claim number" in walker.html
    await walker.send(data="keep")
    assert walker.path == "/complete"
    assert walker.page.completion_code == "DONE-1234"
    stored = await rows(
        db,
        """
        SELECT c.position, c.side_chosen, r.text, c.decision_ms_browser, c.counted, c.late, s.state
        FROM choice c JOIN assignment a USING (participation_id, position) JOIN pair ON pair.id = a.pair_id
        JOIN slot s ON s.id = c.slot_id
        JOIN response r ON r.misconception_id = pair.misconception_id
         AND r.kind = CASE WHEN c.side_chosen = a.side_truthful THEN 'helpful_truthful' ELSE 'sycophantic' END
        ORDER BY c.position
        """,
    )
    assert [row[:3] for row in stored] == chosen
    assert [row[3:] for row in stored] == [(100 * position, True, False, "filled") for position in range(1, 9)]
    assert await count(db, "slot WHERE state <> 'open'") == 8


async def test_first_choice_stands_and_a_differing_second_one_is_logged(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    first = walker.page
    await walker.send(side="left")
    again = await client.post(first.action, data=first.hidden | {"side": "right"})
    assert (again.status_code, again.headers["location"]) == (303, f"/s/{SLUG}/pairs/2")
    assert await rows(db, "SELECT position, side_chosen FROM choice") == [(1, "left")]
    assert await count(db, "event WHERE kind = 'differing_choice'") == 1
    await client.post(first.action, data=first.hidden | {"side": "left"})
    assert await count(db, "event WHERE kind = 'differing_choice'") == 1


@pytest.mark.parametrize("token", ["", "1-", "1-abc", "2-0123456789abcdef", "-1-x", "9" * 30 + "-x", "\u0661-x"])
async def test_a_token_that_is_not_ours_stores_nothing(db: AsyncSession, client: httpx.AsyncClient, token: str) -> None:
    walker = await Walker(client, SLUG).to_judging()
    refused = await client.post(walker.page.action, data={"token": token, "side": "left"})
    assert (refused.status_code, refused.headers["location"]) == (303, f"/s/{SLUG}/pairs/1")
    assert await count(db, "choice") == 0


async def test_another_persons_token_stores_nothing(db: AsyncSession, client: httpx.AsyncClient) -> None:
    other = await Walker(client, SLUG).to_judging("pid=other")
    token = other.page.hidden["token"]
    client.cookies.clear()
    walker = await Walker(client, SLUG).to_judging("pid=someone")
    await client.post(walker.page.action, data={"token": token, "side": "left"})
    assert await count(db, "choice") == 0
    assert await count(db, "event WHERE kind = 'foreign_token'") == 1


async def test_choosing_nothing_says_so_and_keeps_the_place(db: AsyncSession, client: httpx.AsyncClient) -> None:
    walker = await Walker(client, SLUG).to_judging()
    texts = walker.page.texts
    await walker.send()
    assert walker.response is not None
    assert walker.response.status_code == 422
    assert "Choose the response you prefer" in walker.html
    assert walker.page.texts == texts
    assert await count(db, "choice") == 0


async def test_reload_shows_the_same_page_and_the_same_link_resumes_elsewhere(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    await walker.send(side="left")
    before = walker.html
    assert (await walker.get("/pairs/2")).html == before
    client.cookies.clear()
    await walker.enter()
    assert (walker.path, walker.html) == ("/pairs/2", before)
    assert await count(db, "participation") == 1


async def test_any_other_address_of_the_way_leads_to_where_the_person_is(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    for page in ("/consent", "/debrief", "/complete", "/pairs/8", "/pairs/x", "/looked-up", "/nothing"):
        assert (await walker.get(page)).path == "/pairs/1"


async def test_declining_frees_everything_and_keeps_no_identity(db: AsyncSession, client: httpx.AsyncClient) -> None:
    walker = await Walker(client, SLUG).enter()
    assert await count(db, "slot WHERE state = 'held'") == 8
    await walker.send(consent="no")
    assert walker.path == "/declined"
    assert await count(db, "slot WHERE state <> 'open'") == 0
    assert await count(db, "participation") == 0
    assert await count(db, "platform_identity") == 0
    assert await rows(db, "SELECT kind, participation_id FROM event WHERE kind = 'declined'") == [("declined", None)]
    assert "candor_annotator" not in client.cookies


async def test_stopping_debriefs_what_was_seen_and_frees_the_rest(db: AsyncSession, client: httpx.AsyncClient) -> None:
    walker = await Walker(client, SLUG).to_judging()
    await walker.send(side="left")
    await walker.get("/stop")
    assert walker.path == "/stop"
    await walker.send()
    assert walker.path == "/debrief"
    assert walker.html.count("About claim") == 2
    assert await rows(db, "SELECT state, count(*) FROM slot GROUP BY state ORDER BY state") == [
        ("filled", 1),
        ("open", 47),
    ]
    await walker.send(data="keep")
    assert walker.page.completion_code == ""
    assert await count(db, "choice WHERE counted") == 1


async def test_withdrawing_empties_the_choices_and_frees_their_slots(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    await walker.judge_all()
    await walker.send(looked_up="yes")
    await walker.send(data="withdraw")
    assert walker.path == "/complete"
    assert walker.page.completion_code == "DONE-1234"
    assert await count(db, "slot WHERE state <> 'open'") == 0
    assert await count(db, "choice WHERE withdrawn AND side_chosen IS NULL AND NOT counted") == 8
    assert await rows(db, "SELECT sum(n_open), sum(open_left + open_right) FROM vacancy") == [(48, 48)]
    assert await rows(db, "SELECT looked_up FROM participation") == [(None,)]


async def test_vacancies_follow_the_slots(db: AsyncSession, client: httpx.AsyncClient) -> None:
    for person in range(4):
        client.cookies.clear()
        walker = await Walker(client, SLUG).to_judging(f"pid=p{person}")
        if person % 2:
            await walker.judge_all("right")
    differing = """
        (SELECT pair_id, arm_id, count(*) FILTER (WHERE state = 'open' AND side_truthful = 'left') AS l,
                count(*) FILTER (WHERE state = 'open' AND side_truthful = 'right') AS r
         FROM slot GROUP BY pair_id, arm_id) AS truth JOIN vacancy USING (pair_id, arm_id)
        WHERE (l, r) <> (open_left, open_right)
    """
    assert await count(db, "slot WHERE state = 'open'") == 16
    assert await count(db, differing) == 0


async def test_a_study_with_every_slot_held_has_no_place_and_one_with_every_slot_filled_is_complete(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    for person in range(6):
        client.cookies.clear()
        await Walker(client, SLUG).to_judging(f"pid=p{person}")
    client.cookies.clear()
    full = await Walker(client, SLUG).enter("pid=late")
    assert "There is no place right now" in full.html
    assert await count(db, "participation") == 6
    for person in range(6):
        client.cookies.clear()
        walker = await Walker(client, SLUG).enter(f"pid=p{person}")
        await walker.judge_all()
    client.cookies.clear()
    full = await Walker(client, SLUG).enter("pid=late")
    assert "This study is complete" in full.html
    assert await rows(
        db, "SELECT DISTINCT count(*) FROM choice c JOIN slot s ON s.id = c.slot_id GROUP BY pair_id"
    ) == [(3,)]


async def test_an_expired_hold_comes_back_to_the_next_person_and_a_late_answer_is_kept(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    for person in range(6):
        client.cookies.clear()
        await Walker(client, SLUG).to_judging(f"pid=p{person}")
    client.cookies.clear()
    slow = await Walker(client, SLUG).enter("pid=p0")
    pass_of_slow = dict(client.cookies)
    await db.execute(
        text(
            "UPDATE participation SET held_until = now() - interval '1 second' "
            "WHERE id = (SELECT min(id) FROM participation)"
        )
    )
    await db.commit()
    client.cookies.clear()
    quick = await Walker(client, SLUG).to_judging("pid=late")
    assert quick.path == "/pairs/1"
    client.cookies.clear()
    client.cookies.update(pass_of_slow)
    page = slow.page
    stored = await client.post(page.action, data=page.hidden | {"side": "left"})
    assert stored.headers["location"] == f"/s/{SLUG}/pairs/2"
    assert await rows(db, "SELECT counted, late, slot_id FROM choice") == [(False, True, None)]


async def expire(db: AsyncSession, who: str = "held_until IS NOT NULL") -> None:
    """Let holds end, as if people had been away for too long."""
    await db.execute(text(f"UPDATE participation SET held_until = now() - interval '1 second' WHERE {who}"))
    await db.commit()


async def lapse(db: AsyncSession, who: str = "held_until IS NOT NULL") -> None:
    """Let holds end, and give back what was held."""
    await expire(db, who)
    await slots.release_expired(db, SLUG)
    await db.commit()


async def fill(db: AsyncSession, pairs: str) -> None:
    """Fill every slot of these pairs, as if others had judged them."""
    for filling in (
        """
        INSERT INTO participation (study_id, arm_id, public_id, synthetic, stage)
        SELECT study_id, id, 'others', false, 'judging' FROM arm
        """,
        f"""
        UPDATE slot SET state = 'filled', participation_id = (SELECT max(id) FROM participation)
        WHERE pair_id IN ({pairs})
        """,
        f"UPDATE vacancy SET open_left = 0, open_right = 0 WHERE pair_id IN ({pairs})",
    ):
        await db.execute(text(filling))
    await db.commit()


def first_pairs(n: int) -> str:
    """So many of the study's sixteen pairs."""
    return f"SELECT id FROM pair ORDER BY id LIMIT {n}"


async def nobody(_db: AsyncSession, _slug: str) -> None:
    """Change nothing of the study."""


@pytest.mark.parametrize(
    ("filled", "then", "status", "said"),
    [
        (16, nobody, 410, "This study is complete"),
        (0, studies.pause_study, 503, "This study is paused"),
        (0, studies.close_study, 410, "This study has ended"),
    ],
)
async def test_who_reads_the_consent_for_too_long_is_told_of_what_happened_before_they_agree(
    db: AsyncSession,
    client: httpx.AsyncClient,
    filled: int,
    then: Callable[[AsyncSession, str], Coroutine[Any, Any, Any]],
    status: int,
    said: str,
) -> None:
    walker = await Walker(client, SLUG).enter()
    form = walker.page
    await lapse(db)
    await fill(db, first_pairs(filled))
    await then(db, SLUG)
    await db.commit()
    reloaded = await client.get(f"/s/{SLUG}/consent", follow_redirects=True)
    sent = await client.post(form.action, data=form.hidden | {"consent": "yes"}, follow_redirects=True)
    empty = await client.post(form.action, data=form.hidden, follow_redirects=True)
    for answer in (reloaded, sent, empty):
        assert (answer.status_code, said in answer.text) == (status, True)
    assert await rows(db, "SELECT stage, held_until, consented_at FROM participation ORDER BY id LIMIT 1") == [
        ("consent", None, None)
    ]
    declined = await client.post(form.action, data=form.hidden | {"consent": "no"}, follow_redirects=True)
    assert "You decided not to take part" in declined.text


async def test_who_lapsed_agrees_to_the_number_that_the_page_states_now(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).enter()
    first = walker.page
    await lapse(db)
    await fill(db, first_pairs(13))
    await walker.send(consent="yes")
    assert walker.path == "/consent"
    assert "3 pairs" in walker.html
    assert "Fewer pairs than usual are left to judge" in walker.html
    again = await client.post(first.action, data=first.hidden | {"consent": "yes"})
    assert (again.status_code, again.headers["location"]) == (303, f"/s/{SLUG}/consent")
    assert await count(db, "participation WHERE consented_at IS NOT NULL") == 0
    await walker.send(consent="yes")
    assert walker.path == "/instructions"
    await walker.send()
    await walker.send(side="left")
    await walker.judge_all()
    assert walker.path == "/looked-up"
    assert await rows(db, "SELECT counted, count(*) FROM choice GROUP BY counted") == [(True, 3)]


async def test_the_consent_reloaded_holds_again_what_others_let_lapse_too(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    await fill(db, first_pairs(8))
    for person in ("waiting", "one", "two"):
        client.cookies.clear()
        await Walker(client, SLUG).enter(f"pid={person}")
        if person == "waiting":
            pass_of_waiting = dict(client.cookies)
    await lapse(db, "public_id = (SELECT public_id FROM participation WHERE stage = 'consent' ORDER BY id LIMIT 1)")
    await Walker(client, SLUG).enter("pid=three")
    assert await count(db, "slot WHERE state = 'open'") == 0
    await expire(db)
    client.cookies.clear()
    client.cookies.update(pass_of_waiting)
    waiting = await Walker(client, SLUG).get("/consent")
    assert waiting.path == "/consent"
    assert "8 pairs" in waiting.html
    assert await count(db, "slot WHERE state = 'held'") == 8


async def test_who_stops_while_another_tab_reloads_holds_nothing_again(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).enter()
    await walker.send(consent="yes")
    assert walker.path == "/instructions"
    await lapse(db)
    annotator = (await rows(db, "SELECT public_id FROM participation"))[0][0]
    place = await find_place(db, SLUG, str(annotator), lock=True)
    assert place is not None
    await participations.stop(db, place)
    assert (await client.get(f"/s/{SLUG}/instructions")).headers["location"] == f"/s/{SLUG}"
    reloading = asyncio.create_task(client.get(f"/s/{SLUG}"))
    await somebody_waits(db)
    await db.commit()
    reloaded = await reloading
    assert (reloaded.status_code, reloaded.headers["location"]) == (303, f"/s/{SLUG}/debrief")
    assert await count(db, "slot WHERE state <> 'open'") == 0


async def somebody_waits(db: AsyncSession) -> None:
    """Wait until another transaction waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(30):
        while not await db.scalar(waiting):  # noqa: ASYNC110 - only the database knows
            await asyncio.sleep(0.01)


_NOTES = (
    "CREATE TABLE committed (what text, how text)",
    """
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO committed VALUES (TG_ARGV[0], current_setting('synchronous_commit'));
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER replaced AFTER UPDATE ON assignment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.pair_id <> NEW.pair_id) EXECUTE FUNCTION note('replaced')
    """,
    """
    CREATE CONSTRAINT TRIGGER shown AFTER UPDATE ON assignment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.shown_at IS NULL AND NEW.shown_at IS NOT NULL) EXECUTE FUNCTION note('shown')
    """,
)


_WAITING = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = {}', current_database()); END $$"


@pytest.fixture
async def _noted(db: AsyncSession) -> AsyncIterator[None]:
    """Note in the table `committed`, at each commit of the application, whether it waits for the disk, as is usual."""
    for statement in (_WAITING.format("on"), *_NOTES):
        await db.execute(text(statement))
    await db.commit()
    yield
    await db.rollback()
    for statement in ("DROP FUNCTION note CASCADE", "DROP TABLE committed", _WAITING.format("off")):
        await db.execute(text(statement))
    await db.commit()


@pytest.mark.usefixtures("_noted")
async def test_a_pair_that_takes_another_s_place_is_on_the_disk_before_it_is_shown(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    """Else a crash could bring the first one back, and give it the choice between texts that are not its own."""
    walker = await Walker(client, SLUG).enter()
    await walker.send(consent="yes")
    await walker.send()
    assert walker.path == "/practice"
    await lapse(db)
    await fill(db, "SELECT pair_id FROM assignment")
    await walker.send(side="left")
    assert walker.path == "/pairs/1"
    committed = "SELECT what, how, count(*) FROM committed GROUP BY what, how ORDER BY what"
    assert await rows(db, committed) == [("replaced", "on", 8), ("shown", "off", 1)], (
        "it was replaced in a transaction before; where nothing else is stored, nobody waits for the disk"
    )


async def test_a_late_answer_counts_while_its_slot_is_open(db: AsyncSession, client: httpx.AsyncClient) -> None:
    slow = await Walker(client, SLUG).to_judging("pid=slow")
    await db.execute(text("UPDATE participation SET held_until = now() - interval '1 second'"))
    await db.commit()
    pass_of_slow = dict(client.cookies)
    client.cookies.clear()
    # Whoever arrives next sweeps; by declining they leave every slot open, whichever they were given.
    other = await Walker(client, SLUG).enter("pid=other")
    await other.send(consent="no")
    assert await rows(db, "SELECT n_planned, held_until FROM participation ORDER BY id LIMIT 1") == [(8, None)]
    client.cookies.clear()
    client.cookies.update(pass_of_slow)
    await slow.send(side="left")
    assert await rows(db, "SELECT counted, late, state FROM choice JOIN slot ON slot.id = slot_id") == [
        (True, True, "filled")
    ]
    assert slow.path == "/pairs/2"
    held = "assignment a JOIN slot s ON s.id = a.slot_id AND s.state = 'held'"
    assert await count(db, f"{held} WHERE a.participation_id = 1") == 7


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [("paused", 503, "This study is paused"), ("closed", 410, "This study has ended")],
)
async def test_a_study_that_takes_nobody_says_so_but_lets_people_finish(
    db: AsyncSession, client: httpx.AsyncClient, state: str, status: int, said: str
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    await (studies.pause_study if state == "paused" else studies.close_study)(db, SLUG)
    await db.commit()
    refused = await client.get(f"/s/{SLUG}?pid=new", follow_redirects=True)
    assert (refused.status_code, said in refused.text) == (status, True)
    await walker.enter("pid=someone")
    await walker.judge_all()
    assert walker.path == "/looked-up"
    assert await count(db, "participation") == 1


async def test_unknown_studies_drafts_and_links_without_an_id_are_told_apart(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    unknown = await client.get("/s/nothing?pid=x")
    assert (unknown.status_code, "We do not know this study" in unknown.text) == (404, True)
    incomplete = await client.get(f"/s/{SLUG}")
    assert (incomplete.status_code, "This link is incomplete" in incomplete.text) == (400, True)
    lost = await client.get(f"/s/{SLUG}/pairs/1")
    assert (lost.status_code, "We could not find your place" in lost.text) == (403, True)
    assert await count(db, "participation") == 0


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
async def test_prefetches_hold_nothing(db: AsyncSession, client: httpx.AsyncClient, header: str) -> None:
    assert (await client.get(f"/s/{SLUG}?pid=x", headers={header: "prefetch"})).status_code == 204
    assert (await client.head(f"/s/{SLUG}?pid=x")).status_code == 204
    assert await count(db, "participation") == 0


async def test_a_preview_holds_nothing_and_whoever_was_taken_for_one_goes_on(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    client.headers["User-Agent"] = "Slackbot-LinkExpanding 1.0"
    shown = await client.get(f"/s/{SLUG}?pid=x&n=%22%3E")
    assert shown.status_code == 200
    assert await count(db, "participation") == 0
    (link,) = re.findall('href="(/s/[^"]*)"', shown.text)
    entered = await client.get(html.unescape(link))
    assert (entered.status_code, entered.headers["location"]) == (303, f"/s/{SLUG}/consent")
    assert await count(db, "participation") == 1


async def test_a_phone_whose_maker_s_name_ends_like_a_program_s_is_let_in_at_once(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    client.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 13; CUBOT P80; wv) AppleWebKit/537.36"
    assert (await client.get(f"/s/{SLUG}?pid=x")).status_code == 303
    assert await count(db, "participation") == 1


@pytest.mark.parametrize("how", ["reads", "sends"])
async def test_who_comes_back_by_the_page_that_is_open_gets_what_expired_holds_keep(
    db: AsyncSession, client: httpx.AsyncClient, how: str
) -> None:
    """Whoever took the slots has gone as well, and nobody has come by the link since."""
    await open_study(db, "tight", per_level=1, ratings_per_pair=1, pairs_per_annotator=8)
    await db.commit()
    away = await Walker(client, "tight").to_judging("pid=away")
    own = dict(client.cookies)
    await expire(db)
    client.cookies.clear()
    assert (await Walker(client, "tight").enter("pid=other")).path == "/consent"
    await expire(db)
    assert await count(db, "slot WHERE participation_id > 1") == 8
    client.cookies.clear()
    client.cookies.update(own)
    await (away.get("/pairs/1") if how == "reads" else away.send(side="left"))
    await away.judge_all()
    assert await rows(db, "SELECT counted, count(*) FROM choice GROUP BY counted") == [(True, 8)]


@pytest.mark.parametrize(
    "cookie",
    ['"\\000"', "x", f"{20 * 'a'}.", "%00", f"{20 * 'a'}.{32 * 'a'}"],
    ids=["nul", "x", "half", "nul too", "a"],
)
async def test_a_cookie_that_is_not_ours_is_no_failure(
    db: AsyncSession, client: httpx.AsyncClient, cookie: str
) -> None:
    for page in ("/consent", "/pairs/1", "/stop", "/debrief"):
        refused = await client.get(f"/s/{SLUG}{page}", headers={"Cookie": f"candor_annotator={cookie}"})
        assert (refused.status_code, "We could not find your place" in refused.text) == (403, True)


async def test_a_form_in_another_shape_than_a_browser_sends_stores_nothing(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    walker = await Walker(client, SLUG).to_judging()
    token = walker.page.hidden["token"]
    whole = f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--b--\r\n'.encode()
    for kind in ("multipart/form-data; boundary=b", "text/plain", "text/plain; charset=undefined", "nothing"):
        for page in ("/pairs/1", "/stop", "/consent"):
            sent = await client.post(f"/s/{SLUG}{page}", content=whole, headers={"Content-Type": kind})
            assert (sent.status_code, sent.headers["location"]) == (303, f"/s/{SLUG}/pairs/1")
    assert await count(db, "choice") == 0


async def test_an_origin_that_is_no_address_is_another_site(db: AsyncSession, client: httpx.AsyncClient) -> None:
    refused = await client.post(f"/s/{SLUG}/pairs/1", headers={"Origin": "http://["})
    assert refused.status_code == 403
    assert await count(db, "choice") == 0


async def test_the_entry_url_loses_its_ids_and_they_stay_apart_from_the_participation(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    arrived = await client.get(f"/s/{SLUG}?PROLIFIC_PID=secret-person&STUDY_ID=st&SESSION_ID=se")
    assert (arrived.status_code, arrived.headers["location"]) == (303, f"/s/{SLUG}/consent")
    assert await rows(db, "SELECT platform_person, platform_study, platform_session FROM platform_identity") == [
        ("secret-person", "st", "se")
    ]
    assert await count(db, "participation WHERE public_id LIKE '%secret%'") == 0


async def test_cookie_is_kept_from_scripts_other_sites_and_other_studies(
    db: AsyncSession, client: httpx.AsyncClient
) -> None:
    arrived = await client.get(f"/s/{SLUG}?pid=x")
    cookie = arrived.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert f"path=/s/{SLUG}" in cookie
    assert "secure" not in cookie
    over_https = await client.get(f"https://testserver/s/{SLUG}?pid=y")
    assert "secure" in over_https.headers["set-cookie"].lower()


async def test_a_forged_pass_is_not_accepted(db: AsyncSession, client: httpx.AsyncClient) -> None:
    await Walker(client, SLUG).enter()
    annotator = (await rows(db, "SELECT public_id FROM participation"))[0][0]
    client.cookies.clear()
    client.cookies.set("candor_annotator", f"{annotator}.{'0' * 32}")
    assert (await client.get(f"/s/{SLUG}/consent")).status_code == 403


async def test_every_response_carries_the_security_headers(db: AsyncSession, client: httpx.AsyncClient) -> None:
    for path in ("/", f"/s/{SLUG}?pid=x", f"/s/{SLUG}/consent", "/s/nothing", "/nothing", "/static/candor.css"):
        response = await client.get(path)
        assert response.headers["content-security-policy"].startswith("default-src 'self'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


async def test_a_form_from_another_site_is_refused(db: AsyncSession, client: httpx.AsyncClient) -> None:
    walker = await Walker(client, SLUG).to_judging()
    data = walker.page.hidden | {"side": "left"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await client.post(walker.page.action, data=data, headers=headers)).status_code == 403
    assert await count(db, "choice") == 0
    same_site = await client.post(walker.page.action, data=data, headers={"Origin": "http://testserver"})
    assert same_site.status_code == 303
    assert await count(db, "choice") == 1
