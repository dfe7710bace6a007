"""The API's own application: mounted beside the pages, so that its errors and its OpenAPI document are its alone."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.datastructures import State

from app.web.addresses import API
from app.web.api import control, errors, reading, sets, tables
from app.web.api.callers import DECLARED

_ABOUT = """
Reads studies, their tables and sets, and controls studies. Every answer that is not what was asked for has the form
`{"error": {"code", "message", "details"?}}`. Reads carry an `ETag`; send it as `If-None-Match` to be told 304 while
nothing has changed.
"""


def create_api(state: State) -> FastAPI:
    """Return the application that answers under `/api`; it shares the settings and the database of the pages."""
    api = FastAPI(
        title="Candor",
        version=version("candor"),
        description=_ABOUT.strip(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        servers=[{"url": API}],
        root_path_in_servers=False,
        redirect_slashes=False,
        responses={
            "4XX": {"model": errors.ErrorBody, "description": "refused"},
            "5XX": {"model": errors.ErrorBody, "description": "failed on our side"},
        },
    )
    api.state = state
    errors.install(api)
    for router in (reading.router, tables.router, control.router, sets.router):
        api.include_router(router, dependencies=DECLARED)
    return api
