"""Stylesheets, scripts and pictures."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app import resources

_FOR_EVER = "public, max-age=31536000, immutable"


class Static(StaticFiles):
    """The folder `static`. An address with its content's hash may be kept for ever."""

    def __init__(self) -> None:
        super().__init__(directory=resources.folder("static"))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, cacheable if its address names its content."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v=") and response.status_code in {200, 304}:
            response.headers["Cache-Control"] = _FOR_EVER
        return response
