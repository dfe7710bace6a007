"""The contexts of the pages of one's own account."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from app.web.desk import TokenRow
from app.web.signed_in import SignedInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class YourAccount(SignedInPage):
    """Who one is here, one's password and one's API tokens. `done` says what has just been done."""

    template: ClassVar[str] = "account/account.html"
    role: str
    created_at: datetime
    last_signed_in_at: datetime | None
    has_password: bool
    tokens: tuple[TokenRow, ...]
    done: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword(SignedInPage):
    """The form: `current`, `new`, `again`. What was typed is never sent back."""

    template: ClassVar[str] = "account/password.html"
    shortest: int
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeToken(SignedInPage):
    """The form: `name`, `scope`, `lasts` (days, or `date`) and `until`; kept as it was typed after a fault."""

    template: ClassVar[str] = "account/token.html"
    name: str = ""
    scope: str = ""
    lasts: str = ""
    until: str = ""
    first_day: date
    last_day: date
    error: str = ""
    error_field: str = ""
