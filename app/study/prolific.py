"""What Prolific says, in this project's terms: its words for a status, its signed messages.

Written from https://docs.prolific.com/api-reference/webhooks (receiving, verifying, handling event order).
"""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime

from app.errors import CandorError
from app.study.platforms import Report
from app.study.tokens import same
from app.terms import Platform, SubmissionStatus

STATUS_CHANGE = "submission.status.change"

_ID = re.compile(r"[!-~]{1,200}")
_SECONDS = re.compile(r"[0-9]{1,11}")


class MessageFaulty(CandorError):
    """A signed message cannot be understood."""


def status_of(word: object) -> SubmissionStatus | None:
    """Return what a status of Prolific's means (`AWAITING REVIEW`, `TIMED-OUT`), None where it is not one we know."""
    name = re.sub(r"[ -]", "_", word.lower()) if isinstance(word, str) else ""
    return SubmissionStatus(name) if name in set(SubmissionStatus) else None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature that Prolific puts on a message: over the time of sending and the body as it was sent."""
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed(secret: str, timestamp: str, body: bytes, given: str) -> bool:
    """Say whether a message was signed with the secret."""
    return same(given, signature(secret, timestamp, body))


def moment(seconds: str) -> datetime | None:
    """Return the moment of a UNIX timestamp in seconds, None where it is none."""
    return datetime.fromtimestamp(int(seconds), UTC) if _SECONDS.fullmatch(seconds) else None


def report_of(submission: object, person: object, status: object, at: datetime) -> Report | None:
    """Return what Prolific says of a submission, None where its status is not one we know.

    Raises
    ------
    MessageFaulty
        When it does not say which submission, or of whom.
    """
    for name, given in (("submission", submission), ("participant", person)):
        if not isinstance(given, str) or not _ID.fullmatch(given):
            raise MessageFaulty(f"the id of the {name} is missing or is none")
    known = status_of(status)
    if known is None:
        return None
    return Report(Platform.PROLIFIC, str(submission), known, at, str(person))


def read_message(body: bytes, at: datetime) -> Report | None:
    """Return what a signed message reports, None where it is of another kind than a submission's status.

    Raises
    ------
    MessageFaulty
        When it is not what Prolific documents.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise MessageFaulty("the body is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("event_type"), str):
        raise MessageFaulty("the body names no event_type")
    if message["event_type"] != STATUS_CHANGE:
        return None
    return report_of(message.get("resource_id"), message.get("participant_id"), message.get("status"), at)
