"""People in studies: who came, what was planned for them, what they chose, and what happened when."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key, one_of
from app.terms import Answer, CheckKind, Outcome, Side, Stage


class Participation(Base):
    """One person in one study. Its row is the lock of everything that this person does.

    `held_until` is when the person's held slots come back; it is empty when they hold none.
    `n_planned` pairs were assigned, `n_answered` of them are judged; the next is at position `n_answered + 1`.
    `n_believed` prior beliefs and `n_checked` attention checks were answered; the next check is due when `next_check`
    pairs are judged. `outcome` says how the way ended, and is empty until then.
    """

    __tablename__ = "participation"
    __table_args__ = (
        UniqueConstraint("study_id", "public_id"),
        one_of("stage", Stage),
        one_of("outcome", Outcome),
        CheckConstraint("n_answered BETWEEN 0 AND n_planned", name="answered_of_planned"),
        Index("ix_participation_held", "study_id", "held_until", postgresql_where=text("held_until IS NOT NULL")),
        Index(
            "ix_participation_unconsented",
            "study_id",
            postgresql_where=text("held_until IS NOT NULL AND consented_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    arm_id: Mapped[int] = mapped_column(ForeignKey("arm.id"), index=True)
    public_id: Mapped[str]
    stage: Mapped[str] = mapped_column(server_default=Stage.CONSENT)
    n_planned: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    n_answered: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    n_believed: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    n_checked: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_check: Mapped[int | None] = mapped_column(SmallInteger)
    checks_failed: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    held_until: Mapped[datetime | None]
    outcome: Mapped[str | None]
    background: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    looked_up: Mapped[bool | None]
    synthetic: Mapped[bool]
    entered_at: Mapped[Created]
    consented_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class PlatformIdentity(Base):
    """The ids that a platform sent with a person: personal data, in a table of their own."""

    __tablename__ = "platform_identity"
    __table_args__ = (Index("ix_platform_identity_session", "platform_session"),)

    participation_id: Mapped[int] = mapped_column(ForeignKey("participation.id", ondelete="CASCADE"), primary_key=True)
    platform: Mapped[str]
    platform_person: Mapped[str]
    platform_study: Mapped[str | None]
    platform_session: Mapped[str | None]
    platform_status: Mapped[str | None]
    platform_status_at: Mapped[datetime | None]


class Claim(Base):
    """The record of one assignment: what was open, what was asked for. Replaying it gives the same assignment."""

    __tablename__ = "claim"
    __table_args__ = (Index("ix_claim_study_id_id", "study_id", "id"),)

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    arm_id: Mapped[int] = mapped_column(ForeignKey("arm.id"), index=True)
    participation_id: Mapped[int | None] = mapped_column(
        ForeignKey("participation.id", ondelete="SET NULL"), index=True
    )
    draw: Mapped[str]
    asked: Mapped[dict[str, Any]]
    planned: Mapped[list[dict[str, Any]]]
    claimed_at: Mapped[Created]


class Assignment(Base):
    """A pair planned for a person, at its position in the order shown, with its side."""

    __tablename__ = "assignment"
    __table_args__ = (
        one_of("side_truthful", Side),
        CheckConstraint("prior_belief BETWEEN 0 AND 100", name="prior_belief_range"),
        Index(
            "uq_assignment_participation_id_pair_id",
            "participation_id",
            "pair_id",
            unique=True,
            postgresql_where=text("repeat_of IS NULL"),
        ),
        Index("ix_assignment_slot_id", "slot_id", postgresql_where=text("slot_id IS NOT NULL")),
    )

    participation_id: Mapped[int] = mapped_column(ForeignKey("participation.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), index=True)
    side_truthful: Mapped[str]
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"))
    repeat_of: Mapped[int | None] = mapped_column(SmallInteger)
    prior_belief: Mapped[int | None] = mapped_column(SmallInteger)
    shown_at: Mapped[datetime | None]


class Choice(Base):
    """One stored judgement. Counted choices fill a slot, each its own; withdrawing one empties what was said."""

    __tablename__ = "choice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["participation_id", "position"],
            ["assignment.participation_id", "assignment.position"],
            name="fk_choice_participation_id_assignment",
        ),
        one_of("side_chosen", Answer),
        CheckConstraint("confidence BETWEEN 1 AND 5", name="confidence_range"),
        CheckConstraint("times_away >= 0 AND pastes >= 0", name="counts_not_negative"),
        CheckConstraint("counted = (slot_id IS NOT NULL)", name="counted_fills_a_slot"),
        CheckConstraint("withdrawn = (side_chosen IS NULL)", name="withdrawn_says_nothing"),
        CheckConstraint("NOT (withdrawn AND counted)", name="withdrawn_frees_its_slot"),
        CheckConstraint("decision_ms_browser >= 0 AND decision_ms_server >= 0", name="decision_ms_not_negative"),
        Index("ix_choice_late", "participation_id", postgresql_where=text("late")),
    )

    participation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"), unique=True)
    side_chosen: Mapped[str | None]
    decision_ms_browser: Mapped[int | None]
    decision_ms_server: Mapped[int | None] = mapped_column(BigInteger)
    confidence: Mapped[int | None] = mapped_column(SmallInteger)
    reason: Mapped[str | None]
    times_away: Mapped[int | None] = mapped_column(SmallInteger)
    pastes: Mapped[int | None] = mapped_column(SmallInteger)
    chosen_at: Mapped[Created]
    counted: Mapped[bool]
    late: Mapped[bool]
    withdrawn: Mapped[bool] = mapped_column(server_default=text("false"))
    design_hash: Mapped[str]


class CheckAnswer(Base):
    """One answer to a check: the comprehension questions at an attempt, or an attention check."""

    __tablename__ = "check_answer"
    __table_args__ = (
        one_of("kind", CheckKind),
        CheckConstraint("number >= 1 AND attempt >= 1", name="counted_from_one"),
    )

    participation_id: Mapped[int] = mapped_column(ForeignKey("participation.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    answer: Mapped[str]
    passed: Mapped[bool]
    answered_at: Mapped[Created]


class WebhookDelivery(Base):
    """A message that a platform delivered, by the hash of its signature, so that a replay is seen as one."""

    __tablename__ = "webhook_delivery"

    signature_hash: Mapped[str] = mapped_column(primary_key=True)
    delivered_at: Mapped[Created] = mapped_column(index=True)


_ACTS = text("participation_id IS NULL AND kind <> 'declined'")


class Event(Base):
    """What happened, append-only: a trigger refuses changes. Never holds a platform's ids or an address.

    `account_id` is who did it, and is empty for commands; `about_account_id` is the account that it was done to. What
    annotators do is most of the table and is left out of the indexes by which administrative acts are read.
    What people did in a preview goes with it; that it was opened stays.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_study_id_id", "study_id", "id"),
        Index("ix_event_declined", "study_id", postgresql_where=text("kind = 'declined'")),
        *(
            Index(
                f"ix_event_acts{''.join(f'_{name}' for name in columns)}", *columns, "at", "id", postgresql_where=_ACTS
            )
            for columns in ((), ("kind",), ("study_id",), ("account_id",), ("about_account_id",))
        ),
    )

    id: Mapped[Key]
    at: Mapped[Created]
    kind: Mapped[str]
    study_id: Mapped[int | None] = mapped_column(BigInteger)
    participation_id: Mapped[int | None] = mapped_column(BigInteger)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    about_account_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]]
