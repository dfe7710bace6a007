"""Studies and what is to be rated in them: arms, pairs, slots, and how many slots of each pair are open."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    desc,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Created, Key, one_of
from app.models.sets import MisconceptionSet
from app.terms import Instructions, Platform, Purpose, Side, SlotState, StudyState, TruthfulKind


class Study(Base):
    """A preference study. Its design is frozen, and hashed, when it goes live.

    `key` is the study's secret: the public ids of its annotators and the tokens in their pages are keyed with it.
    `texts` holds the paragraphs that annotators read (consent, instructions, debrief), `options` what is switched on
    (`app.study.options`). `entry_holds` is how many people may hold places before they consent. A pilot or a preview is
    a study of its own, so that nothing of it counts; `copy_of_id` says of which.
    """

    __tablename__ = "study"
    __table_args__ = (
        one_of("state", StudyState),
        one_of("platform", Platform),
        one_of("purpose", Purpose),
        CheckConstraint("(purpose = 'study') = (copy_of_id IS NULL)", name="copies_have_an_original"),
        CheckConstraint("ratings_per_pair >= 1", name="ratings_per_pair_positive"),
        CheckConstraint("pairs_per_annotator >= 1", name="pairs_per_annotator_positive"),
        CheckConstraint("min_pairs BETWEEN 1 AND pairs_per_annotator", name="min_pairs_range"),
        CheckConstraint("(state = 'draft') = (design_hash IS NULL)", name="design_frozen"),
        CheckConstraint("entry_hold_minutes > 0 AND hold_minutes > 0", name="holds_positive"),
        CheckConstraint("entry_holds > 0", name="entry_holds_positive"),
    )

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    set_id: Mapped[int] = mapped_column(ForeignKey("misconception_set.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    state: Mapped[str] = mapped_column(server_default=StudyState.DRAFT)
    ratings_per_pair: Mapped[int] = mapped_column(SmallInteger)
    pairs_per_annotator: Mapped[int] = mapped_column(SmallInteger)
    min_pairs: Mapped[int] = mapped_column(SmallInteger)
    question: Mapped[str]
    texts: Mapped[dict[str, Any]]
    contact: Mapped[str]
    platform: Mapped[str]
    completion_code: Mapped[str]
    failed_checks_code: Mapped[str]
    screened_out_code: Mapped[str]
    expected_minutes: Mapped[int] = mapped_column(SmallInteger)
    pay: Mapped[str]
    entry_hold_minutes: Mapped[int] = mapped_column(SmallInteger)
    hold_minutes: Mapped[int] = mapped_column(SmallInteger)
    entry_holds: Mapped[int | None]
    options: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    synthetic: Mapped[bool]
    purpose: Mapped[str] = mapped_column(server_default=Purpose.STUDY)
    copy_of_id: Mapped[int | None] = mapped_column(ForeignKey("study.id"), index=True)
    design_hash: Mapped[str | None]
    created_at: Mapped[Created]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    misconception_set: Mapped[MisconceptionSet] = relationship(lazy="raise")
    arms: Mapped[list["Arm"]] = relationship(back_populates="study", order_by="Arm.id", lazy="raise")


class Arm(Base):
    """What a person is assigned to: which truthful response they see, and how they are instructed."""

    __tablename__ = "arm"
    __table_args__ = (
        UniqueConstraint("study_id", "truthful_kind", "instructions"),
        one_of("truthful_kind", TruthfulKind),
        one_of("instructions", Instructions),
    )

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    truthful_kind: Mapped[str]
    instructions: Mapped[str]
    study: Mapped[Study] = relationship(back_populates="arms", lazy="raise")


class Pair(Base):
    """A misconception in a study; its level is copied at opening."""

    __tablename__ = "pair"
    __table_args__ = (
        UniqueConstraint("study_id", "misconception_id"),
        CheckConstraint("difficulty_level BETWEEN 1 AND 8", name="difficulty_level_range"),
    )

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    misconception_id: Mapped[int] = mapped_column(ForeignKey("misconception.id"), index=True)
    difficulty_level: Mapped[int] = mapped_column(SmallInteger)


class Slot(Base):
    """One of the k ratings of a pair and arm, its side fixed when the study opened. A released slot keeps its side.

    Its holder's time is kept on the participation, so that extending a hold touches one row, not n. No index names its
    state, so that filling a held slot, which every judgement does, changes none.
    """

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("pair_id", "arm_id", "number"),
        one_of("side_truthful", Side),
        one_of("state", SlotState),
        CheckConstraint("(state = 'open') = (participation_id IS NULL)", name="held_by_someone"),
        CheckConstraint("number >= 1", name="number_from_one"),
        Index(
            "ix_slot_open",
            "pair_id",
            "arm_id",
            "side_truthful",
            "number",
            postgresql_where=text("participation_id IS NULL"),
        ),
        # Were open slots left out, this would be empty when a study opens, and a judgement planned then would read it
        # whole from then on: what is looked for in it cannot be null, so that it would do.
        Index("ix_slot_participation_id", "participation_id"),
    )

    id: Mapped[Key]
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"))
    arm_id: Mapped[int] = mapped_column(ForeignKey("arm.id"), index=True)
    number: Mapped[int] = mapped_column(SmallInteger)
    side_truthful: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=SlotState.OPEN)
    participation_id: Mapped[int | None] = mapped_column(ForeignKey("participation.id"))


class Vacancy(Base):
    """How many slots of a pair and arm are open, by side: the index from which claims are planned.

    Kept in step with the slots by `app.study.slots` and `app.study.dealing`. `shuffle` breaks ties in a seeded order.
    """

    __tablename__ = "vacancy"
    __table_args__ = (
        CheckConstraint("open_left >= 0 AND open_right >= 0", name="open_not_negative"),
        Index(
            "ix_vacancy_left",
            "arm_id",
            "difficulty_level",
            desc("n_open"),
            "shuffle",
            postgresql_where=text("open_left > 0"),
        ),
        Index(
            "ix_vacancy_right",
            "arm_id",
            "difficulty_level",
            desc("n_open"),
            "shuffle",
            postgresql_where=text("open_right > 0"),
        ),
    )

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    arm_id: Mapped[int] = mapped_column(ForeignKey("arm.id"), primary_key=True, index=True)
    difficulty_level: Mapped[int] = mapped_column(SmallInteger)
    shuffle: Mapped[int]
    open_left: Mapped[int] = mapped_column(SmallInteger)
    open_right: Mapped[int] = mapped_column(SmallInteger)
    n_open: Mapped[int] = mapped_column(SmallInteger, Computed("open_left + open_right", persisted=True))


class ArmVacancy(Base):
    """How many slots of an arm are open, where a study has several: what they are balanced by. The sum of `Vacancy`."""

    __tablename__ = "arm_vacancy"
    __table_args__ = (CheckConstraint("n_open >= 0", name="open_not_negative"),)

    arm_id: Mapped[int] = mapped_column(ForeignKey("arm.id"), primary_key=True)
    n_open: Mapped[int]


class Amendment(Base):
    """A change of a live design, and the design hash that holds from then on."""

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("study_id", "design_hash"),)

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    made_at: Mapped[Created]
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    design_hash: Mapped[str]


class RetiredPair(Base):
    """A faulty pair that is offered to nobody any more. Its choices stay, excluded."""

    __tablename__ = "retired_pair"

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    reason: Mapped[str]
    retired_at: Mapped[Created]


class Preregistration(Base):
    """What was written down before a study opened: the document, as it was, and its hash."""

    __tablename__ = "preregistration"

    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), primary_key=True)
    document: Mapped[dict[str, Any]]
    document_hash: Mapped[str]
    made_at: Mapped[Created]
