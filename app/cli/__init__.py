"""The `candor` command."""

import sys

from app.cli.commands import app
from app.cli.output import errors
from app.errors import CandorError

REFUSED = 1
INTERRUPTED = 130


def main() -> None:
    """Run the command line: exit with 0 done, 1 refused with one clear line, 2 usage."""
    try:
        app()
    except CandorError as refusal:
        errors.print(f"Refused: {refusal}", markup=False)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
