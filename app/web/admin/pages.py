"""The contexts of the admins' pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """One version of a misconception set, with the studies that use it."""

    slug: str
    version: int
    title: str
    licence: str
    content_hash: str
    n_misconceptions: int
    n_unlevelled: int
    studies: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets(SignedInPage):
    """Every set and version; when there is none, the next step in words (`candor set import FILE`)."""

    template: ClassVar[str] = "admin/sets.html"
    sets: tuple[SetRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account."""

    email: str
    role: str
    created_at: datetime
    disabled: bool
    n_sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts(SignedInPage):
    """Every account; how to make another (`candor account create EMAIL --role researcher`)."""

    template: ClassVar[str] = "admin/accounts.html"
    accounts: tuple[AccountRow, ...]
