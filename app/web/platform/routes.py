"""Prolific's webhook. Answers are plain text: a program reads them."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.datastructures import Headers

from app.study import deliveries, platforms, prolific
from app.web.addresses import PROLIFIC_WEBHOOK
from app.web.deps import AppSettings, WriteSession

router = APIRouter()

SIGNATURE = "X-Prolific-Request-Signature"
TIMESTAMP = "X-Prolific-Request-Timestamp"
HAPPENED = "X-Timestamp"
_FURTHEST = timedelta(minutes=5)


@router.post(PROLIFIC_WEBHOOK)
async def take_message(request: Request, session: WriteSession, settings: AppSettings) -> Response:
    """Take a signed message about a submission, once."""
    secret = settings.prolific_webhook_secret.get_secret_value()
    if not secret:
        return PlainTextResponse("There is no such page.", 404)
    body = await request.body()
    refusal = _refusal(secret, request.headers, body)
    if refusal:
        return PlainTextResponse(refusal, 401)
    try:
        report = prolific.read_message(body, _told_at(request.headers))
    except prolific.MessageFaulty as fault:
        return PlainTextResponse(f"This cannot be understood: {fault}.", 400)
    if not await deliveries.is_first(session, request.headers[SIGNATURE]):
        return PlainTextResponse("This was taken before.")
    if report is None:
        return PlainTextResponse("Ignored: nothing here depends on it.")
    await platforms.note_status(session, report)
    return PlainTextResponse("Taken.")


def _refusal(secret: str, headers: Headers, body: bytes) -> str:
    """Return why a message is not trusted, empty if it is."""
    timestamp = headers.get(TIMESTAMP, "")
    if not prolific.is_signed(secret, timestamp, body, headers.get(SIGNATURE, "")):
        return "The signature is not ours."
    sent = prolific.moment(timestamp)
    if sent is None or abs(datetime.now(UTC) - sent) > _FURTHEST:
        return "The timestamp is more than five minutes away."
    return ""


def _told_at(headers: Headers) -> datetime:
    """Return when the status held: when the event was first sent, for a message that is sent again is signed anew.

    That header is not signed, so it can only make a message older than its signature says, never newer.
    """
    sent = prolific.moment(headers[TIMESTAMP])
    assert sent is not None
    return min(sent, prolific.moment(headers.get(HAPPENED, "")) or sent)
