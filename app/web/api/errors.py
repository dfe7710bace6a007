"""The one table from errors to what programs are told, all in one shape."""

import logging
from dataclasses import dataclass
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import Error as DriverError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from app.errors import CandorError
from app.exports.paging import CursorUnknown
from app.exports.parquet_files import ParquetMissing
from app.study.amendments import CannotLower, PairUnknown, RatingsTooMany, ReasonMissing
from app.study.designs import DesignFaulty
from app.study.plain_faults import plain
from app.study.previews import PreviewKeepsNothing
from app.study.sets import SetUnknown
from app.study.studies import (
    NotAsPreregistered,
    SetTooSmall,
    SetUnlevelled,
    StudyExists,
    StudyStateWrong,
    StudyUnknown,
)
from app.web.api.callers import TokenReadsOnly, TokenWrong, TooManyWrongTokens
from app.web.fields import sentence
from app.web.problems import problem
from app.web.signed_in import FormTokenWrong, NotSignedIn

log = logging.getLogger(__name__)


class Error(BaseModel):
    """What went wrong: a code for programs, a sentence for people, and details where they help."""

    code: str
    message: str
    details: Any = None


class ErrorBody(BaseModel):
    """The body of every answer that is not what was asked for."""

    error: Error


@dataclass(frozen=True, slots=True)
class Told:
    """How a fact is told. `message` stands in for the fact's own words where those are for a command line."""

    status: int
    code: str
    message: str = ""
    challenge: str = ""


_BEARER = 'Bearer realm="candor"'
_TOLD: dict[type[CandorError], Told] = {
    NotSignedIn: Told(401, "not_signed_in", "Send an API token, as Authorization: Bearer candor_….", _BEARER),
    TokenWrong: Told(401, "token_wrong", challenge=f'{_BEARER}, error="invalid_token"'),
    TokenReadsOnly: Told(403, "token_reads_only", challenge=f'{_BEARER}, error="insufficient_scope"'),
    FormTokenWrong: Told(
        403, "form_token_wrong", "With a session, send the form token of its pages in X-Form-Token; nothing was done."
    ),
    TooManyWrongTokens: Told(429, "too_many_wrong_tokens"),
    StudyUnknown: Told(404, "study_unknown", "There is no such study, or it is not yours."),
    SetUnknown: Told(404, "set_unknown", "There is no such version of a set."),
    PairUnknown: Told(404, "pair_unknown"),
    CursorUnknown: Told(400, "cursor_unknown"),
    ParquetMissing: Told(404, "format_missing", "Parquet cannot be written here: pyarrow is not installed."),
    StudyStateWrong: Told(409, "state_wrong"),
    StudyExists: Told(409, "study_exists"),
    PreviewKeepsNothing: Told(409, "preview"),
    NotAsPreregistered: Told(409, "not_as_preregistered"),
    SetUnlevelled: Told(409, "set_unlevelled"),
    SetTooSmall: Told(409, "set_too_small"),
    CannotLower: Told(409, "ratings_not_more"),
    RatingsTooMany: Told(409, "ratings_too_many"),
    ReasonMissing: Told(422, "reason_missing"),
    DesignFaulty: Told(422, "design_faulty"),
}
_CODES = {400: "not_understood", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_MESSAGES = {404: "There is nothing at this address.", 405: "This address does not take this method."}


async def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, CandorError)
    told = next((found for kind in type(error).__mro__ if (found := _TOLD.get(kind)) is not None), None)
    if told is None:
        log.error("no code for %s at %s", type(error).__name__, request.url.path)
        told = Told(400, "refused")
    headers = {"WWW-Authenticate": told.challenge} if told.challenge else {}
    if isinstance(error, TooManyWrongTokens):
        headers["Retry-After"] = str(max(1, ceil(error.wait.total_seconds())))
    details = [{"at": fault.at, "said": fault.said} for fault in getattr(error, "found", ())] or None
    return problem(told.status, told.code, told.message or f"{sentence(error)}.", details, headers)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    message = _MESSAGES.get(status, "This could not be understood.")
    return problem(status, _CODES.get(status, "refused"), message, headers=error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    """Say what is wrong and where, and nothing of what was sent."""
    assert isinstance(error, RequestValidationError)
    details = [{"at": fault["loc"], "said": plain(fault)} for fault in error.errors()]
    return problem(422, "not_valid", "What was sent is not as the API's description has it.", details)


async def _unreachable(request: Request, error: Exception) -> Response:
    log.error("the database failed at %s", request.url.path, exc_info=error)
    return problem(503, "unavailable", "The database could not be reached; try again later.")


async def _failed(request: Request, error: Exception) -> Response:
    log.error("failed at %s", request.url.path, exc_info=error)
    return problem(500, "failed", "Something failed on our side.")


def install(api: FastAPI) -> None:
    """Make the API answer every error in one shape."""
    api.add_exception_handler(CandorError, _domain)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _invalid)
    for failure in (DBAPIError, DriverError, PoolTimeout):
        api.add_exception_handler(failure, _unreachable)
    api.add_exception_handler(Exception, _failed)
