"""The web application."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.db import Database
from app.errors import CandorError
from app.settings import Settings
from app.study.known import KnownStudies
from app.study.together import Together
from app.web import errors, security, start, static
from app.web.account import routes as account
from app.web.addresses import API
from app.web.admin import routes as admin
from app.web.annotator import judging
from app.web.annotator import routes as annotator
from app.web.api.application import create_api
from app.web.login import routes as login
from app.web.platform import routes as platform
from app.web.researcher import routes as researcher


class NoDatabase(CandorError):
    """The application was started without a database; `candor serve` starts an embedded one."""


def create_app(given: Settings) -> FastAPI:
    """Return the application for these settings; `database_url` must be set."""
    app = FastAPI(
        title="Candor", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan, routes=[*judging.ROUTES]
    )
    furnish(app, given)
    app.add_middleware(security.RefuseForeignPosts)
    app.add_middleware(security.SecurityHeaders)
    errors.install(app)
    for router in (
        start.router,
        annotator.router,
        login.router,
        researcher.router,
        admin.router,
        account.router,
        platform.router,
    ):
        app.include_router(router)
    app.mount(API, create_api(app.state))
    app.mount("/static", static.Static())
    return app


def furnish(app: FastAPI, given: Settings) -> None:
    """Put into the application what its handlers are given. Between two lives of it, they may be given something else.

    Raises
    ------
    NoDatabase
        When the settings name none.
    """
    if given.database_url is None:
        raise NoDatabase("set CANDOR_DATABASE_URL, or start the server with `candor serve`, which brings its own")
    app.state.settings = given
    app.state.database = Database(given.database_url, given.pool_size)
    app.state.together = Together(app.state.database.fetch)
    app.state.known_studies = KnownStudies()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    database: Database = app.state.database
    await database.open()
    yield
    await database.close()


def from_environment() -> FastAPI:
    """Return the application for the settings of the environment: what server processes import.

    What is there by then stays as long as the process. The collector is told so; else it looks through all of it, for a
    seventh of a second at a time, whenever some thousand judgements have left their garbage, and all who judge wait.
    """
    app = create_app(Settings())
    gc.collect()
    gc.freeze()
    return app
