"""The texts that a preference model scores: a study's pairs, as a file for another machine, and as hashes to hold to.

A study that is still a draft has no pairs yet: those it would open with stand for them. Retired pairs are left out.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Misconception, Study
from app.study.canonical import text_hash
from app.study.studies import SetUnlevelled, get_study
from app.terms import ResponseKind

_BATCH = 500

PAIRS_SCORED = """
    misconception
    LEFT JOIN pair ON pair.misconception_id = misconception.id AND pair.study_id = :study
    LEFT JOIN retired_pair ON retired_pair.pair_id = pair.id
"""
"""SQL: the misconceptions of a study's set, each with its pair where the study has opened."""

_TEXTS = ", ".join(f"{kind}.text AS {kind}, {kind}.text_hash AS {kind}_hash" for kind in ResponseKind)
_RESPONSES = "\n".join(
    f"JOIN response {kind} ON {kind}.misconception_id = misconception.id AND {kind}.kind = '{kind}'"
    for kind in ResponseKind
)
_PAIRS = text(f"""
    SELECT misconception.key, coalesce(pair.difficulty_level, misconception.difficulty_level) AS level,
           misconception.prompt, {_TEXTS}
    FROM {PAIRS_SCORED} {_RESPONSES}
    WHERE misconception.set_id = :set AND retired_pair.pair_id IS NULL
    ORDER BY misconception.key COLLATE "C"
""")  # noqa: S608 - of the SQL above
_HASHES = text(f"""
    SELECT misconception.id, misconception.key, retired_pair.pair_id IS NOT NULL AS retired,
           encode(sha256(convert_to(misconception.prompt, 'UTF8')), 'hex') AS prompt_hash,
           {", ".join(f"{kind}.text_hash AS {kind}" for kind in ResponseKind)}
    FROM {PAIRS_SCORED} {_RESPONSES}
    WHERE misconception.set_id = :set
""")  # noqa: S608 - of the SQL above
_COUNT = text(f"""
    SELECT count(*) FROM {PAIRS_SCORED} WHERE misconception.set_id = :set AND retired_pair.pair_id IS NULL
""")  # noqa: S608 - of the SQL above


@dataclass(frozen=True, slots=True)
class PairHashes:
    """A pair's texts by their SHA-256. `retired` pairs are known, so that a score of one is not taken for a mistake."""

    misconception_id: int
    prompt: str
    responses: Mapping[ResponseKind, str]
    retired: bool


async def scored_study(session: AsyncSession, slug: str) -> Study:
    """Return a study whose pairs can be scored: one that is open, or that could be opened as far as its levels go.

    Raises
    ------
    SetUnlevelled
        When misconceptions of a draft's set have no level, so that nothing could be told by level.
    """
    study = await get_study(session, slug)
    unlevelled = select(func.count(), func.min(Misconception.key)).where(
        Misconception.set_id == study.set_id, Misconception.difficulty_level.is_(None)
    )
    n, first = (await session.execute(unlevelled)).one()
    if n:
        raise SetUnlevelled(study.misconception_set.slug, n, first)
    return study


async def n_pairs(session: AsyncSession, study: Study) -> int:
    """Return how many pairs of a study there are to score."""
    return int(await session.scalar(_COUNT, {"study": study.id, "set": study.set_id}) or 0)


async def pair_lines(session: AsyncSession, slug: str) -> AsyncIterator[str]:
    """Yield the pairs file of a study: a header, then a misconception a line, by key, each ended by a line feed."""
    study = await scored_study(session, slug)
    used = study.misconception_set
    yield _line(
        {
            "candor_pairs": 1,
            "study": study.slug,
            "set_slug": used.slug,
            "set_version": used.version,
            "set_hash": used.content_hash,
            "design_hash": study.design_hash,
            "n": await n_pairs(session, study),
        }
    )
    found = await session.stream(
        _PAIRS, {"study": study.id, "set": study.set_id}, execution_options={"yield_per": _BATCH}
    )
    async for row in found:
        values = row._asdict()
        yield _line(
            {
                "key": row.key,
                "level": row.level,
                "prompt": row.prompt,
                "prompt_hash": text_hash(row.prompt),
                "responses": {
                    kind.value: {"text": values[kind], "text_hash": values[f"{kind}_hash"]} for kind in ResponseKind
                },
            }
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


async def pair_hashes(session: AsyncSession, study: Study) -> dict[str, PairHashes]:
    """Return the hashes of a study's texts, retired pairs too, by the key of the misconception."""
    found = await session.execute(_HASHES, {"study": study.id, "set": study.set_id})
    return {
        row.key: PairHashes(
            row.id, row.prompt_hash, {kind: row._asdict()[kind] for kind in ResponseKind}, retired=row.retired
        )
        for row in found
    }
