"""Files that wait to be stored: for a day, a few for each person, and stored whole or not at all."""

import json
import math
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Misconception, MisconceptionSet, SetCheck, SetUpload
from app.study import accounts, set_browsing, set_checks, set_edits, set_templates, set_uploads
from app.study.importers.mapping import Mapped
from app.study.set_files import MisconceptionEntry, set_hash, to_jsonl
from app.study.set_uploads import Sent, UploadEmpty, UploadRefused, UploadTooLarge, UploadUnknown
from app.study.sets import SetNameFaulty, export_set, find_set, import_set
from app.terms import Role
from tests.example_sets import entries, entry


@pytest.fixture
async def admin(session: AsyncSession) -> int:
    return await accounts.create(session, "root@example.org", Role.ADMIN, None)


def sent(content: bytes, name: str = "facts.jsonl") -> Sent:
    kept, slug = set_uploads.checked_name(name, "")
    return Sent(kept, content, None, Mapped(), slug, "Facts", "CC0-1.0")


def jsonl(*made: MisconceptionEntry) -> bytes:
    return "".join(to_jsonl(made)).encode()


async def waits(session: AsyncSession, content: bytes, account_id: int) -> int:
    file = sent(content)
    return await set_uploads.keep(session, file, await set_uploads.check(file, ()), account_id)


async def test_a_check_is_kept_as_it_was_made(session: AsyncSession, admin: int) -> None:
    file = sent(jsonl(*entries(2), entry(50, fact="**No**.")) + b'{"key": 1}\n')
    found = await set_uploads.check(file, ())
    number = await set_uploads.keep(session, file, found, admin)
    waiting = await set_uploads.waiting(session, number, admin)
    assert waiting.outcome == found.outcome
    assert (waiting.outcome.accepted, waiting.outcome.rejected, waiting.outcome.n_sound) == (17, 1, 17)
    assert (waiting.outcome.whole, waiting.outcome.in_part, waiting.next_version) == (False, True, 1)
    style = found.outcome.report.style
    assert style is not None
    assert math.isfinite(style.accuracy)


async def test_what_is_stored_brings_its_check_along(session: AsyncSession, admin: int) -> None:
    done = await set_uploads.store(session, await waits(session, jsonl(*entries(2)), admin), admin, leave_out=False)
    stored = await find_set(session, "facts", done.version)
    outcome = await set_checks.kept(session, stored.id)
    assert outcome is not None
    assert outcome.report.content_hash == stored.content_hash == set_hash(entries(2))
    assert await set_checks.found_about(session, stored.id, "claim-003") != []


async def test_a_file_without_some_rows_does_not_bring_the_check_of_all_of_them(
    session: AsyncSession, admin: int
) -> None:
    number = await waits(session, jsonl(*entries(2)) + b"{}\n", admin)
    with pytest.raises(UploadRefused, match="choose to leave those rows out"):
        await set_uploads.store(session, number, admin, leave_out=False)
    await set_uploads.store(session, number, admin, leave_out=True)
    assert await session.scalar(select(func.count()).select_from(SetCheck)) == 0
    assert set_hash(await export_set(session, "facts")) == set_hash(entries(2))


async def test_a_file_waits_a_day_and_each_person_has_five(session: AsyncSession, admin: int) -> None:
    other = await accounts.create(session, "other@example.org", Role.ADMIN, None)
    theirs = await waits(session, jsonl(entry(1)), other)
    numbers = [await waits(session, jsonl(entry(n)), admin) for n in range(7)]
    left = list(await session.scalars(select(SetUpload.id).order_by(SetUpload.id)))
    assert left == [theirs, *numbers[-5:]]
    await session.execute(
        update(SetUpload).where(SetUpload.id == theirs).values(expires_at=func.now() - timedelta(minutes=1))
    )
    for act in (set_uploads.waiting(session, theirs, other), set_uploads.store(session, theirs, other, leave_out=True)):
        with pytest.raises(UploadUnknown):
            await act
    await waits(session, jsonl(entry(8)), admin)
    assert theirs not in set(await session.scalars(select(SetUpload.id))), "swept"


async def test_nothing_of_a_file_stays_when_it_turns_out_damaged(session: AsyncSession, admin: int) -> None:
    number = await waits(session, jsonl(*entries(2)) + b'{"key"', admin)
    for leave_out in (False, True):
        with pytest.raises(UploadRefused, match="nothing of this file can be stored"):
            await set_uploads.store(session, number, admin, leave_out=leave_out)
    assert await session.scalar(select(func.count()).select_from(Misconception)) == 0
    assert await session.scalar(select(func.count()).select_from(MisconceptionSet)) == 0


async def test_many_faults_are_counted_and_a_hundred_of_a_kind_are_kept(session: AsyncSession, admin: int) -> None:
    broken = b"".join(json.dumps(entry(n).model_dump() | {"fact": ""}).encode() + b"\n" for n in range(300))
    outcome = (await set_uploads.check(sent(jsonl(entry(500)) + broken), ())).outcome
    assert [(kind.code, kind.n) for kind in outcome.kinds if kind.severity == "error"] == [("form", 300)]
    assert len(outcome.report.errors) == set_checks.SHOWN_OF_A_KIND
    assert outcome.in_part
    cut = (await set_uploads.check(sent(jsonl(entry(500)) + broken * 4), ())).outcome
    assert (cut.cut, cut.in_part, cut.whole) == (True, False, False), "the end was not read"


async def test_a_message_that_no_page_can_hold_is_made_one_that_it_can(session: AsyncSession, admin: int) -> None:
    odd = entry(1).model_dump() | {"claim": "A \ud800 claim", "nul\x00": "\x00"}
    number = await waits(session, json.dumps(odd).encode() + b"\n" + jsonl(entry(2)), admin)
    told = [found.message for found in (await set_uploads.waiting(session, number, admin)).outcome.report.errors]
    assert len(told) == 2
    assert "\x00" not in "".join(told).encode().decode()


@pytest.mark.parametrize(
    ("file", "kept", "slug"),
    [
        ("My facts.CSV", "My facts.CSV", "my-facts"),
        ("C:\\Users\\me\\facts.jsonl", "facts.jsonl", "facts"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("..", "upload", "upload"),
        ("a\x00b\n.csv", "a b .csv", "a-b"),
        ("é" * 200 + ".csv", "é" * 56 + ".csv", "e" * 56),
    ],
)
def test_a_file_is_called_what_is_safe_everywhere(file: str, kept: str, slug: str) -> None:
    assert set_uploads.checked_name(file, "") == (kept, slug)


def test_a_file_has_a_size() -> None:
    set_uploads.refuse_size(set_uploads.LARGEST)
    with pytest.raises(UploadTooLarge):
        set_uploads.refuse_size(set_uploads.LARGEST + 1)
    with pytest.raises(UploadEmpty):
        set_uploads.refuse_size(0)
    with pytest.raises(SetNameFaulty):
        set_uploads.checked_name("a.csv", "No")


def test_the_template_is_the_example_of_the_document() -> None:
    document = Path(__file__).parents[2].joinpath("docs/sets.md").read_text(encoding="utf-8")
    assert set_templates.as_jsonl().strip() in document


async def test_an_edit_of_an_older_version_is_refused_and_one_of_the_newest_copies_the_rest(
    session: AsyncSession, admin: int
) -> None:
    made = [entry(n, category="é") if n == 9 else entry(n) for n in range(3)] + [entry(600), entry(30)]
    await import_set(session, made, slug="one", title="One", licence="CC0-1.0")
    first = await find_set(session, "one")
    renamed = made[1].model_copy(update={"key": "another-key"})
    assert await set_edits.repeats(session, first.id, made[1].key, renamed) == []
    taken = made[1].model_copy(update={"key": "claim-600", "claim": "claim  NUMBER 30 is true."})
    faults = await set_edits.repeats(session, first.id, made[1].key, taken)
    assert sorted(fault.cell for fault in faults) == ["claim", "key"]
    await set_edits.store(session, first, made[1].key, renamed, admin)
    assert [found.key for found in await export_set(session, "one")] == [
        "claim-000",
        "another-key",
        "claim-002",
        "claim-600",
        "claim-030",
    ]
    with pytest.raises(set_edits.EditOutdated, match="edit version 2"):
        await set_edits.store(session, first, made[2].key, made[2].model_copy(update={"fact": "No."}), admin)
    compared = await set_browsing.compare(session, first, await find_set(session, "one"))
    assert (compared.n_added, compared.n_removed, compared.n_changed, compared.n_unchanged) == (1, 1, 0, 4)
    assert (compared.diff.added, compared.diff.removed) == (("another-key",), ("claim-001",))
