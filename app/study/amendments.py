"""Amendments: the only changes that a design allows once it is live. Each is recorded, and gives the design a new hash.

Choices carry the hash in force when they were stored, so it is always known under which design somebody judged.
"""

from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Amendment, Misconception, Pair, RetiredPair, Study
from app.study import dealing, events, vacancies
from app.study.canonical import content_hash
from app.study.designs import MOST_RATINGS
from app.study.studies import StudyStateWrong, design_document, get_study
from app.terms import StudyState

_AMENDABLE = (StudyState.LIVE, StudyState.PAUSED)


class CannotLower(CandorError):
    """Ratings a pair can only be raised: what was asked for may have been given already."""

    def __init__(self, slug: str, now: int, asked: int) -> None:
        super().__init__(
            f"study {slug!r} asks for {now} ratings a pair, which can be raised only; {asked} is not more than that"
        )


class RatingsTooMany(CandorError):
    """More ratings of each pair are asked for than a design can ask for."""

    def __init__(self, slug: str, asked: int) -> None:
        super().__init__(f"study {slug!r} can ask for at most {MOST_RATINGS} ratings a pair; {asked} is more than that")


class ReasonMissing(CandorError):
    """A pair is retired for a reason, which is on record and in no need of guessing later."""

    def __init__(self) -> None:
        super().__init__("say in a few words why the pair is retired")


class PairUnknown(CandorError):
    """The study has no pair on this misconception, or it is retired already."""

    def __init__(self, slug: str, key: str, *, retired: bool) -> None:
        said = "is retired already" if retired else "is not one of its pairs; `candor export pairs` lists them"
        super().__init__(f"study {slug!r}: {key!r} {said}")


async def raise_ratings(session: AsyncSession, slug: str, k: int, account_id: int | None = None) -> Study:
    """Ask for more ratings of every pair: deal the slots that are missing, sides balanced over old and new together."""
    study = await _amendable(session, slug)
    if k <= study.ratings_per_pair:
        raise CannotLower(slug, study.ratings_per_pair, k)
    if k > MOST_RATINGS:
        raise RatingsTooMany(slug, k)
    rng = Random(f"{study.seed}/sides of {k}")  # noqa: S311 - reproducible on purpose
    n_slots = await dealing.deal_more(session, study.id, k, rng)
    before, study.ratings_per_pair = study.ratings_per_pair, k
    await _record(session, study, "ratings_raised", account_id, before=before, after=k, n_slots=n_slots)
    return study


async def retire_pair(session: AsyncSession, slug: str, key: str, reason: str, account_id: int | None = None) -> Study:
    """Offer a faulty pair to nobody any more. Its choices stay in every export, excluded with this as their reason.

    Who has the pair planned already still meets it: a set that changes under a reader would be worse.
    """
    study = await _amendable(session, slug)
    reason = reason.replace("\x00", "").strip()
    if not reason:
        raise ReasonMissing
    if "\x00" in key:  # Postgres cannot even be asked about it.
        raise PairUnknown(slug, key, retired=False)
    found = await session.execute(
        select(Pair.id, RetiredPair.pair_id)
        .join(Misconception, Misconception.id == Pair.misconception_id)
        .outerjoin(RetiredPair, RetiredPair.pair_id == Pair.id)
        .where(Pair.study_id == study.id, Misconception.key == key)
    )
    row = found.one_or_none()
    if row is None or row[1] is not None:
        raise PairUnknown(slug, key, retired=row is not None)
    await session.execute(insert(RetiredPair).values(pair_id=row[0], study_id=study.id, reason=reason))
    await vacancies.remove(session, row[0])
    await _record(session, study, "pair_retired", account_id, key=key, reason=reason)
    return study


async def retired_keys(session: AsyncSession, study_id: int) -> list[str]:
    """Return the keys of the misconceptions whose pairs are retired, in order."""
    keys = await session.scalars(
        select(Misconception.key)
        .join(Pair, Pair.misconception_id == Misconception.id)
        .join(RetiredPair, RetiredPair.pair_id == Pair.id)
        .where(RetiredPair.study_id == study_id)
        .order_by(Misconception.key)
    )
    return list(keys)


async def listed(session: AsyncSession, study_id: int) -> list[Amendment]:
    """Return the amendments of a study, in the order in which they were made."""
    return list(await session.scalars(select(Amendment).filter_by(study_id=study_id).order_by(Amendment.id)))


async def _amendable(session: AsyncSession, slug: str) -> Study:
    study = await get_study(session, slug, lock=True)
    if study.state not in _AMENDABLE:
        raise StudyStateWrong(slug, study.state, "amended", "live or paused; a draft can simply be edited")
    return study


async def _record(session: AsyncSession, study: Study, kind: str, account_id: int | None, **detail: Any) -> None:
    """Store the amendment with the hash that holds from now on, then let the study carry it."""
    document = design_document(study) | {"retired": await retired_keys(session, study.id)}
    design_hash = content_hash(document)
    with session.no_autoflush:
        await session.execute(
            insert(Amendment).values(study_id=study.id, kind=kind, detail=detail, design_hash=design_hash)
        )
    study.design_hash = design_hash
    await session.flush()
    await events.record(session, kind, study_id=study.id, account_id=account_id, **detail)
