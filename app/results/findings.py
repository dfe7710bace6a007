"""What a study's results consist of: numbers, with what they were computed from. No words, no pictures.

Rates, shares and differences of rates are fractions in [0, 1] or [-1, 1], never per cent; slopes are changes of a rate
a level (× 100: points a level); intervals are two-sided, 95 %, clustered by pair and annotator where people chose. A
number that cannot be had is None, and `why_not` says why, in words, under the name of its field. `EXPLORATORY` names
the fields that no hypothesis was written down for.
"""

from dataclasses import dataclass, field

from app.analysis.aggregation import AggregationCurve
from app.analysis.agreement import Agreement
from app.analysis.ceiling import Ceiling
from app.analysis.consistency import Consistency
from app.analysis.contrasts import Difference
from app.analysis.curves import Curve
from app.analysis.exclusions import Flow, Sensitivity
from app.analysis.length import LengthAdjusted
from app.analysis.majority import MajorityRates
from app.analysis.position import PositionBias
from app.analysis.rates import Rate, Rates
from app.analysis.response_times import AtThreshold
from app.analysis.trend import Slope
from app.results.crossed.fit import ModelFit
from app.results.facts import Arm, Facts, People, Source
from app.results.judged import AgainstPeople, JudgeFindings, VariantContrast

EXPLORATORY = frozenset(
    {
        "isotonic", "majority", "majority_by_level", "position", "length", "consistency", "aggregation", "agreement",
        "ceiling", "confidence", "prior_belief", "background", "response_times_undeclared", "looked_up", "judges",
        "judge_contrasts", "model",
    }
)  # fmt: skip
"""Fields of `Findings` and `ArmFindings` that are exploratory, as the preregistration says. The primary test is `slope`
of the first arm; secondary are `rates`, `ends`, the other arms' slopes and `arms_compared`; `exclusions` and declared
`response_times` are sensitivity analyses that were written down. `response_times_undeclared` stands for response times
where no threshold was declared. Without a preregistration everything is exploratory (`Findings.exploratory`)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an arm's main results were computed from.

    Attributes
    ----------
    n_stored
        Choices stored in the arm, of any kind.
    n_analysed
        Of these: counted, not withdrawn, not excluded; ties and late ones among them.
    n_decided, n_ties
        Of the analysed: with a preference, and without. Rates are of the decided.
    n_late
        Of the analysed: stored after the hold had expired, and filling a slot all the same. They stay.
    n_pairs, n_annotators
        Pairs and people with a decided choice among the analysed.
    n_pairs_by_level
        Difficulty level to its pairs with a decided choice.
    n_synthetic
        Of the analysed: made by programs.
    """

    n_stored: int
    n_analysed: int
    n_decided: int
    n_ties: int
    n_late: int
    n_pairs: int
    n_annotators: int
    n_pairs_by_level: dict[int, int]
    n_synthetic: int


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """The primary numbers without the choices made too fast to have read both responses.

    Time is that measured on the server. Of the choices that no other rule excludes.

    Attributes
    ----------
    declared
        Whether the threshold is the design's; if not, it is 600 words a minute, and exploratory.
    at
        Nobody left out; the threshold; half of it; twice it.
    """

    declared: bool
    at: tuple[AtThreshold, ...]


@dataclass(frozen=True, slots=True)
class BackgroundGroup:
    """People who gave one answer to a background question.

    Attributes
    ----------
    answer
        The answer, in its words.
    rate
        Macro preference rate; None where nobody of them decided.
    n_annotators
        People of the group with an analysed choice.
    difference
        This group's rate minus that of the reference, on the pairs that both judged; None for the reference itself and
        where they share no pair.
    p_holm
        Adjusted over the groups of this question; None where there is no p.
    """

    answer: str
    rate: Rate | None
    n_annotators: int
    difference: Difference | None
    p_holm: float | None


@dataclass(frozen=True, slots=True)
class Background:
    """Preference by the answers to one background question.

    Attributes
    ----------
    key, question
        Of the question.
    reference
        The answer that the others are compared with: the most frequent one.
    groups
        One for each answer that was given, the most frequent first.
    """

    key: str
    question: str
    reference: str
    groups: tuple[BackgroundGroup, ...]


@dataclass(frozen=True, slots=True)
class ArmContrast:
    """Another arm against the first, on the pairs that both judged.

    Attributes
    ----------
    arm, reference
        Their names; the difference is `arm` minus `reference`.
    difference
        Of their macro rates.
    p_holm
        Adjusted by Holm over the arms; None where there is no p.
    """

    arm: str
    reference: str
    difference: Difference
    p_holm: float | None


@dataclass(frozen=True, slots=True)
class ArmFindings:
    """All that one arm shows.

    Attributes
    ----------
    arm
        Which one.
    primary
        Whether the preregistered test is of this arm: the first of the design. Of none where the tables do not tell it.
    counts
        What the main results were computed from.
    rates
        Preference rates, overall and by level: macro (each pair counts the same) and micro (each choice does).
    majority, majority_by_level
        Share of pairs with a sycophantic majority, by all three tie policies. The headline is `ties_excluded`.
    slope
        The primary test: the linear trend of pair-level rates over the levels.
    ends
        Rate at the hardest level minus rate at the easiest.
    isotonic
        Difficulty level to the rate fitted to rise or stay: a sensitivity analysis of the slope.
    position
        What the side of a response does, and the rate without it.
    length
        The rate at equal length of both responses, beside the raw one.
    consistency
        Whether people who saw a pair again with the sides swapped chose the same response.
    aggregation
        Chance that the majority of j people prefers the sycophantic response, j = 1 … k, on the same pairs.
    agreement
        Krippendorff's alpha, Gwet's AC1 and raw agreement of different people on a pair.
    flow
        From all stored choices to those analysed, by the reason that left them out.
    exclusions
        Primary numbers with nobody excluded (`with_them`) and as analysed (`without`); None where no rule excluded any.
    response_times
        Primary numbers at thresholds of the time to decide.
    looked_up
        Primary numbers with those who looked something up (`with_them`) and without; None where nobody was asked.
    ceiling
        One person against the majority of the others.
    confidence, prior_belief
        Preference by how sure people said they were (1 to 5), and by what they believed before (0 to 100 %).
    background
        Preference by the answers to each background question.
    judges
        Each PM of the arm's truthful kind against these people.
    why_not
        Name of a field here to why it is None or empty.
    """

    arm: Arm
    primary: bool
    counts: Counts
    rates: Rates
    majority: MajorityRates | None
    majority_by_level: dict[int, MajorityRates]
    slope: Slope | None
    ends: Difference | None
    isotonic: dict[int, float]
    position: PositionBias | None
    length: LengthAdjusted | None
    consistency: Consistency | None
    aggregation: AggregationCurve | None
    agreement: Agreement | None
    flow: Flow
    exclusions: Sensitivity | None
    response_times: ResponseTimes | None
    looked_up: Sensitivity | None
    ceiling: Ceiling | None
    confidence: Curve | None
    prior_belief: Curve | None
    background: tuple[Background, ...]
    judges: tuple[AgainstPeople, ...]
    why_not: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a study shows.

    Attributes
    ----------
    facts
        What the study is.
    source
        Where the data came from, and what was missing.
    people
        Who came, by outcome; None where no table says.
    confidence_level
        Of all intervals: 0.95.
    n_resamples, seed
        Resamples of each bootstrap, and the seed that they start from.
    exploratory
        Names of the fields that no hypothesis was written down for; without a preregistration, of all of them.
    arms
        Each arm's findings, also before anybody chose in it; the first is the primary one unless another was asked for.
    arms_compared
        Each other arm against the first, p adjusted by Holm.
    judges
        Each PM, variant and truthful kind that was scored.
    judge_contrasts
        Each variant against the standard one of the same run.
    models
        Fits of the crossed random-effects model that are stored, one an arm at most.
    why_not
        Name of a field here to why it is None or empty.
    """

    facts: Facts
    source: Source
    people: People | None
    confidence_level: float
    n_resamples: int
    seed: int
    exploratory: frozenset[str]
    arms: tuple[ArmFindings, ...]
    arms_compared: tuple[ArmContrast, ...]
    judges: tuple[JudgeFindings, ...]
    judge_contrasts: tuple[VariantContrast, ...]
    models: tuple[ModelFit, ...]
    why_not: dict[str, str] = field(default_factory=dict)

    @property
    def primary(self) -> ArmFindings | None:
        """The first arm's findings; None where the tables name no arm."""
        return self.arms[0] if self.arms else None
