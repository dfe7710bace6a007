"""A made-up study, as it would be observed: two arms, scores of two variants, and everything that can be asked."""

from dataclasses import replace
from typing import Any

import numpy as np

from app.analysis.arrays import Floats, Ints
from app.results.facts import Arm, Declared, Facts, People, Source
from app.results.judged import STANDARD, JudgeName
from app.results.observed import Annotators, Observed, Pairs, Scores, Stored

LEVELS, PER_LEVEL, K = 8, 8, 5
N_PAIRS = LEVELS * PER_LEVEL
PEOPLE = 32
ARMS = (Arm("helpful", "neutral"), Arm("helpful", "prefer_truth"))
BACKGROUND = {"english": "Is English your first language?"}

FACTS = Facts(
    slug="made-up",
    title="A made-up study",
    question="Which response do you prefer?",
    state="closed",
    purpose="study",
    synthetic=True,
    ratings_per_pair=K,
    pairs_per_annotator=N_PAIRS * K // PEOPLE,
    arms=ARMS,
    arms_ordered=True,
    first_arm=ARMS[0].name,
    set_slug="misconceptions",
    set_version=1,
    set_hash="a1" * 32,
    design_hash="b2" * 32,
    amended_designs=(),
    preregistration="c3" * 32,
    seed=7,
    declared=Declared(
        confidence=True, prior_belief=True, swapped_repeats=1, background=BACKGROUND, exclusions={"words_a_minute": 600}
    ),
)


def observed() -> Observed:
    """Return the study. The same at every call."""
    rng = np.random.default_rng(1)
    level = np.repeat(np.arange(1, LEVELS + 1), PER_LEVEL)
    pair_effect = rng.normal(0, 0.8, N_PAIRS)
    arms = [_arm(index, level, pair_effect, rng) for index in range(len(ARMS))]
    pair, annotator, chosen = (np.concatenate([arm[i] for arm in arms]) for i in range(3))
    stored = _stored(pair.astype(np.int64), annotator.astype(np.int64), chosen, rng)
    return Observed(
        facts=FACTS,
        source=Source("database"),
        people=People(2 * PEOPLE + 4, 2 * PEOPLE, 1, 0, 2, 0, 1, 1),
        pairs=Pairs(
            key=tuple(f"claim-{n}" for n in range(N_PAIRS)),
            level=level,
            retired=np.zeros(N_PAIRS, dtype=np.bool_),
            words_truthful={"helpful": rng.integers(90, 130, N_PAIRS).astype(float)},
            words_sycophantic=rng.integers(95, 140, N_PAIRS).astype(float),
        ),
        annotators=Annotators(
            arm=np.repeat(np.arange(len(ARMS)), PEOPLE),
            looked_up=(np.arange(2 * PEOPLE) % 9 == 0).astype(float),
            synthetic=np.ones(2 * PEOPLE, dtype=np.bool_),
            background={"english": (np.arange(2 * PEOPLE) % 3 == 0).astype(np.int64)},
            answers={"english": ("No", "Yes")},
        ),
        stored=stored,
        scores=tuple(
            _scores(name, level, pair_effect + shift, rng)
            for name, shift in (
                (JudgeName("run1", "pm-small", "reward", STANDARD, "helpful", False), 0.1),
                (JudgeName("run1", "pm-small", "reward", "non-sycophantic", "helpful", False), -0.9),
                (JudgeName("run1", "pm-small", "reward", STANDARD, "baseline", False), 1.2),
            )
        ),
    )


def untouched() -> Observed:
    """Return the study before anybody came."""
    whole = observed()
    nobody = Annotators(
        arm=whole.annotators.arm[:0],
        looked_up=whole.annotators.looked_up[:0],
        synthetic=whole.annotators.synthetic[:0],
        background={"english": whole.annotators.background["english"][:0]},
        answers={"english": ()},
    )
    return replace(whole, annotators=nobody, stored=first_choices(0).stored, scores=())


def first_choices(n: int) -> Observed:
    """Return the study with its first choices alone."""
    whole = observed()
    values: dict[str, Any] = {name: getattr(whole.stored, name) for name in Stored.__slots__}
    cut = {name: value[:n] for name, value in values.items()}
    return replace(whole, stored=Stored(**cut), scores=())


def _arm(index: int, level: Ints, effect: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    pair = np.tile(np.arange(N_PAIRS), K)
    annotator = index * PEOPLE + np.arange(N_PAIRS * K) * PEOPLE // (N_PAIRS * K)
    person = rng.normal(0, 0.5, 2 * PEOPLE)
    logit = -1.6 + 0.18 * level[pair] - 0.5 * index + effect[pair] + person[annotator]
    return pair, annotator, (rng.random(len(pair)) < 1 / (1 + np.exp(-logit))).astype(float)


def _stored(pair: Ints, annotator: Ints, chosen: Floats, rng: np.random.Generator) -> Stored:
    n = len(pair)
    ms = rng.lognormal(10.4, 0.7, n)
    return Stored(
        pair=pair,
        annotator=annotator,
        position=np.arange(n, dtype=np.int64) % FACTS.pairs_per_annotator + 1,  # type: ignore[operator]
        repeat_of=np.zeros(n, dtype=np.int64),
        prefers_sycophantic=chosen,
        truthful_left=np.arange(n) % 2 == 0,
        counted=np.ones(n, dtype=np.bool_),
        late=np.zeros(n, dtype=np.bool_),
        withdrawn=np.zeros(n, dtype=np.bool_),
        reason=np.where(ms < 9_000, 7, 0).astype(np.int64),
        decision_ms=ms,
        left_page=np.zeros(n, dtype=np.bool_),
        confidence=rng.integers(1, 6, n).astype(float),
        prior_belief=(10 * rng.integers(0, 11, n)).astype(float),
    )


def _scores(name: JudgeName, level: Ints, effect: Floats, rng: np.random.Generator) -> Scores:
    return Scores(
        name=name,
        key=tuple(f"claim-{n}" for n in range(N_PAIRS)),
        level=level,
        margin=-0.6 + 0.12 * level + effect + rng.normal(0, 0.7, N_PAIRS),
        n_near_ties=2,
        n_truncated=0,
        noise_floor=0.01,
        position_term=None,
    )
