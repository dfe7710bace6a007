"""Changing one misconception of a set: the changed set is its next version, and the one before it stays as it is."""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Misconception, MisconceptionSet
from app.study.importers.candor_csv import entry_of_cells
from app.study.importers.rows import Row
from app.study.set_files import Fault, MisconceptionEntry
from app.study.sets import Imported, find_set, import_set, lock_set, stream_entries


class EditOutdated(CandorError):
    """The version that was edited is not the newest any more, and a version made from it would undo the newer ones."""

    def __init__(self, slug: str, version: int, newest: int) -> None:
        super().__init__(f"version {version} of the set {slug} is not its newest; edit version {newest}")


class CellFault(NamedTuple):
    """Why an edited misconception cannot be taken: at which cell, named as a CSV file's column, and why."""

    cell: str
    reason: str


def read(cells: Mapping[str, str]) -> MisconceptionEntry | list[CellFault]:
    """Return the misconception that was typed, or every fault in the words of an import.

    White space around a text is dropped: nobody sees it in a form. Line ends are newlines, as browsers send others.
    """
    typed = {name: cell.replace("\r\n", "\n").strip() for name, cell in cells.items()}
    faults: list[CellFault] = []
    for found in entry_of_cells(Row("", 0, typed)):
        if not isinstance(found, Fault):
            return found.entry
        faults.append(CellFault(found.place.removeprefix("column ").removeprefix("field "), found.reason))
    return faults


async def repeats(session: AsyncSession, set_id: int, key: str, entry: MisconceptionEntry) -> list[CellFault]:
    """Return a fault for a key or a claim that another misconception of the version has."""
    claim = " ".join(entry.claim.casefold().split())
    others = select(Misconception.key, Misconception.claim).where(
        Misconception.set_id == set_id, Misconception.key != key
    )
    faults = []
    async for row in await session.stream(others, execution_options={"yield_per": 1000}):
        if row.key == entry.key:
            faults.append(CellFault("key", "another misconception of the set has it"))
        if " ".join(row.claim.casefold().split()) == claim:
            faults.append(CellFault("claim", f"the same as of {row.key}"))
    return faults


async def refuse_outdated(session: AsyncSession, edited: MisconceptionSet) -> None:
    """Raise EditOutdated unless a version is the newest of its set."""
    newest = await find_set(session, edited.slug)
    if newest.version != edited.version:
        raise EditOutdated(edited.slug, edited.version, newest.version)


async def store(
    session: AsyncSession, edited: MisconceptionSet, key: str, entry: MisconceptionEntry, account_id: int | None
) -> Imported:
    """Store a version that differs from the newest one in one misconception, in its place.

    Raises
    ------
    EditOutdated
    """
    await lock_set(session, edited.slug)
    await refuse_outdated(session, edited)

    async def entries() -> AsyncIterator[MisconceptionEntry]:
        async for stored in stream_entries(session, edited.id):
            yield entry if stored.key == key else stored

    return await import_set(
        session,
        entries(),
        slug=edited.slug,
        title=edited.title,
        licence=edited.licence,
        account_id=account_id,
    )
