"""Fits of the crossed random-effects model, stored beside the study that they are of."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key


class StoredFit(Base):
    """One fit of the model to one arm. Never changed; of an arm's fits the newest is shown.

    `data_version` is that of the study's data when they were read; `record` holds all that was found.
    """

    __tablename__ = "model_fit"
    __table_args__ = (Index("ix_model_fit_study_id_arm_id", "study_id", "arm", "id"),)

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    arm: Mapped[str]
    data_version: Mapped[str]
    record: Mapped[dict[str, Any]]
    made_at: Mapped[Created]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
