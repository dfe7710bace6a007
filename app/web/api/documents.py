"""What the API says of studies and sets: every document, as OpenAPI describes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Preregistration, Study
from app.study import amendments, copies, preregistrations, studies
from app.study.progress_queries import LevelCounts, SetListed, StageCount, StudyListed


class StudyRow(BaseModel):
    """A study in the list. Slots are the ratings that it asks for, over all pairs and arms."""

    slug: str
    title: str
    state: str = Field(description="draft, live, paused or closed")
    synthetic: bool = Field(description="whether programs, not people, made any of it")
    set_title: str
    set_version: int
    n_filled: int
    n_slots: int


class Studies(BaseModel):
    """The studies that the caller may see, the newest first."""

    studies: list[StudyRow]


class SetUsed(BaseModel):
    """The version of a set that a study is made of."""

    slug: str
    version: int
    title: str
    licence: str
    content_hash: str


class AmendmentMade(BaseModel):
    """A change of a live design, and the design hash that holds from then on."""

    made_at: datetime
    kind: str
    detail: dict[str, Any]
    design_hash: str


class Preregistered(BaseModel):
    """What was written down before the study opened. The hash is of the document's canonical JSON."""

    made_at: datetime
    document_hash: str
    document: dict[str, Any]


class Pilot(BaseModel):
    """A rehearsal of the study: a study of its own, at the address of its slug."""

    slug: str
    state: str


class StudyDocument(BaseModel):
    """One study: `design` is all that `design_hash` covers, which a draft does not have yet."""

    slug: str
    title: str
    state: str
    purpose: str = Field(description="study, pilot or preview")
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    design_hash: str | None
    design: dict[str, Any]
    set: SetUsed
    amendments: list[AmendmentMade]
    preregistration: Preregistered | None
    pilots: list[Pilot]


class Level(BaseModel):
    """How far a difficulty level of an arm is. A slot is filled, held for somebody, or open."""

    arm: str
    difficulty_level: int
    n_pairs: int
    n_slots: int
    n_filled: int
    n_held: int


class People(BaseModel):
    """How many people are at a stage, or left: then `left` says how."""

    stage: str | None
    left: str | None
    synthetic: bool
    n: int


class Progress(BaseModel):
    """How far a study is, by level and by people."""

    slug: str
    state: str
    levels: list[Level]
    people: list[People]


class SetRow(BaseModel):
    """A version of a set; `studies` are those that use it and that the caller may see."""

    slug: str
    version: int
    title: str
    licence: str
    content_hash: str
    created_at: datetime
    n_misconceptions: int
    n_unlevelled: int
    studies: list[str]


class Sets(BaseModel):
    """Every version of every set, the newest of each first."""

    sets: list[SetRow]


class ColumnDescribed(BaseModel):
    """What a column of an exported table means."""

    table: str
    column: str
    type: str
    meaning: str


class Codebook(BaseModel):
    """Every column of every table."""

    columns: list[ColumnDescribed]


def studies_document(listed: Sequence[StudyListed]) -> Studies:
    """Return the list of studies."""
    return Studies(studies=[StudyRow(**study._asdict()) for study in listed])


async def study_document(session: AsyncSession, slug: str) -> StudyDocument:
    """Return one study, read anew."""
    study = await studies.get_study(session, slug)
    used, changes = study.misconception_set, await amendments.listed(session, study.id)
    design = studies.design_document(study)
    if changes:  # What the hash of an amended design covers.
        design |= {"retired": await amendments.retired_keys(session, study.id)}
    return StudyDocument(
        **{name: getattr(study, name) for name in _OF_STUDY},
        design=design,
        set=SetUsed(**{name: getattr(used, name) for name in SetUsed.model_fields}),
        amendments=[
            AmendmentMade(**{name: getattr(change, name) for name in AmendmentMade.model_fields}) for change in changes
        ],
        preregistration=_preregistered(await preregistrations.find(session, study.id)),
        pilots=[Pilot(slug=pilot.slug, state=pilot.state) for pilot in await copies.pilots(session, study.id)],
    )


_OF_STUDY = ("slug", "title", "state", "purpose", "created_at", "opened_at", "closed_at", "design_hash")


def _preregistered(written: Preregistration | None) -> Preregistered | None:
    if written is None:
        return None
    return Preregistered(made_at=written.made_at, document_hash=written.document_hash, document=written.document)


def progress_document(study: Study, levels: Sequence[LevelCounts], stages: Sequence[StageCount]) -> Progress:
    """Return how far a study is."""
    return Progress(
        slug=study.slug,
        state=study.state,
        levels=[_level(level) for level in levels],
        people=sorted(map(_people, stages), key=lambda row: (row.stage or "", row.left or "", row.synthetic)),
    )


def _level(counts: LevelCounts) -> Level:
    values = counts._asdict()
    arm, level = values.pop("arm"), values.pop("level")
    return Level(arm=f"{arm.truthful_kind}/{arm.instructions}", difficulty_level=level, **values)


def _people(count: StageCount) -> People:
    return People(stage=count.stage or None, left=count.left or None, synthetic=count.synthetic, n=count.n)


def sets_document(listed: Sequence[SetListed]) -> Sets:
    """Return the list of sets."""
    return Sets(sets=[SetRow(**found._asdict()) for found in listed])
