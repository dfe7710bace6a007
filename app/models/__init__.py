"""Every table of Candor, in one place so that migrations see them all."""

from app.models.accounts import (
    Account,
    ApiToken,
    Invitation,
    LoginAttempt,
    LoginLink,
    LoginSession,
    PasswordReset,
)
from app.models.base import Base
from app.models.gradings import Grading, GradingValue
from app.models.model_fits import StoredFit
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
from app.models.result_links import ResultLink
from app.models.scoring import PairScore, ResponseScore, ScoringRun
from app.models.set_uploads import SetCheck, SetUpload
from app.models.sets import Misconception, MisconceptionSet, Response
from app.models.studies import Amendment, Arm, ArmVacancy, Pair, Preregistration, RetiredPair, Slot, Study, Vacancy

__all__ = [
    "Account",
    "Amendment",
    "ApiToken",
    "Arm",
    "ArmVacancy",
    "Assignment",
    "Base",
    "CheckAnswer",
    "Choice",
    "Claim",
    "Event",
    "Grading",
    "GradingValue",
    "Invitation",
    "LoginAttempt",
    "LoginLink",
    "LoginSession",
    "Misconception",
    "MisconceptionSet",
    "Pair",
    "PairScore",
    "Participation",
    "PasswordReset",
    "PlatformIdentity",
    "Preregistration",
    "Response",
    "ResponseScore",
    "ResultLink",
    "RetiredPair",
    "ScoringRun",
    "SetCheck",
    "SetUpload",
    "Slot",
    "StoredFit",
    "Study",
    "Vacancy",
    "WebhookDelivery",
]
