"""Creating studies and moving them through their states: draft, live, paused, closed."""

from random import Random
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.errors import CandorError
from app.models import Arm, Misconception, MisconceptionSet, Preregistration, ScoringRun, Study
from app.study import dealing, events
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
            f"give each a difficulty_level from 1 to 8 in the file and import it again, or grade the set with "
            f"`candor set grade {slug} … --regroup`, and take its new version"
        )


class SetTooSmall(CandorError):
    """The set has fewer misconceptions than each annotator is to judge."""

    def __init__(self, slug: str, n_pairs: int, wanted: int) -> None:
        super().__init__(
            f"the set {slug!r} has {n_pairs} misconceptions, but each annotator is to judge {wanted}; "
            f"lower pairs-per-annotator to {n_pairs} or fewer"
        )


class StudyPreregistered(CandorError):
    """The study's preregistration says what it is, so its draft cannot be changed any more."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"study {slug!r} is preregistered, so its draft cannot be changed; clone it to make another")


class StudyScored(CandorError):
    """Preference models scored the texts of the draft's set, and scores are never changed nor deleted."""

    def __init__(self, slug: str, set_slug: str, version: int) -> None:
        super().__init__(
            f"the texts of study {slug!r} were scored, so it keeps its set {set_slug!r}, version {version}; "
            f"clone it and give the clone the other set"
        )


class NotAsPreregistered(CandorError):
    """The draft is no longer what was preregistered, so it cannot be opened under that preregistration."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"study {slug!r} is not as it was preregistered: its design hash differs; "
            f"clone it and preregister the clone"
        )


async def create_study(
    session: AsyncSession,
    design: StudyDesign,
    chosen: MisconceptionSet,
    owner_id: int | None = None,
    *,
    account_id: int | None = None,
) -> Study:
    """Store a draft of a study. `account_id` is who makes it, where that is not whose it is.

    Raises
    ------
    StudyExists
        When the slug is taken.
    """
    await _claim_slug(session, design.slug)
    values = design.model_dump(mode="json", exclude={"arms"})
    study = Study(**values, set_id=chosen.id, owner_id=owner_id, key=new_study_key())
    session.add(study)
    await session.flush()
    await session.execute(insert(Arm), [arm.model_dump(mode="json") | {"study_id": study.id} for arm in design.arms])
    by = owner_id if account_id is None else account_id
    await events.record(session, "study_created", study_id=study.id, account_id=by)
    return study


async def _claim_slug(session: AsyncSession, slug: str) -> None:
    """Make who wants the same slug wait until this transaction has ended, and refuse a slug that is taken."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('study:' || :slug))"), {"slug": slug})
    if await session.scalar(select(Study.id).filter_by(slug=slug)) is not None:
        raise StudyExists(slug)


async def change_draft(
    session: AsyncSession, slug: str, design: StudyDesign, chosen: MisconceptionSet, account_id: int | None = None
) -> Study:
    """Replace the whole design of a draft; its slug too, if nobody has that one.

    Raises
    ------
    StudyStateWrong
        When the study has opened: its design is frozen.
    StudyPreregistered
        When it was written down already what the study is.
    StudyScored
        When it is to have another set, and has scores of the texts of the one that it has.
    """
    study = await get_study(session, slug, lock=True)
    if study.state != StudyState.DRAFT:
        raise StudyStateWrong(slug, study.state, "changed", "a draft; what is live can only be amended")
    if await _preregistered_design(session, study.id) is not None:
        raise StudyPreregistered(slug)
    if chosen.id != study.set_id:
        await _refuse_scored(session, study)
    if design.slug != slug:
        await _claim_slug(session, design.slug)
    for name, value in design.model_dump(mode="json", exclude={"arms"}).items():
        setattr(study, name, value)
    study.set_id = chosen.id
    await session.execute(delete(Arm).where(Arm.study_id == study.id))
    await session.flush()
    await session.execute(insert(Arm), [arm.model_dump(mode="json") | {"study_id": study.id} for arm in design.arms])
    await events.record(session, "study_changed", study_id=study.id, account_id=account_id)
    session.expire(study, ["arms", "misconception_set"])
    return study


async def _refuse_scored(session: AsyncSession, study: Study) -> None:
    if await session.scalar(select(ScoringRun.id).filter_by(study_id=study.id).limit(1)) is not None:
        used = study.misconception_set
        raise StudyScored(study.slug, used.slug, used.version)


async def get_study(session: AsyncSession, slug: str, *, lock: bool = False) -> Study:
    """Return a study with its arms and set; `lock` keeps it from being changed, or removed, by others meanwhile.

    Whoever comes into the study, or stores what refers to it, does not wait: they would hold what an amendment needs.
    What must wait (another change, a copy, a preregistration) locks the study too.

    Raises
    ------
    StudyUnknown
        When there is none.
    """
    wanted = select(Study).filter_by(slug=slug)
    if lock:  # What the session has read of it before may be out of date, but not what it has changed.
        await session.flush()
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    study = await session.scalar(wanted.options(selectinload(Study.arms), selectinload(Study.misconception_set)))
    if study is None:
        raise StudyUnknown(slug)
    return study


async def open_study(session: AsyncSession, slug: str, *, account_id: int | None = None) -> Study:
    """Freeze a draft's design, make its pairs and deal its slots; or let a paused study go on.

    `account_id` is who does it, for the record; a command acts for nobody.

    Raises
    ------
    NotAsPreregistered
        When the study was preregistered as something else.
    """
    study = await get_study(session, slug, lock=True)
    if study.state == StudyState.PAUSED:
        return await _move(session, study, StudyState.LIVE, account_id)
    if study.state != StudyState.DRAFT:
        raise StudyStateWrong(slug, study.state, "opened", "a draft or paused")
    await refuse_unfit_set(session, study)
    await settle_entry_holds(session, study)
    design_hash = content_hash(design_document(study))
    if await _preregistered_design(session, study.id) not in {None, design_hash}:
        raise NotAsPreregistered(slug)
    await session.execute(
        text("""
            INSERT INTO pair (study_id, misconception_id, difficulty_level)
            SELECT :study, id, difficulty_level FROM misconception WHERE set_id = :set ORDER BY key
        """),
        {"study": study.id, "set": study.set_id},
    )
    await dealing.create(session, study.id, study.ratings_per_pair, Random(f"{study.seed}/sides"))  # noqa: S311
    study.design_hash = design_hash
    study.opened_at = func.now()
    return await _move(session, study, StudyState.LIVE, account_id)


_FEWEST_ENTRY_HOLDS = 20


async def settle_entry_holds(session: AsyncSession, study: Study) -> None:
    """Cap the holds without consent, where the design names no cap, at half of the study's places, at least 20."""
    if study.entry_holds is not None:
        return
    n_pairs = await session.scalar(select(func.count()).where(Misconception.set_id == study.set_id)) or 0
    n_slots = n_pairs * study.ratings_per_pair * len(study.arms)
    study.entry_holds = max(_FEWEST_ENTRY_HOLDS, n_slots // study.pairs_per_annotator // 2)


async def _preregistered_design(session: AsyncSession, study_id: int) -> str | None:
    """Return the design hash that was written down before the study opened; None where nothing was."""
    document = await session.scalar(select(Preregistration.document).filter_by(study_id=study_id))
    return None if document is None else str(document["hashes"]["design"])


async def refuse_unfit_set(session: AsyncSession, study: Study) -> None:
    """Refuse a set that lacks levels, or is smaller than what each annotator is to judge."""
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


async def pause_study(session: AsyncSession, slug: str, *, account_id: int | None = None) -> Study:
    """Take no newcomers until the study is opened again; people who began may finish."""
    study = await get_study(session, slug, lock=True)
    if study.state != StudyState.LIVE:
        raise StudyStateWrong(slug, study.state, "paused", "live")
    return await _move(session, study, StudyState.PAUSED, account_id)


async def close_study(session: AsyncSession, slug: str, *, account_id: int | None = None) -> Study:
    """Take no newcomers ever again; people who began may finish."""
    study = await get_study(session, slug, lock=True)
    if study.state not in {StudyState.LIVE, StudyState.PAUSED}:
        raise StudyStateWrong(slug, study.state, "closed", "live or paused")
    await session.execute(update(Study).where(Study.id == study.id).values(closed_at=func.now()))
    return await _move(session, study, StudyState.CLOSED, account_id)


async def _move(session: AsyncSession, study: Study, state: StudyState, account_id: int | None) -> Study:
    study.state = state
    await session.flush()
    await events.record(session, f"study_{state}", study_id=study.id, account_id=account_id)
    return study
