"""The votes of each pair: how many people decided, and how many of them for the sycophantic response."""

from dataclasses import dataclass

from app.analysis.arrays import Bools, Floats, Ints, ValueOutOfRange, dense, same_length, whole
from app.analysis.choices import Choices
from app.analysis.crossing import Crossing


@dataclass(frozen=True, slots=True)
class Votes:
    """Decided votes by pair; every array has shape (P,), and every pair has at least one.

    Attributes
    ----------
    pair
        Code of the pair, each once.
    level
        Difficulty level, 0 where there is none.
    n
        Votes that are not ties, at least 1.
    sycophantic
        Votes for the sycophantic response, 0 … n.
    """

    pair: Ints
    level: Ints
    n: Ints
    sycophantic: Ints

    def __post_init__(self) -> None:
        checked = {
            "pair": whole("pair", self.pair),
            "level": whole("level", self.level, 0),
            "n": whole("n", self.n, 1),
            "sycophantic": whole("sycophantic", self.sycophantic, 0),
        }
        same_length(checked)
        for name, array in checked.items():
            object.__setattr__(self, name, array)
        if (self.sycophantic > self.n).any():
            raise ValueOutOfRange("a pair has more sycophantic votes than votes")
        if len(dense(self.pair)[0]) < len(self.pair):
            raise ValueOutOfRange("a pair is given twice")

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def share(self) -> Floats:
        """Share of each pair's votes that are sycophantic, shape (P,), in [0, 1]."""
        return self.sycophantic / self.n

    def where(self, keep: Bools) -> "Votes":
        """Return the pairs for which `keep`, shape (P,), is true."""
        return Votes(self.pair[keep], self.level[keep], self.n[keep], self.sycophantic[keep])


def votes_in(crossing: Crossing) -> Votes:
    """Return the votes of each pair of a table of people by pairs."""
    return Votes(crossing.pair, crossing.level, crossing.n, crossing.n_sycophantic)


def votes_of(choices: Choices) -> Votes:
    """Count the decided votes of each pair, ties left out.

    A pair has one level; choices that disagree about it are refused.
    """
    return votes_in(choices.crossing)
