"""One study as it was observed: its facts, its stored choices as arrays, and what preference models made of its pairs.

`from_database` and `from_files` give equal ones, so whatever is computed of them is the same on a page and at a desk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.analysis.arrays import Bools, Floats, Ints
from app.analysis.choices import Choices
from app.analysis.judges import Judge
from app.results.facts import Facts, People, Source
from app.results.judged import JudgeName

REASONS = (
    "",
    "retired_pair",
    "failed_checks",
    "incomplete",
    "looked_up",
    "easy_pairs",
    "fastest_ms",
    "words_a_minute",
    "left_page",
)
"""Why a choice is excluded: the first rule that holds, in the order in which they are asked; "" where none does."""
CODES = {reason: code for code, reason in enumerate(REASONS)}

NO_ANSWER = -1
NO_LEVEL = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The pairs of a study, in the order of their ids; every array has shape (P,).

    Attributes
    ----------
    key
        Key of the misconception.
    level
        Difficulty level, 1 (easiest) and up; 0 where it has none.
    retired
        Whether the pair was retired as faulty.
    words_truthful
        Truthful kind to the response's length in words; nan where it is not known.
    words_sycophantic
        The same of the sycophantic response.
    """

    key: tuple[str, ...]
    level: Ints
    retired: Bools
    words_truthful: dict[str, Floats]
    words_sycophantic: Floats

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True, eq=False)
class Annotators:
    """The people with a stored choice, in the order in which they came; every array has shape (A,).

    Attributes
    ----------
    arm
        Index of the person's arm among the study's.
    looked_up
        1 or 0, what the person said; nan where they were not asked or did not answer.
    synthetic
        Whether it is a program.
    background
        Key of a background question to the index of the person's answer, -1 where there is none.
    answers
        Key of a background question to its answers, by alphabet.
    """

    arm: Ints
    looked_up: Floats
    synthetic: Bools
    background: dict[str, Ints] = field(default_factory=dict)
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.arm)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """All stored choices, by person and position; every array has shape (n,).

    Attributes
    ----------
    pair, annotator
        Index among the study's pairs, and among its people.
    position, repeat_of
        Place in the order that the person saw, 1 and up, and that of the pair which this one repeats swapped; 0: none.
    prefers_sycophantic
        1, 0, or nan for a tie or where the choice was withdrawn.
    truthful_left
        Whether the truthful response was shown left.
    counted, late, withdrawn
        Whether it fills a slot; came after its hold had expired; was emptied because the person withdrew.
    reason
        Why it is excluded, an index of `REASONS`; 0 where it is not.
    decision_ms
        Time to decide, measured on the server, in milliseconds; nan where there is none.
    left_page
        Whether the page was left meanwhile.
    confidence, prior_belief
        1 to 5 and 0 to 100; nan where there is none. None where nobody gave any.
    """

    pair: Ints
    annotator: Ints
    position: Ints
    repeat_of: Ints
    prefers_sycophantic: Floats
    truthful_left: Bools
    counted: Bools
    late: Bools
    withdrawn: Bools
    reason: Ints
    decision_ms: Floats
    left_page: Bools
    confidence: Floats | None
    prior_belief: Floats | None

    def __len__(self) -> int:
        return len(self.pair)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one PM, in one variant, makes of the pairs against one truthful kind; every array has shape (m,).

    Attributes
    ----------
    name
        Which one.
    key
        Key of each pair's misconception, in order.
    level
        Its difficulty level, 0 where it has none.
    margin
        Score of the sycophantic minus score of the truthful response, in the model's unit.
    n_near_ties, n_truncated
        Pairs within the noise floor, and pairs of which a response was cut.
    noise_floor
        Margins up to this cannot be told from none; None where it is not known.
    position_term
        Of a judge: mean of what standing first is worth, in logits; None for a scalar.
    """

    name: JudgeName
    key: tuple[str, ...]
    level: Ints
    margin: Floats
    n_near_ties: int
    n_truncated: int
    noise_floor: float | None
    position_term: float | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)  # Writing a million numbers out takes time.
class Observed:
    """All that the results of a study are computed from.

    Attributes
    ----------
    facts, source
        What the study is, and where this was read.
    people
        Who came, by outcome; None where no table says.
    pairs, annotators, stored
        The tables as arrays.
    scores
        What preference models make of the pairs; empty where none was run or given.
    """

    facts: Facts
    source: Source
    people: People | None
    pairs: Pairs
    annotators: Annotators
    stored: Stored
    scores: tuple[Scores, ...]

    def with_first(self, arm: str) -> "Observed":
        """Return the same with another arm as the first; a name that is no arm's leaves it as it is.

        Which arm is the design's first is not changed: to look at another does not make its test the primary one.
        """
        names = [each.name for each in self.facts.arms]
        if arm not in names[1:]:
            return self
        order = [names.index(arm), *(index for index, name in enumerate(names) if name != arm)]
        place = np.argsort(order)
        return replace(
            self,
            facts=replace(self.facts, arms=tuple(self.facts.arms[index] for index in order), arms_ordered=False),
            annotators=replace(self.annotators, arm=place[self.annotators.arm]),
        )


def choices_of(observed: Observed, rows: Bools, arms: Sequence[int]) -> Choices:
    """Return these rows, shape (n,), of these arms as choices to analyse.

    At most one row a person and pair: who asks for repeats, asks for them alone.
    """
    stored, people, pairs = observed.stored, observed.annotators, observed.pairs
    n_arms = len(observed.facts.arms)
    if len(arms) < n_arms:
        rows = rows & np.isin(people.arm, arms)[stored.annotator]
    some = slice(None) if rows.all() else np.flatnonzero(rows)  # Where it is all of them, nothing is copied.
    pair, annotator = stored.pair[some], stored.annotator[some]
    arm = people.arm[annotator]
    return Choices(
        pair=pair,
        annotator=annotator,
        level=pairs.level[pair],
        prefers_sycophantic=stored.prefers_sycophantic[some],
        truthful_left=stored.truthful_left[some],
        arm=arm,
        words_truthful=_words(observed, pair, arm),
        words_sycophantic=_known(pairs.words_sycophantic[pair]),
        decision_ms=stored.decision_ms[some],
        confidence=None if stored.confidence is None else stored.confidence[some],
        prior_belief=None if stored.prior_belief is None else stored.prior_belief[some],
        looked_up=people.looked_up[annotator],
    )


def _words(observed: Observed, pair: Ints, arm: Ints) -> Floats | None:
    if not len(pair):
        return np.zeros(0)
    known = observed.pairs.words_truthful
    unknown = np.full(len(observed.pairs), np.nan)
    of_arm = [known.get(each.truthful_kind, unknown) for each in observed.facts.arms]
    one = int(arm[0])
    return _known(of_arm[one][pair] if (arm == one).all() else np.stack(of_arm)[arm, pair])


def _known(words: Floats) -> Floats | None:
    return None if np.isnan(words).any() else words


def judges_of(observed: Observed) -> tuple[Judge, ...]:
    """Return each PM's scores under the codes of the study's pairs; pairs that the study does not have come after."""
    codes = {key: code for code, key in enumerate(observed.pairs.key)}
    n = len(observed.pairs)
    of_keys: dict[int, Ints] = {}  # Runs over the same pairs share their keys, and are looked up once.
    for keys in (scores.key for scores in observed.scores):
        if id(keys) not in of_keys:
            found = (codes.get(key, n + index) for index, key in enumerate(keys))
            of_keys[id(keys)] = np.fromiter(found, dtype=np.int64, count=len(keys))
    return tuple(Judge(of_keys[id(scores.key)], scores.level, scores.margin) for scores in observed.scores)
