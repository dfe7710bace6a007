"""Preregistration: what a study will test and how, written down, hashed and stored before it opens.

From then on its draft cannot be changed, and opening checks that the design's hash is the one that was written down.
"""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Misconception, Preregistration, Study
from app.study import events, studies
from app.study import preregistration_words as words
from app.study.canonical import content_hash
from app.study.options import Options
from app.study.sizes import StudySize, size_of
from app.terms import StudyState


class AlreadyPreregistered(CandorError):
    """The study has its preregistration, and it cannot be made again."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"study {slug!r} is preregistered already; what was written down stays as it is")


class NotPreregistered(CandorError):
    """The study has no preregistration to show."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"study {slug!r} is not preregistered; `candor study preregister {slug}` does it for a draft")


async def preregister(session: AsyncSession, slug: str, account_id: int | None = None) -> Preregistration:
    """Write down what a draft will test, and how; from then on it can be opened as it is, or not at all.

    Raises
    ------
    AlreadyPreregistered
        When it is.
    StudyStateWrong
        When the study has opened: it is too late.
    SetUnlevelled, SetTooSmall
        When it could not be opened anyway.
    """
    study = await studies.get_study(session, slug, lock=True)
    if await find(session, study.id) is not None:
        raise AlreadyPreregistered(slug)
    if study.state != StudyState.DRAFT:
        raise studies.StudyStateWrong(slug, study.state, "preregistered", "a draft: it is done before a study opens")
    await studies.refuse_unfit_set(session, study)
    await studies.settle_entry_holds(session, study)
    await session.flush()
    document = await _document(session, study)
    written = Preregistration(
        study_id=study.id,
        document=document,
        document_hash=content_hash(document),
        made_at=datetime.fromisoformat(document["made_at"]),
    )
    values = {name: getattr(written, name) for name in ("study_id", "document", "document_hash", "made_at")}
    await session.execute(insert(Preregistration).values(values))
    await events.record(
        session,
        "study_preregistered",
        study_id=study.id,
        account_id=account_id,
        document_hash=written.document_hash,
        design_hash=document["hashes"]["design"],
    )
    return written


async def find(session: AsyncSession, study_id: int) -> Preregistration | None:
    """Return what was written down before a study opened, if anything was."""
    return await session.get(Preregistration, study_id)


async def get(session: AsyncSession, study: Study) -> Preregistration:
    """Return a study's preregistration.

    Raises
    ------
    NotPreregistered
        When it has none.
    """
    found = await find(session, study.id)
    if found is None:
        raise NotPreregistered(study.slug)
    return found


async def hash_of(session: AsyncSession, study_id: int) -> str | None:
    """Return the hash of a study's preregistration, to be stamped on its results; None where it has none."""
    return await session.scalar(select(Preregistration.document_hash).filter_by(study_id=study_id))


def json_of(written: Preregistration) -> str:
    """Return JSON of the document beside its hash, which is that of the document's canonical JSON."""
    value = {"document_hash": written.document_hash, "document": written.document}
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


async def _document(session: AsyncSession, study: Study) -> dict[str, Any]:
    options = Options.model_validate(study.options)
    levels = await _levels(session, study.set_id)
    now = await session.scalar(select(func.now()))
    assert isinstance(now, datetime)
    n_arms = len(study.arms)
    return {
        "kind": "preregistration of a Candor study",
        "format": 1,
        "title": study.title,
        "made_at": now.astimezone(UTC).isoformat(),
        "software": f"candor {version('candor')}",
        "set": {
            "slug": study.misconception_set.slug,
            "version": study.misconception_set.version,
            "licence": study.misconception_set.licence,
        },
        "hypotheses": words.hypotheses(n_arms),
        "primary_test": words.primary_test(n_arms),
        "secondary_tests": words.secondary_tests(n_arms),
        "arms": [{"truthful_kind": arm.truthful_kind, "instructions": arm.instructions} for arm in study.arms],
        "sample": _sample(await size_of(session, study)),
        "stopping": words.stopping(),
        "exclusions": words.exclusions(options),
        "response_times": words.response_times(options),
        "exploratory": words.exploratory(options),
        "design": studies.design_document(study),
        "hashes": _hashes(study, levels),
    }


def _sample(size: StudySize) -> dict[str, Any]:
    return {
        "pairs": sum(size.pairs),
        "pairs_by_level": {str(level): n for level, n in enumerate(size.pairs, 1)},
        "ratings_per_pair_and_arm": size.ratings_per_pair,
        "arms": size.arms,
        "pairs_per_annotator": size.pairs_per_annotator,
        "choices": size.choices,
        "annotators_at_least": size.annotators,
    }


def _hashes(study: Study, levels: dict[str, int]) -> dict[str, Any]:
    return {
        "set": study.misconception_set.content_hash,
        "levels": content_hash(levels),
        "question": content_hash(study.question),
        "texts": {name: content_hash(text) for name, text in study.texts.items()},
        "options": content_hash(study.options),
        "design": content_hash(studies.design_document(study)),
    }


async def _levels(session: AsyncSession, set_id: int) -> dict[str, int]:
    """Return each misconception's level by its key."""
    found = await session.execute(
        select(Misconception.key, Misconception.difficulty_level).where(Misconception.set_id == set_id)
    )
    return {key: level for key, level in found if level is not None}
