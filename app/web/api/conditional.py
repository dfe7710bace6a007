"""Conditional reads: each answer carries a weak ETag, and who has that one already gets 304 and nothing else.

A small document's tag is of its bytes. That of a table is of the version of its study's data and of what was asked, so
that an unchanged table is neither read nor sent again.
"""

import hashlib

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

_KEPT = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def tag_of(*parts: str | bytes) -> str:
    """Return the tag of what these parts say."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\x00")
    return f'W/"{digest.hexdigest()[:32]}"'


def tag_of_request(request: Request, version: str) -> str:
    """Return the tag of what an address gives of a version of the data."""
    return tag_of(version, request.url.path, request.scope["query_string"])


def unchanged(request: Request, tag: str) -> Response | None:
    """Return 304 where the client says that it has this very version."""
    given = [known.strip() for known in request.headers.get("if-none-match", "").split(",")]
    weak = {known if known.startswith("W/") else f"W/{known}" for known in given}
    return Response(status_code=304, headers=headers_of(tag)) if tag in weak or "*" in given else None


def headers_of(tag: str) -> dict[str, str]:
    """Return the headers of an answer that may be kept and asked about again."""
    return {"ETag": tag, **_KEPT}


def json_response(content: bytes, tag: str) -> Response:
    """Return JSON with its tag."""
    return Response(content, media_type="application/json", headers=headers_of(tag))


def document(request: Request, said: BaseModel) -> Response:
    """Return a small document with the tag of its bytes, or 304."""
    content = said.model_dump_json().encode()
    tag = tag_of(content)
    return unchanged(request, tag) or json_response(content, tag)
