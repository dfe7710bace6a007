"""`candor study preregister`: what a study will test, written down before it opens."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.export import whole_file
from app.cli.output import errors
from app.cli.running import run_in_transaction
from app.models import Preregistration
from app.study import preregistrations
from app.study.preregistration_markdown import markdown
from app.study.studies import get_study


def preregister(
    slug: Annotated[str, typer.Argument(help="The study's slug.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if not.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of Markdown.")] = False,
) -> None:
    """Preregister a draft, which cannot be changed from then on; or write an earlier preregistration once more."""

    async def work(session: AsyncSession) -> tuple[Preregistration, bool]:
        earlier = await preregistrations.find(session, (await get_study(session, slug)).id)
        if earlier is not None:
            return earlier, False
        return await preregistrations.preregister(session, slug), True

    written, new = run_in_transaction(work)
    said = "Preregistered" if new else f"Preregistered already, at {written.made_at.isoformat()}:"
    errors.print(f"{said} {slug}, hash {written.document_hash}", markup=False)
    content = preregistrations.json_of(written) if as_json else markdown(written.document, written.document_hash)
    if output is None:
        sys.stdout.write(content)
        return
    with whole_file(output) as file:
        file.write(content.encode())
    errors.print(f"Wrote {output}", markup=False)
