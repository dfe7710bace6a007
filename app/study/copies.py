"""Copies of a study: a draft to start another one from, a pilot to rehearse with people.

Pilots, like previews, are studies of their own, with slots of their own, so that nothing done in them can count. A
pilot is reset by closing it and making another; what people did in the first is kept, and in no table of the study
itself.
"""

from itertools import count
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import MisconceptionSet, Study
from app.study import events, preregistrations, studies
from app.study.designs import LONGEST_SLUG, ArmDesign, StudyDesign, check_design
from app.terms import Purpose, StudyState


class CopyOfCopy(CandorError):
    """A pilot or a preview was asked for of a study that is one itself."""

    def __init__(self, slug: str, purpose: str, original: str) -> None:
        super().__init__(
            f"study {slug!r} is a {purpose} of {original!r}, so it cannot have pilots or previews; "
            f"make one of {original!r}"
        )


def design_of(study: Study) -> dict[str, Any]:
    """Return the values of a study's design, as `check_design` takes them."""
    values = {name: getattr(study, name) for name in StudyDesign.model_fields if name != "arms"}
    return values | {
        "arms": tuple(
            ArmDesign.model_validate({"truthful_kind": arm.truthful_kind, "instructions": arm.instructions})
            for arm in study.arms
        )
    }


async def clone(session: AsyncSession, slug: str, new_slug: str, account_id: int | None = None) -> Study:
    """Make a draft with the design of a study, but with codes and a seed of its own.

    The cap of holds goes with a draft. One that is settled, by opening or preregistering, may be computed, and cannot
    be told from one that was chosen: the clone is without.
    """
    original = await studies.get_study(session, slug)
    values = design_of(original) | {"slug": new_slug, "title": original.title}
    for made_up in ("seed", "completion_code", "failed_checks_code", "screened_out_code"):
        values.pop(made_up)
    if original.state != StudyState.DRAFT or await preregistrations.find(session, original.id) is not None:
        values.pop("entry_holds")
    used = await session.get_one(MisconceptionSet, original.set_id)
    return await studies.create_study(session, check_design(values), used, account_id)


async def pilot(session: AsyncSession, slug: str, account_id: int | None = None) -> Study:
    """Open a pilot: the study for real, with places of its own. One that runs already is closed: the pilot is reset."""
    original = await studies.get_study(session, slug, lock=True)
    await refuse_copy(session, original)
    await session.execute(
        update(Study)
        .where(Study.copy_of_id == original.id, Study.purpose == Purpose.PILOT, Study.state != StudyState.CLOSED)
        .values(state=StudyState.CLOSED, closed_at=func.now())
    )
    own = {"slug": await _free_slug(session, original), "entry_holds": None}
    return await open_copy(session, original, Purpose.PILOT, own, account_id)


async def _free_slug(session: AsyncSession, original: Study) -> str:
    """Return the name of a study's next pilot; a name that any other study has is passed over."""
    made = await session.scalar(
        select(func.count()).where(Study.copy_of_id == original.id, Study.purpose == Purpose.PILOT)
    )
    for number in count((made or 0) + 1):
        ending = f"-pilot-{number}"
        slug = original.slug[: LONGEST_SLUG - len(ending)].rstrip("-") + ending
        if await session.scalar(select(Study.id).filter_by(slug=slug)) is None:
            return slug
    raise AssertionError  # Numbers do not end.


async def open_copy(
    session: AsyncSession, original: Study, purpose: Purpose, changed: dict[str, Any], account_id: int | None
) -> Study:
    """Open a study of its own with the design of another, but for what is changed. It belongs to whose the other is."""
    used = await session.get_one(MisconceptionSet, original.set_id)
    design = check_design(design_of(original) | changed)
    copy = await studies.create_study(session, design, used, original.owner_id, account_id=account_id)
    copy.purpose, copy.copy_of_id = purpose, original.id
    await session.flush()
    opened = await studies.open_study(session, copy.slug, account_id=account_id)
    await events.record(session, f"{purpose}_opened", study_id=original.id, account_id=account_id, copy=copy.slug)
    return opened


async def refuse_copy(session: AsyncSession, study: Study) -> None:
    """Refuse to copy a pilot or a preview: such a copy would be nobody's when the study is given away.

    Raises
    ------
    CopyOfCopy
    """
    original = await original_of(session, study)
    if original is not None:
        raise CopyOfCopy(study.slug, study.purpose, original.slug)


async def original_of(session: AsyncSession, study: Study) -> Study | None:
    """Return the study that another is a pilot or a preview of; None for a study in its own right."""
    return None if study.copy_of_id is None else await session.get_one(Study, study.copy_of_id)


async def pilots(session: AsyncSession, study_id: int) -> list[Study]:
    """Return the pilots of a study, the newest first."""
    found = await session.scalars(
        select(Study).where(Study.copy_of_id == study_id, Study.purpose == Purpose.PILOT).order_by(Study.id.desc())
    )
    return list(found)
