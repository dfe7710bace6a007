"""What a scoring run says of itself and of each score, checked field by field, before any of it is stored."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from app.errors import CandorError
from app.study.plain_faults import plain
from app.terms import JudgedOrder, ResponseKind, Scorer, TruthfulKind

_OVER_ONE = 1e-6
_MOST_TOKENS = 2**31 - 1

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# Nothing was computed before or will be after; and near the ends of the calendar another time zone has no such moment.
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]
Count = Annotated[int, Field(ge=0, le=_MOST_TOKENS)]


def _probability(value: Any) -> Any:
    """Take what rounding put a little above one for one."""
    return 1.0 if isinstance(value, float) and 1.0 < value <= 1.0 + _OVER_ONE else value


Probability = Annotated[float, BeforeValidator(_probability), Field(ge=0, le=1)]


class RecordFaulty(CandorError):
    """A run record lacks something or is not of its form; says which field."""


class Variant(BaseModel):
    """What stood in front of each dialog, by name; `hash` is the SHA-256 of the canonical JSON of its turns."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    hash: Hash
    turns: list[dict[str, Any]]


class RunRecord(BaseModel):
    """What must be known of a run to store it. All else that its record holds is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]
    scorer: Scorer
    model: Name
    model_revision: Name | None = None
    variants: list[Variant] = Field(min_length=1, max_length=100)
    random_weights: bool
    noise_floor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    started_at: Moment | None = None
    finished_at: Moment | None = None

    @field_validator("variants", mode="after")
    @classmethod
    def _named_apart(cls, variants: list[Variant]) -> list[Variant]:
        if len({variant.name for variant in variants}) < len(variants):
            raise ValueError("two variants have the same name")
        return variants


class _Row(BaseModel):
    """What every row says. Rows name texts by their hashes, so that a score cannot be taken for another text's."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    key: Name
    variant: Name
    prompt_hash: Hash
    n_tokens: Count
    truncated: bool


class ResponseRow(_Row):
    """A score of one response."""

    kind: Annotated[ResponseKind, Field(strict=False)]
    text_hash: Hash
    score: Finite

    @property
    def what(self) -> tuple[str, ...]:
        """What the row scores; a run has it once."""
        return (self.variant, self.key, self.kind)


class PairRow(_Row):
    """A judge's comparison of a pair in one order."""

    truthful_kind: Annotated[TruthfulKind, Field(strict=False)]
    order: Annotated[JudgedOrder, Field(strict=False)]
    hash_truthful: Hash
    hash_sycophantic: Hash
    logit_first: Finite
    p_a: Probability
    p_b: Probability

    @property
    def what(self) -> tuple[str, ...]:
        """What the row compares; a run has it once."""
        return (self.variant, self.key, self.truthful_kind, self.order)


Row = ResponseRow | PairRow


class Ending(BaseModel):
    """The last line of a score file: how many rows it has, and the SHA-256 of the bytes of their lines."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    end: Literal[True]
    rows: Count
    sha256: Hash


def checked_record(record: dict[str, Any]) -> RunRecord:
    """Return what a run record says.

    Raises
    ------
    RecordFaulty
        Naming the first field that is wrong.
    """
    try:
        return RunRecord.model_validate(record)
    except ValidationError as error:
        raise RecordFaulty(f"the run record, {worded(error)}") from None


def row_form(scorer: Scorer) -> type[ResponseRow] | type[PairRow]:
    """Return what the rows of a scorer are: of pairs for a judge, of responses for all else."""
    return PairRow if scorer is Scorer.JUDGE else ResponseRow


def worded(error: ValidationError) -> str:
    """Return the first fault in words, with its field."""
    fault = error.errors()[0]
    place = ".".join(str(part)[:80] for part in fault["loc"])
    return f"field {place}: {plain(fault, 'must be lower-case hexadecimal of the right length')}"
