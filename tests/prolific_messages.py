"""What Prolific sends and answers, WRITTEN FROM ITS DOCUMENTATION, not recorded from Prolific itself.

Sources, read 2026-11: https://docs.prolific.com/api-reference/webhooks/receiving (body), /webhooks/verifying (headers
and signature), /webhooks/handling-event-order-with-x-timestamp, /webhooks/idempotency-and-the-x-event-id-header,
https://docs.prolific.com/api-reference/submissions/submission-object (statuses), /submissions/get-submissions (list).
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

SECRET = "a secret that Prolific made"
STATUSES = (
    "RESERVED",
    "ACTIVE",
    "TIMED-OUT",
    "AWAITING REVIEW",
    "APPROVED",
    "PARTIALLY APPROVED",
    "RETURNED",
    "REJECTED",
    "SCREENED OUT",
)

# Ids look like this at Prolific: 24 hexadecimal digits.
STUDY = "64b0f3a1c2d4e5f60718293a"
SESSION = "64b0f3a1c2d4e5f607182aaa"
PERSON = "5f0e1d2c3b4a59687786bbbb"


def link(person: str = PERSON, study: str = STUDY, session: str = SESSION) -> str:
    """The end of a study's address as Prolific fills it in."""
    return urlencode({"PROLIFIC_PID": person, "STUDY_ID": study, "SESSION_ID": session})


def status_change(status: str, session: str = SESSION, person: str = PERSON) -> bytes:
    return json.dumps(
        {
            "resource_id": session,
            "event_type": "submission.status.change",
            "participant_id": person,
            "status": status,
        }
    ).encode()


def study_change() -> bytes:
    return json.dumps(
        {"resource_id": STUDY, "event_type": "study.status.change", "metadata": {}, "status": "ACTIVE"}
    ).encode()


def signature(timestamp: str, body: bytes, secret: str = SECRET) -> str:
    """The example of the documentation's page on verifying, in its own words."""
    encoded_secret = secret.encode()
    calculated_signature = base64.b64encode(
        hmac.new(encoded_secret, str.encode(timestamp + body.decode("latin-1"), "latin-1"), hashlib.sha256).digest()
    )
    return calculated_signature.decode()


def signed(body: bytes, at: float | None = None, secret: str = SECRET, **more: str) -> dict[str, str]:
    """The headers of a message."""
    timestamp = str(int(time.time() if at is None else at))
    return {
        "Content-Type": "application/json",
        "X-Event-ID": hashlib.md5(body).hexdigest(),
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Prolific-Request-Signature": signature(timestamp, body, secret),
        **more,
    }


def submission(number: int, status: str, person: str = "") -> dict[str, Any]:
    """One entry of the list of submissions."""
    return {
        "id": f"session-{number}",
        "participant_id": person or f"person-{number}",
        "status": status,
        "started_at": "2026-11-21T10:00:00.000000Z",
        "completed_at": None,
        "has_siblings": False,
        "study_code": None,
        "return_requested": None,
    }
