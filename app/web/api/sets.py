"""The misconception sets: every version, and one with all that it holds."""

import json
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import MisconceptionSet
from app.study import progress_queries
from app.study.set_files import MisconceptionEntry, Slug
from app.study.sets import find_set, stream_entries
from app.web.api.callers import Reader
from app.web.api.conditional import document, headers_of, tag_of, unchanged
from app.web.api.documents import Sets, SetUsed, sets_document
from app.web.deps import ReadSession
from app.web.streaming import Sent

router = APIRouter(prefix="/sets")
_LARGEST = 2**31 - 1


class SetVersion(SetUsed):
    """A version with its misconceptions, as a set file has them; the hash is that of the set."""

    misconceptions: list[MisconceptionEntry]


@router.get("", response_model=Sets)
async def list_sets(request: Request, caller: Reader, session: ReadSession) -> Response:
    """List every version of every set, the newest of each first."""
    return document(request, sets_document(await progress_queries.sets(session, caller.who)))


@router.get("/{slug}/{version}", response_model=SetVersion)
async def read_set(
    request: Request,
    slug: Slug,
    version: Annotated[int, Path(ge=1, le=_LARGEST)],
    _: Reader,
    session: ReadSession,
) -> Response:
    """Read a version of a set with all of its misconceptions, in the order in which they were imported."""
    found = await find_set(session, slug, version)
    tag = tag_of(found.slug, str(found.version), found.content_hash)
    return unchanged(request, tag) or Sent(
        _written(session, found), media_type="application/json", headers=headers_of(tag)
    )


async def _written(session: AsyncSession, found: MisconceptionSet) -> AsyncGenerator[str, None]:
    """Yield the document a misconception at a time, because a set may be large."""
    head = json.dumps({name: getattr(found, name) for name in SetUsed.model_fields}, ensure_ascii=False)
    yield head.removesuffix("}") + ', "misconceptions": ['
    separator = ""
    async for entry in stream_entries(session, found.id):
        yield separator + json.dumps(entry.model_dump(), ensure_ascii=False)
        separator = ",\n"
    yield "]}"
