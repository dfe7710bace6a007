"""How plausible the claims of a set are: gradings by models and by people, beside the set that they grade."""

from typing import Any

from sqlalchemy import CheckConstraint, Double, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key, one_of
from app.terms import GradingKind


class Grading(Base):
    """One grading of one version of a set. Never changed.

    `by` is a model's name, or the name of a file of ratings. `prompt_hash` is the SHA-256 of what a model was asked;
    people's ratings have none. `record` holds what made the grading, and what was found of its agreement.
    """

    __tablename__ = "grading"
    __table_args__ = (
        one_of("kind", GradingKind),
        CheckConstraint("(kind = 'ratings') = (prompt_hash IS NULL)", name="models_were_asked"),
    )

    id: Mapped[Key]
    set_id: Mapped[int] = mapped_column(ForeignKey("misconception_set.id"), index=True)
    by: Mapped[str]
    kind: Mapped[str]
    prompt_hash: Mapped[str | None]
    record: Mapped[dict[str, Any]]
    made_at: Mapped[Created]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class GradingValue(Base):
    """How plausible one rater, or a model asked one question, finds one claim: 0 to 100. Never changed."""

    __tablename__ = "grading_value"
    __table_args__ = (CheckConstraint("value BETWEEN 0 AND 100", name="value_range"),)

    grading_id: Mapped[int] = mapped_column(ForeignKey("grading.id"), primary_key=True)
    misconception_id: Mapped[int] = mapped_column(ForeignKey("misconception.id"), primary_key=True)
    rater: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(Double)
