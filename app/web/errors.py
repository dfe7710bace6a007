"""The one table from domain errors to status and page, and the pages for what went wrong elsewhere."""

import logging
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from psycopg import Error as DriverError
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from app.errors import CandorError
from app.study.accounts import (
    AccountActive,
    AccountDisabled,
    AccountUnknown,
    EmailTaken,
    LastActiveAdmin,
)
from app.study.api_tokens import TokenUnknown
from app.study.copies import CopyOfCopy
from app.study.entering import (
    LinkIncomplete,
    LinkNotOurs,
    NoPlaceNow,
    PeopleNotWanted,
    StudyFull,
    StudyNotOpen,
    TurnedAway,
)
from app.study.invitations import InvitationUnknown, InvitationUsedOrExpired
from app.study.login_links import LinkUsedOrExpired
from app.study.password_changes import ResetUsedOrExpired
from app.study.preregistrations import AlreadyPreregistered, NotPreregistered
from app.study.previews import PreviewKeepsNothing
from app.study.set_browsing import MisconceptionUnknown
from app.study.set_edits import EditOutdated
from app.study.set_uploads import UploadUnknown
from app.study.sets import SetUnknown
from app.study.studies import (
    NotAsPreregistered,
    SetTooSmall,
    SetUnlevelled,
    StudyExists,
    StudyPreregistered,
    StudyStateWrong,
    StudyUnknown,
)
from app.web.fields import FieldFaulty, sentence
from app.web.pages import Link, Notice, render
from app.web.problems import is_for_programs, problem
from app.web.signed_in import FormTokenWrong, NotForThisRole, NotSignedIn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """How an error is shown."""

    status: int
    title: str
    paragraphs: tuple[str, ...]
    links: tuple[Link, ...] = ()

    def response(self, contact: str = "") -> Response:
        """Return the page; `contact` is whom the person may ask."""
        ask = (f"Questions? Contact {contact}.",) if contact else ()
        return render(Notice(title=self.title, paragraphs=self.paragraphs + ask, links=self.links), self.status)


class NotInStudy(CandorError):
    """The browser shows no pass for this study: its cookie is missing, or not ours."""


def _not_open(error: StudyNotOpen) -> Shown:
    if error.state == "paused":
        again = "If you were sent here by a platform, your place is not used up. Please try the same link again later."
        return Shown(503, "This study is paused", ("It takes nobody at the moment.", again))
    return Shown(410, "This study has ended", ("It takes no more answers. Thank you for your interest.",))


_TRY_AGAIN = "You have not started, so nothing is lost. Try the same link again in a few minutes, or return your place."
_SETS = (Link(text="Sets", href="/admin/sets"),)
_ACCOUNTS = (Link(text="Accounts", href="/admin/accounts"),)
_SHOWN: dict[type[CandorError], Shown] = {
    StudyUnknown: Shown(
        404, "We do not know this study", ("Check that the link is complete, or ask whoever sent it to you.",)
    ),
    LinkIncomplete: Shown(
        400,
        "This link is incomplete",
        ("It should end with your id. Open the whole link as you were given it, or ask whoever sent it to you.",),
    ),
    LinkNotOurs: Shown(
        403,
        "This link is not complete",
        ("The study takes people by the links that it gave out. Open the whole link again, or ask whoever sent it.",),
    ),
    NoPlaceNow: Shown(503, "There is no place right now", ("Other people hold the places left.", _TRY_AGAIN)),
    StudyFull: Shown(
        410,
        "This study is complete",
        ("Enough people have taken part, so there is nothing left to judge. Thank you for your interest.",),
    ),
    PeopleNotWanted: Shown(
        403,
        "This study is an example",
        ("Programs filled it to show what a full study looks like. It takes no people.",),
    ),
    NotInStudy: Shown(
        403,
        "We could not find your place",
        (
            "Open the link that you were sent once more. You go on where you were; nothing you sent is lost.",
            "If you see this page again, allow cookies for this site: one cookie keeps your place.",
        ),
    ),
    StudyPreregistered: Shown(
        409,
        "This study is preregistered",
        ("What was written down says what it is, so its draft cannot be changed. Clone it to make another.",),
        (Link(text="Studies", href="/studies"),),
    ),
    AlreadyPreregistered: Shown(
        409,
        "This study is preregistered already",
        ("What was written down stays as it is.",),
        (Link(text="Studies", href="/studies"),),
    ),
    NotAsPreregistered: Shown(
        409,
        "This study is not as it was preregistered",
        ("Its design was changed afterwards, so it was not opened. Clone it, and preregister the clone.",),
        (Link(text="Studies", href="/studies"),),
    ),
    NotPreregistered: Shown(
        404,
        "This study has no preregistration",
        ("One can be made while the study is a draft, on its page.",),
        (Link(text="Studies", href="/studies"),),
    ),
    FieldFaulty: Shown(400, "This could not be done", ("Go back, mend what was chosen and send it again.",)),
    FormTokenWrong: Shown(
        403, "This page was out of date", ("Nothing was done. Go back, reload the page and send it again.",)
    ),
    NotForThisRole: Shown(
        403, "This page is for admins", ("Ask an admin for what you need.",), (Link(text="Studies", href="/studies"),)
    ),
    InvitationUsedOrExpired: Shown(
        410,
        "This invitation is no longer open",
        ("It was used or withdrawn, or it has expired. Ask whoever invited you for a new one.",),
        (Link(text="Sign in with a password", href="/login"),),
    ),
    EmailTaken: Shown(
        409,
        "There is an account for you already",
        ("Sign in with its password. If you do not know it, ask an admin for a link to set a new one.",),
        (Link(text="Sign in with a password", href="/login"),),
    ),
    ResetUsedOrExpired: Shown(
        410,
        "This link no longer sets a password",
        ("It was used before, or it has expired. Each link works once. Ask an admin for a new one.",),
        (Link(text="Sign in with a password", href="/login"),),
    ),
    AccountUnknown: Shown(404, "There is no such account", ("Check the address, or go back to the list.",), _ACCOUNTS),
    AccountDisabled: Shown(
        409, "This account is disabled", ("Nothing was done. Enable the account first.",), _ACCOUNTS
    ),
    AccountActive: Shown(409, "This account is active", ("It was enabled already; nothing was done.",), _ACCOUNTS),
    LastActiveAdmin: Shown(
        409,
        "This is the last active admin",
        ("Nothing was done: nobody could look after the accounts. Make somebody else an admin first.",),
        _ACCOUNTS,
    ),
    InvitationUnknown: Shown(
        404, "There is no such invitation", ("It was accepted or withdrawn meanwhile.",), _ACCOUNTS
    ),
    SetUnknown: Shown(404, "There is no such set", ("Check its name and version, or go back to the list.",), _SETS),
    MisconceptionUnknown: Shown(
        404, "There is no such misconception", ("This version of the set has none with this key.",), _SETS
    ),
    UploadUnknown: Shown(
        404,
        "This file is no longer waiting",
        ("It was stored or thrown away, or its day is over. Send it again.",),
        _SETS,
    ),
    EditOutdated: Shown(
        409,
        "There is a newer version",
        ("Nothing was stored: a version made from this one would undo the newer one. Edit the newest.",),
        _SETS,
    ),
    TokenUnknown: Shown(
        404,
        "There is no such token",
        ("It was revoked meanwhile, or it is not yours.",),
        (Link(text="Your account", href="/account"),),
    ),
    LinkUsedOrExpired: Shown(
        410,
        "This link no longer signs you in",
        ("It was used before, or it has expired. Each link works once. Ask for a new one.",),
        (Link(text="Sign in with a password", href="/login"),),
    ),
}

# What is wrong with a study, in words that say how to mend it.
_SAYS_IT_ALL = (StudyStateWrong, StudyExists, SetUnlevelled, SetTooSmall, PreviewKeepsNothing, CopyOfCopy)


def _not_signed_in(request: Request) -> Response:
    """Lead to the login, but keep what a form brought: the page that answers it sends it again when it is reloaded."""
    if request.method == "POST":
        return _NOT_SIGNED_IN.response()
    back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
    return RedirectResponse(f"/login{back}", 303)


_NOT_SIGNED_IN = Shown(
    401,
    "You are no longer signed in",
    (
        "Nothing was stored, but what you typed is not lost yet. Keep this page open.",
        "Sign in in another tab, then reload this page: your browser sends the form again.",
    ),
    (Link(text="Sign in in another tab", href="/login", apart=True),),
)


async def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, CandorError)
    if isinstance(error, NotSignedIn):
        return _not_signed_in(request)
    if isinstance(error, StudyNotOpen):
        return _not_open(error).response(error.contact)
    if isinstance(error, _SAYS_IT_ALL):
        study = Link(text="Back to the study", href=f"/studies/{quote(request.path_params.get('slug', ''))}")
        said = (f"{sentence(error)}.", "Nothing was changed.")
        return Shown(409, "This could not be done", said, (study,)).response()
    shown = next((found for kind in type(error).__mro__ if (found := _SHOWN.get(kind)) is not None), None)
    if shown is None:
        log.error("no page for %s at %s", type(error).__name__, request.url.path)
        return Shown(400, "This could not be done", (str(error),)).response()
    return shown.response(error.contact if isinstance(error, TurnedAway) else "")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_for_programs(request.scope["path"]):  # A mount takes no address that holds a line break.
        return problem(error.status_code, "not_found", "There is nothing at this address.", headers=error.headers)
    if 300 <= error.status_code < 400:
        return RedirectResponse((error.headers or {})["Location"], error.status_code)
    if error.status_code == 404:
        return Shown(404, "There is no such page", ("Check the address, or go back.",)).response()
    return Shown(error.status_code, "This could not be done", ("Go back and try again.",)).response()


async def _invalid(_request: Request, _error: Exception) -> Response:
    return Shown(400, "This could not be understood", ("Go back, reload the page and try again.",)).response()


async def _unreachable(request: Request, error: Exception) -> Response:
    log.error("the database failed at %s", request.url.path, exc_info=error)
    if request.method == "POST":
        text = "We could not save what you sent. Nothing before it is lost: go back and press the button again."
    else:
        text = "We could not load this page. Nothing is lost: wait a moment and reload it."
    return Shown(503, "Something failed on our side", (text,)).response()


async def _failed(request: Request, error: Exception) -> Response:
    return await _unreachable(request, error)


def install(app: FastAPI) -> None:
    """Make an application answer errors with pages."""
    app.add_exception_handler(CandorError, _domain)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for failure in (DBAPIError, DriverError, PoolTimeout):
        app.add_exception_handler(failure, _unreachable)
    app.add_exception_handler(Exception, _failed)
