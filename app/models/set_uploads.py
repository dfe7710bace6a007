"""What admins' pages keep of sets: files that wait to be confirmed, and what the check of a version found."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key


class SetUpload(Base):
    """A file that was sent and checked, and waits for its sender to store or discard it.

    `outcome` and `findings` are as `app.study.set_checks` writes them.
    """

    __tablename__ = "set_upload"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    file_name: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    read_as: Mapped[str | None]
    columns: Mapped[dict[str, Any]]
    texts: Mapped[dict[str, Any]]
    slug: Mapped[str]
    title: Mapped[str]
    licence: Mapped[str]
    outcome: Mapped[str]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(deferred=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]


class SetCheck(Base):
    """What the check found in one version of a set. A version never changes, so neither does this."""

    __tablename__ = "set_check"

    set_id: Mapped[int] = mapped_column(ForeignKey("misconception_set.id"), primary_key=True)
    outcome: Mapped[str]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(deferred=True)
    made_at: Mapped[Created]
