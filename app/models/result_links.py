"""Links that show a study's results to who has them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key


class ResultLink(Base):
    """A read-only link to a study's results. Only the hash of its token is stored; one is in force at a time."""

    __tablename__ = "result_link"
    __table_args__ = (
        Index(
            "uq_result_link_study_id",
            "study_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[Created]
    revoked_at: Mapped[datetime | None]
