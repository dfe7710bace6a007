"""Alembic's entry: run by `candor db upgrade` on a connection it passes, or by the alembic command on a URL."""

from alembic import context
from sqlalchemy import Connection, create_engine

from app.models import Base
from app.settings import settings


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    url = settings().database_url
    if url is None:
        message = "the alembic command needs CANDOR_DATABASE_URL; `candor db upgrade` also serves the embedded Postgres"
        raise SystemExit(message)
    engine = create_engine(url)
    with engine.connect() as connection:
        run(connection)
        connection.commit()


main()
