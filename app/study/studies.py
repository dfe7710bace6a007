"""Creating studies and moving them through their states: draft, live, paused, closed."""

from random import Random
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.errors import CandorError
from app.models import Arm, Misconception, MisconceptionSet, Study
from app.study import events, slots
from app.study.canonical import content_hash
from app.study.designs import StudyDesign
from app.study.tokens import new_study_key
from app.terms import StudyState


class StudyUnknown(CandorError):
    """No study has this slug."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"there is no study {slug!r}; `candor study list` shows those there are")


class StudyExists(CandorError):
    """The slug is taken."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"there is a study {slug!r} already; choose another slug")


class StudyStateWrong(CandorError):
    """The study is not in a state from which it can go where it was asked to."""

    def __init__(self, slug: str, state: str, verb: str, needed: str) -> None:
        super().__init__(f"study {slug!r} is {state}, so it cannot be {verb}; it must be {needed}")


class SetUnlevelled(CandorError):
    """The set has misconceptions without a difficulty level, so no study can be opened on it."""

    def __init__(self, slug: str, n_unlevelled: int, key: str) -> None:
        super().__init__(
            f"{n_unlevelled} misconceptions of the set {slug!r} have no difficulty level (the first is {key!r}); "
            f"give each a difficulty_level from 1 to 8 in the file and import it again"
        )


class SetTooSmall(CandorError):
    """The set has fewer misconceptions than each annotator is to judge."""

    def __init__(self, slug: str, n_pairs: int, wanted: int) -> None:
        super().__init__(
            f"the set {slug!r} has {n_pairs} misconceptions, but each annotator is to judge {wanted}; "
            f"lower pairs-per-annotator to {n_pairs} or fewer"
        )


async def create_study(
    session: AsyncSession, design: StudyDesign, chosen: MisconceptionSet, owner_id: int | None = None
) -> Study:
    """Store a draft of a study."""
    if await session.scalar(select(Study.id).filter_by(slug=design.slug)) is not None:
        raise StudyExists(design.slug)
    values = design.model_dump(mode="json", exclude={"arms"})
    study = Study(**values, set_id=chosen.id, owner_id=owner_id, key=new_study_key())
    session.add(study)
    await session.flush()
    await session.execute(insert(Arm), [arm.model_dump(mode="json") | {"study_id": study.id} for arm in design.arms])
    await events.record(session, "study_created", study_id=study.id)
    return study


async def get_study(session: AsyncSession, slug: str, *, lock: bool = False) -> Study:
    """Return a study with its arms and set; `lock` keeps its state from changing meanwhile.

    Raises
    ------
    StudyUnknown
        When there is none.
    """
    wanted = select(Study).filter_by(slug=slug)
    if lock:
        wanted = wanted.with_for_update()
    study = await session.scalar(wanted.options(selectinload(Study.arms), selectinload(Study.misconception_set)))
    if study is None:
        raise StudyUnknown(slug)
    return study


async def open_study(session: AsyncSession, slug: str) -> Study:
    """Freeze a draft's design, make its pairs and deal its slots; or let a paused study go on."""
    study = await get_study(session, slug, lock=True)
    if study.state == StudyState.PAUSED:
        return await _move(session, study, StudyState.LIVE)
    if study.state != StudyState.DRAFT:
        raise StudyStateWrong(slug, study.state, "opened", "a draft or paused")
    await _refuse_unfit_set(session, study)
    await session.execute(
        text("""
            INSERT INTO pair (study_id, misconception_id, difficulty_level)
            SELECT :study, id, difficulty_level FROM misconception WHERE set_id = :set ORDER BY key
        """),
        {"study": study.id, "set": study.set_id},
    )
    await slots.create(session, study.id, study.ratings_per_pair, Random(f"{study.seed}/sides"))  # noqa: S311
    study.entry_holds = study.entry_holds or await _half_of_the_places(session, study)
    study.design_hash = content_hash(design_document(study))
    study.opened_at = func.now()
    return await _move(session, study, StudyState.LIVE)


_FEWEST_ENTRY_HOLDS = 20


async def _half_of_the_places(session: AsyncSession, study: Study) -> int:
    """Return the cap on holds without consent that a study gets if it names none: half of its places, at least 20."""
    n_slots = await session.scalar(
        text("SELECT count(*) FROM slot JOIN arm ON arm.id = arm_id WHERE study_id = :study"), {"study": study.id}
    )
    return max(_FEWEST_ENTRY_HOLDS, (n_slots or 0) // study.pairs_per_annotator // 2)


async def _refuse_unfit_set(session: AsyncSession, study: Study) -> None:
    n_pairs, n_unlevelled, first = (
        await session.execute(
            select(
                func.count(),
                func.count().filter(Misconception.difficulty_level.is_(None)),
                func.min(Misconception.key).filter(Misconception.difficulty_level.is_(None)),
            ).where(Misconception.set_id == study.set_id)
        )
    ).one()
    if n_unlevelled:
        raise SetUnlevelled(study.misconception_set.slug, n_unlevelled, first)
    if n_pairs < study.pairs_per_annotator:
        raise SetTooSmall(study.misconception_set.slug, n_pairs, study.pairs_per_annotator)


def design_document(study: Study) -> dict[str, Any]:
    """Return all that the design hash covers. The set's hash stands for every text, level and source."""
    return {
        "slug": study.slug,
        "set_hash": study.misconception_set.content_hash,
        "arms": [[arm.truthful_kind, arm.instructions] for arm in study.arms],
        "ratings_per_pair": study.ratings_per_pair,
        "pairs_per_annotator": study.pairs_per_annotator,
        "min_pairs": study.min_pairs,
        "question": study.question,
        "texts": study.texts,
        "contact": study.contact,
        "platform": study.platform,
        "expected_minutes": study.expected_minutes,
        "pay": study.pay,
        "entry_hold_minutes": study.entry_hold_minutes,
        "hold_minutes": study.hold_minutes,
        "entry_holds": study.entry_holds,
        "options": study.options,
        "seed": study.seed,
        "synthetic": study.synthetic,
    }


async def pause_study(session: AsyncSession, slug: str) -> Study:
    """Take no newcomers until the study is opened again; people who began may finish."""
    study = await get_study(session, slug, lock=True)
    if study.state != StudyState.LIVE:
        raise StudyStateWrong(slug, study.state, "paused", "live")
    return await _move(session, study, StudyState.PAUSED)


async def close_study(session: AsyncSession, slug: str) -> Study:
    """Take no newcomers ever again; people who began may finish."""
    study = await get_study(session, slug, lock=True)
    if study.state not in {StudyState.LIVE, StudyState.PAUSED}:
        raise StudyStateWrong(slug, study.state, "closed", "live or paused")
    await session.execute(update(Study).where(Study.id == study.id).values(closed_at=func.now()))
    return await _move(session, study, StudyState.CLOSED)


async def _move(session: AsyncSession, study: Study, state: StudyState) -> Study:
    study.state = state
    await session.flush()
    await events.record(session, f"study_{state}", study_id=study.id)
    return study
