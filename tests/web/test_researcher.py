"""The researchers' pages: who sees which study, and that the numbers are those of the slots."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Arm, Pair, Participation, Slot, Study
from app.study import accounts, progress_queries
from app.study.designs import ArmDesign
from app.study.login_sessions import SignedIn
from app.terms import Instructions, Platform, Role, SlotState, Stage
from app.web.researcher.contexts import studies_page, study_page
from app.web.researcher.pages import StudyDetail
from app.web.researcher.recruiting import Site
from app.web.signed_in import CurrentAccount
from tests.studies import draft_study, open_study
from tests.web.desk import sign_in

NOW = datetime.now(UTC)
ADMIN = CurrentAccount(SignedIn(0, "admin@example.org", Role.ADMIN), "form-token")


async def people(session: AsyncSession, arm: Arm, *stages: Stage, **values: object) -> list[int]:
    """Put people into a study, one at each stage."""
    rows = [
        {"study_id": arm.study_id, "arm_id": arm.id, "public_id": f"{arm.id}-{n}-{values}", "stage": stage,
         "synthetic": False, **values}
        for n, stage in enumerate(stages)
    ]  # fmt: skip
    return list((await session.scalars(insert(Participation).returning(Participation.id), rows)).all())


async def take(session: AsyncSession, arm: Arm, level: int, n: int, state: SlotState, person: int) -> None:
    """Give a person slots of one level."""
    taken = (
        select(Slot.id)
        .join(Pair, Pair.id == Slot.pair_id)
        .where(Slot.arm_id == arm.id, Pair.difficulty_level == level, Slot.state == SlotState.OPEN)
        .limit(n)
    )
    await session.execute(update(Slot).where(Slot.id.in_(taken)).values(state=state, participation_id=person))


async def arms_of(session: AsyncSession, study: Study) -> list[Arm]:
    return list((await session.scalars(select(Arm).filter_by(study_id=study.id).order_by(Arm.id))).all())


async def detail(session: AsyncSession, study: Study) -> StudyDetail:
    seen = await progress_queries.study(session, study.slug, ADMIN.who)
    return study_page(
        ADMIN,
        seen,
        await progress_queries.arms(session, study.id),
        await progress_queries.levels(session, study.id),
        await progress_queries.stages(session, study.id),
        Site("https://study.example.org"),
    )


async def test_a_researcher_sees_their_own_studies_alone(client: httpx.AsyncClient, database: AsyncSession) -> None:
    for slug in ("mine", "hers", "nobody-s"):
        await draft_study(database, slug)
    hers = await accounts.create(database, "bob@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).filter_by(slug="hers").values(owner_id=hers))
    mine = await sign_in(client, database, "ada@example.org")
    await database.execute(update(Study).filter_by(slug="nobody-s").values(owner_id=None))
    await database.commit()
    assert mine != hers

    listed = await client.get("/studies")
    assert re.findall(r'<th scope="row">\s*<a href="/studies/([^"]+)"', listed.text) == ["mine"]
    pages = {slug: await client.get(f"/studies/{slug}") for slug in ("mine", "nobody-s", "hers", "none", "%00")}
    statuses = {slug: page.status_code for slug, page in pages.items()}
    assert statuses == {"mine": 200, "nobody-s": 404, "hers": 404, "none": 404, "%00": 404}
    assert pages["hers"].text == pages["none"].text, "that someone else's exists is not told"

    client.cookies.clear()
    await sign_in(client, database, "root@example.org", Role.ADMIN)
    listed = await client.get("/studies")
    assert re.findall(r'<th scope="row">\s*<a href="/studies/([^"]+)"', listed.text) == ["nobody-s", "hers", "mine"]
    assert (await client.get("/studies/hers")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/studies", "/studies/demo", "/studies/demo/export/choices.csv", "/studies/demo/export/payments.csv"]
)
async def test_who_is_not_signed_in_sees_nothing(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


async def test_exports_of_someone_else_s_study_are_unknown(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await open_study(database, "hers")
    hers = await accounts.create(database, "bob@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).values(owner_id=hers))
    await sign_in(client, database, "ada@example.org")
    for name in ("choices", "payments", "codebook"):
        assert (await client.get(f"/studies/hers/export/{name}.csv")).status_code == 404


async def test_progress_is_that_of_the_slots(session: AsyncSession) -> None:
    arms = (ArmDesign(), ArmDesign(instructions=Instructions.PREFER_TRUTH))
    study = await open_study(session, "progress", per_level=2, levels=3, arms=arms, pairs_per_annotator=6)
    neutral, truth = await arms_of(session, study)
    (now,) = await people(session, neutral, Stage.JUDGING, held_until=NOW + timedelta(days=1))
    (gone,) = await people(session, truth, Stage.JUDGING, held_until=NOW - timedelta(minutes=1))
    await take(session, neutral, 1, 5, SlotState.FILLED, now)
    await take(session, neutral, 2, 2, SlotState.HELD, now)
    await take(session, truth, 3, 6, SlotState.FILLED, gone)
    await take(session, truth, 2, 3, SlotState.HELD, gone)

    page = await detail(session, study)
    rows = [
        (row.arm.partition(", ")[2], row.level, row.n_pairs, row.n_slots, row.n_filled, row.n_held, row.percent)
        for row in page.levels
    ]
    assert rows == [
        ("neutral instructions", 1, 2, 6, 5, 0, 83),
        ("neutral instructions", 2, 2, 6, 0, 2, 0),
        ("neutral instructions", 3, 2, 6, 0, 0, 0),
        ("told to prefer the true answer", 1, 2, 6, 0, 0, 0),
        ("told to prefer the true answer", 2, 2, 6, 0, 0, 0),
        ("told to prefer the true answer", 3, 2, 6, 6, 0, 100),
    ]
    assert (page.n_slots, page.n_filled, page.n_held) == (36, 11, 2), "a hold that has run out holds nothing"
    (listed,) = [row for row in await progress_queries.studies(session, ADMIN.who) if row.slug == "progress"]
    assert (listed.n_filled, listed.n_slots) == (11, 36)


async def test_a_percentage_is_100_only_when_nothing_is_missing(session: AsyncSession) -> None:
    study = await open_study(session, "nearly", per_level=8, ratings_per_pair=30)
    (arm,) = await arms_of(session, study)
    (person,) = await people(session, arm, Stage.COMPLETE)
    await take(session, arm, 1, 239, SlotState.FILLED, person)
    assert (await detail(session, study)).levels[0].percent == 99


async def test_people_are_counted_by_stage_in_plain_words(session: AsyncSession) -> None:
    study = await open_study(session, "people")
    (arm,) = await arms_of(session, study)
    await people(session, arm, Stage.COMPLETE, Stage.COMPLETE, Stage.CONSENT, Stage.JUDGING)
    await people(session, arm, Stage.COMPLETE, Stage.DEBRIEF, outcome="stopped")
    await people(session, arm, Stage.COMPLETE, outcome="stopped", withdrawn_at=NOW)
    assert not (await detail(session, study)).synthetic
    await people(session, arm, Stage.JUDGING, synthetic=True)
    page = await detail(session, study)
    assert page.people == (
        ("On the consent page", 1),
        ("Judging pairs", 1),
        ("Judging pairs (synthetic)", 1),
        ("Finished", 2),
        ("Stopped early", 2),
        ("Withdrew their data", 1),
    )
    assert page.synthetic, "one made-up person is enough to say so"
    (listed,) = [row for row in await progress_queries.studies(session, ADMIN.who) if row.slug == "people"]
    assert listed.synthetic


async def test_every_stage_has_its_words(session: AsyncSession) -> None:
    study = await open_study(session, "stages")
    (arm,) = await arms_of(session, study)
    await people(session, arm, *Stage)
    words = [stage for stage, n in (await detail(session, study)).people]
    assert len(set(words)) == len(Stage)
    assert words[0] == "On the consent page"
    assert words[-1] == "Finished"


@pytest.mark.parametrize(
    ("platform", "end"),
    [
        (Platform.OPEN, "/s/there"),
        (Platform.GENERIC, "/s/there?pid=ID"),
        (
            Platform.PROLIFIC,
            "/s/there?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
        ),
    ],
)
async def test_the_address_is_what_the_platform_is_given(session: AsyncSession, platform: Platform, end: str) -> None:
    study = await open_study(session, "there", platform=platform)
    recruiting = (await detail(session, study)).recruiting
    assert recruiting is not None
    assert recruiting.values[0].value == f"https://study.example.org{end}"


async def test_a_draft_has_neither_an_address_nor_exports(session: AsyncSession) -> None:
    page = await detail(session, await draft_study(session, "there"))
    assert (page.recruiting, page.exports) == (None, None)


async def test_the_design_is_told_in_plain_words(client: httpx.AsyncClient, database: AsyncSession) -> None:
    study = await open_study(database, "designed", pairs_per_annotator=12, min_pairs=4)
    await sign_in(client, database, "ada@example.org")
    page = await client.get("/studies/designed")
    terms = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", unescape(page.text), re.DOTALL)
    design = {term: " ".join(value.split()) for term, value in terms}
    assert design["Question"] == "Which response do you prefer?"
    assert design["Arms"] == "Helpful truthful response, neutral instructions"
    assert design["Ratings of each pair"] == "3"
    assert design["Pairs for each annotator"] == "12, or as few as 4 when no more are open"
    assert design["Design hash"] == study.design_hash
    assert design["A place is held for"] == "10 minutes before consent, 40 minutes after each page"
    assert design["Opened"].endswith("UTC")
    assert "Closed" not in design
    for name in ("choices", "payments", "codebook"):
        assert f'href="/studies/designed/export/{name}.csv"' in page.text
    assert study.key.hex() not in page.text
    assert "http://testserver/s/designed" in page.text


async def test_what_is_switched_on_is_told_in_the_words_of_the_form(session: AsyncSession) -> None:
    options = {
        "tie": True,
        "reason": "optional",
        "swapped_repeats": 2,
        "background": [{"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]}],
        "comprehension": "default",
        "attention_checks": 3,
        "exclusions": {"failed_checks": 2, "looked_up": True},
        "refill_excluded": True,
    }
    design = dict((await detail(session, await draft_study(session, "on", options=options))).design)
    assert design["Asked at each pair"] == (
        "“No preference” as a third answer; Why they chose: Optional; Pairs shown again, sides swapped: 2 pairs"
    )
    assert design["Questions and checks"] == (
        "Background questions: 1 question; Questions about the instructions: The two that come with Candor; "
        "Attention checks: 3 checks"
    )
    assert design["Exclusions"] == (
        "Leave out who failed attention checks: 2 checks; Leave out who looked something up; Fill excluded slots again"
    )
    options["comprehension"] = [{"question": "Which?", "answers": ["This", "That"], "right": "This"}]
    own = dict((await detail(session, await draft_study(session, "own", options=options))).design)
    assert "Questions about the instructions: 1 question;" in own["Questions and checks"]
    plain = dict((await detail(session, await draft_study(session, "off"))).design)
    assert not {"Asked at each pair", "Questions and checks", "Exclusions"} & set(plain)


async def test_a_draft_says_that_nothing_is_frozen(session: AsyncSession) -> None:
    page = await detail(session, await draft_study(session, "draft"))
    assert dict(page.design)["Design hash"] == "none yet: the design is frozen when the study opens"
    assert (page.levels, page.people, page.n_slots) == ((), (), 0)
    rows = studies_page(ADMIN, await progress_queries.studies(session, ADMIN.who)).studies
    assert (rows[0].n_slots, rows[0].set_name) == (0, "made up, version 1")


@pytest.mark.parametrize(("path", "expected"), [("/studies", 1), ("/studies/study-0", 7)])
async def test_a_page_takes_the_same_statements_however_much_there_is(
    client: httpx.AsyncClient, database: AsyncSession, path: str, expected: int
) -> None:
    engine = client._transport.app.state.database.sessions.kw["bind"]  # type: ignore[attr-defined]
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await sign_in(client, database, "root@example.org", Role.ADMIN)
    counts = []
    for n in (1, 4):
        for slug in (f"study-{i}" for i in range(n - 1, n if n == 1 else n + 2)):
            study = await open_study(database, slug)
            for arm in await arms_of(database, study):
                await people(database, arm, *Stage)
        await database.commit()
        statements.clear()
        assert (await client.get(path)).status_code == 200
        counts.append(len(statements))
    overhead = 2  # Who is signed in, and that it is read-only.
    assert counts == [expected + overhead] * 2
