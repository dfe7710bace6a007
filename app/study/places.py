"""Where a person stands in a study, and what comes next: read (and locked) in one statement, decided in one place."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.options import Options
from app.study.tokens import PairAt, pair_of, pair_token, step_token
from app.terms import Instructions, Outcome, Stage, TruthfulKind


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What every page of a study needs to know of it. It is frozen with the design, so a process may keep it."""

    id: int
    slug: str
    seed: int
    key: bytes
    design_hash: str
    platform: str
    question: str
    texts: dict[str, Any]
    contact: str
    completion_code: str
    failed_checks_code: str
    screened_out_code: str
    expected_minutes: int
    pay: str
    entry_hold_minutes: int
    hold_minutes: int
    pairs_per_annotator: int
    purpose: str
    options: Options

    def token(self, annotator: str, step: str) -> str:
        """Return the opaque token of one person's step."""
        return step_token(self.key, annotator, step)

    def pair_token(self, annotator: str, at: PairAt) -> str:
        """Return the token of a pair that one person is shown."""
        return pair_token(self.key, annotator, at)

    def pair_of(self, annotator: str, token: str) -> PairAt | None:
        """Return what a pair's token was given out for, or None if we never gave it to this person."""
        return pair_of(self.key, annotator, token)


class Step(NamedTuple):
    """What a person is to do next: a stage and, while they judge, which pair, belief or check."""

    name: str
    number: int = 0

    def __str__(self) -> str:
        """Name the step as its token does."""
        return f"{self.name} {self.number}" if self.number else self.name


class Progress(Protocol):
    """What decides the next step, of a place or of a choice that was just stored."""

    @property
    def stage(self) -> str: ...
    @property
    def n_answered(self) -> int: ...
    @property
    def n_believed(self) -> int: ...
    @property
    def n_checked(self) -> int: ...
    @property
    def next_check(self) -> int | None: ...


def next_step(at: Progress, options: Options) -> Step:
    """Return what comes next: at a pair, a check that is due goes first, then the belief, then the pair itself."""
    if at.stage != Stage.JUDGING:
        return Step(at.stage)
    if at.next_check is not None and at.next_check <= at.n_answered:
        return Step("check", at.n_checked + 1)
    position = at.n_answered + 1
    return Step("belief" if options.prior_belief and at.n_believed < position else "pair", position)


@dataclass(frozen=True, slots=True)
class Place:
    """One person's place in one study."""

    study: StudyFacts
    truthful_kind: str
    instructions: str
    participation_id: int
    annotator: str
    arm_id: int
    stage: str
    n_planned: int
    n_answered: int
    n_believed: int
    n_checked: int
    next_check: int | None
    checks_failed: int
    held_until: datetime | None
    outcome: str | None
    withdrawn_at: datetime | None
    now: datetime

    @property
    def step(self) -> Step:
        """What comes next."""
        return next_step(self, self.study.options)

    @property
    def next_position(self) -> int:
        """The position of the pair to judge next."""
        return self.n_answered + 1

    @property
    def hold_expired(self) -> bool:
        """Whether the person's hold has ended, swept up or not."""
        return self.held_until is None or self.held_until < self.now

    @property
    def failed_checks(self) -> bool:
        """Whether so many attention checks were failed that the completion code says so."""
        return self.study.options.attention_checks > 0 and self.checks_failed >= self.study.options.failed_at

    @property
    def ended_early(self) -> bool:
        """Whether the person left before every pair was judged, by their own or the platform's decision."""
        return self.outcome in {Outcome.STOPPED, Outcome.RETURNED, Outcome.SCREENED_OUT}

    @property
    def response_kind(self) -> str:
        """The kind of truthful response that this person's arm shows."""
        return TruthfulKind(self.truthful_kind).response

    @property
    def instruction(self) -> Instructions:
        """How this person's arm is instructed."""
        return Instructions(self.instructions)

    def at(self, stage: Stage, **changed: Any) -> "Place":
        """Return this place moved on to a stage."""
        return replace(self, stage=stage, **changed)

    def token(self, step: str | None = None) -> str:
        """Return the opaque token of a step, by default the one the person is at. A pair's says which pair it is."""
        return self.study.token(self.annotator, step or str(self.step))


_STUDY = (
    "id",
    "slug",
    "seed",
    "key",
    "design_hash",
    "platform",
    "question",
    "texts",
    "contact",
    "completion_code",
    "failed_checks_code",
    "screened_out_code",
    "expected_minutes",
    "pay",
    "entry_hold_minutes",
    "hold_minutes",
    "pairs_per_annotator",
    "purpose",
    "options",
)
_PERSON = (
    "p.id",
    "p.public_id",
    "p.arm_id",
    "p.stage",
    "p.n_planned",
    "p.n_answered",
    "p.n_believed",
    "p.n_checked",
    "p.next_check",
    "p.checks_failed",
    "p.held_until",
    "p.outcome",
    "p.withdrawn_at",
)
# OFFSET 0 keeps the planner from starting at the arm, in which everybody is. The study's columns carry a prefix: two
# tables have an id, and drivers name a row's columns.
_FIND = f"""
    SELECT {", ".join(f"study.{column} AS study_{column}" for column in _STUDY)},
           arm.truthful_kind, arm.instructions, {", ".join(_PERSON)}, now() AS now
    FROM study JOIN participation p ON p.study_id = study.id
    CROSS JOIN LATERAL (SELECT * FROM arm WHERE arm.id = p.arm_id OFFSET 0) AS arm
    WHERE study.slug = :slug AND p.public_id = :annotator
"""  # noqa: S608 - of the names above
_READ = text(_FIND)
_LOCK = text(_FIND + " FOR NO KEY UPDATE OF p")


async def find_place(session: AsyncSession, slug: str, annotator: str, *, lock: bool = False) -> Place | None:
    """Return a person's place. `lock` makes everything that the person does wait its turn."""
    row = (await session.execute(_LOCK if lock else _READ, {"slug": slug, "annotator": annotator})).one_or_none()
    if row is None:
        return None
    study = dict(zip(_STUDY, row, strict=False))
    facts = StudyFacts(**study | {"options": Options.model_validate(study["options"])})
    return Place(facts, *row[len(_STUDY) :])


HOLDING = (
    Stage.CONSENT,
    Stage.BACKGROUND,
    Stage.INSTRUCTIONS,
    Stage.COMPREHENSION,
    Stage.PRACTICE,
    Stage.JUDGING,
)
"""The stages at which a person holds slots."""
