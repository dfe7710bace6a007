"""Files of misconceptions that were sent by page and checked, and wait for a person to store or discard them.

They wait in the database, because the next request may come to another server process, and for a day at most.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import MisconceptionSet, SetCheck, SetUpload
from app.study import set_checks
from app.study.importers.mapping import Mapped
from app.study.importers.reading import Format, Opened, open_set
from app.study.importers.slugs import slug as slug_of
from app.study.importers.tally import Tally, entries_of
from app.study.set_checks import Found, Outcome
from app.study.set_files import Fault, Read
from app.study.sets import ClaimListed, Imported, find_set, import_set, refuse_faulty_name

LARGEST = 20 * 2**20
_LASTS = timedelta(days=1)
_MOST_WAITING = 5
_LONGEST_NAME = 60


class UploadEmpty(CandorError):
    """No file was sent, or one without content."""

    def __init__(self) -> None:
        super().__init__("choose a file that holds misconceptions; the one that was sent is empty")


class UploadTooLarge(CandorError):
    """The file is larger than a page takes."""

    def __init__(self) -> None:
        super().__init__(
            f"the file is larger than {LARGEST // 2**20} MB; import it by command, which takes any size: "
            "candor set import FILE"
        )


class UploadUnknown(CandorError):
    """There is no such file waiting for this person: it was stored or discarded, or its day is over."""

    def __init__(self) -> None:
        super().__init__("this file is no longer waiting; send it again")


class UploadRefused(CandorError):
    """The file has errors, and cannot be stored, or not without leaving rows out."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it was sent, what it is to be read as, and what the set is to be called."""

    file_name: str
    content: bytes
    read_as: Format | None
    mapped: Mapped
    slug: str
    title: str
    licence: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A checked file that waits. `next_version` is what it would become."""

    id: int
    file_name: str
    slug: str
    title: str
    licence: str
    next_version: int
    expires_at: datetime
    outcome: Outcome


def checked_name(file_name: str, slug: str) -> tuple[str, str]:
    """Return a file's name as it can be shown and stored, and the name of its set: made of it if none is given.

    Raises
    ------
    SetNameFaulty
    """
    last = file_name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign if sign.isprintable() else " " for sign in last).strip(" .")[-_LONGEST_NAME:] or "upload"
    name = slug or slug_of(Path(kept).stem)
    refuse_faulty_name(name)
    return kept, name


def refuse_size(n_bytes: int) -> None:
    """Raise UploadEmpty or UploadTooLarge unless a file of this size can be taken."""
    if not n_bytes:
        raise UploadEmpty
    if n_bytes > LARGEST:
        raise UploadTooLarge


async def check(sent: Sent, known: Sequence[ClaimListed]) -> Found:
    """Check a file beside the server's other work; nothing is stored. `known` are the claims of other sets.

    Raises
    ------
    SetFileFaulty, FormatUnknown, MappingFaulty, ParquetNeedsExtra
        As `open_set` and its readers do.
    """

    def work() -> Found:
        with tempfile.TemporaryDirectory(prefix="candor-set-") as folder:
            path = _laid_down(Path(folder), sent.file_name, sent.content)
            return set_checks.checked_file(path, sent.read_as, sent.mapped, known)

    return await set_checks.aside(work)


def _laid_down(folder: Path, file_name: str, content: bytes) -> Path:
    # The ending says how a file without tell-tale content is read; messages name the file by its name.
    path = folder / file_name
    path.write_bytes(content)
    return path


async def keep(session: AsyncSession, sent: Sent, found: Found, account_id: int) -> int:
    """Keep a checked file for a day and return its number; files whose day is over go, and the oldest of many."""
    newest = select(SetUpload.id).filter_by(account_id=account_id).order_by(SetUpload.id.desc())
    one_of_many = SetUpload.id.in_(newest.offset(_MOST_WAITING - 1))
    await session.execute(delete(SetUpload).where(or_(SetUpload.expires_at < func.now(), one_of_many)))
    made: int | None = await session.scalar(
        insert(SetUpload)
        .values(
            account_id=account_id,
            file_name=sent.file_name,
            content=sent.content,
            read_as=sent.read_as,
            columns=dict(sent.mapped.columns),
            texts=dict(sent.mapped.texts),
            slug=sent.slug,
            title=sent.title,
            licence=sent.licence,
            outcome=set_checks.written(found.outcome),
            findings=found.findings,
            expires_at=func.now() + _LASTS,
        )
        .returning(SetUpload.id)
    )
    assert made is not None
    return made


async def waiting(session: AsyncSession, upload_id: int, account_id: int) -> Waiting:
    """Return a file that waits for this person.

    Raises
    ------
    UploadUnknown
    """
    upload = await session.scalar(_of(upload_id, account_id))
    if upload is None:
        raise UploadUnknown
    last = await session.scalar(select(func.max(MisconceptionSet.version)).filter_by(slug=upload.slug))
    return Waiting(
        id=upload.id,
        file_name=upload.file_name,
        slug=upload.slug,
        title=upload.title,
        licence=upload.licence,
        next_version=(last or 0) + 1,
        expires_at=upload.expires_at,
        outcome=set_checks.read(upload.outcome),
    )


def _of(upload_id: int, account_id: int) -> Any:
    return select(SetUpload).where(
        SetUpload.id == upload_id, SetUpload.account_id == account_id, SetUpload.expires_at > func.now()
    )


async def discard(session: AsyncSession, upload_id: int, account_id: int) -> None:
    """Throw a file away; one that is gone already is no matter."""
    await session.execute(delete(SetUpload).filter_by(id=upload_id, account_id=account_id))


async def store(session: AsyncSession, upload_id: int, account_id: int, *, leave_out: bool) -> Imported:
    """Store a file that waits as a new version of its set, all in the session's one transaction.

    `leave_out` leaves out the rows that have errors; without it a file with errors is refused.

    Raises
    ------
    UploadUnknown, UploadRefused
    SetFileFaulty
        When the file is damaged.
    """
    upload = await session.scalar(_of(upload_id, account_id).with_for_update())
    if upload is None:
        raise UploadUnknown
    outcome = set_checks.read(upload.outcome)
    _refuse(outcome, leave_out=leave_out)
    content = await session.scalar(select(SetUpload.content).filter_by(id=upload_id))
    assert content is not None
    with tempfile.TemporaryDirectory(prefix="candor-set-") as folder:
        path = _laid_down(Path(folder), upload.file_name, content)
        read_as = None if upload.read_as is None else Format(upload.read_as)
        opened = _without(open_set(path, read_as, Mapped(upload.columns, upload.texts)), outcome.refused_rows)
        done = await import_set(
            session,
            entries_of(opened, Tally(opened.file, opened.format), skip_rejected=leave_out),
            slug=upload.slug,
            title=upload.title,
            licence=upload.licence,
            account_id=account_id,
        )
    if outcome.n_errors == 0:
        await _keep_check(session, upload_id, done)
    await session.execute(delete(SetUpload).filter_by(id=upload_id))
    return done


def _refuse(outcome: Outcome, *, leave_out: bool) -> None:
    if outcome.whole:
        return
    if not outcome.in_part:
        raise UploadRefused("nothing of this file can be stored; mend what the check found and send it again")
    if not leave_out:
        raise UploadRefused("the file has errors; mend them and send it again, or choose to leave those rows out")


def _without(opened: Opened, refused: tuple[int, ...]) -> Opened:
    """Return an opened file in which rows that the check refused cannot be taken."""
    left_out = frozenset(refused)

    def rows() -> Iterator[Read]:
        for read in opened.rows:
            if not isinstance(read, Fault) and read.number in left_out:
                yield Fault("row", read.number, "", "has an error that the check found")
            else:
                yield read

    return replace(opened, rows=rows())


async def _keep_check(session: AsyncSession, upload_id: int, done: Imported) -> None:
    """Keep the check of a file as that of the version which holds all of it."""
    stored = await find_set(session, done.slug, done.version)
    if await set_checks.is_kept(session, stored.id):
        return
    found = select(literal(stored.id), SetUpload.outcome, SetUpload.findings).where(SetUpload.id == upload_id)
    await session.execute(insert(SetCheck).from_select(["set_id", "outcome", "findings"], found))
