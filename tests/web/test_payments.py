"""The payments download, and what a study's page gives to paste: each for who may see the study, the first audited."""

import asyncio
import re
from html import unescape
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.main import create_app
from app.models import Study
from app.settings import Settings
from app.study import accounts
from app.terms import Role
from tests import prolific_messages as messages
from tests.prolific_messages import SECRET
from tests.studies import draft_study, open_study
from tests.walker import Walker
from tests.web.desk import sign_in

PAYMENTS = "/studies/pilot/export/payments.csv"


@pytest.fixture
async def client_of_a_pilot(client: httpx.AsyncClient, database: AsyncSession) -> httpx.AsyncClient:
    """A study on Prolific that one person has finished."""
    await open_study(database, "pilot", platform="prolific")
    await database.commit()
    walker = await Walker(client, "pilot").to_judging(messages.link())
    await walker.judge_all()
    await walker.send(looked_up="no")
    await walker.send(data="keep")
    client.cookies.clear()
    return client


async def downloads(database: AsyncSession) -> list[tuple[int | None, dict[str, Any]]]:
    found = await database.execute(
        text(
            "SELECT account_id, detail FROM event WHERE kind = 'payments_exported' AND study_id IS NOT NULL ORDER BY id"
        )
    )
    rows = [(account_id, detail) for account_id, detail in found]
    await database.rollback()
    return rows


async def test_the_table_says_what_the_person_was_shown(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession
) -> None:
    account_id = await sign_in(client_of_a_pilot, database, "ada@example.org")
    answer = await client_of_a_pilot.get(PAYMENTS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="pilot-payments.csv"'
    assert answer.headers["cache-control"] == "no-store"
    _, row, end = answer.text.split("\r\n")
    assert row.startswith(f"pilot,prolific,{messages.PERSON},{messages.STUDY},{messages.SESSION},")
    assert ",complete,DONE-1234,8,8,0," in row
    assert end == ""
    assert await downloads(database) == [(account_id, {})]


async def test_every_download_is_recorded_with_its_account(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession
) -> None:
    first = await sign_in(client_of_a_pilot, database, "ada@example.org")
    await client_of_a_pilot.get(PAYMENTS)
    await client_of_a_pilot.get(PAYMENTS)
    await client_of_a_pilot.get("/studies/pilot/export/choices.csv")
    await client_of_a_pilot.get("/studies/pilot")
    client_of_a_pilot.cookies.clear()
    second = await sign_in(client_of_a_pilot, database, "root@example.org", Role.ADMIN)
    await client_of_a_pilot.get(PAYMENTS)
    assert [account_id for account_id, _ in await downloads(database)] == [first, first, second]


async def test_someone_else_s_study_and_none_are_unknown_and_leave_no_trace(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession
) -> None:
    hers = await accounts.create(database, "bob@example.org", Role.RESEARCHER, None)
    await database.execute(update(Study).values(owner_id=hers))
    await database.commit()
    signed_out = await client_of_a_pilot.get(PAYMENTS)
    assert (signed_out.status_code, signed_out.headers["location"]) == (303, f"/login?next={PAYMENTS}")
    await sign_in(client_of_a_pilot, database, "ada@example.org")
    for path in (PAYMENTS, "/studies/none/export/payments.csv", "/studies/%00/export/payments.csv"):
        answer = await client_of_a_pilot.get(path)
        assert answer.status_code == 404
        assert messages.PERSON not in answer.text
    assert await downloads(database) == []


async def test_the_record_is_committed_before_the_first_byte_leaves(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the file and cuts the line is recorded all the same."""
    account_id = await sign_in(client_of_a_pilot, database, "ada@example.org")
    seen: list[list[tuple[int | None, dict[str, Any]]]] = []

    async def look(*_: Any) -> Any:
        seen.append(await downloads(database))
        yield b"first byte"
        raise ConnectionResetError

    monkeypatch.setattr("app.web.researcher.exports.table_file", look)
    with pytest.raises(ConnectionResetError):
        await client_of_a_pilot.get(PAYMENTS)
    assert seen == [[(account_id, {})]]


async def test_downloads_at_once_share_one_connection(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession, own_database_url: str
) -> None:
    """A download that held a connection for the record and waited for another one would wait for ever."""
    await sign_in(client_of_a_pilot, database, "ada@example.org")
    app = create_app(Settings(database_url=own_database_url, pool_size=1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver", cookies=client_of_a_pilot.cookies
        ) as client,
        asyncio.timeout(20),
    ):
        answers = await asyncio.gather(*(client.get(PAYMENTS) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(await downloads(database)) == 5


# What to paste.


def pasted(page: httpx.Response) -> dict[str, tuple[str, str]]:
    """The values that can be copied, by their term, each with its note."""
    block = page.text.partition('<h2 id="invite">')[2].partition("</section>")[0]
    entries = re.findall(
        r'<dt>(.*?)</dt>\s*<dd>\s*<code class="address" id="[\w-]+">(.*?)</code>(.*?)</dd>', block, re.DOTALL
    )
    notes = [
        " ".join(re.sub(r"<button.*?</button>|<[^>]+>", "", rest, flags=re.DOTALL).split()) for *_, rest in entries
    ]
    return {
        unescape(term): (unescape(value), unescape(note)) for (term, value, _), note in zip(entries, notes, strict=True)
    }


async def test_a_study_on_prolific_says_what_to_paste_there(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession, app_settings: Settings
) -> None:
    await sign_in(client_of_a_pilot, database, "ada@example.org")
    study = (await database.scalars(text("SELECT failed_checks_code FROM study"))).one()
    page = await client_of_a_pilot.get("/studies/pilot")
    assert '<h2 id="invite">To paste into Prolific</h2>' in page.text
    found = pasted(page)
    assert list(found) == [
        "Study URL",
        "Estimated completion time, in minutes",
        "Completion path",
        "Code: complete",
        "Code: failed checks",
        "Code: screened out",
    ]
    address, _ = found["Study URL"]
    assert address == (
        "http://testserver/s/pilot?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert found["Estimated completion time, in minutes"][0] == "15"
    assert found["Completion path"][0] == "redirect"
    assert found["Code: complete"] == (
        "DONE-1234",
        "For who judged every pair. Action to choose: manually review, then approve.",
    )
    assert found["Code: failed checks"] == (study, "Given to nobody: this study has no attention checks.")
    assert found["Code: screened out"][1] == "Given to nobody: this study screens nobody out."
    assert page.text.count("data-copy=") == len(found)
    assert SECRET not in page.text


async def test_the_webhook_s_address_is_there_once_it_is_configured(
    client_of_a_pilot: httpx.AsyncClient, database: AsyncSession, app_settings: Settings
) -> None:
    await sign_in(client_of_a_pilot, database, "ada@example.org")
    changed = {"prolific_webhook_secret": SecretStr(SECRET), "public_url": "https://study.example.org/"}
    client_of_a_pilot._transport.app.state.settings = app_settings.model_copy(update=changed)  # type: ignore[attr-defined]
    page = await client_of_a_pilot.get("/studies/pilot")
    assert pasted(page)["Webhook"][0] == "https://study.example.org/platforms/prolific/webhook"
    assert pasted(page)["Study URL"][0].startswith("https://study.example.org/s/pilot?")
    assert SECRET not in page.text


QUESTION = {"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]}


async def test_codes_that_a_study_can_give_say_to_whom_and_what_to_choose(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    options = {"attention_checks": 2, "failed_at": 1, "background": [QUESTION | {"screens_out": ["No"]}]}
    await open_study(database, "checked", platform="prolific", options=options)
    await sign_in(client, database, "ada@example.org")
    found = pasted(await client.get("/studies/checked"))
    assert found["Code: failed checks"][1] == (
        "For who judged every pair but failed 1 or more attention checks. "
        "Action to choose: manually review, or request a return."
    )
    assert found["Code: screened out"][1] == (
        "For who cannot take part, before any pair was shown. "
        "Action to choose: screen out with a fixed payment, or request a return."
    )


@pytest.mark.parametrize(
    ("design", "address", "note"),
    [
        ({"platform": "generic"}, "/s/there?pid=ID", "Put each person's own id in the place of ID."),
        ({"platform": "open"}, "/s/there", "Anyone with this link can take part."),
        (
            {"platform": "generic", "options": {"signed_links": True}},
            "/s/there?pid=ID",
            "Only signed links open this study: candor study links there",
        ),
    ],
)
async def test_other_studies_say_their_link_and_their_codes(
    client: httpx.AsyncClient, database: AsyncSession, design: dict[str, Any], address: str, note: str
) -> None:
    await open_study(database, "there", **design)
    await sign_in(client, database, "ada@example.org")
    page = await client.get("/studies/there")
    found = pasted(page)
    assert '<h2 id="invite">Address and codes</h2>' in page.text
    assert list(found) == ["Address for annotators", "Code: complete", "Code: failed checks", "Code: screened out"]
    assert found["Address for annotators"][0] == f"http://testserver{address}"
    assert found["Address for annotators"][1].startswith(note)
    assert ("payments.csv" in page.text) == (design["platform"] != "open")


async def test_nobody_is_sent_to_a_draft_or_to_a_study_of_programs(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    await draft_study(database, "draft", platform="prolific")
    await open_study(database, "programs", synthetic=True, platform="prolific")
    await sign_in(client, database, "ada@example.org")
    for slug in ("draft", "programs"):
        page = await client.get(f"/studies/{slug}")
        assert page.status_code == 200
        assert 'id="invite"' not in page.text
        assert "payments.csv" not in page.text
