"""The tables of a study: by pages as JSON, and whole as files."""

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.exports import paging
from app.exports.bundle import bundle
from app.exports.columns import Kind, Table
from app.exports.files import Format, codebook_file, table_file
from app.exports.paging import PAGED, Paged, Place
from app.exports.preferences import PREFERENCES, Form, Unit, preferences
from app.exports.tables import RELEASED
from app.study import data_versions
from app.study.previews import refuse_preview
from app.web.addresses import API
from app.web.api.access import reachable
from app.web.api.callers import Reader
from app.web.api.conditional import headers_of, json_response, tag_of_request, unchanged
from app.web.deps import SnapshotSession
from app.web.streaming import Sent

router = APIRouter(prefix="/studies/{slug}")

_CODEBOOK = "codebook"
# What an address can ask for; payments hold personal data, and leave by page and command alone.
Exported = StrEnum("Exported", [(name, name) for name in (*RELEASED, _CODEBOOK)])  # type: ignore[misc]


class Asked(BaseModel):
    """Which page: the rows after one that an earlier page's `next` names, and how many at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: str | None = Field(default=None, min_length=1, max_length=210)
    limit: int = Field(default=100, ge=1, le=paging.MOST_ROWS)


_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.DECIMAL: {"type": ["number", "null"]},
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
    Kind.MOMENT: {"type": ["string", "null"], "format": "date-time"},
    Kind.OBJECT: {"type": ["object", "null"]},
}


def _described(table: Table) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of a page: the columns as the codebook has them."""
    columns = {
        column.name: _TYPES.get(column.kind, {"type": ["string", "null"]})
        | {"description": f"{column.meaning} ({column.type})"}
        for column in table.columns
    }
    row = {"type": "object", "required": list(columns), "properties": columns}
    page = {
        "type": "object",
        "required": ["rows", "next"],
        "properties": {
            "rows": {"type": "array", "items": row},
            "next": {"type": ["string", "null"], "description": "the address of the next page; null after the last"},
        },
    }
    return {200: {"description": table.holds, "content": {"application/json": {"schema": page}}}}


async def _reached(slug: str, caller: Reader, session: SnapshotSession) -> Place:
    study = await reachable(session, slug, caller)
    refuse_preview(study)
    return Place(study.id, slug)


Reached = Annotated[Place, Depends(_reached)]


async def _tag(request: Request, place: Reached, session: SnapshotSession) -> str:
    return tag_of_request(request, await data_versions.of_study(session, place.study_id))


Tag = Annotated[str, Depends(_tag)]


async def _page(
    request: Request, place: Reached, tag: Tag, session: SnapshotSession, asked: Asked, paged: Paged
) -> Response:
    if (same := unchanged(request, tag)) is not None:
        return same
    found = await paging.page(session, paged, place, after=asked.after, limit=asked.limit)
    following = None
    if found.next is not None:
        query = urlencode({"limit": asked.limit, "after": found.next})
        following = f"{API}/studies/{quote(place.slug)}/{paged.table.name}?{query}"
    return json_response(paging.body(found.rows, following), tag)


@router.get("/choices", response_class=Response, responses=_described(PAGED["choices"].table))
async def read_choices(
    request: Request, place: Reached, tag: Tag, session: SnapshotSession, asked: Annotated[Asked, Query()]
) -> Response:
    """Read the stored choices, a page at a time."""
    return await _page(request, place, tag, session, asked, PAGED["choices"])


@router.get("/pairs", response_class=Response, responses=_described(PAGED["pairs"].table))
async def read_pairs(
    request: Request, place: Reached, tag: Tag, session: SnapshotSession, asked: Annotated[Asked, Query()]
) -> Response:
    """Read the pairs, one row a pair and arm, a page at a time."""
    return await _page(request, place, tag, session, asked, PAGED["pairs"])


@router.get("/annotators", response_class=Response, responses=_described(PAGED["annotators"].table))
async def read_annotators(
    request: Request, place: Reached, tag: Tag, session: SnapshotSession, asked: Annotated[Asked, Query()]
) -> Response:
    """Read who consented, without personal ids, a page at a time."""
    return await _page(request, place, tag, session, asked, PAGED["annotators"])


def _file(chunks: AsyncGenerator[bytes, None], name: str, media_type: str, tag: str) -> Response:
    headers = headers_of(tag) | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Sent(chunks, media_type=media_type, headers=headers)


def _files(*media_types: str) -> dict[int | str, dict[str, Any]]:
    content = {name.partition(";")[0]: {"schema": {"type": "string"}} for name in media_types}
    return {200: {"description": "the file, in chunks: one cut short is seen as cut short", "content": content}}


@router.get("/export/bundle.zip", response_class=Response, responses=_files("application/zip"))
async def export_bundle(request: Request, place: Reached, tag: Tag, session: SnapshotSession) -> Response:
    """Stream every table, and what says how they came to be, as one zip."""
    slug = place.slug
    return unchanged(request, tag) or _file(bundle(session, slug), f"{slug}.zip", "application/zip", tag)


class Shape(BaseModel):
    """In which form the preferences are, and what makes a row of them; other tables have one shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Form = Form.TRL
    unit: Unit = Unit.CHOICE


class File(NamedTuple):
    """Which table is asked for, in which format."""

    table: Exported
    format: Format


async def _named(table: Exported, extension: Format) -> File:
    return File(table, extension)


@router.get(
    "/export/{table}.{extension}", response_class=Response, responses=_files(*(known.media_type for known in Format))
)
async def export_table(
    request: Request,
    place: Reached,
    tag: Tag,
    session: SnapshotSession,
    file: Annotated[File, Depends(_named)],
    shape: Annotated[Shape, Query()],
) -> Response:
    """Stream a whole table."""
    if (same := unchanged(request, tag)) is not None:
        return same
    known = file.format
    if file.table.value == _CODEBOOK:
        return _file(codebook_file(known), f"{_CODEBOOK}.{known}", known.media_type, tag)
    is_shaped = file.table.value == PREFERENCES.name
    table = preferences(shape.form, shape.unit) if is_shaped else RELEASED[file.table.value]
    chunks = table_file(session, table, place.slug, known)
    return _file(chunks, f"{place.slug}-{table.name}.{known}", known.media_type, tag)
