"""What the forms of one's own account bring."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import Depends

from app.errors import CandorError
from app.study import api_tokens
from app.study.api_tokens import NewToken, TokenExpiryFaulty, TokenNameFaulty, TokenNameTaken
from app.study.password_rules import SHORTEST
from app.terms import TokenScope
from app.web.account.pages import ChangePassword, MakeToken
from app.web.desk import frame
from app.web.fields import FieldFaulty, Typed, kept_day, same_twice, sentence
from app.web.signed_in import CurrentAccount

_DAYS = ("30", "90", "365")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """What was typed to change a password."""

    current: str
    new: str
    again: str

    def checked(self) -> str:
        """Return the new password, typed twice alike."""
        if not self.current:
            raise FieldFaulty("Enter your current password", "current")
        return same_twice(self.new, self.again)


def _new_password(current: Typed = "", new: Typed = "", again: Typed = "") -> NewPassword:
    return NewPassword(current=current, new=new, again=again)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTyped:
    """What was typed to make a token."""

    name: str
    scope: str
    lasts: str
    until: str

    def checked(self) -> NewToken:
        """Return the token wanted."""
        if not self.name.strip():
            raise FieldFaulty("Give the token a name", "name")
        if self.scope not in {*TokenScope}:
            raise FieldFaulty("Choose what the token may do", "scope-read")
        return NewToken(name=self.name, scope=TokenScope(self.scope), expires_at=self._expires_at())

    def _expires_at(self) -> datetime:
        if self.lasts in _DAYS:
            return api_tokens.in_days(int(self.lasts))
        if self.lasts != "date":
            raise FieldFaulty("Choose how long the token lasts", f"lasts-{_DAYS[0]}")
        try:
            last_day = date.fromisoformat(self.until)
        except ValueError:
            raise FieldFaulty("Enter the last day as a date, such as 2027-01-31", "until") from None
        if not first_day() <= last_day <= latest_day():
            raise FieldFaulty(f"Choose a day from {first_day()} to {latest_day()}", "until")
        return datetime.combine(last_day + timedelta(days=1), time(), UTC)


def _token_typed(name: Typed = "", scope: Typed = "", lasts: Typed = "", until: Typed = "") -> TokenTyped:
    return TokenTyped(name=name, scope=scope, lasts=lasts, until=until)


EnteredPassword = Annotated[NewPassword, Depends(_new_password)]
EnteredToken = Annotated[TokenTyped, Depends(_token_typed)]


def first_day() -> date:
    """Return the first day on which a token may end: it is valid until that day is over."""
    return datetime.now(UTC).date()


def latest_day() -> date:
    """Return the last day on which a token may end."""
    return first_day() + timedelta(days=api_tokens.LONGEST_DAYS - 1)


def password_page(account: CurrentAccount, error: str = "", field: str = "") -> ChangePassword:
    """Return the form to change a password, after a fault with what was wrong."""
    given = frame(account, "account")
    return ChangePassword(title="Change your password", **given, shortest=SHORTEST, error=error, error_field=field)


def token_page(account: CurrentAccount, typed: TokenTyped | None = None, fault: CandorError | None = None) -> MakeToken:
    """Return the form to make a token, after a fault as it was typed."""
    typed = typed or TokenTyped(name="", scope="", lasts="", until="")
    return MakeToken(
        title="Make an API token",
        **frame(account, "account"),
        name=typed.name,
        scope=typed.scope,
        lasts=typed.lasts,
        until=kept_day(typed.until),
        first_day=first_day(),
        last_day=latest_day(),
        error=sentence(fault) if fault else "",
        error_field=_field_of(fault) if fault else "",
    )


def _field_of(fault: CandorError) -> str:
    if isinstance(fault, FieldFaulty):
        return fault.field
    return {TokenNameFaulty: "name", TokenNameTaken: "name", TokenExpiryFaulty: "until"}.get(type(fault), "name")
