"""Sitting at the researchers' pages in tests: signing in, sending a form as its page would, and what a page offers."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import accounts, login_sessions
from app.terms import Role

Fields = list[tuple[str, str]]


async def sign_in(client: httpx.AsyncClient, database: AsyncSession, email: str, role: Role = Role.RESEARCHER) -> int:
    """Make an account and sign the client in with it. Studies that are nobody's yet become a researcher's own."""
    account_id = await accounts.create(database, email, role, None)
    if role == Role.RESEARCHER:
        await database.execute(update(Study).where(Study.owner_id.is_(None)).values(owner_id=account_id))
    await sign_in_again(client, database, account_id)
    return account_id


async def sign_in_again(client: httpx.AsyncClient, database: AsyncSession, account_id: int) -> None:
    """Sign the client in with an account that there is."""
    client.cookies.clear()
    client.cookies.set("candor_session", await login_sessions.start(database, account_id, 1))
    await database.commit()


class Form(HTMLParser):
    """What a browser would send of the first form with this class, if nothing was changed."""

    def __init__(self, html: str, kind: str = "configure") -> None:
        super().__init__()
        self.fields: Fields = []
        self._kind, self._inside, self._area, self._select = kind, False, "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = self._kind in given.get("class", "").split()
        if not self._inside:
            return
        if tag == "textarea":
            self._area = given["name"]
            self.fields.append((self._area, ""))
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given:
            self.fields.append((self._select, given["value"]))
        elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            self.fields.append((given["name"], given["value"]))

    def handle_data(self, data: str) -> None:
        if self._area:
            name, text = self.fields[-1]
            self.fields[-1] = (name, text + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            name, text = self.fields[-1]
            self.fields[-1] = (name, text.removeprefix("\n"))
            self._area = ""
        elif tag == "form":
            self._inside = False

    def changed(self, **values: str | list[str] | None) -> dict[str, Any]:
        """Return the fields with some changed: `options__tie` is `options.tie`; None leaves a field out."""
        sent: dict[str, list[str]] = {}
        for name, value in self.fields:
            sent.setdefault(name, []).append(value)
        for name, new in values.items():
            field = name.replace("__", ".")
            sent.pop(field, None)
            if new is not None:
                sent[field] = new if isinstance(new, list) else [new]
        return sent


def form_token(page: httpx.Response) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="form_token"\s+value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def summary(page: httpx.Response) -> list[tuple[str, str]]:
    """Return the faults in the summary: each message, and the id that it links to."""
    found = re.search(r'class="summary".*?</div>', page.text, re.DOTALL)
    links = re.findall(r'<a href="#([^"]+)">(.*?)</a>', found[0], re.DOTALL) if found else []
    return [(unescape(" ".join(message.split())), at) for at, message in links]


def acts(page: httpx.Response) -> list[str]:
    """Return what a study's page offers to do, the primary act first."""
    block = re.search(r'<header class="title title--study">.*?(?=<section)', page.text, re.DOTALL)
    assert block is not None
    found = re.findall(r'class="button[^"]*"[^>]*>([^<]+)</', block[0])
    return [unescape(words).strip() for words in found]
