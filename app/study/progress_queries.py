"""What the researchers' and admins' pages read: studies, their progress, and the misconception sets.

Each page takes a fixed number of statements, whatever the number of studies, pairs and people.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Arm, Misconception, MisconceptionSet, Pair, Participation, Slot, Study
from app.study.login_sessions import SignedIn
from app.study.studies import StudyUnknown
from app.terms import Instructions, Outcome, Purpose, SlotState, TruthfulKind


class StudyListed(NamedTuple):
    """A study in the list; counts are of slots."""

    slug: str
    title: str
    state: str
    synthetic: bool
    set_title: str
    set_version: int
    n_filled: int
    n_slots: int


class ArmKind(NamedTuple):
    """What sets an arm apart."""

    truthful_kind: TruthfulKind
    instructions: Instructions


class LevelCounts(NamedTuple):
    """The pairs and slots of one difficulty level in one arm."""

    arm: ArmKind
    level: int
    n_pairs: int
    n_slots: int
    n_filled: int
    n_held: int


class StageCount(NamedTuple):
    """How many people are at a stage. `stage` is empty for those who did not end as complete, see `left`."""

    stage: str
    left: str
    synthetic: bool
    n: int


class StudySeen(NamedTuple):
    """A study with its set, and the moment at which it was read."""

    study: Study
    misconception_set: MisconceptionSet
    as_of: datetime


class SetListed(NamedTuple):
    """One version of a set; `studies` are the slugs of those that use it."""

    slug: str
    version: int
    title: str
    licence: str
    content_hash: str
    created_at: datetime
    n_misconceptions: int
    n_unlevelled: int
    studies: list[str]


def _visible(viewer: SignedIn) -> ColumnElement[bool]:
    if viewer.is_admin:
        return true()
    return Study.owner_id == viewer.account_id


def _filled() -> ColumnElement[int]:
    return func.count().filter(Slot.state == SlotState.FILLED)


async def studies(session: AsyncSession, viewer: SignedIn) -> Sequence[StudyListed]:
    """Return the studies that an account may see, the newest first; their pilots and previews are not among them."""
    counts = (
        select(Arm.study_id, _filled().label("n_filled"), func.count().label("n_slots"))
        .join(Slot, Slot.arm_id == Arm.id)
        .group_by(Arm.study_id)
        .subquery()
    )
    made_up = exists().where(Participation.study_id == Study.id, Participation.synthetic)
    found = await session.execute(
        select(
            Study.slug,
            Study.title,
            Study.state,
            or_(Study.synthetic, made_up),
            MisconceptionSet.title,
            MisconceptionSet.version,
            func.coalesce(counts.c.n_filled, 0),
            func.coalesce(counts.c.n_slots, 0),
        )
        .join(MisconceptionSet, MisconceptionSet.id == Study.set_id)
        .outerjoin(counts, counts.c.study_id == Study.id)
        .where(_visible(viewer), Study.purpose == Purpose.STUDY)
        .order_by(Study.id.desc())
    )
    return [StudyListed._make(row) for row in found]


async def study(session: AsyncSession, slug: str, viewer: SignedIn) -> StudySeen:
    """Return a study that an account may see. Someone else's looks like one that does not exist."""
    if "\x00" in slug:  # Postgres cannot even be asked about it.
        raise StudyUnknown(slug)
    found = await session.execute(
        select(Study, MisconceptionSet, func.now())
        .join(MisconceptionSet, MisconceptionSet.id == Study.set_id)
        .where(Study.slug == slug, _visible(viewer))
    )
    row = found.one_or_none()
    if row is None:
        raise StudyUnknown(slug)
    return StudySeen._make(row)


async def arms(session: AsyncSession, study_id: int) -> list[ArmKind]:
    """Return the arms of a study."""
    chosen = select(Arm.truthful_kind, Arm.instructions).where(Arm.study_id == study_id).order_by(Arm.id)
    return [ArmKind(TruthfulKind(kind), Instructions(told)) for kind, told in (await session.execute(chosen))]


async def levels(session: AsyncSession, study_id: int) -> list[LevelCounts]:
    """Return how far each level of each arm is. A slot whose hold has run out is open, whether or not it was swept."""
    held = and_(Slot.state == SlotState.HELD, Participation.held_until > func.now())
    counted = (
        select(
            Arm.truthful_kind,
            Arm.instructions,
            Pair.difficulty_level,
            func.count(Pair.id.distinct()),
            func.count(),
            _filled(),
            func.count().filter(held),
        )
        .select_from(Arm)
        .join(Slot, Slot.arm_id == Arm.id)
        .join(Pair, Pair.id == Slot.pair_id)
        .outerjoin(Participation, Participation.id == Slot.participation_id)
        .where(Arm.study_id == study_id)
        .group_by(Arm.id, Pair.difficulty_level)
        .order_by(Arm.id, Pair.difficulty_level)
    )
    return [
        LevelCounts(ArmKind(TruthfulKind(kind), Instructions(told)), *counts)
        for kind, told, *counts in (await session.execute(counted))
    ]


async def stages(session: AsyncSession, study_id: int) -> list[StageCount]:
    """Return how many people are where, synthetic ones apart; who left is counted by how they left."""
    left = case(
        (Participation.withdrawn_at.is_not(None), "withdrew"),
        (Participation.outcome != Outcome.COMPLETE, Participation.outcome),
        else_="",
    ).label("way_out")
    stage = case((left == "", Participation.stage), else_="").label("way_on")
    counted = (
        select(stage, left, Participation.synthetic, func.count())
        .where(Participation.study_id == study_id)
        .group_by("way_on", "way_out", Participation.synthetic)
    )
    return [StageCount._make(row) for row in (await session.execute(counted))]


async def sets(session: AsyncSession, viewer: SignedIn | None = None) -> list[SetListed]:
    """Return every version of every set with its size and the studies that use it, or those that a viewer may see."""
    sizes = (
        select(
            Misconception.set_id,
            func.count().label("n"),
            func.count().filter(Misconception.difficulty_level.is_(None)).label("n_unlevelled"),
        )
        .group_by(Misconception.set_id)
        .subquery()
    )
    users = func.array(
        select(Study.slug)
        .where(Study.set_id == MisconceptionSet.id, Study.purpose == Purpose.STUDY)
        .where(true() if viewer is None else _visible(viewer))
        .order_by(Study.slug)
        .scalar_subquery()
    )
    found = await session.execute(
        select(
            MisconceptionSet.slug,
            MisconceptionSet.version,
            MisconceptionSet.title,
            MisconceptionSet.licence,
            MisconceptionSet.content_hash,
            MisconceptionSet.created_at,
            func.coalesce(sizes.c.n, 0),
            func.coalesce(sizes.c.n_unlevelled, 0),
            users,
        )
        .outerjoin(sizes, sizes.c.set_id == MisconceptionSet.id)
        .order_by(MisconceptionSet.slug, MisconceptionSet.version.desc())
    )
    return [SetListed._make(row) for row in found]
