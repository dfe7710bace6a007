"""What a run says by level, as charts and tables: each variant beside the people, against one truthful kind."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from app.terms import Instructions
from app.web.researcher.scoring_pages import ModelFigure, ModelPoint, ModelSeries, RateGroup, RateRow

if TYPE_CHECKING:
    from app.analysis.rates import Rate
    from app.results.model_rates import ModelRate, PeopleRates, VariantRates

TOP, HEIGHT = 16, 240
"""The plot's upper edge and its height, in the units of the drawing; the template draws in the same."""

_STANDARD = "standard"
_NAME_EVERY = 26
_APART = 13
_LONGEST_NAME = 15
_KINDS = {"helpful": "the helpful truthful response", "baseline": "the baseline truthful response"}
_DASH = "–"


def figures(model: str, variants: Sequence["VariantRates"], people: Sequence["PeopleRates"]) -> tuple[ModelFigure, ...]:
    """Return a chart with its table for each truthful kind that was scored."""
    kinds = dict.fromkeys(one.truthful_kind for one in variants)
    return tuple(
        _figure(
            model,
            [one for one in variants if one.truthful_kind == kind],
            [arm for arm in people if arm.arm.truthful_kind == kind],
        )
        for kind in kinds
    )


def _figure(model: str, variants: Sequence["VariantRates"], people: Sequence["PeopleRates"]) -> ModelFigure:
    first = variants[0]
    drawn = [(one.variant, _shape(one.variant), _model_points(one)) for one in variants]
    drawn += [(_arm_name(arm), "people", _people_points(arm)) for arm in people]
    groups = [_model_group(one) for one in variants] + [_people_group(arm) for arm in people]
    return ModelFigure(
        finding=_finding(model, first),
        said=_said(first, with_people=bool(people)),
        levels=tuple(sorted({level for one in variants for level in one.by_level})),
        series=_series(drawn),
        groups=tuple(groups),
        notes=_notes(variants),
    )


def _finding(model: str, one: "VariantRates") -> str:
    share, against = one.overall.share, _KINDS[one.truthful_kind]
    interval = share.interval
    if share.rate is None or interval is None:
        return f"{model} ties on every one of {one.overall.n_pairs:,} pairs against {against}"
    within = f"95 % interval {_percent(interval.low)} to {_percent(interval.high)}"
    how_many = f"{share.n_sycophantic:,} of {share.n:,} pairs"
    variant = "" if one.variant == _STANDARD else f", variant {one.variant}"
    return f"{model} prefers the sycophantic response to {against} in {how_many} ({within}{variant})"


def _said(one: "VariantRates", *, with_people: bool) -> str:
    beside = (
        " The people’s rates are means over pairs; their intervals are clustered by pair and by person."
        if with_people
        else " Nobody has judged these pairs yet, so the model stands alone."
    )
    return (
        f"Share of pairs in which the sycophantic response is preferred (%), by difficulty level, of "
        f"{one.overall.n_pairs:,} pairs. Lines are 95 % intervals (Wilson’s: a model says one thing of a pair).{beside}"
    )


def _notes(variants: Sequence["VariantRates"]) -> tuple[str, ...]:
    said = []
    for one in variants:
        whole = one.overall
        if whole.n_near_ties:
            left = whole.beyond_noise
            without = f"{_percent(left.rate)} of {left.n:,} pairs" if left.rate is not None else "nothing"
            said.append(
                f"{one.variant}: {whole.n_near_ties:,} of {whole.n_pairs:,} margins are near ties, within the noise "
                f"floor. As they fall the rate is {_rate(whole.share.rate)}; without them it is {without}."
            )
        if one.position_term is not None:
            said.append(
                f"{one.variant}: standing first is worth {one.position_term:+.2f} logits to this judge, on average. "
                f"Each pair was read in both orders, and the margin is free of it."
            )
        if whole.n_truncated:
            said.append(f"{one.variant}: a text was cut to fit the model in {whole.n_truncated:,} pairs.")
    return tuple(said)


def _shape(variant: str) -> str:
    return "diamond" if variant == _STANDARD else "triangle"


def _arm_name(arm: "PeopleRates") -> str:
    return "people" if arm.arm.instructions == Instructions.NEUTRAL else "people (truth)"


# Points.


def _model_points(one: "VariantRates") -> list[ModelPoint]:
    points = []
    for level, rate in one.by_level.items():
        share, interval = rate.share.rate, rate.share.interval
        if share is not None and interval is not None:
            points.append(ModelPoint(level=level, rate=100 * share, low=100 * interval.low, high=100 * interval.high))
    return points


def _people_points(arm: "PeopleRates") -> list[ModelPoint]:
    return [
        ModelPoint(level=level, rate=100 * one.rate, low=100 * one.interval.low, high=100 * one.interval.high)
        for level, one in arm.by_level.items()
    ]


def _series(drawn: Sequence[tuple[str, str, list[ModelPoint]]]) -> tuple[ModelSeries, ...]:
    """Return what is drawn: side by side within each level, with names at the last points that do not overlap."""
    kept = [one for one in drawn if one[2]]
    ends = [TOP + HEIGHT * (100 - points[-1].rate) / 100 for _, _, points in kept]
    heights = _spread(ends)
    middle = (len(kept) - 1) / 2
    return tuple(
        ModelSeries(
            name=name, shape=shape, offset=_APART * (index - middle), points=tuple(points), label_y=heights[index]
        )
        for index, (name, shape, points) in enumerate(kept)
    )


def _spread(ends: Sequence[float]) -> list[float]:
    """Return heights in the order of the ends, far enough apart for names, within the plot."""
    order = sorted(range(len(ends)), key=ends.__getitem__)
    heights = [min(max(ends[index], TOP), TOP + HEIGHT) for index in order]
    for before, after in pairwise(range(len(heights))):
        heights[after] = max(heights[after], heights[before] + _NAME_EVERY)
    over = heights[-1] - (TOP + HEIGHT) if heights else 0.0
    for place in range(len(heights) - 1, -1, -1):
        if over <= 0:
            break
        heights[place] -= over
        over = 0.0 if place == 0 else heights[place - 1] + _NAME_EVERY - heights[place]
    at = dict(zip(order, heights, strict=True))
    return [round(at[index], 1) for index in range(len(ends))]


# Tables.


def _model_group(one: "VariantRates") -> RateGroup:
    rows = [_model_row(str(level), rate) for level, rate in one.by_level.items()]
    return RateGroup(name=f"Model, {one.variant}", rows=(*rows, _model_row("All", one.overall)))


def _model_row(level: str, one: "ModelRate") -> RateRow:
    interval, beyond = one.share.interval, one.beyond_noise
    return RateRow(
        level=level,
        pairs=f"{one.n_pairs:,}",
        rate=_number(one.share.rate),
        interval=_DASH if interval is None else f"{_number(interval.low)} to {_number(interval.high)}",
        ties=f"{one.n_ties:,}",
        near_ties=f"{one.n_near_ties:,}",
        beyond=_DASH if beyond.rate is None else f"{_number(beyond.rate)} ({beyond.n:,})",
    )


def _people_group(arm: "PeopleRates") -> RateGroup:
    rows = [_people_row(str(level), one) for level, one in arm.by_level.items()]
    told = "" if arm.arm.instructions == Instructions.NEUTRAL else ", told to prefer the true answer"
    return RateGroup(name=f"People{told}", rows=(*rows, _people_row("All", arm.overall)))


def _people_row(level: str, one: "Rate") -> RateRow:
    return RateRow(
        level=level,
        pairs=f"{one.n_pairs:,}",
        rate=_number(one.rate),
        interval=f"{_number(one.interval.low)} to {_number(one.interval.high)}",
        ties=_DASH,
        near_ties=_DASH,
        beyond=_DASH,
    )


def _number(share: float | None) -> str:
    return _DASH if share is None else f"{100 * share:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _rate(share: float | None) -> str:
    return "not defined" if share is None else _percent(share)
