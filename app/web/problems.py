"""The one shape in which programs are told what went wrong."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from app.web.addresses import API


def problem(
    status: int, code: str, message: str, details: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error: a code that programs can rely on, a sentence for people, and what exactly, where it helps."""
    said = {"code": code, "message": message} | ({} if details is None else {"details": details})
    # Escaped, because half a character may have been sent, which could not be sent back as it is.
    content = json.dumps({"error": said})
    return Response(content, status, None if headers is None else dict(headers), "application/json")


def is_for_programs(path: str) -> bool:
    """Say whether an address is one of the API's."""
    return path == API or path.startswith(f"{API}/")
