"""Every table of Candor, in one place so that migrations see them all."""

from app.models.accounts import Account, LoginAttempt, LoginLink, LoginSession
from app.models.base import Base
from app.models.participations import (
    Assignment,
    CheckAnswer,
    Choice,
    Claim,
    Event,
    Participation,
    PlatformIdentity,
    WebhookDelivery,
)
from app.models.sets import Misconception, MisconceptionSet, Response
from app.models.studies import Arm, Pair, Slot, Study, Vacancy

__all__ = [
    "Account",
    "Arm",
    "Assignment",
    "Base",
    "CheckAnswer",
    "Choice",
    "Claim",
    "Event",
    "LoginAttempt",
    "LoginLink",
    "LoginSession",
    "Misconception",
    "MisconceptionSet",
    "Pair",
    "Participation",
    "PlatformIdentity",
    "Response",
    "Slot",
    "Study",
    "Vacancy",
    "WebhookDelivery",
]
