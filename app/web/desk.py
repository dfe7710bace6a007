"""Pages and pieces that several audiences of signed-in people share: a question asked once, a secret shown once."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypedDict
from urllib.parse import quote

from fastapi import Request

from app.settings import Settings
from app.study.api_tokens import TokenListed
from app.web.pages import Link
from app.web.signed_in import CurrentAccount, SignedInPage


class Frame(TypedDict):
    """What every page for a signed-in person is given, but for its title."""

    email: str
    is_admin: bool
    section: str
    form_token: str


def frame(account: CurrentAccount, section: str) -> Frame:
    """Return what a page of this section is given for this person."""
    return Frame(email=account.who.email, is_admin=account.who.is_admin, section=section, form_token=account.form_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(SignedInPage):
    """A question asked once: what will happen, the button that does it (POST to `action`), and the way back."""

    template: ClassVar[str] = "confirm.html"
    paragraphs: tuple[str, ...]
    action: str
    button: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOnce(SignedInPage):
    """A link or a token that is shown now and never again; `what` names it in a word or two, `back` is the way on."""

    template: ClassVar[str] = "shown_once.html"
    paragraphs: tuple[str, ...]
    what: str
    value: str
    back: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """One API token in a table; `revoke` is the page that asks whether to revoke it."""

    name: str
    scope: str
    created_at: datetime
    expires_at: datetime
    expired: bool
    last_used_at: datetime | None
    revoke: str


def token_row(token: TokenListed, revoke: str) -> TokenRow:
    """Return a token as a row, with the address of the question whether to revoke it."""
    return TokenRow(
        name=token.name,
        scope=token.scope,
        created_at=token.created_at,
        expires_at=token.expires_at,
        expired=token.expired,
        last_used_at=token.last_used_at,
        revoke=revoke,
    )


def outward(request: Request, settings: Settings, path: str, token: str) -> str:
    """Return a link that can be sent to somebody, ending in a token."""
    base = (settings.public_url or str(request.base_url)).rstrip("/")
    return f"{base}{path}{quote(token)}"
