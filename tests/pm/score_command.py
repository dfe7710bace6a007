"""`candor pm score` by itself, to be run, interrupted and killed."""

import sys

import typer

from app.cli.pm_score import score
from app.errors import CandorError

if __name__ == "__main__":
    command = typer.Typer(pretty_exceptions_enable=False)
    command.command()(score)
    try:
        command()
    except CandorError as refusal:
        sys.stderr.write(f"Refused: {refusal}\n")
        sys.exit(1)
