"""The audit log: administrative acts alone, newest first, filtered, and cheap however much there is."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import accounts, audit, events, invitations, studies
from app.study.audit import Wanted
from app.terms import Role
from tests.signing_in import EMAIL, make, quicken
from tests.studies import draft_study


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


async def kinds(session: AsyncSession, **wanted: Any) -> list[str]:
    return [act.kind for act in await audit.page(session, Wanted(**wanted))]


async def test_acts_are_told_with_who_and_whom_the_newest_first(session: AsyncSession) -> None:
    admin = await make(session, "root@example.org", Role.ADMIN)
    await make(session)
    await invitations.invite(session, "bob@example.org", Role.ADMIN, by=admin)
    await draft_study(session, "one")
    await studies.open_study(session, "one", account_id=admin)
    await accounts.disable(session, EMAIL, by=admin)
    acts = await audit.page(session, Wanted())
    told = [(act.kind, act.by, act.about, act.study) for act in acts if act.kind != "set_imported"]
    assert told == [
        ("account_disabled", "root@example.org", EMAIL, None),
        ("study_live", "root@example.org", None, "one"),
        ("study_created", None, None, "one"),
        ("invitation_made", "root@example.org", "bob@example.org", None),
        ("account_created", None, EMAIL, None),
        ("account_created", None, "root@example.org", None),
    ]
    assert [act.id for act in acts] == sorted((act.id for act in acts), reverse=True)


async def test_what_annotators_do_is_not_in_it(session: AsyncSession) -> None:
    study = await draft_study(session, "one")
    before = await kinds(session)
    await events.record(session, "entered", study_id=study.id, participation_id=1)
    await events.record(session, "platform_status", study_id=study.id, participation_id=1, status="returned")
    await events.record(session, "declined", study_id=study.id)
    assert await kinds(session) == before
    assert await kinds(session, kind="declined") == []
    assert "entered" not in await kinds(session, study="one")


async def test_filters_narrow_and_can_be_put_together(session: AsyncSession) -> None:
    admin, ada = await make(session, "root@example.org", Role.ADMIN), await make(session)
    await draft_study(session, "one")
    await draft_study(session, "two")
    await accounts.change_role(session, EMAIL, Role.ADMIN, by=admin)
    await accounts.change_role(session, "root@example.org", Role.RESEARCHER, by=admin)
    assert await kinds(session, kind="role_changed") == ["role_changed"] * 2
    assert await kinds(session, account_id=ada) == ["role_changed", "account_created"]
    assert await kinds(session, account_id=admin) == ["role_changed", "role_changed", "account_created"]
    assert await kinds(session, account_id=ada, kind="role_changed") == ["role_changed"]
    assert await kinds(session, study="two") == ["study_created"]
    assert await kinds(session, study="nothing") == []
    assert await kinds(session, kind="role_changed", study="two") == []


async def test_days_are_of_utc_and_both_included(session: AsyncSession) -> None:
    for hour in (
        "2024-02-28 23:59:59+00",
        "2024-02-29 00:00:00+00",
        "2024-02-29 23:59:59+00",
        "2024-03-01 00:00:00+00",
    ):
        await session.execute(
            text("INSERT INTO event (at, kind, detail) VALUES (CAST(:at AS timestamptz), :at, '{}')"),
            {"at": hour},
        )
    day = date(2024, 2, 29)
    found = await kinds(session, since=day, until=day)
    assert found == ["2024-02-29 23:59:59+00", "2024-02-29 00:00:00+00"]
    assert await kinds(session, until=day - timedelta(days=1)) == ["2024-02-28 23:59:59+00"]


async def fill(session: AsyncSession, n: int) -> None:
    """Record acts, three at each moment, among twenty times as many events of annotators."""
    await session.execute(
        text("""
            INSERT INTO event (at, kind, account_id, about_account_id, study_id, participation_id, detail)
            SELECT now() - make_interval(secs => (:n - i) / 3),
                   CASE WHEN i % 1000 = 0 THEN 'role_changed' ELSE 'signed_in' END,
                   CASE WHEN i % 2 = 0 THEN 1 ELSE i % 50 END, CASE WHEN i % 7 = 0 THEN 1 END, i % 10,
                   CASE WHEN i % 20 <> 0 THEN i END, '{}'
            FROM generate_series(1, :n) AS i
        """),
        {"n": n},
    )
    await session.execute(text("ANALYZE event"))


async def test_pages_follow_each_other_without_gap_or_repetition(session: AsyncSession) -> None:
    await fill(session, 2_000)
    whole = [act.id for act in await audit.page(session, Wanted(), limit=1_000)]
    assert len(whole) == len(set(whole)) == 100
    for wanted in (Wanted(), Wanted(account_id=1)):
        expected = [act.id for act in await audit.page(session, wanted, limit=1_000)]
        found: list[int] = []
        while acts := await audit.page(session, wanted, before=found[-1] if found else None, limit=7):
            found += [act.id for act in acts]
        assert found == expected
        assert [act.id async for act in audit.everything(session, wanted)] == expected


OLD = datetime.now(UTC).date() - timedelta(days=1)
FILTERS = {
    "all": Wanted(),
    "kind": Wanted(kind="role_changed"),
    "account": Wanted(account_id=1),
    "study": Wanted(study="one"),
    "days": Wanted(until=OLD),
}


async def test_a_page_reads_few_rows_however_many_there_are(session: AsyncSession) -> None:
    """With the plan that servers make: once, without the values, and with the indexes preferred."""
    await draft_study(session, "one")
    await fill(session, 60_000)
    await session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    middle = await session.scalar(text("SELECT id FROM event WHERE participation_id IS NULL ORDER BY id OFFSET 1500"))
    for name, wanted in FILTERS.items():
        for before in (None, middle):
            read = await rows_read(session, wanted, before)
            assert read < 600, f"{name} read {read} rows"


async def rows_read(session: AsyncSession, wanted: Wanted, before: int | None) -> int:
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    query = audit._named(audit._matching(wanted, before, 50)).compile(dialect=dialect)
    driver = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(driver, AsyncConnection)
    cursor = await driver.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode(), query.params)
    row = await cursor.fetchone()
    assert row is not None
    ((plan,),) = row
    return counted(plan["Plan"])


def counted(node: dict[str, Any]) -> int:
    """How many rows the scans of a plan met, those that they threw away too."""
    rows = 0
    if "Scan" in node["Node Type"] and node.get("Relation Name") == "event":
        rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(rows) + sum(map(counted, node.get("Plans", ())))
