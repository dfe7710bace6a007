"""The `candor` command."""

import sys
from typing import NoReturn

from psycopg import OperationalError as DriverError
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError

from app.cli.commands import app
from app.cli.output import errors
from app.errors import CandorError
from app.study.plain_faults import plain

REFUSED = 1
INTERRUPTED = 130


def _refuse(reason: str) -> NoReturn:
    errors.print(f"Refused: {reason}", markup=False)
    sys.exit(REFUSED)


def main() -> None:
    """Run the command line: exit with 0 done, 1 refused with one clear line, 2 usage."""
    try:
        app()
    except CandorError as refusal:
        _refuse(str(refusal))
    except ValidationError as wrong:
        fault = wrong.errors()[0]
        _refuse(f"CANDOR_{str(fault['loc'][0]).upper()}: {plain(fault)}; see the settings in the README")
    except (OperationalError, DriverError, ArgumentError) as failure:
        reason = str(getattr(failure, "orig", None) or failure).strip().splitlines()[0]
        _refuse(f"the database cannot be used: {reason}; check CANDOR_DATABASE_URL and that Postgres runs")
    except UnicodeEncodeError:
        _refuse_torn_argument()
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _refuse_torn_argument() -> None:
    """Refuse an argument that is not UTF-8: it can be the name of a file, but nothing in the database is called so."""
    for given in sys.argv:
        try:
            given.encode()
        except UnicodeEncodeError:
            _refuse(f"{given!r} is not UTF-8; type it again")
