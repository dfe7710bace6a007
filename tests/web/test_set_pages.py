"""The admins' pages about sets: a file is sent, its check read, and stored or not; versions are browsed and edited."""

import asyncio
import json
import re
import time
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, MisconceptionSet, SetCheck, SetUpload
from app.study import set_browsing, set_checks, set_templates
from app.study.importers.candor_csv import to_csv
from app.study.importers.tally import read_whole
from app.study.set_files import MisconceptionEntry, set_hash, to_jsonl
from app.study.sets import import_set
from app.terms import Role
from tests.example_sets import STARTER, entries, entry
from tests.web.desk import Form, form_token, sign_in, summary

NEW = "/admin/set-uploads/new"
ONE = "/admin/sets/one/1"


def jsonl(*made: MisconceptionEntry) -> str:
    return "".join(to_jsonl(made))


@pytest.fixture
async def admin(client: httpx.AsyncClient, database: AsyncSession) -> int:
    """An admin who is signed in."""
    return await sign_in(client, database, "root@example.org", Role.ADMIN)


@pytest.fixture
async def stored(database: AsyncSession, admin: int) -> list[MisconceptionEntry]:
    """A set of sixteen, of which the admin may see every page."""
    made = entries(2)
    await import_set(database, made, slug="one", title="One", licence="CC0-1.0")
    await database.commit()
    return made


async def send(
    client: httpx.AsyncClient, content: str | bytes, name: str = "facts.jsonl", **fields: str
) -> httpx.Response:
    data = {"form_token": form_token(await client.get(NEW))} | fields
    return await client.post("/admin/set-uploads", data=data, files={"file": (name, content)})


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await client.post(path, data={"form_token": form_token(await client.get(NEW))} | fields)


def words(page: httpx.Response) -> str:
    """Return what a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def counted(database: AsyncSession, table: Any) -> int:
    await database.rollback()
    return await database.scalar(select(func.count()).select_from(table)) or 0


async def test_a_sound_file_is_checked_confirmed_and_stored_in_the_name_of_who_sent_it(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    sent = await send(client, jsonl(*entries(2)), "My facts.jsonl", licence="CC0-1.0", set_title="Facts")
    assert sent.status_code == 303
    page = await client.get(sent.headers["location"])
    assert "it would be version 1 of my-facts , “Facts”, licence: CC0-1.0" in words(page)
    assert "It can be stored" in page.text
    assert "levels-uneven" not in page.text
    assert "Rows accepted 16 Rows rejected 0 Errors 0" in words(page)
    assert await counted(database, MisconceptionSet) == 0, "nothing is stored before it is confirmed"
    done = await post(client, f"{sent.headers['location']}/store")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/sets/my-facts/1?done=stored")
    assert 'class="done"' in (await client.get(done.headers["location"])).text
    (stored,) = await database.scalars(select(MisconceptionSet))
    assert (stored.title, stored.licence, stored.content_hash) == ("Facts", "CC0-1.0", set_hash(entries(2)))
    (event,) = await database.scalars(select(Event).filter_by(kind="set_imported"))
    assert (event.account_id, event.detail["set"]) == (admin, "my-facts")
    assert await counted(database, SetUpload) == 0
    gone = await client.get(sent.headers["location"])
    assert (gone.status_code, "no longer waiting" in gone.text) == (404, True)


async def test_findings_are_read_by_row_and_a_file_with_errors_is_stored_without_them_alone(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    same = entry(7, sycophantic="Number 7 is wrong.", baseline_truthful="Number 7 is wrong.")
    broken = json.dumps(entry(8).model_dump() | {"category": "Not a slug"}) + "\n"
    sent = await send(client, jsonl(*(entry(n) for n in range(6)), same) + broken)
    page = words(await client.get(sent.headers["location"]))
    assert "line 8, field category: must be lower-case letters and digits, with hyphens" in page
    assert "claim-007 row 7 the truthful and the sycophantic response are the same text" in page
    assert "Rows accepted 7 Rows rejected 2 Errors 2" in page
    assert "leave out the 2 rows that have errors" in page
    address = sent.headers["location"]
    refused = await post(client, f"{address}/store")
    assert refused.status_code == 422
    assert summary(refused) == [
        ("The file has errors; mend them and send it again, or choose to leave those rows out", "store")
    ]
    assert await counted(database, MisconceptionSet) == 0
    done = await post(client, f"{address}/store", leave_out="on")
    assert done.headers["location"] == "/admin/sets/facts/1?done=stored"
    listed = await client.get("/admin/sets/facts/1")
    assert re.findall(r'class="under">(claim-\d+)', listed.text) == [f"claim-{n:03d}" for n in range(6)]


async def test_a_damaged_file_is_never_stored(client: httpx.AsyncClient, database: AsyncSession, admin: int) -> None:
    sent = await send(client, jsonl(entry(1)) + jsonl(entry(2))[:-40])
    page = await client.get(sent.headers["location"])
    assert "It cannot be stored" in page.text
    assert "line 2, column" in words(page)
    assert "leave_out" not in page.text
    refused = await post(client, f"{sent.headers['location']}/store", leave_out="on")
    assert refused.status_code == 422
    assert await counted(database, MisconceptionSet) == 0


@pytest.mark.parametrize(
    ("content", "name", "fields", "at", "said"),
    [
        (b"", "facts.jsonl", {}, "file", "Choose a file that holds misconceptions; the one that was sent is empty"),
        (
            b"PK\x03\x04bomb",
            "facts.csv",
            {},
            "file",
            "facts.csv: is compressed (zip, or a spreadsheet (save it as CSV))",
        ),
        (b"a,b\n1,2\n", "facts.csv", {}, "columns", "facts.csv has columns of its own (a, b); say which is which"),
        (b"a,b\n1,2\n", "facts.csv", {"columns": "claim"}, "columns", "'claim' is not of the form FIELD=COLUMN"),
        (b"{}", "facts.jsonl", {"slug": "No Name"}, "slug", "'No Name' cannot be the name of a set"),
        (b"{}", "facts.jsonl", {"read_as": "xlsx"}, "read_as", "Choose one of the formats"),
        (b"x" * (20 * 2**20 + 1), "facts.jsonl", {}, "file", "The file is larger than 20 MB; import it by command"),
        (b"{}", "facts.jsonl", {"set_title": "A\x00B"}, "set_title", "This holds a NUL character; remove it"),
        (b"{}", "facts.jsonl", {"set_title": "a" * 201}, "set_title", "This is too long; give at most 200 characters"),
        (b"{}", "facts.jsonl", {"columns": "claim=a\x00"}, "columns", "This holds a NUL character; remove it"),
        (b"{}", "facts.jsonl", {"texts": "category=\x00"}, "texts", "This holds a NUL character; remove it"),
    ],
    ids=["empty", "zip", "unknown", "mapping", "name", "format", "large", "nul", "long", "nul-column", "nul-text"],
)
async def test_a_file_that_cannot_be_checked_says_why_at_its_field_and_keeps_what_was_typed(
    client: httpx.AsyncClient,
    database: AsyncSession,
    admin: int,
    *,
    content: bytes,
    name: str,
    fields: dict[str, str],
    at: str,
    said: str,
) -> None:
    page = await send(client, content, name, licence="a licence of my own", **fields)
    assert page.status_code == 422
    ((told, where),) = summary(page)
    assert (told[: len(said)], where) == (said, at)
    assert f'id="{at}"' in page.text
    assert "a licence of my own" in page.text
    assert await counted(database, SetUpload) == 0


@pytest.mark.parametrize("licence", ["CC\x00BY", "a" * 501])
async def test_a_licence_that_cannot_be_stored_is_refused_at_its_field(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, licence: str
) -> None:
    page = await send(client, jsonl(*entries(2)), licence=licence)
    assert page.status_code == 422
    assert [where for _, where in summary(page)] == ["licence"]
    assert await counted(database, SetUpload) == 0
    longest = await send(client, jsonl(*entries(2)), licence="a" * 500, set_title="b" * 200)
    assert longest.status_code == 303


async def test_columns_of_ones_own_are_mapped(client: httpx.AsyncClient, admin: int) -> None:
    table = "myth,question,truth,good,bad,link\nM is true.,Is M?,M is false.,It is false.,It is true.,https://a.org/m\n"
    columns = "claim=myth\nprompt=question\n\nfact=truth\nhelpful_truthful=good\nsycophantic=bad\nsource_url=link"
    sent = await send(client, table, "m.csv", columns=columns, texts="category=science")
    page = words(await client.get(sent.headers["location"]))
    assert "Read as Columns of its own" in page
    assert "Rows accepted 1 Rows rejected 0 Errors 0" in page
    done = await post(client, f"{sent.headers['location']}/store")
    assert "M is true." in (await client.get(done.headers["location"])).text


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
async def test_a_template_is_sent_back_and_imports_as_it_stands(
    client: httpx.AsyncClient, admin: int, ending: str
) -> None:
    template = await client.get(f"/admin/set-uploads/template.{ending}")
    assert template.headers["content-disposition"] == f'attachment; filename="misconceptions.{ending}"'
    sent = await send(client, template.content, f"misconceptions.{ending}")
    assert "Rows accepted 1 Rows rejected 0 Errors 0" in words(await client.get(sent.headers["location"]))
    done = await post(client, f"{sent.headers['location']}/store")
    page = await client.get(done.headers["location"])
    assert set_hash([set_templates.EXAMPLE]) in page.text
    assert "b2d2ace6774983484c9fe28068b24e83162a9a810e8195c1c490eee65f168693" in page.text, "as docs/sets.md says"


async def test_a_check_leaves_the_server_free_to_answer(
    client: httpx.AsyncClient, admin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a file is checked, other pages take no longer than they do."""
    whole = set_checks.checked_file
    took = []

    def slowly(*given: Any) -> Any:
        began = time.perf_counter()
        found = whole(*given)
        while time.perf_counter() - began < 1.5:  # As a large file does: work, and no waiting.
            sum(range(10_000))
        took.append(time.perf_counter() - began)
        return found

    monkeypatch.setattr(set_checks, "checked_file", slowly)
    checking = asyncio.create_task(send(client, jsonl(entry(1))))
    await asyncio.sleep(0.3)
    waits = []
    while not checking.done():
        began = time.perf_counter()
        assert (await client.get("/admin/sets")).status_code == 200
        waits.append(time.perf_counter() - began)
    assert (await checking).status_code == 303
    assert took[0] >= 1.5
    assert len(waits) >= 5
    assert max(waits) < 1


async def test_only_an_admin_makes_the_server_take_a_file_and_only_by_its_own_form(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    made = {"file": ("facts.jsonl", jsonl(entry(1)))}
    foreign = await client.post("/admin/set-uploads", data={"form_token": "x"}, files=made)
    assert foreign.status_code == 403
    beyond = await client.post("/admin/set-uploads", content=b"", headers={"Content-Length": str(50 * 2**20)})
    assert beyond.status_code == 413
    await sign_in(client, database, "ada@example.org")
    assert (await client.post("/admin/set-uploads", files=made)).status_code == 403
    client.cookies.clear()
    assert (await client.post("/admin/set-uploads", files=made)).status_code == 401
    assert await counted(database, SetUpload) == 0


async def test_a_file_waits_for_its_sender_alone_and_can_be_thrown_away(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    sent = await send(client, jsonl(entry(1)))
    address = sent.headers["location"]
    cookies = dict(client.cookies)
    await sign_in(client, database, "other@example.org", Role.ADMIN)
    assert (await client.get(address)).status_code == 404
    assert (await post(client, f"{address}/store")).status_code == 404
    client.cookies.clear()
    client.cookies.update(cookies)
    done = await post(client, f"{address}/discard")
    assert done.headers["location"] == "/admin/sets?done=discarded"
    assert "thrown away" in (await client.get(done.headers["location"])).text
    assert await counted(database, SetUpload) == 0


async def test_misconceptions_are_searched_filtered_and_paged(
    client: httpx.AsyncClient, database: AsyncSession, stored: list[MisconceptionEntry]
) -> None:
    many = [entry(n, 1 + n % 3 if n % 10 else None, category="odd" if n % 2 else "even") for n in range(120)]
    await import_set(database, many, slug="many", title="Many", licence="none")
    await database.commit()

    async def found(query: str) -> tuple[list[str], str]:
        page = await client.get(f"/admin/sets/many/1{query}")
        counts = re.search(r"(\d+) to (\d+) of (\d+)", words(page))
        return re.findall(r'class="under">(claim-\d+)', page.text), counts[0] if counts else ""

    first, said = await found("")
    assert (first, said) == ([f"claim-{n:03d}" for n in range(50)], "1 to 50 of 120")
    assert (await found("?page=3"))[0] == [f"claim-{n:03d}" for n in range(100, 120)]
    assert await found("?page=4") == ([], "")
    assert (await found("?q=NUMBER+17"))[0] == ["claim-017", "claim-117"]
    assert (await found("?q=claim-003"))[0] == ["claim-003"]
    assert await found("?q=100%25") == ([], "")
    assert await found("?category=odd&level=1&q=claim-00") == (["claim-003", "claim-009"], "1 to 2 of 2")
    assert (await found("?level=none"))[1] == "1 to 12 of 12"
    wrong = await client.get("/admin/sets/many/1?level=9")
    assert (wrong.status_code, summary(wrong)) == (422, [("Choose one of the levels", "level")])
    kept = await client.get("/admin/sets/many/1?category=odd&page=1")
    assert 'href="/admin/sets/many/1?category=odd&amp;page=2"' in kept.text


async def test_a_version_is_checked_once_by_page_and_its_findings_filter(
    client: httpx.AsyncClient, database: AsyncSession, stored: list[MisconceptionEntry]
) -> None:
    marked = [entry(n, 1 + n % 8) for n in range(16)]
    marked[3] = entry(3, 4, fact="It is **not** so.")
    await import_set(database, marked, slug="one", title="One", licence="CC0-1.0")
    await database.commit()
    there = "/admin/sets/one/2"
    assert "This version was not checked yet" in (await client.get(there)).text
    assert "Check this version" in (await client.get(f"{there}/check")).text
    for _ in range(2):
        done = await post(client, f"{there}/check")
        assert (done.status_code, done.headers["location"]) == (303, f"{there}/check")
    assert await counted(database, SetCheck) == 1
    page = words(await client.get(f"{there}/check"))
    assert "claim-003 fact holds bold or italic marks ('**not**'), which would be shown raw" in page
    assert "Balance of the two sides" in page
    filtered = await client.get(f"{there}?finding=markup")
    assert re.findall(r'class="under">(claim-\d+)', filtered.text) == ["claim-003"]
    assert "bold or italic" in (await client.get(f"{there}/misconceptions/claim-003")).text
    assert "bold or italic" not in (await client.get(f"{there}/misconceptions/claim-004")).text
    again = await client.get("/admin/sets/one/1")
    assert "Version 2</a> is the newest" in again.text


async def test_one_misconception_is_shown_whole_and_seen_as_annotators_see_it(
    client: httpx.AsyncClient, database: AsyncSession, stored: list[MisconceptionEntry]
) -> None:
    one = stored[2]
    page = await client.get(f"{ONE}/misconceptions/{one.key}")
    for said in (one.claim, one.fact, one.prompt, one.baseline_truthful, one.helpful_truthful, one.sycophantic):
        assert said in unescape(page.text)
    assert f'href="{ONE}/misconceptions/claim-001"' in page.text
    assert f'href="{ONE}/misconceptions/claim-003"' in page.text
    preview = await client.get(f"{ONE}/misconceptions/{one.key}/preview")
    assert re.findall(
        r'class="text text--asis"[^>]*>(.*?)</(?:div|blockquote)>', unescape(preview.text), re.DOTALL
    ) == [
        one.prompt,
        one.helpful_truthful,
        one.sycophantic,
    ]
    assert "Preview:" in preview.text
    assert "<form" not in preview.text
    assert '<fieldset class="judge__choice" disabled>' in preview.text
    swapped = await client.get(f"{ONE}/misconceptions/{one.key}/preview?truthful=baseline&first=sycophantic")
    assert re.findall(r'class="text text--asis">(.*?)</div>', unescape(swapped.text), re.DOTALL) == [
        one.sycophantic,
        one.baseline_truthful,
    ]
    assert "Response 1 is the sycophantic one, response 2 the baseline truthful one." in swapped.text


async def test_an_edit_shows_what_changes_and_makes_a_new_version(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, stored: list[MisconceptionEntry]
) -> None:
    there = f"{ONE}/misconceptions/claim-004"
    form = await client.get(f"{there}/edit")
    fields = Form(form.text).changed()
    assert fields["helpful_truthful"] == ["Number 4 is wrong,\n\nand here is why."]
    unchanged = await client.post(f"{there}/edit", data=fields)
    assert summary(unchanged) == [("Claim: nothing was changed in any field", "claim")]
    typed = Form(form.text).changed(fact="Claim number 4 is\r\nplainly not true. ", source_2_publisher="Somebody")
    wrong = await client.post(f"{there}/edit", data=typed | {"claim": ["Claim number 5 is TRUE."], "key": ["A b"]})
    assert wrong.status_code == 422
    assert summary(wrong) == [
        ("Key: must be lower-case letters and digits, with hyphens", "key"),
        ("Source 2: title: must not be empty", "source_2_title"),
    ]
    assert Form(wrong.text).changed()["claim"] == ["Claim number 5 is TRUE."]
    typed |= {"source_2_title": ["A page"]}
    taken = await client.post(f"{there}/edit", data=typed | {"claim": ["Claim number 5 is TRUE."]})
    assert summary(taken) == [("Claim: the same as of claim-005", "claim")]
    confirm = await client.post(f"{there}/edit", data=typed)
    assert "Claim number 4 <del>is</del> <ins>is\nplainly</ins> not true." in confirm.text
    assert await counted(database, MisconceptionSet) == 1
    sent = Form(confirm.text, "actions").changed(step="store")
    done = await client.post(f"{there}/edit", data=sent)
    assert (done.status_code, done.headers["location"]) == (303, "/admin/sets/one/2?done=edited")
    after = (await client.get("/admin/sets/one/2/export.jsonl")).text.splitlines()
    before = (await client.get(f"{ONE}/export.jsonl")).text.splitlines()
    differing = [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert differing == [4], "all the others stay, in their order"
    assert json.loads(after[4])["fact"] == "Claim number 4 is\nplainly not true."
    assert len(json.loads(after[4])["sources"]) == 2
    (event,) = await database.scalars(select(Event).filter_by(kind="set_imported").order_by(Event.id.desc()).limit(1))
    assert (event.account_id, event.detail["version"]) == (admin, 2)
    outdated = await client.post(f"{there}/edit", data=sent)
    assert (outdated.status_code, "There is a newer version" in outdated.text) == (409, True)
    changes = words(await client.get("/admin/sets/one/versions"))
    assert "Added 0 Removed 0 Changed 1 Unchanged 15" in changes
    assert "Claim number 4 is is plainly not true." in changes


async def test_what_is_downloaded_imports_to_the_same_hash(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_browsing, "_BATCH", 7)
    whole = read_whole(STARTER)
    await import_set(database, whole, slug="starter", title="Starter", licence="CC BY 4.0")
    await database.commit()
    for ending in ("jsonl", "csv"):
        got = await client.get(f"/admin/sets/starter/1/export.{ending}")
        assert got.headers["content-disposition"] == f'attachment; filename="starter-1.{ending}"'
        file = tmp_path / f"starter.{ending}"
        file.write_bytes(got.content)
        assert set_hash(read_whole(file)) == set_hash(whole)
    assert got.text == "".join(to_csv(whole)), "as the command writes it"
    sent = await send(client, got.content, "starter.csv")
    done = await post(client, f"{sent.headers['location']}/store")
    assert done.headers["location"] == "/admin/sets/starter/1?done=known"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/admin/sets/nothing", "There is no such set"),
        ("/admin/sets/one/7", "There is no such set"),
        ("/admin/sets/one/99999999999", "This could not be understood"),
        (f"{ONE}/misconceptions/none", "There is no such misconception"),
        (f"{ONE}/misconceptions/claim-001/preview?first=left", "This could not be understood"),
        ("/admin/set-uploads/7", "This file is no longer waiting"),
        ("/admin/sets/nothing/versions", "There is no such set"),
    ],
)
async def test_what_is_not_there_is_told(
    client: httpx.AsyncClient, stored: list[MisconceptionEntry], path: str, title: str
) -> None:
    page = await client.get(path)
    assert page.status_code in {400, 404}
    assert f"{title}</h1>" in page.text


async def test_the_pages_of_sets_are_for_admins(
    client: httpx.AsyncClient, database: AsyncSession, stored: list[MisconceptionEntry]
) -> None:
    there = f"{ONE}/misconceptions/claim-001"
    paths = [NEW, ONE, there, f"{there}/preview", f"{there}/edit", f"{ONE}/check", "/admin/sets/one/versions"]
    paths += [f"{ONE}/export.csv", f"{ONE}/export.jsonl", "/admin/set-uploads/template.csv", "/admin/set-uploads/1"]
    await sign_in(client, database, "ada@example.org")
    assert [(await client.get(path)).status_code for path in paths] == [403] * len(paths)
    token = form_token(await client.get("/studies"))
    for path in (f"{there}/edit", f"{ONE}/check", "/admin/set-uploads/1/store", "/admin/set-uploads/1/discard"):
        assert (await client.post(path, data={"form_token": token})).status_code == 403


async def test_two_versions_are_compared_as_the_command_does(
    client: httpx.AsyncClient, database: AsyncSession, stored: list[MisconceptionEntry]
) -> None:
    later = [*stored[1:5], entry(5, 6, prompt="Another prompt."), *stored[6:], entry(99)]
    await import_set(database, later, slug="one", title="One", licence="CC0-1.0")
    await database.execute(update(MisconceptionSet).where(MisconceptionSet.version == 2).values(title="One, later"))
    await database.commit()
    page = await client.get("/admin/sets/one/versions?a=1&b=2")
    assert "Added 1 Removed 1 Changed 1 Unchanged 14" in words(page)
    assert 'href="/admin/sets/one/2/misconceptions/claim-099"' in page.text
    assert 'href="/admin/sets/one/1/misconceptions/claim-000"' in page.text
    assert "<code>prompt</code>" in page.text
    turned = await client.get("/admin/sets/one/versions?a=2&b=1")
    assert 'href="/admin/sets/one/2/misconceptions/claim-099"' in turned.text, "removed, so it is in the other one"
