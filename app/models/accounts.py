"""Accounts of researchers and admins, their logins, and the record that limits attempts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Created, Key, one_of
from app.terms import Role


class Account(Base):
    """A researcher or an admin. The email is stored in lower case."""

    __tablename__ = "account"
    __table_args__ = (one_of("role", Role),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[Created]
    disabled_at: Mapped[datetime | None]


class LoginSession(Base):
    """A signed-in browser. Only the hash of its token is stored, so the table opens no door."""

    __tablename__ = "login_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    account: Mapped[Account] = relationship(lazy="raise")


class LoginLink(Base):
    """A link that signs in once; `candor demo` prints such links."""

    __tablename__ = "login_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A failed login, kept for minutes: what limits guessing across server processes. Holds hashes, not addresses."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_subject_at", "subject", "at"), Index("ix_login_attempt_at", "at"))

    id: Mapped[Key]
    subject: Mapped[str]
    at: Mapped[Created]
