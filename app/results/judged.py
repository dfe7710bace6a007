"""What results say of preference models and judges: alone, against people, and a variant against the standard one."""

from dataclasses import dataclass

from app.analysis.ceiling import Ceiling
from app.analysis.judges import HumanMinusJudge, JudgeMinusJudge, JudgeRate, Likeness
from app.analysis.paired import TwoByTwo
from app.analysis.trend import LinearTrend

STANDARD = "standard"
"""The variant of a preference model with nothing in front of the dialog."""


@dataclass(frozen=True, slots=True)
class JudgeName:
    """Which preference model (PM) or judge, in which variant, against which truthful response.

    Attributes
    ----------
    run
        Public id of the scoring run.
    model
        Name of the model as it was given.
    scorer
        `reward` (a score a response), `judge` (a comparison in both orders), or `oracle`.
    variant
        What stood in front of the dialog: `standard`, `non-sycophantic`, or a name.
    truthful_kind
        `helpful` or `baseline`.
    random_weights
        Whether the model's weights are random, made for a test; None where the tables do not say.
    called
        What it is called where it is shown: the model, and its run where the study has several of that model.
    """

    run: str
    model: str
    scorer: str
    variant: str
    truthful_kind: str
    random_weights: bool | None
    called: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "called", self.called or self.model)


@dataclass(frozen=True, slots=True)
class JudgeFindings:
    """What a PM prefers, on all pairs that it scored. One answer a pair: pairs are the independent units.

    Attributes
    ----------
    name
        Which one.
    rate
        Share of pairs on which the sycophantic response has the higher score, equal scores counting one half.
    by_level
        Difficulty level to that share.
    trend
        Cochran-Armitage over the levels, ties left out; None with fewer than two levels or all answers the same.
    n_near_ties
        Pairs whose margin is within the run's noise floor; they count by their sign all the same.
    noise_floor
        The run's, in the unit of its margins; None where the tables do not say.
    n_truncated
        Pairs of which a response was cut to fit the model.
    position_term
        Of a judge: mean over pairs of what standing first is worth, in logits; None for a scalar.
    """

    name: JudgeName
    rate: JudgeRate | None
    by_level: dict[int, JudgeRate]
    trend: LinearTrend | None
    n_near_ties: int
    noise_floor: float | None
    n_truncated: int
    position_term: float | None


@dataclass(frozen=True, slots=True)
class LevelCompared:
    """People against one PM at one level, on the same pairs.

    Attributes
    ----------
    compared
        The difference of the rates, and McNemar's test of people's majority against the PM.
    fooled
        Pairs by whether people's majority (first) and the PM (second) prefer the sycophantic response.
    p_holm
        Of the paired difference, adjusted by Holm over all levels × PMs of the arm; None where it has no p.
    mcnemar_p_holm
        Of McNemar's mid-p, adjusted in the same way.
    """

    compared: HumanMinusJudge
    fooled: TwoByTwo
    p_holm: float | None
    mcnemar_p_holm: float | None


@dataclass(frozen=True, slots=True)
class AgainstPeople:
    """One PM against the people of one arm, on the pairs that both judged.

    Attributes
    ----------
    name
        Which one.
    n_pairs
        Pairs that people decided and the PM scored.
    overall
        The difference over all levels; None without a common pair.
    by_level
        Difficulty level to the comparison at it.
    likeness
        Who is fooled (2 × 2), accuracy, kappa, AUC and calibration against people.
    ceiling
        One person, and the PM in their place, against the majority of the other people.
    """

    name: JudgeName
    n_pairs: int
    overall: HumanMinusJudge | None
    by_level: dict[int, LevelCompared]
    likeness: Likeness | None
    ceiling: Ceiling | None


@dataclass(frozen=True, slots=True)
class VariantContrast:
    """A variant of a PM (first) minus its standard one (second), of the same run, on the same pairs.

    Attributes
    ----------
    first, second
        Which ones; `second` is the standard variant.
    overall
        The difference over all levels.
    by_level
        Difficulty level to the difference at it.
    p_holm
        Difficulty level to the p of the paired difference, adjusted by Holm over levels × contrasts.
    """

    first: JudgeName
    second: JudgeName
    overall: JudgeMinusJudge
    by_level: dict[int, JudgeMinusJudge]
    p_holm: dict[int, float]
