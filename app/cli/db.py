"""`candor db …`: the database and its schema."""

from typing import Annotated

import typer

from app import migrating
from app.cli.output import console, print_json
from app.cli.running import cluster, database
from app.postgres import status as embedded_status
from app.postgres import stop as stop_embedded
from app.settings import settings

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def upgrade() -> None:
    """Bring the schema up to date."""
    with database() as url, console.status("Upgrading the schema"):
        before, after = migrating.upgrade(url)
    console.print(f"Schema {after}: " + ("nothing to do." if before == after else f"upgraded from {before or 'none'}."))


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say which database is used, and whether the embedded one runs."""
    if settings().database_url is not None:
        found, wanted = migrating.revisions(settings().database_url or "")
        answer: dict[str, object] = {"embedded": False, "schema": found, "schema_wanted": wanted}
    else:
        embedded = embedded_status(cluster())
        answer = {
            "embedded": True,
            "running": embedded.running,
            "pid": embedded.pid,
            "version": embedded.version,
            "data_dir": str(embedded.data_dir),
        }
    if as_json:
        print_json(answer)
        return
    for name, value in answer.items():
        console.print(f"{name.replace('_', ' ')}: {value}", markup=False)


@app.command()
def stop(
    *, force: Annotated[bool, typer.Option("--force", help="Stop it although other commands are using it.")] = False
) -> None:
    """Stop the embedded Postgres."""
    if settings().database_url is not None:
        console.print("CANDOR_DATABASE_URL is set, so there is no embedded Postgres to stop.")
        return
    console.print("Stopped." if stop_embedded(cluster(), force=force) else "It was not running.")
