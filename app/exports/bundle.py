"""The bundle: a zip of every table without personal data, and of what says how they came to be.

It is made while it is sent, at constant memory, and all of it is of one moment. The manifest is written last, and the
directory of a zip stands at its end: a bundle that was cut short is no zip at all.
"""

import asyncio
import hashlib
import json
import platform
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports import readers
from app.exports.copying import Chunks, Tally
from app.exports.files import Format, codebook_file, table_file
from app.exports.outlet import Outlet
from app.exports.preferences import PREFERENCES
from app.exports.tables import RELEASED
from app.models import Participation, Study
from app.study import amendments, preregistrations, studies
from app.study.preregistration_markdown import markdown

MANIFEST = "manifest.json"
KIND = "bundle of a Candor study"


class _Part(NamedTuple):
    """A file of the bundle: its name, its content, and how many rows went by, where it is a table."""

    name: str
    chunks: Chunks
    tally: Tally | None = None


async def bundle(session: AsyncSession, slug: str) -> Chunks:
    """Yield a study's bundle in chunks. The session sees one moment, or the tables may disagree.

    Raises
    ------
    StudyUnknown
        When there is none.
    """
    study = await studies.get_study(session, slug)
    about = await _about(session, study)
    made_at = datetime.fromisoformat(about["made_at"])
    out = Outlet()
    archive = ZipFile(out, "w", ZIP_DEFLATED)
    files: dict[str, Any] = {}
    parts = [*_tables(session, slug), *await _documents(session, study, about["hashes"])]
    for part in parts:
        async with aclosing(_packed(archive, part, files, made_at)) as packed:
            async for n_bytes in packed:
                if n_bytes:
                    yield out.take()
    manifest = json.dumps(about | {"files": files}, ensure_ascii=False, indent=2) + "\n"
    archive.writestr(_entry(MANIFEST, made_at), manifest)
    archive.close()
    yield out.take()


def _tables(session: AsyncSession, slug: str) -> list[_Part]:
    parts = []
    for table in RELEASED.values():
        known = Format.JSONL if table is PREFERENCES else Format.CSV
        tally = Tally()
        parts.append(_Part(f"{table.name}.{known}", table_file(session, table, slug, known, tally), tally))
    tally = Tally()
    return [*parts, _Part("codebook.csv", codebook_file(Format.CSV, tally), tally)]


async def _documents(session: AsyncSession, study: Study, hashes: dict[str, Any]) -> list[_Part]:
    changes = await amendments.listed(session, study.id)
    design = studies.design_document(study)
    if changes:  # What the hash of an amended design covers.
        design |= {"retired": await amendments.retired_keys(session, study.id)}
    written = await preregistrations.find(session, study.id)
    contents = {
        "design.json": _json(design),
        "amendments.json": _json(
            [
                {"made_at": change.made_at.astimezone(UTC).isoformat(), "kind": change.kind, "detail": change.detail}
                | {"design_hash": change.design_hash}
                for change in changes
            ]
        ),
        "hashes.json": _json(hashes),
        "read.py": readers.PYTHON,
        "read.R": readers.R,
    }
    if written is not None:
        contents["preregistration.json"] = preregistrations.json_of(written)
        contents["preregistration.md"] = markdown(written.document, written.document_hash)
    return [_Part(name, _whole(content)) for name, content in contents.items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


async def _whole(content: str) -> Chunks:
    yield content.encode()


async def _about(session: AsyncSession, study: Study) -> dict[str, Any]:
    now = await session.scalar(select(func.now()))
    assert isinstance(now, datetime)
    filled = exists().where(Participation.study_id == Study.id, Participation.synthetic)
    used = study.misconception_set
    return {
        "kind": KIND,
        "format": 1,
        "study": study.slug,
        "title": study.title,
        "state": study.state,
        "purpose": study.purpose,
        "synthetic": await session.scalar(select(or_(Study.synthetic, filled)).where(Study.id == study.id)),
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "set": {"slug": used.slug, "version": used.version, "title": used.title, "licence": used.licence},
        "hashes": await _hashes(session, study),
        "versions": {
            "candor": version("candor"),
            "python": platform.python_version(),
            "postgres": await session.scalar(text("SHOW server_version")),
        },
    }


async def _hashes(session: AsyncSession, study: Study) -> dict[str, Any]:
    return {
        "set": study.misconception_set.content_hash,
        "design": study.design_hash,
        "amended_designs": [change.design_hash for change in await amendments.listed(session, study.id)],
        "preregistration": await preregistrations.hash_of(session, study.id),
    }


def _entry(name: str, made_at: datetime) -> ZipInfo:
    entry = ZipInfo(name, made_at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


async def _packed(archive: ZipFile, part: _Part, files: dict[str, Any], made_at: datetime) -> AsyncGenerator[int, None]:
    """Pack a part, in a thread so that nobody waits for it; yield how much went in each time, and note its hash."""
    digest, n_bytes = hashlib.sha256(), 0

    def pack(chunk: bytes) -> None:
        digest.update(chunk)
        member.write(chunk)

    with archive.open(_entry(part.name, made_at), "w", force_zip64=True) as member:
        async with aclosing(part.chunks) as chunks:
            async for chunk in chunks:
                await asyncio.to_thread(pack, chunk)
                n_bytes += len(chunk)
                yield len(chunk)
    rows = {} if part.tally is None else {"rows": part.tally.rows}
    files[part.name] = rows | {"bytes": n_bytes, "sha256": digest.hexdigest()}
