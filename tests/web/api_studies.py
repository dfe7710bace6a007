"""What the tests of the API share: two studies that people judged in, tokens, and every address that there is."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, ApiToken, Study
from app.study import api_tokens
from app.study.api_tokens import NewToken, in_days
from app.terms import Role, TokenScope
from tests.signing_in import make
from tests.studies import draft_study, open_study
from tests.walker import Walker

OWNER, OTHER, ADMIN = "ada@example.org", "bob@example.org", "root@example.org"
ARMS = ({"truthful_kind": "helpful"}, {"truthful_kind": "baseline"})

READS = {
    "/api/studies": None,
    "/api/sets": None,
    "/api/codebook": None,
    "/api/sets/pilot-set/1": None,
    "/api/studies/pilot": "pilot",
    "/api/studies/pilot/progress": "pilot",
    "/api/studies/pilot/scoring-runs": "pilot",
    "/api/studies/pilot/choices": "pilot",
    "/api/studies/pilot/pairs": "pilot",
    "/api/studies/pilot/annotators": "pilot",
    "/api/studies/pilot/export/bundle.zip": "pilot",
    "/api/studies/pilot/export/choices.csv": "pilot",
}
"""Every read, with the study that it is of."""
CONTROLS: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("/api/studies/draft/open", None),
    ("/api/studies/pilot/raise", {"ratings": 4}),
    ("/api/studies/pilot/retire", {"key": "claim-000", "reason": "its source is gone"}),
    ("/api/studies/pilot/clone", {"slug": "another"}),
    ("/api/studies/pilot/pause", None),
    ("/api/studies/pilot/close", None),
)
"""Every address that changes something, in an order in which all of them can be done."""


async def token(database: AsyncSession, email: str, scope: TokenScope = TokenScope.CONTROL, name: str = "") -> str:
    made = await api_tokens.make(database, email, NewToken(name=name or scope, scope=scope, expires_at=in_days(1)))
    await database.commit()
    return made


def showing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def expire(database: AsyncSession, name: str) -> None:
    await database.execute(update(ApiToken).where(ApiToken.name == name).values(expires_at=in_days(-1)))
    await database.commit()


async def judge(client: httpx.AsyncClient, slug: str, person: str, n_pairs: int = 8, *, withdraw: bool = False) -> None:
    """Let somebody judge some pairs, or all of them and reach the end."""
    client.cookies.clear()
    walker = await Walker(client, slug).to_judging(f"pid=sent-as-{person}")
    for number in range(n_pairs):
        await walker.send(side="left" if number % 3 else "right")
    if not walker.path.startswith("/pairs/"):
        await walker.send(looked_up="no")
        await walker.send(data="withdraw" if withdraw else "keep")
    client.cookies.clear()


@dataclass
class Api:
    """A client of the API, and the database behind it."""

    client: httpx.AsyncClient
    database: AsyncSession
    tokens: dict[str, str]

    async def get(self, path: str, by: str = OWNER, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=showing(self.tokens[by]) | headers)

    async def post(self, path: str, body: Any = None, by: str = OWNER, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=showing(self.tokens[by]) | headers)


async def two_studies(client: httpx.AsyncClient, database: AsyncSession) -> Api:
    """Open a study of ada's and one of bob's, make a draft of ada's, and let people judge in turn in both."""
    ids = {email: await make(database, email, role) for email, role in _PEOPLE.items()}
    await open_study(database, "pilot", arms=ARMS)
    await open_study(database, "beside")
    await draft_study(database, "draft")
    await database.execute(update(Study).values(owner_id=ids[OWNER]))
    await database.execute(update(Study).where(Study.slug == "beside").values(owner_id=ids[OTHER]))
    await database.commit()
    await judge(client, "pilot", "first")
    await judge(client, "beside", "second")
    await judge(client, "pilot", "third", 3)
    await judge(client, "pilot", "fourth", withdraw=True)
    await judge(client, "beside", "fifth", 2)
    return Api(client, database, {email: await token(database, email) for email in _PEOPLE})


_PEOPLE = {OWNER: Role.RESEARCHER, OTHER: Role.RESEARCHER, ADMIN: Role.ADMIN}


async def disable(database: AsyncSession, email: str) -> None:
    await database.execute(update(Account).where(Account.email == email).values(disabled_at=in_days(0)))
    await database.commit()
