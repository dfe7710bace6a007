"""Accounts of researchers and admins, the ways into them, and the record that limits attempts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Created, Key, one_of
from app.terms import Role, TokenScope


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
    last_signed_in_at: Mapped[datetime | None]


class Invitation(Base):
    """A person who was asked to make an account. It is pending until it is accepted or withdrawn, one for an email."""

    __tablename__ = "invitation"
    __table_args__ = (
        one_of("role", Role),
        Index(
            "uq_invitation_email_pending",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    email: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class PasswordReset(Base):
    """The link by which somebody sets a password anew: one for an account, so that a new one replaces it."""

    __tablename__ = "password_reset"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """What a program shows instead of a password. Only its hash is stored; the token was shown once."""

    __tablename__ = "api_token"
    __table_args__ = (
        one_of("scope", TokenScope),
        Index(
            "uq_api_token_account_id_name",
            "account_id",
            "name",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    scope: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


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
