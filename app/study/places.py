"""Where a person stands in a study: all that a request needs to know, read (and locked) in one statement."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from app.db import Statements
from app.study.tokens import same, step_token
from app.terms import Instructions, Stage, TruthfulKind


class Place(NamedTuple):
    """One person's place in one study."""

    study_id: int
    slug: str
    key: bytes
    design_hash: str
    platform: str
    question: str
    texts: dict[str, Any]
    contact: str
    completion_code: str
    expected_minutes: int
    pay: str
    entry_hold_minutes: int
    hold_minutes: int
    pairs_per_annotator: int
    truthful_kind: str
    instructions: str
    participation_id: int
    annotator: str
    arm_id: int
    stage: str
    n_planned: int
    n_answered: int
    held_until: datetime | None
    stopped_at: datetime | None
    withdrawn_at: datetime | None
    now: datetime

    @property
    def next_position(self) -> int:
        """The position of the pair to judge next."""
        return self.n_answered + 1

    @property
    def hold_expired(self) -> bool:
        """Whether the person's hold has ended, swept up or not."""
        return self.held_until is None or self.held_until < self.now

    @property
    def response_kind(self) -> str:
        """The kind of truthful response that this person's arm shows."""
        return TruthfulKind(self.truthful_kind).response

    @property
    def instruction(self) -> Instructions:
        """How this person's arm is instructed."""
        return Instructions(self.instructions)

    def at(self, stage: Stage) -> "Place":
        """Return this place moved on to a stage."""
        return self._replace(stage=stage)

    def after_choice(self) -> "Place":
        """Return this place with one more pair judged."""
        done = self.next_position == self.n_planned
        return self._replace(n_answered=self.next_position, stage=Stage.LOOKED_UP if done else self.stage)

    def token(self, step: str | None = None) -> str:
        """Return the opaque token of a step, by default the stage the person is at."""
        return step_token(self.key, self.annotator, step or self.stage)

    def pair_token(self, position: int) -> str:
        """Return the token of the pair at a position: the position, which the page shows, and its proof."""
        return f"{position}-{step_token(self.key, self.annotator, f'pair {position}')}"

    def position_of(self, token: str) -> int | None:
        """Return the position that a pair's token was given out for, or None if we never gave it to this person."""
        number, _, _ = token.partition("-")
        if not number.isdecimal() or len(number) > 4:
            return None
        position = int(number)
        return position if same(token, self.pair_token(position)) else None


# OFFSET 0 keeps the planner from starting at the arm, in which everybody is.
_FIND = """
    SELECT study.id AS study_id, study.slug, study.key, study.design_hash, study.platform, study.question, study.texts,
           study.contact, study.completion_code, study.expected_minutes, study.pay,
           study.entry_hold_minutes, study.hold_minutes, study.pairs_per_annotator, arm.truthful_kind, arm.instructions,
           p.id AS participation_id, p.public_id, p.arm_id, p.stage, p.n_planned, p.n_answered, p.held_until,
           p.stopped_at, p.withdrawn_at, now() AS now
    FROM study JOIN participation p ON p.study_id = study.id
    CROSS JOIN LATERAL (SELECT * FROM arm WHERE arm.id = p.arm_id OFFSET 0) AS arm
    WHERE study.slug = :slug AND p.public_id = :annotator
"""
_READ = text(_FIND)
_LOCK = text(_FIND + " FOR NO KEY UPDATE OF p")


async def find_place(session: Statements, slug: str, annotator: str, *, lock: bool = False) -> Place | None:
    """Return a person's place. `lock` makes everything that the person does wait its turn."""
    row = (await session.execute(_LOCK if lock else _READ, {"slug": slug, "annotator": annotator})).one_or_none()
    return None if row is None else Place(*row)


HOLDING = (Stage.CONSENT, Stage.INSTRUCTIONS, Stage.PRACTICE, Stage.JUDGING)
"""The stages at which a person holds slots."""
