"""Importing, finding and exporting sets: versions are never changed, and a set comes out as it went in."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.study.set_files import MisconceptionEntry, SetFileFaulty, read_jsonl, set_hash, to_jsonl
from app.study.sets import Imported, SetNameFaulty, SetUnknown, claims_of_sets, export_set, find_set, import_set
from tests.example_sets import STARTER, entries, entry


async def imported(session: AsyncSession, made: list[MisconceptionEntry], slug: str = "a-set") -> Imported:
    return await import_set(session, made, slug=slug, title="A title", licence="CC0")


async def counts(session: AsyncSession) -> list[Any]:
    tables = ("misconception_set", "misconception", "response", "event")
    return [await session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]


async def test_a_set_is_stored_whole(session: AsyncSession) -> None:
    made = entries(2)
    done = await imported(session, made)
    assert done == Imported("a-set", 1, set_hash(made), 16, new=True)
    found = await find_set(session, "a-set")
    assert (found.slug, found.version, found.title, found.licence, found.content_hash) == (
        "a-set",
        1,
        "A title",
        "CC0",
        set_hash(made),
    )
    stored = await session.execute(
        text("""
            SELECT m.key, r.kind, r.text, r.text_hash, r.n_words, r.origin FROM misconception m
            JOIN response r ON r.misconception_id = m.id WHERE m.set_id = :set ORDER BY m.key, r.kind
        """),
        {"set": found.id},
    )
    expected = [
        (item.key, kind, words, hashlib.sha256(words.encode()).hexdigest(), len(words.split()), item.origin)
        for item in made
        for kind, words in (
            ("baseline_truthful", item.baseline_truthful),
            ("helpful_truthful", item.helpful_truthful),
            ("sycophantic", item.sycophantic),
        )
    ]
    assert [tuple(row) for row in stored] == expected
    logged = await session.scalar(text("SELECT detail FROM event WHERE kind = 'set_imported' ORDER BY id DESC LIMIT 1"))
    assert logged == {"set": "a-set", "version": 1, "content_hash": set_hash(made)}


async def test_the_same_content_again_is_the_same_version_whatever_its_order_and_title(session: AsyncSession) -> None:
    made = entries(1)
    first = await imported(session, made)
    before = await counts(session)
    again = await import_set(session, made[::-1], slug="a-set", title="Another title", licence="other")
    assert again == Imported("a-set", 1, first.content_hash, 8, new=False)
    assert await counts(session) == before
    assert (await find_set(session, "a-set")).title == "A title"


async def test_changed_content_is_the_next_version_and_going_back_finds_the_old_one(session: AsyncSession) -> None:
    old, new = entries(1), [entry(0, fact="A better fact."), *entries(1)[1:]]
    await imported(session, old)
    second = await imported(session, new)
    assert (second.version, second.new) == (2, True)
    assert (await imported(session, old)).version == 1
    assert (await find_set(session, "a-set")).version == 2
    assert (await find_set(session, "a-set", 1)).content_hash == set_hash(old)
    assert await export_set(session, "a-set", 1) == old
    assert await export_set(session, "a-set") == new


async def test_another_name_is_another_set(session: AsyncSession) -> None:
    assert (await imported(session, entries(1), "one")).version == 1
    assert await imported(session, entries(1), "two") == Imported("two", 1, set_hash(entries(1)), 8, new=True)


@pytest.mark.parametrize(
    "slug", ["", "A", "a b", "a_b", "-a", "a-", "a--b", "é", "a\n", "=1+1", "@a", "[/b]", "a\x00", "a" * 61]
)
async def test_a_name_that_is_not_safe_everywhere_is_refused(session: AsyncSession, slug: str) -> None:
    before = await counts(session)
    with pytest.raises(SetNameFaulty) as refusal:
        await imported(session, entries(1), slug)
    assert str(refusal.value) == (
        f"{slug!r} cannot be the name of a set; give one of lower-case letters and digits, with hyphens, "
        "at most 60 characters"
    )
    assert await counts(session) == before


async def test_what_is_not_there_is_named(session: AsyncSession) -> None:
    await imported(session, entries(1))
    for slug, version, named in (("nothing", None, "nothing"), ("a-set", 2, "a-set version 2")):
        with pytest.raises(SetUnknown, match=rf"there is no misconception set {named}; `candor set list`"):
            await find_set(session, slug, version)
        with pytest.raises(SetUnknown):
            await export_set(session, slug, version)


async def test_nothing_of_a_file_with_one_wrong_line_is_imported(session: AsyncSession, tmp_path: Path) -> None:
    before = await counts(session)
    file = tmp_path / "faulty.jsonl"
    lines = list(to_jsonl(entries(2)))
    file.write_text("".join([*lines[:15], lines[15].replace('"physics"', '"Physics"')]), encoding="utf-8")
    with pytest.raises(SetFileFaulty, match="line 16, field category"):
        await imported(session, read_jsonl(file))
    assert await counts(session) == before


async def test_an_export_imports_to_the_same_hash(session: AsyncSession, tmp_path: Path) -> None:
    odd: dict[str, Any] = {
        "claim": "Quotes \" and ' and \\ and %s and {x} and :name.",
        "prompt": "Two\n\nparagraphs, a 𝄞, a \u00a0 space and \u200b nothing.",
        "sources": [
            {"publisher": "P", "title": "T \u2013 “t”", "url": "https://example.org/?a=1&b=%C3%A9#ü"},
            {"publisher": "Q", "title": "No link", "url": None},
        ],
        "difficulty_level": None,
    }
    made = [entry(2, **odd), entry(1), entry(3, 8)]
    digest = (await imported(session, made)).content_hash
    out = await export_set(session, "a-set")
    assert out == made, "in the order of the file"
    file = tmp_path / "exported.jsonl"
    file.write_text("".join(to_jsonl(out)), encoding="utf-8")
    assert set_hash(read_jsonl(file)) == digest
    assert not (await imported(session, read_jsonl(file))).new


async def test_the_starter_set_comes_out_of_the_database_as_it_went_in(session: AsyncSession) -> None:
    starter = read_jsonl(STARTER)
    done = await imported(session, starter, "starter")
    assert done.content_hash == set_hash(starter)
    assert await export_set(session, "starter") == starter


async def test_a_set_larger_than_one_statement_comes_out_in_order(session: AsyncSession) -> None:
    made = entries(400)
    await imported(session, made)
    assert await export_set(session, "a-set") == made


async def test_imports_at_once_number_their_versions_one_after_another(own_database_url: str) -> None:
    engine = create_engine(own_database_url, 8)

    async def one(number: int) -> Imported:
        async with sessions(engine).begin() as session:
            return await imported(session, [entry(0, fact=f"Fact {number // 2}."), *entries(1)[1:]])

    done = await asyncio.gather(*(one(number) for number in range(8)))
    await engine.dispose()
    assert sorted(item.version for item in done) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert sum(item.new for item in done) == 4
    assert len({(item.version, item.content_hash) for item in done}) == 4


async def test_a_set_is_stored_as_it_streams_by_and_nothing_of_it_if_it_ends_badly(session: AsyncSession) -> None:
    before = await counts(session)

    def cut_off() -> Iterator[MisconceptionEntry]:
        yield from entries(100)
        raise SetFileFaulty("a.jsonl", ["line 801: cut off"])

    with pytest.raises(SetFileFaulty):
        await import_set(session, cut_off(), slug="a-set", title="A title", licence="CC0")
    assert await counts(session) == before
    streamed = await import_set(session, iter(entries(100)), slug="a-set", title="A title", licence="CC0")
    assert streamed == Imported("a-set", 1, set_hash(entries(100)), 800, new=True)


async def test_the_hash_is_that_of_the_keys_bytes_in_order(session: AsyncSession) -> None:
    """A database sorts words as a dictionary does, where hyphens count for nothing."""
    made = [entry(number, key=key) for number, key in enumerate(["ab", "a-c", "a1", "a-b", "aa", "a", "a-1"])]
    assert (await imported(session, made)).content_hash == set_hash(made)


async def test_claims_are_listed_from_the_newest_version_of_each_set(session: AsyncSession) -> None:
    await imported(session, [entry(1), entry(2)], "one")
    await imported(session, [entry(1)], "one")
    await imported(session, [entry(3)], "two")
    assert [(row.set_slug, row.key) for row in await claims_of_sets(session)] == [
        ("one", "claim-001"),
        ("two", "claim-003"),
    ]
    assert [row.key for row in await claims_of_sets(session, "two")] == ["claim-003"]
    assert [row.key for row in await claims_of_sets(session, but="two")] == ["claim-001"]
    with pytest.raises(SetUnknown):
        await claims_of_sets(session, "nothing")
