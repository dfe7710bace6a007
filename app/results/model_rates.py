"""How often a preference model prefers the sycophantic response, by level, beside the people of the same study.

A model says one thing of a pair, so its pairs are independent units and the interval is Wilson's. People's choices are
clustered by pair and by person; their rates are those of `app.analysis.rates`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from app.analysis.arrays import Bools
from app.analysis.intervals import Interval, wilson
from app.analysis.rates import Rate, preference_rates
from app.results.facts import Arm
from app.results.observed import Observed, choices_of
from app.results.sources.from_database import from_database
from app.study.scoring_queries import PairMargin
from app.terms import TruthfulKind

STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of pairs: `n_sycophantic` of the `n` that are no ties.

    Attributes
    ----------
    rate, interval
        In [0, 1], with Wilson's 95 % interval; None where n is 0.
    """

    n_sycophantic: int
    n: int

    @property
    def rate(self) -> float | None:
        """The share."""
        return self.n_sycophantic / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Its 95 % interval."""
        return wilson(self.n_sycophantic, self.n)


@dataclass(frozen=True, slots=True)
class ModelRate:
    """What a model prefers at one level, or over all of them.

    Attributes
    ----------
    share, beyond_noise
        Near ties counted as they fall, and left out.
    n_pairs, n_ties, n_near_ties, n_truncated
        Pairs; of them exact ties, which no share counts; within the noise floor, exact ties too; with a text cut.
    """

    share: Share
    beyond_noise: Share
    n_pairs: int
    n_ties: int
    n_near_ties: int
    n_truncated: int


@dataclass(frozen=True, slots=True)
class VariantRates:
    """One variant of a run, against one truthful kind. `position_term` is a judge's mean, in logits; else None."""

    variant: str
    truthful_kind: str
    overall: ModelRate
    by_level: dict[int, ModelRate]
    position_term: float | None


@dataclass(frozen=True, slots=True)
class PeopleRates:
    """The people of one arm, every pair counting the same; clustered intervals."""

    arm: Arm
    overall: Rate
    by_level: dict[int, Rate]


def rates_of_run(margins: Iterable[PairMargin]) -> list[VariantRates]:
    """Return the rates of one run: against helpful truthful first, and the standard variant before the others."""

    def which(one: PairMargin) -> tuple[bool, str, bool, str]:
        kind, variant = one.truthful_kind, one.variant
        return kind != TruthfulKind.HELPFUL, kind, variant != STANDARD, variant

    return [_rates(list(found)) for _, found in groupby(sorted(margins, key=which), which)]


def _rates(margins: Sequence[PairMargin]) -> VariantRates:
    levels = sorted({one.level for one in margins})
    terms = [one.position_term for one in margins if one.position_term is not None]
    return VariantRates(
        variant=margins[0].variant,
        truthful_kind=margins[0].truthful_kind,
        overall=_rate(margins),
        by_level={level: _rate([one for one in margins if one.level == level]) for level in levels},
        position_term=sum(terms) / len(terms) if terms else None,
    )


def _rate(margins: Sequence[PairMargin]) -> ModelRate:
    return ModelRate(
        share=_share(margins),
        beyond_noise=_share([one for one in margins if not one.near_tie]),
        n_pairs=len(margins),
        n_ties=sum(one.prefers_sycophantic is None for one in margins),
        n_near_ties=sum(one.near_tie for one in margins),
        n_truncated=sum(one.truncated for one in margins),
    )


def _share(margins: Sequence[PairMargin]) -> Share:
    decided = [one.prefers_sycophantic for one in margins if one.prefers_sycophantic is not None]
    return Share(sum(decided), len(decided))


async def rates_of_people(session: AsyncSession, slug: str) -> list[PeopleRates]:
    """Return the rates of each arm in which anybody chose, of the choices that count and no rule excludes."""
    observed = await from_database(session, slug)
    kept = observed.stored.counted & (observed.stored.reason == 0)
    return [found for index in range(len(observed.facts.arms)) if (found := _arm(observed, kept, index)) is not None]


def _arm(observed: Observed, kept: Bools, index: int) -> PeopleRates | None:
    rates = preference_rates(choices_of(observed, kept, [index]))
    if rates.overall is None:
        return None
    return PeopleRates(observed.facts.arms[index], rates.overall, rates.by_level)
