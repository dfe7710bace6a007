"""Bringing a database's schema up to date."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app import resources
from app.errors import CandorError


class SchemaOutdated(CandorError):
    """The database's schema is not the one that this version of Candor works with."""

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"the database is at schema {found or 'none'}, and this version needs {wanted}; run `candor db upgrade`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.folder("migrations")).replace("%", "%%"))
    return config


def revisions(url: str) -> tuple[str | None, str | None]:
    """Return the schema's revision in the database, and the one that this version needs."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return found, ScriptDirectory.from_config(_config()).get_current_head()


def refuse_outdated(url: str) -> None:
    """Raise SchemaOutdated unless the schema is the one needed."""
    found, wanted = revisions(url)
    if found != wanted:
        raise SchemaOutdated(found, wanted)


def upgrade(url: str) -> tuple[str | None, str | None]:
    """Bring the schema up to date, in one transaction; return the revisions before and after."""
    before, wanted = revisions(url)
    if before == wanted:
        return before, wanted
    engine = create_engine(url)
    config = _config()
    with engine.begin() as connection:
        # Several commands may start at once: one migrates, the others wait and find nothing left to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('candor migrations'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    return before, wanted
