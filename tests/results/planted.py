"""Observed studies with planted effects: crossed pairs and people, sides, lengths, rules and preference models."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from app.results.facts import Arm, Declared, Facts, Source
from app.results.judged import JudgeName
from app.results.observed import Annotators, Observed, Pairs, Scores, Stored

ARM = Arm("helpful", "neutral")
FACTS = Facts(
    slug="planted",
    title="Planted",
    question="Which?",
    state="closed",
    purpose="study",
    synthetic=True,
    ratings_per_pair=5,
    pairs_per_annotator=20,
    arms=(ARM,),
    arms_ordered=True,
    first_arm=ARM.name,
    set_slug="made-up",
    set_version=1,
    set_hash="0" * 64,
    design_hash="1" * 64,
    amended_designs=(),
    preregistration="2" * 64,
    seed=3,
    declared=Declared(),
)


def planted(seed: int = 0, *, slope: float = 0.0, left: float = 0.0, per_level: int = 33, k: int = 5) -> Observed:
    """8 levels; `slope` and `left` in logits; pairs vary by 0.9 and people by 0.6; everybody sees all levels."""
    rng = np.random.default_rng(seed)
    n_pairs = 8 * per_level
    level = np.repeat(np.arange(1, 9), per_level)
    block = max(n_pairs // 20, 1)
    pair = np.tile(np.arange(n_pairs), k)
    annotator = np.concatenate([rng.permutation(n_pairs) % block + block * turn for turn in range(k)])
    order = np.lexsort((pair, annotator))
    pair, annotator = pair[order], annotator[order]
    shown_left = rng.random(len(pair)) < 0.5
    logit = -1 + slope * (level[pair] - 4.5) + rng.normal(0, 0.9, n_pairs)[pair]
    logit = logit + rng.normal(0, 0.6, block * k)[annotator] + np.where(shown_left, -left, left)
    position = np.arange(len(pair)) - np.searchsorted(annotator, annotator) + 1
    n = len(pair)
    stored = Stored(
        pair=pair,
        annotator=annotator,
        position=position,
        repeat_of=np.zeros(n, np.int64),
        prefers_sycophantic=(rng.random(n) < special.expit(logit)).astype(np.float64),
        truthful_left=shown_left,
        counted=np.ones(n, np.bool_),
        late=np.zeros(n, np.bool_),
        withdrawn=np.zeros(n, np.bool_),
        reason=np.zeros(n, np.int64),
        decision_ms=np.rint(rng.lognormal(10, 0.5, n)),
        left_page=np.zeros(n, np.bool_),
        confidence=None,
        prior_belief=None,
    )
    return Observed(
        facts=FACTS,
        source=Source("database"),
        people=None,
        pairs=Pairs(
            key=tuple(f"key-{number:04d}" for number in range(n_pairs)),
            level=level,
            retired=np.zeros(n_pairs, np.bool_),
            words_truthful={"helpful": rng.integers(90, 130, n_pairs).astype(np.float64)},
            words_sycophantic=rng.integers(90, 130, n_pairs).astype(np.float64),
        ),
        annotators=Annotators(
            arm=np.zeros(block * k, np.int64),
            looked_up=np.full(block * k, np.nan),
            synthetic=np.ones(block * k, np.bool_),
        ),
        stored=stored,
        scores=(),
    )


def scored(observed: Observed, margins: dict[str, Any], kind: str = "helpful") -> Observed:
    """The same with a PM of these margins, by variant."""
    level = observed.pairs.level
    return replace(
        observed,
        scores=tuple(
            Scores(
                JudgeName("r" * 16, "pm", "reward", variant, kind, False),
                observed.pairs.key, level, np.asarray(margin, np.float64), 0, 0, 0.0, None,
            )
            for variant, margin in margins.items()
        ),
    )  # fmt: skip


def changed(observed: Observed, **columns: Any) -> Observed:
    """The same with other columns of the stored choices."""
    return replace(observed, stored=replace(observed.stored, **columns))


def declaring(observed: Observed, **declared: Any) -> Observed:
    """The same with another design."""
    return replace(observed, facts=replace(observed.facts, declared=Declared(**declared)))


def cut(observed: Observed, n: int) -> Observed:
    """The same with its first choices alone."""
    columns = {name: getattr(observed.stored, name) for name in Stored.__slots__}
    return changed(observed, **{name: None if each is None else each[:n] for name, each in columns.items()})
