"""The contexts of the admins' pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.desk import TokenRow
from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What can be chosen in a list: its value, and its words."""

    value: str
    text: str


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
    """Every set and version; when there is none, the next step. `done` says what has just been done."""

    template: ClassVar[str] = "admin/sets.html"
    sets: tuple[SetRow, ...]
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account; `href` is its page."""

    href: str
    email: str
    role: str
    created_at: datetime
    disabled: bool
    last_signed_in_at: datetime | None
    n_sessions: int
    n_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """A pending invitation; `href` is the address that its pages begin with."""

    href: str
    email: str
    role: str
    created_at: datetime
    expires_at: datetime
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts(SignedInPage):
    """Every account, and the invitations that are pending. `done` says what has just been done."""

    template: ClassVar[str] = "admin/accounts.html"
    accounts: tuple[AccountRow, ...]
    invitations: tuple[InvitationRow, ...]
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetail(SignedInPage):
    """One account and what an admin can do with it. `own` is whether it is the reader's."""

    template: ClassVar[str] = "admin/account.html"
    account: AccountRow
    number: int
    own: bool
    has_password: bool
    tokens: tuple[TokenRow, ...]
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(SignedInPage):
    """The form that invites: `address` and `role`, kept as they were typed after a fault."""

    template: ClassVar[str] = "admin/invite.html"
    days: int
    address: str = ""
    role: str = ""
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRole(SignedInPage):
    """The form that gives an account another role."""

    template: ClassVar[str] = "admin/role.html"
    account: str
    action: str
    back: str
    role: str
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act of the audit log, in words. `study` is a slug."""

    at: datetime
    what: str
    told: str
    who: str
    about: str
    study: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What is chosen above the audit log, as it was typed."""

    kind: str = ""
    account: str = ""
    study: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(SignedInPage):
    """The audit log: the newest acts first, and the addresses of older ones and of the download."""

    template: ClassVar[str] = "admin/audit.html"
    chosen: AuditFilter
    kinds: tuple[tuple[str, str], ...]
    accounts: tuple[tuple[str, str], ...]
    studies: tuple[tuple[str, str], ...]
    acts: tuple[ActRow, ...]
    filtered: bool
    newest: str
    older: str
    download: str
    error: str = ""
    error_field: str = ""
