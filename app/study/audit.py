"""The audit log: administrative acts, read from the record of events, the newest first.

What annotators do is recorded in the same table and left out here. Pages follow the id of the last act that was read,
so each costs the same however far back it is; every filter has its index.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, cast, func, literal, literal_column, select, tuple_, union
from sqlalchemy.dialects.postgresql import BIGINT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.models import Account, Event, Invitation, Study

_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which acts to read. `account_id` is who acted or was acted on; the days are of UTC, both included."""

    kind: str = ""
    account_id: int | None = None
    study: str = ""
    since: date | None = None
    until: date | None = None


class Act(NamedTuple):
    """One act. `by` is empty for a command; `about` is the email of the account or of the invitation concerned."""

    id: int
    at: datetime
    kind: str
    by: str | None
    about: str | None
    study: str | None
    detail: dict[str, Any]


class Known(NamedTuple):
    """What can be chosen in the filters: accounts by id with their email, and the slugs of studies."""

    accounts: list[tuple[int, str]]
    studies: list[str]


async def page(session: AsyncSession, wanted: Wanted, *, before: int | None = None, limit: int = 50) -> list[Act]:
    """Return at most `limit` acts, those that came before the act with the id `before`."""
    rows = await session.execute(_named(_matching(wanted, before, limit)))
    return [Act._make(row) for row in rows]


async def everything(session: AsyncSession, wanted: Wanted) -> AsyncIterator[Act]:
    """Yield every act, holding a few of them at a time."""
    before = None
    while acts := await page(session, wanted, before=before, limit=_BATCH):
        for act in acts:
            yield act
        before = acts[-1].id


async def known(session: AsyncSession) -> Known:
    """Return what there is to filter by."""
    accounts = await session.execute(select(Account.id, Account.email).order_by(Account.email))
    studies = await session.scalars(select(Study.slug).order_by(Study.slug))
    return Known([(row.id, row.email) for row in accounts], list(studies))


def _matching(wanted: Wanted, before: int | None, limit: int) -> Select[Any]:
    """Return the ids of the acts wanted. Who acted and who was acted on are two indexes, so they are read apart."""
    held = and_(*_conditions(wanted, before))
    newest = (Event.at.desc(), Event.id.desc())
    if wanted.account_id is None:
        return select(Event.id).where(held).order_by(*newest).limit(limit)
    roles = (Event.account_id, Event.about_account_id)
    parts = (
        select(Event.id, Event.at).where(held, role == wanted.account_id).order_by(*newest).limit(limit).subquery()
        for role in roles
    )
    both = union(*(select(part.c.id, part.c.at) for part in parts)).subquery()
    return select(both.c.id).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit)


def _conditions(wanted: Wanted, before: int | None) -> list[ColumnElement[bool]]:
    # Written out as the indexes have it: a parameter would keep a plan that is made once from using them.
    found = [Event.participation_id.is_(None), Event.kind != literal_column("'declined'")]
    if wanted.kind:
        found.append(Event.kind == wanted.kind)
    if wanted.study:
        found.append(Event.study_id == select(Study.id).where(Study.slug == wanted.study).scalar_subquery())
    if wanted.since:
        found.append(Event.at >= _midnight(wanted.since))
    if wanted.until:
        found.append(Event.at < _midnight(wanted.until + timedelta(days=1)))
    if before is not None:
        last = aliased(Event)
        at = select(last.at).where(last.id == before).scalar_subquery()
        found.append(tuple_(Event.at, Event.id) < tuple_(at, cast(literal(before), BIGINT)))
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _named(ids: Select[Any]) -> Select[Any]:
    """Return the acts with these ids, with names in place of ids. A person is named as they are called now."""
    chosen = ids.subquery()
    by, about = aliased(Account), aliased(Account)
    invitation = cast(Event.detail["invitation"].astext, BIGINT)
    return (
        select(
            Event.id,
            Event.at,
            Event.kind,
            by.email,
            func.coalesce(about.email, Invitation.email),
            Study.slug,
            Event.detail,
        )
        .join(chosen, chosen.c.id == Event.id)
        .outerjoin(by, by.id == Event.account_id)
        .outerjoin(about, about.id == Event.about_account_id)
        .outerjoin(Invitation, Invitation.id == invitation)
        .outerjoin(Study, Study.id == Event.study_id)
        .order_by(Event.at.desc(), Event.id.desc())
    )
