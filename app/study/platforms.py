"""What platforms tell of their people's submissions, and what follows here. The webhook and the polling both come here.

Reports may come twice, late, or in the wrong order: the newest one holds, whichever way it came.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import events, participations, slots
from app.study.places import HOLDING, Place, find_place
from app.terms import Outcome, Platform, SubmissionStatus

_MOST_PLATFORM_STUDIES = 50
_ORDER = list(SubmissionStatus)


@dataclass(frozen=True, slots=True)
class Report:
    """A platform's word on one submission: its status at a time. `person` is whose it is, where that is said."""

    platform: Platform
    session: str
    status: SubmissionStatus
    at: datetime
    person: str | None = None


class Submissions(Protocol):
    """The port to a platform that can be asked."""

    def of_study(self, platform_study: str) -> AsyncIterator[Report]:
        """Go through all submissions to one of the platform's studies, as they are now."""


class Change(NamedTuple):
    """A status that is new here. `did` is what followed: `ended`, `released`, or only `noted`."""

    annotator: str
    before: str | None
    status: SubmissionStatus
    did: str


async def note_status(session: AsyncSession, report: Report, slug: str | None = None) -> list[Change]:
    """Store what a platform says of a submission, and act on it; return what changed, in one study or in all."""
    who = {"platform": report.platform, "session": report.session, "person": report.person, "slug": slug}
    people = [tuple(row) for row in await session.execute(_WHO, who)]
    changes = [await _note(session, report, *person) for person in people]
    return [change for change in changes if change is not None]


# Ids in a link can be made up: somebody who came with another's session id is not the one whom the platform speaks of.
_WHO = text("""
    SELECT study.slug, p.public_id
    FROM platform_identity i
    JOIN participation p ON p.id = i.participation_id
    JOIN study ON study.id = p.study_id
    WHERE i.platform = :platform AND i.platform_session = :session
      AND (CAST(:person AS text) IS NULL OR i.platform_person = :person)
      AND (CAST(:slug AS text) IS NULL OR study.slug = :slug)
    ORDER BY p.id
""")


async def _note(session: AsyncSession, report: Report, slug: str, annotator: str) -> Change | None:
    place = await find_place(session, slug, annotator, lock=True)
    if place is None:
        return None
    whose = {"participation": place.participation_id}
    before, before_at = (await session.execute(_STORED, whose)).one()
    if before_at is not None and _rank(report.at, report.status) <= _rank(before_at, before):
        return None
    await session.execute(_STORE, whose | {"status": report.status, "at": report.at})
    if report.status == before:
        return None
    did = await _act(session, place, report.status)
    await events.record(
        session,
        "platform_status",
        study_id=place.study.id,
        participation_id=place.participation_id,
        status=report.status,
        before=before,
        told_at=report.at,
        did=did,
    )
    return Change(annotator, before, report.status, did)


def _rank(at: datetime, status: str) -> tuple[datetime, int]:
    """Order reports by time. Times are whole seconds: of two of one second, the status further on its way holds."""
    return at, _ORDER.index(SubmissionStatus(status))


# Read once the person is locked: whoever stores a status locks the person first.
_STORED = text("""
    SELECT platform_status, platform_status_at FROM platform_identity WHERE participation_id = :participation
""")
_STORE = text("""
    UPDATE platform_identity SET platform_status = :status, platform_status_at = :at
    WHERE participation_id = :participation
""")


async def _act(session: AsyncSession, place: Place, status: SubmissionStatus) -> str:
    """Do what follows from a status for a person whose row is locked.

    Who returned their place is debriefed when they come back. Who timed out may still finish, and only loses the hold.
    """
    if status is SubmissionStatus.RETURNED and place.outcome is None:
        await participations.end_early(session, place, Outcome.RETURNED)
        return "ended"
    if status is SubmissionStatus.TIMED_OUT and place.stage in HOLDING and place.held_until is not None:
        await slots.release(session, [place.participation_id])
        return "released"
    return "noted"


async def platform_studies(session: AsyncSession, study_id: int) -> Sequence[str]:
    """Return the platform's studies that a study's people came with; ids can be made up, so no more than 50."""
    found = await session.scalars(
        text("""
            SELECT i.platform_study FROM platform_identity i JOIN participation p ON p.id = i.participation_id
            WHERE p.study_id = :study AND i.platform_study IS NOT NULL
            GROUP BY i.platform_study ORDER BY count(*) DESC, i.platform_study LIMIT :most
        """),
        {"study": study_id, "most": _MOST_PLATFORM_STUDIES},
    )
    return found.all()


async def known_statuses(session: AsyncSession, study_id: int) -> dict[str, str | None]:
    """Return the status stored for each submission of a study, by the platform's session id."""
    rows = await session.execute(
        text("""
            SELECT i.platform_session, i.platform_status
            FROM platform_identity i JOIN participation p ON p.id = i.participation_id
            WHERE p.study_id = :study AND i.platform_session IS NOT NULL
        """),
        {"study": study_id},
    )
    return {session_id: status for session_id, status in rows}  # noqa: C416 - rows, not pairs, to the type checker
