"""The protocol's terms that are stored as words."""

from enum import StrEnum


class ResponseKind(StrEnum):
    """What a response was written to be."""

    BASELINE_TRUTHFUL = "baseline_truthful"
    HELPFUL_TRUTHFUL = "helpful_truthful"
    SYCOPHANTIC = "sycophantic"


class TruthfulKind(StrEnum):
    """Which truthful response an arm shows beside the sycophantic one."""

    HELPFUL = "helpful"
    BASELINE = "baseline"

    @property
    def response(self) -> ResponseKind:
        """The kind of response that this arm shows."""
        return ResponseKind(f"{self.value}_truthful")


class Instructions(StrEnum):
    """What an arm's annotators are told to prefer."""

    NEUTRAL = "neutral"
    PREFER_TRUTH = "prefer_truth"


class Side(StrEnum):
    """Where a response is shown: left or first, right or second."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Answer(StrEnum):
    """What can be answered to a pair: a side, or no preference where the study allows a tie."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"


class StudyState(StrEnum):
    """A study's life: draft, then live and paused as often as needed, then closed."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    CLOSED = "closed"


class Purpose(StrEnum):
    """What a study is for: its results, a rehearsal with people, or a look at its pages. Only the first counts."""

    STUDY = "study"
    PILOT = "pilot"
    PREVIEW = "preview"


class SlotState(StrEnum):
    """A slot is open, held by a person until their hold ends, or filled by a counted choice."""

    OPEN = "open"
    HELD = "held"
    FILLED = "filled"


class Stage(StrEnum):
    """How far a person has come. Each stage is named after the page that the person sees next."""

    CONSENT = "consent"
    BACKGROUND = "background"
    INSTRUCTIONS = "instructions"
    COMPREHENSION = "comprehension"
    PRACTICE = "practice"
    JUDGING = "judging"
    LOOKED_UP = "looked_up"
    DEBRIEF = "debrief"
    COMPLETE = "complete"


class Outcome(StrEnum):
    """How a person's way ended; each has its own completion code, or none."""

    COMPLETE = "complete"
    FAILED_CHECKS = "failed_checks"
    SCREENED_OUT = "screened_out"
    STOPPED = "stopped"
    RETURNED = "returned"


class CheckKind(StrEnum):
    """What a check is for: that the instructions were understood, or that somebody is reading."""

    COMPREHENSION = "comprehension"
    ATTENTION = "attention"


class Platform(StrEnum):
    """Who sends the annotators: anyone with the link, a list of ids, or Prolific."""

    OPEN = "open"
    GENERIC = "generic"
    PROLIFIC = "prolific"


class SubmissionStatus(StrEnum):
    """What a platform says of a person's submission, in the order of its way."""

    RESERVED = "reserved"
    ACTIVE = "active"
    TIMED_OUT = "timed_out"
    RETURNED = "returned"
    AWAITING_REVIEW = "awaiting_review"
    SCREENED_OUT = "screened_out"
    REJECTED = "rejected"
    PARTIALLY_APPROVED = "partially_approved"
    APPROVED = "approved"


class Role(StrEnum):
    """What an account may do."""

    ADMIN = "admin"
    RESEARCHER = "researcher"


class TokenScope(StrEnum):
    """What a program may do with an API token, always under the account's own rights."""

    READ = "read"
    CONTROL = "control"


class Scorer(StrEnum):
    """What a preference model gives: a score of each response, a comparison of both, or the labels themselves."""

    REWARD = "reward"
    JUDGE = "judge"
    ORACLE = "oracle"


class RunState(StrEnum):
    """How far a scoring run is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JudgedOrder(StrEnum):
    """Which response of a pair a judge reads first."""

    TRUTHFUL_FIRST = "truthful_first"
    SYCOPHANTIC_FIRST = "sycophantic_first"


class GradingKind(StrEnum):
    """Where a grading comes from: a model on this machine, a model behind an endpoint, or people."""

    MODEL = "model"
    ENDPOINT = "endpoint"
    RATINGS = "ratings"
