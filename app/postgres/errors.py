"""Why the embedded server cannot be had."""

from app.errors import CandorError


class PostgresUnavailable(CandorError):
    """The embedded server does not run and cannot be started, or does not answer."""


class PostgresBinariesMissing(PostgresUnavailable):
    """There is no PostgreSQL to run."""


class PostgresVersionMismatch(PostgresUnavailable):
    """The data were made by another major version of PostgreSQL."""


class PostgresInUse(PostgresUnavailable):
    """The server was asked to stop while others use it."""


def to_report(error: Exception) -> str:
    """Write an error for the process that started the supervisor."""
    return f"{type(error).__name__}\n{error}"


def from_report(report: str) -> PostgresUnavailable:
    """Return the error that a supervisor reported."""
    name, _, message = report.partition("\n")
    facts: list[type[PostgresUnavailable]] = [PostgresUnavailable, *PostgresUnavailable.__subclasses__()]
    known = {fact.__name__: fact for fact in facts}
    return known[name](message) if name in known else PostgresUnavailable(report.strip())
