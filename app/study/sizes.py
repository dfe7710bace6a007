"""How large a study is: its pairs by level, its ratings, and the people whom they take."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Arm, Misconception, Study

LEVELS = 8


class StudySize(NamedTuple):
    """The size of a study, opened or not. `pairs` are those of each level, easiest first."""

    pairs: tuple[int, ...]
    ratings_per_pair: int
    pairs_per_annotator: int
    arms: int

    @property
    def choices(self) -> int:
        """Counted choices in all arms."""
        return sum(self.pairs) * self.ratings_per_pair * self.arms

    @property
    def annotators(self) -> int:
        """People that all arms need, if everybody judges n pairs and nobody is replaced."""
        return -(-sum(self.pairs) * self.ratings_per_pair // self.pairs_per_annotator) * self.arms


async def size_of(session: AsyncSession, study: Study) -> StudySize:
    """Return a study's size; misconceptions without a level are in none."""
    counted = await session.execute(
        select(Misconception.difficulty_level, func.count().label("n"))
        .where(Misconception.set_id == study.set_id)
        .group_by(Misconception.difficulty_level)
    )
    by_level = {row.difficulty_level: row.n for row in counted}
    n_arms = await session.scalar(select(func.count()).where(Arm.study_id == study.id)) or 0
    pairs = tuple(by_level.get(level, 0) for level in range(1, LEVELS + 1))
    return StudySize(pairs, study.ratings_per_pair, study.pairs_per_annotator, n_arms)
