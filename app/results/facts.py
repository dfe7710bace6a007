"""What a study is, beside its choices: the facts that stand next to every number of its results."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["database", "bundle", "tables"]


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm: which truthful response was shown, and what people were told to prefer.

    Attributes
    ----------
    truthful_kind
        `helpful` or `baseline`.
    instructions
        `neutral` or `prefer_truth`.
    """

    truthful_kind: str
    instructions: str

    @property
    def name(self) -> str:
        """The arm as tables name it: truthful kind / instructions."""
        return f"{self.truthful_kind}/{self.instructions}"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the design declared, as far as the analysis needs it.

    Attributes
    ----------
    tie, confidence, prior_belief
        Whether people could say "no preference", and were asked how sure they were and what they believed before.
    swapped_repeats
        Pairs that each person saw again with the sides swapped.
    background
        Keys of the background questions to the words of the question, in their order.
    exclusions
        Rules that leave choices out, to their value; only those that are on, in the order in which they are asked.
    refilled
        Whether the slots of excluded choices were opened again.
    """

    tie: bool = False
    confidence: bool = False
    prior_belief: bool = False
    swapped_repeats: int = 0
    background: dict[str, str] = field(default_factory=dict)
    exclusions: dict[str, int | bool] = field(default_factory=dict)
    refilled: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """People who consented, by how their way ended; who withdrew their data is in no other number.

    Attributes
    ----------
    consented
        All of them, at least 0.
    complete, failed_checks, screened_out, stopped, returned
        By outcome.
    unfinished
        Whose way has not ended.
    withdrew
        Of those who consented, who withdrew their data.
    """

    consented: int
    complete: int
    failed_checks: int
    screened_out: int
    stopped: int
    returned: int
    unfinished: int
    withdrew: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data were read from.

    Attributes
    ----------
    kind
        `database`, `bundle` (the zip of a study), or `tables` (single files).
    missing
        Tables that were not given, to what their absence leaves out; empty for a database or a whole bundle.
    """

    kind: Kind
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a study is. What single tables do not say is None.

    Attributes
    ----------
    slug
        Name of the study.
    title, question, state, purpose
        Of the study; state is `live`, `paused` or `closed` (or `draft`), purpose is `study`, `pilot` or `preview`.
    synthetic
        Whether programs made any of the choices, or the study takes programs alone. Such results say nothing of people.
    ratings_per_pair, pairs_per_annotator
        k: choices asked for on each pair in each arm. n: pairs for each person.
    arms
        In the order of the design, unless another was asked for first; figures are of the first.
    arms_ordered
        Whether that order is the design's; False where another was asked for first, or where the tables do not tell it,
        and `helpful/neutral` goes first.
    first_arm
        Name of the design's first arm, the primary one, wherever it stands; None where the tables do not tell it.
    set_slug, set_version, set_hash
        The misconception set and its SHA-256.
    design_hash
        SHA-256 of the design in force; None while the study is a draft.
    amended_designs
        SHA-256 of each amended design, in order.
    preregistration
        SHA-256 of what was written down before the study opened; None where nothing was.
    seed
        The study's seed; bootstraps are seeded from it (from 0 where it is not known).
    declared
        Options and rules of the design; None where the tables do not say.
    """

    slug: str
    title: str | None
    question: str | None
    state: str | None
    purpose: str | None
    synthetic: bool
    ratings_per_pair: int | None
    pairs_per_annotator: int | None
    arms: tuple[Arm, ...]
    arms_ordered: bool
    first_arm: str | None
    set_slug: str | None
    set_version: int | None
    set_hash: str | None
    design_hash: str | None
    amended_designs: tuple[str, ...]
    preregistration: str | None
    seed: int | None
    declared: Declared | None
