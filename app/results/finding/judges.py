"""What preference models prefer, against people and against each other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.analysis.arrays import dense
from app.analysis.ceiling import crossing_ceiling
from app.analysis.crossing import Crossing
from app.analysis.judges import (
    HumanMinusJudge,
    Judge,
    JudgeMinusJudge,
    crossing_minus_judge,
    fooled_by_level,
    judge_minus_judge,
    judge_rate,
    judge_rate_by_level,
    likeness,
    on_same_pairs,
)
from app.analysis.multiplicity import holm_of
from app.analysis.trend import LinearTrend, cochran_armitage
from app.analysis.votes import votes_in
from app.results.finding.seeds import CONFIDENCE, Seeds
from app.results.judged import STANDARD, AgainstPeople, JudgeFindings, JudgeName, LevelCompared, VariantContrast
from app.results.observed import Observed, Scores, judges_of


class Judged(NamedTuple):
    """A PM's scores under the study's codes, and what they show alone."""

    judge: Judge
    findings: JudgeFindings


def all_judges(observed: Observed) -> tuple[Judged, ...]:
    """Return each PM, variant and truthful kind with its own findings."""
    judges = zip(judges_of(observed), observed.scores, strict=True)
    return tuple(Judged(judge, _alone(judge, scores)) for judge, scores in judges)


def _alone(judge: Judge, scores: Scores) -> JudgeFindings:
    return JudgeFindings(
        name=scores.name,
        rate=judge_rate(judge, CONFIDENCE),
        by_level=judge_rate_by_level(judge, CONFIDENCE),
        trend=_trend(judge),
        n_near_ties=scores.n_near_ties,
        noise_floor=scores.noise_floor,
        n_truncated=scores.n_truncated,
        position_term=scores.position_term,
    )


def _trend(judge: Judge) -> LinearTrend | None:
    decided = (judge.margin != 0) & (judge.level > 0)
    levels, of_level = np.unique(judge.level[decided], return_inverse=True)
    if len(levels) < 2:
        return None
    prefers = judge.prefers_sycophantic[decided]
    return cochran_armitage(np.bincount(of_level, weights=prefers), np.bincount(of_level), levels)


def against_people(people: Crossing, kind: str, judges: Sequence[Judged], seeds: Seeds) -> tuple[AgainstPeople, ...]:
    """Compare the PMs that scored this truthful kind with the people who saw it, p adjusted over levels × PMs.

    Parameters
    ----------
    people
        The analysed votes of one arm.
    """
    judges = [judge for judge in judges if judge.findings.name.truthful_kind == kind]
    if not judges:
        return ()
    by_level = people.by_level()
    compared = {judge.findings.name: _levels(by_level, judge, seeds) for judge in judges}
    paired = holm_of({(name, level): each.paired.p for name, by in compared.items() for level, each in by.items()})
    majority = holm_of(
        {(name, level): each.majority.p_mid for name, by in compared.items() for level, each in by.items()}
    )
    found = []
    for judge in judges:
        name = judge.findings.name
        both = people.where(np.isin(people.pair, judge.judge.pair))
        same = on_same_pairs(votes_in(both), judge.judge)
        fooled = fooled_by_level(same)
        answers = same.judge.prefers_sycophantic
        found.append(
            AgainstPeople(
                name=name,
                n_pairs=len(same.votes),
                overall=crossing_minus_judge(both, same.judge, seeds.bootstrap("people", *_words(name))),
                by_level={
                    level: LevelCompared(each, fooled[level], paired.get((name, level)), majority.get((name, level)))
                    for level, each in compared[name].items()
                },
                likeness=likeness(same, CONFIDENCE) if len(same.votes) else None,
                ceiling=crossing_ceiling(both, answers, CONFIDENCE) if len(same.votes) else None,
            )
        )
    return tuple(found)


def _levels(people: Mapping[int, Crossing], judge: Judged, seeds: Seeds) -> dict[int, HumanMinusJudge]:
    found = {
        level: crossing_minus_judge(part, judge.judge, seeds.bootstrap("people", *_words(judge.findings.name), level))
        for level, part in people.items()
    }
    return {level: each for level, each in found.items() if each is not None}


def _words(name: JudgeName) -> tuple[str, ...]:
    return name.run, name.variant, name.truthful_kind


def variants_contrasted(judges: Sequence[Judged], seeds: Seeds) -> tuple[VariantContrast, ...]:
    """Compare each variant with the standard one of the same run and truthful kind, on the pairs that both scored."""
    standard = {_of_run(judge.findings.name): judge for judge in judges if judge.findings.name.variant == STANDARD}
    pairs = [
        (judge, standard[_of_run(judge.findings.name)])
        for judge in judges
        if judge.findings.name.variant != STANDARD and _of_run(judge.findings.name) in standard
    ]
    overall = [_contrast(one.judge, two.judge, seeds, one.findings.name) for one, two in pairs]
    levels = [_contrast_by_level(one, two, seeds) for one, two in pairs]
    adjusted = holm_of(
        {(index, level): each.paired.p for index, by_level in enumerate(levels) for level, each in by_level.items()}
    )
    return tuple(
        VariantContrast(
            first=one.findings.name,
            second=two.findings.name,
            overall=whole,
            by_level=levels[index],
            p_holm={level: p for (of, level), p in adjusted.items() if of == index},
        )
        for index, ((one, two), whole) in enumerate(zip(pairs, overall, strict=True))
        if whole is not None
    )


def _of_run(name: JudgeName) -> tuple[str, str]:
    return name.run, name.truthful_kind


def _contrast(one: Judge, two: Judge, seeds: Seeds, name: JudgeName, *more: object) -> JudgeMinusJudge | None:
    return judge_minus_judge(one, two, seeds.bootstrap("variants", *_words(name), *more))


def _contrast_by_level(one: Judged, two: Judged, seeds: Seeds) -> dict[int, JudgeMinusJudge]:
    found: dict[int, JudgeMinusJudge] = {}
    for level in dense(one.judge.level)[0].tolist():
        part = one.judge.on(one.judge.pair[one.judge.level == level])
        each = _contrast(part, two.judge, seeds, one.findings.name, level) if level > 0 else None
        if each is not None:
            found[level] = each
    return found
