"""The form on which a study is designed: it makes and changes drafts, says every fault, and loses nothing typed."""

import asyncio
import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.models import Event, Study
from app.settings import Settings
from app.study import preregistrations, scoring_runs, studies
from app.study.designs import check_design
from app.study.sets import find_set, import_set
from app.study.studies import StudyExists
from tests.example_sets import entries
from tests.scored import pairs_of_study, reward_rows, run_record
from tests.studies import draft_study
from tests.web.desk import Form, form_token, sign_in, sign_in_again, summary

NEW = "/studies/new"
COLUMNS = sorted(column.name for column in Study.__table__.columns)
NO_KEY = "begin with a key and a colon, such as “age: How old are you? | Under 18 ! | 18 or older”"
NAMED: dict[str, Any] = {"slug": "first", "title": "The first", "contact": "ada@lab.example"}


@pytest.fixture
async def ada(client: httpx.AsyncClient, database: AsyncSession) -> int:
    """A researcher who is signed in, and a set to make studies of."""
    await import_set(database, entries(2, 8), slug="ready", title="Ready", licence="none")
    return await sign_in(client, database, "ada@example.org")


async def found(database: AsyncSession, slug: str) -> Study:
    database.expunge_all()
    return await studies.get_study(database, slug)


async def test_a_new_study_starts_with_the_defaults_and_becomes_a_draft_of_its_maker(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    form = Form((await client.get(NEW)).text)
    sent = await client.post(NEW, data=form.changed(**NAMED))
    assert (sent.status_code, sent.headers["location"]) == (303, "/studies/first?done=created")
    study = await found(database, "first")
    usual = check_design(NAMED).model_dump(mode="json", exclude={"seed", "arms"})
    codes = {"completion_code", "failed_checks_code", "screened_out_code"}
    assert {name: getattr(study, name) for name in usual if name not in codes} == {
        name: value for name, value in usual.items() if name not in codes
    }
    assert (study.owner_id, study.state, study.misconception_set.slug) == (ada, "draft", "ready")
    assert [(arm.truthful_kind, arm.instructions) for arm in study.arms] == [("helpful", "neutral")]
    assert "The draft is saved." in (await client.get(sent.headers["location"])).text
    by = await database.scalar(select(Event.account_id).filter_by(kind="study_created", study_id=study.id))
    assert by == ada


async def test_everything_can_be_configured_and_is_in_the_form_again(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    values = {
        **NAMED,
        "arms": ["helpful/neutral", "baseline/prefer_truth"],
        "question": "Which is better?",
        "ratings_per_pair": "7",
        "texts__consent": "# Hello\r\n\r\n<Yes> & *no*\r\n",
        "platform": "open",
        "pay": "£3 & thanks",
        "completion_code": "QUIET-1",
        "options__tie": "on",
        "options__reason": "required",
        "options__background": "english: Is it \\| English? | Yes | No !",
        "options__comprehension": "own",
        "options__comprehension__own": "Which? | That * | This",
        "options__attention_checks": "2",
        "options__exclusions__failed_checks": "2",
        "options__exclusions__left_page": "on",
        "options__refill_excluded": "on",
        "entry_holds": "33",
        "seed": "11",
    }
    await client.post(NEW, data=Form((await client.get(NEW)).text).changed(**values))
    study = await found(database, "first")
    assert study.texts["consent"] == "# Hello\n\n<Yes> & *no*\n"
    assert (study.seed, study.entry_holds, study.completion_code, study.pay) == (11, 33, "QUIET-1", "£3 & thanks")
    assert study.options["background"][0]["question"] == "Is it | English?"
    assert study.options["exclusions"]["left_page"]
    again = Form((await client.get("/studies/first/edit")).text)
    sent = await client.post("/studies/first/edit", data=again.changed())
    assert sent.headers["location"] == "/studies/first?done=saved"
    unchanged = await found(database, "first")
    assert {column: getattr(unchanged, column) for column in COLUMNS} == {
        column: getattr(study, column) for column in COLUMNS
    }
    assert [arm.truthful_kind for arm in unchanged.arms] == ["helpful", "baseline"]


async def test_a_draft_that_was_scored_is_not_given_another_set(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    await import_set(database, entries(3, 8), slug="other", title="Other", licence="none")
    await studies.create_study(database, check_design(NAMED), await find_set(database, "ready"), ada)
    run = await scoring_runs.begin(database, "first", run_record())
    await scoring_runs.store(database, run.id, reward_rows(await pairs_of_study(database, "first")))
    await database.commit()
    form = Form((await client.get("/studies/first/edit")).text)
    refused = await client.post("/studies/first/edit", data=form.changed(set="other@1", title="Renamed"))
    said = (
        "The texts of study 'first' were scored, so it keeps its set 'ready', version 1; "
        "clone it and give the clone the other set"
    )
    assert (refused.status_code, summary(refused)) == (422, [(said, "set")])
    assert dict(Form(refused.text).fields)["title"] == "Renamed"
    assert (await found(database, "first")).misconception_set.slug == "ready"
    saved = await client.post("/studies/first/edit", data=Form(refused.text).changed(set="ready@1"))
    assert saved.headers["location"] == "/studies/first?done=saved"


async def test_faults_are_said_above_and_at_their_fields_and_what_was_typed_is_kept(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    form = Form((await client.get(NEW)).text)
    typed = {"slug": "No Slug", "title": "<T>", "contact": "", "ratings_per_pair": "many", "options__tie": "on"}
    typed |= {"options__background": "a | b", "texts__debrief": " "}
    page = await client.post(NEW, data=form.changed(**typed))
    assert page.status_code == 422
    assert summary(page) == [
        ("Name in addresses: must be lower-case letters and digits, with hyphens", "slug"),
        ("Give a contact, such as an email address", "contact"),
        ("Ratings of each pair: must be a whole number", "ratings_per_pair"),
        ("Write the explanation at the end", "texts-debrief"),
        (f"Background questions, line 1: {NO_KEY}", "options-background"),
    ]
    for message, at in summary(page):
        assert unescape(page.text).count(message) == 2
        assert f'id="{at}"' in page.text
    kept = dict(Form(page.text).fields)
    assert kept["slug"] == "No Slug"
    assert kept["title"] == "<T>"
    assert kept["ratings_per_pair"] == "many"
    assert kept["options.background"] == "a | b"
    assert kept["options.tie"] == "on"
    assert "Error: New study" in page.text
    assert await database.scalar(select(Study.id)) is None
    mended = Form(page.text).changed(**NAMED, ratings_per_pair="4", options__background="")
    assert (await client.post(NEW, data=mended | {"texts.debrief": "It was false."})).status_code == 303


async def test_a_slug_that_is_taken_is_said_at_its_field(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    await draft_study(database, "taken")
    await database.commit()
    form = Form((await client.get(NEW)).text)
    page = await client.post(NEW, data=form.changed(**NAMED | {"slug": "taken"}, set="ready@1"))
    assert (page.status_code, summary(page)) == (
        422,
        [("There is a study 'taken' already; choose another slug", "slug")],
    )


async def test_texts_are_shown_as_annotators_read_them_and_nothing_is_stored(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    form = Form((await client.get(NEW)).text)
    texts = {"texts__consent": "# Hello\n\n*you* <b>", "texts__practice__prompt": "*as it is*", "slug": "NOT YET SOUND"}
    page = await client.post(NEW, data=form.changed(**texts) | {"render": "texts"})
    assert page.status_code == 200
    assert '<div class="text prose"><h2>Hello</h2>\n<p><em>you</em> &lt;b&gt;</p>' in page.text
    assert len(re.findall('class="rendered"', page.text)) == 4
    assert "<em>as it is</em>" not in page.text
    assert dict(Form(page.text).fields)["slug"] == "NOT YET SOUND"
    assert await database.scalar(select(Study.id)) is None


async def test_a_draft_changed_by_two_tabs_keeps_what_each_typed(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    await client.post(NEW, data=Form((await client.get(NEW)).text).changed(**NAMED))
    one, other = [Form((await client.get("/studies/first/edit")).text) for _ in range(2)]
    assert (await client.post("/studies/first/edit", data=one.changed(pay="£1"))).status_code == 303
    page = await client.post("/studies/first/edit", data=other.changed(pay="£2"))
    assert page.status_code == 422
    ((said, at),) = summary(page)
    assert said.startswith("The draft was changed meanwhile")
    assert at == "save"
    assert (await found(database, "first")).pay == "£1"
    again = Form(page.text)
    assert dict(again.fields)["pay"] == "£2"
    assert (await client.post("/studies/first/edit", data=again.changed())).status_code == 303
    assert (await found(database, "first")).pay == "£2"


async def test_a_draft_can_get_another_slug_and_what_is_open_or_preregistered_cannot_be_changed(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    await client.post(NEW, data=Form((await client.get(NEW)).text).changed(**NAMED, pairs_per_annotator="8"))
    form = Form((await client.get("/studies/first/edit")).text)
    sent = await client.post("/studies/first/edit", data=form.changed(slug="second"))
    assert sent.headers["location"] == "/studies/second?done=saved"
    edit = "/studies/second/edit"
    form = Form((await client.get(edit)).text)
    await preregistrations.preregister(database, "second", ada)
    await database.commit()
    answers = [await client.get(edit), await client.post(edit, data=form.changed())]
    for answer in answers:
        assert answer.status_code == 409
        assert "preregistered" in answer.text
    await studies.open_study(database, "second")
    await database.commit()
    answers = [await client.get(edit), await client.post(edit, data=form.changed())]
    for answer in answers:
        assert answer.status_code == 409
        assert "can only be amended" in answer.text


async def test_the_form_is_for_its_owner_alone_and_needs_its_token(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    form = Form((await client.get(NEW)).text)
    forged = form.changed(**NAMED, form_token="made up")
    assert (await client.post(NEW, data=forged)).status_code == 403
    await client.post(NEW, data=form.changed(**NAMED))
    edit = Form((await client.get("/studies/first/edit")).text)
    assert (await client.post("/studies/first/edit", data=edit.changed(form_token=""))).status_code == 403
    await sign_in(client, database, "bob@example.org")
    assert (await client.get("/studies/first/edit")).status_code == 404
    bobs = form_token(await client.get(NEW))
    assert (await client.post("/studies/first/edit", data=edit.changed(form_token=bobs, pay="x"))).status_code == 404
    client.cookies.clear()
    for path in (NEW, "/studies/first/edit"):
        assert (await client.get(path)).headers["location"] == f"/login?next={path}"
        assert (await client.post(path, data=edit.changed())).status_code == 401
    assert (await found(database, "first")).pay == "unpaid"
    await sign_in_again(client, database, ada)
    assert (await client.get("/studies/first/edit")).status_code == 200


async def test_what_was_typed_when_the_session_ended_is_saved_after_signing_in_again(
    client: httpx.AsyncClient, database: AsyncSession, ada: int
) -> None:
    typed = Form((await client.get(NEW)).text).changed(**NAMED, texts__consent="# Typed for an hour")
    for path, done in ((NEW, "created"), ("/studies/first/edit", "saved")):
        client.cookies.clear()
        alone = await client.post(path, data=typed)
        assert (alone.status_code, "reload this page" in alone.text) == (401, True)
        assert re.search(r'<a href="/login"\s+target="_blank"', alone.text)
        await sign_in_again(client, database, ada)
        again = await client.post(path, data=typed)
        assert again.status_code == 403
        said = "You signed in again meanwhile, so this is not saved yet. Below is what you typed: save it once more"
        assert summary(again) == [(said, "save")]
        kept = Form(again.text).changed()
        assert (kept["title"], kept["texts.consent"]) == (["The first"], ["# Typed for an hour"])
        sent = await client.post(path, data=kept)
        assert sent.headers["location"] == f"/studies/first?done={done}"
        typed = Form((await client.get("/studies/first/edit")).text).changed()
    assert (await found(database, "first")).texts["consent"] == "# Typed for an hour"


async def test_two_who_want_one_slug_at_the_same_time_get_one_study_and_one_clear_answer(
    app_settings: Settings, database: AsyncSession, ada: int
) -> None:
    engine = create_engine(str(app_settings.database_url), pool_size=4)
    make = sessions(engine)
    chosen = await find_set(database, "ready")

    async def create() -> str:
        async with make.begin() as session:
            return (await studies.create_study(session, check_design(NAMED), chosen)).slug

    outcomes = await asyncio.gather(*(create() for _ in range(4)), return_exceptions=True)
    assert [one for one in outcomes if one == "first"] == ["first"]
    assert [type(one) for one in outcomes if one != "first"] == [StudyExists] * 3

    async def rename(slug: str) -> str:
        async with make.begin() as session:
            design = check_design(NAMED | {"slug": "wanted"})
            return (await studies.change_draft(session, slug, design, chosen)).slug

    for slug in ("a", "b"):
        await studies.create_study(database, check_design(NAMED | {"slug": slug}), chosen)
    await database.commit()
    renamed = await asyncio.gather(rename("a"), rename("b"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in renamed) == ["StudyExists", "str"]
    await engine.dispose()
