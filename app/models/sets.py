"""Misconception sets: the stimuli. Immutable once a study uses them."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Created, Key, one_of
from app.terms import ResponseKind


class MisconceptionSet(Base):
    """One version of a set, named by slug and version, identified by its content hash."""

    __tablename__ = "misconception_set"
    __table_args__ = (
        UniqueConstraint("slug", "version"),
        UniqueConstraint("slug", "content_hash"),
        CheckConstraint("version >= 1", name="version_from_one"),
    )

    id: Mapped[Key]
    slug: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    licence: Mapped[str]
    content_hash: Mapped[str]
    created_at: Mapped[Created]
    misconceptions: Mapped[list["Misconception"]] = relationship(
        back_populates="misconception_set", order_by="Misconception.key", lazy="raise"
    )


class Misconception(Base):
    """A false claim that people commonly believe, with its prompt, its correction and its sources."""

    __tablename__ = "misconception"
    __table_args__ = (
        UniqueConstraint("set_id", "key"),
        CheckConstraint("difficulty_level BETWEEN 1 AND 8", name="difficulty_level_range"),
    )

    id: Mapped[Key]
    set_id: Mapped[int] = mapped_column(ForeignKey("misconception_set.id"))
    key: Mapped[str]
    claim: Mapped[str]
    prompt: Mapped[str]
    fact: Mapped[str]
    category: Mapped[str]
    difficulty_level: Mapped[int | None] = mapped_column(SmallInteger)
    sources: Mapped[list[dict[str, Any]]]
    verified_by: Mapped[str]
    origin: Mapped[str]
    misconception_set: Mapped[MisconceptionSet] = relationship(back_populates="misconceptions", lazy="raise")
    responses: Mapped[list["Response"]] = relationship(
        back_populates="misconception", order_by="Response.kind", lazy="raise"
    )


class Response(Base):
    """One of a misconception's three responses."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("misconception_id", "kind"), one_of("kind", ResponseKind))

    id: Mapped[Key]
    misconception_id: Mapped[int] = mapped_column(ForeignKey("misconception.id"))
    kind: Mapped[str]
    text: Mapped[str]
    text_hash: Mapped[str]
    n_words: Mapped[int]
    origin: Mapped[str]
    misconception: Mapped[Misconception] = relationship(back_populates="responses", lazy="raise")
