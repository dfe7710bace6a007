"""What a study is planned to be: its size, what is expected of it, and what it costs. No arrays yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from app.errors import CandorError
from app.study.sizes import LEVELS

_MOST_CHOICES = 2_000_000
_MOST_SIMULATIONS = 100_000
_LARGEST_SD = 5.0
_CENT = Decimal("0.01")
_MONEY = re.compile(r"(?P<before>[^\d.,-]*)(?P<amount>\d{1,7}(?:\.\d{1,2})?)(?P<after>[^\d.,-]*)")
_SEPARATORS = re.compile(r"[\s,;]+")


class PlanFaulty(CandorError):
    """A study cannot be planned from what was given; `field` names what mends it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field.replace('_', ' ')}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study that might be made, and what is expected of its answers.

    Attributes
    ----------
    pairs
        Pairs at each level, easiest first.
    rates
        Expected preference rate at each level: the average over pairs and people, in (0, 1).
    ratings_per_pair, pairs_per_annotator
        k and n.
    arms
        Arms of this size; each has annotators of its own, and the power is that of one arm.
    sd_pair, sd_annotator
        Standard deviations of pairs and of annotators around their level, on the logit scale.
    simulations, seed
        How many studies are simulated, and from which seed.
    """

    pairs: tuple[int, ...] = (33,) * LEVELS
    rates: tuple[float, ...] = (0.2, 0.3)
    ratings_per_pair: int = 5
    pairs_per_annotator: int = 20
    arms: int = 1
    sd_pair: float = 0.9
    sd_annotator: float = 0.6
    simulations: int = 1000
    seed: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", _at_each_level(self.pairs))
        object.__setattr__(self, "rates", _between_ends(self.rates))
        _refuse_unless(min(self.pairs) >= 1, "pairs", "every level needs at least one")
        _refuse_unless(all(0 < rate < 1 for rate in self.rates), "rates", "give percentages between 0 and 100")
        _refuse_unless(1 <= self.ratings_per_pair <= 1000, "ratings_per_pair", "must be 1 to 1,000")
        _refuse_unless(1 <= self.arms <= 100, "arms", "must be 1 to 100")
        for name in ("sd_pair", "sd_annotator"):
            _refuse_unless(0 <= getattr(self, name) <= _LARGEST_SD, name, f"must be 0 to {_LARGEST_SD:g} (logits)")
        _refuse_unless(2 <= self.simulations <= _MOST_SIMULATIONS, "simulations", f"must be 2 to {_MOST_SIMULATIONS:,}")
        _refuse_unless(0 <= self.seed < 2**63, "seed", "must be a whole number from 0")
        _refuse_unless(
            1 <= self.pairs_per_annotator <= sum(self.pairs),
            "pairs_per_annotator",
            f"must be 1 to {sum(self.pairs):,}, the pairs there are",
        )
        _refuse_unless(self.choices <= _MOST_CHOICES, "pairs", f"with this k makes more than {_MOST_CHOICES:,} choices")

    @property
    def choices(self) -> int:
        """Choices in one arm."""
        return sum(self.pairs) * self.ratings_per_pair

    @property
    def annotators(self) -> int:
        """People that one arm needs; the last may get fewer pairs."""
        return -(-self.choices // self.pairs_per_annotator)


def _refuse_unless(sound: bool, field: str, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not sound:
        raise PlanFaulty(field, message)


def _at_each_level(pairs: tuple[int, ...]) -> tuple[int, ...]:
    _refuse_unless(len(pairs) in {1, LEVELS}, "pairs", f"give one number, or {LEVELS}, easiest level first")
    return pairs * LEVELS if len(pairs) == 1 else pairs


def _between_ends(rates: tuple[float, ...]) -> tuple[float, ...]:
    _refuse_unless(
        len(rates) in {2, LEVELS}, "rates", f"give the easiest and the hardest level's, or all {LEVELS}, easiest first"
    )
    if len(rates) == LEVELS:
        return rates
    first, last = rates
    return tuple(first + (last - first) * level / (LEVELS - 1) for level in range(LEVELS))


def plan_from(texts: Mapping[str, str]) -> Plan:
    """Return the plan that somebody typed, with a text for each of its attributes; rates are in percent."""
    one = {name: _one(name, texts[name]) for name in _WHOLE}
    return Plan(
        **one,
        pairs=whole_numbers("pairs", texts["pairs"]),
        rates=percentages("rates", texts["rates"]),
        sd_pair=number("sd_pair", texts["sd_pair"]),
        sd_annotator=number("sd_annotator", texts["sd_annotator"]),
    )


_WHOLE = ("ratings_per_pair", "pairs_per_annotator", "arms", "simulations", "seed")


def _one(field: str, text: str) -> int:
    numbers = whole_numbers(field, text)
    _refuse_unless(len(numbers) == 1, field, "give one whole number")
    return numbers[0]


def whole_numbers(field: str, text: str) -> tuple[int, ...]:
    """Read whole numbers that spaces or commas separate."""
    numbers = _split(text)
    _refuse_unless(all(re.fullmatch(r"\d{1,18}", each) for each in numbers), field, "give whole numbers")
    return tuple(map(int, numbers))


def percentages(field: str, text: str) -> tuple[float, ...]:
    """Read percentages that spaces or commas separate, as shares. A share by mistake (0.2) is refused."""
    numbers = [number(field, each) for each in _split(text.replace("%", " "))]
    _refuse_unless(all(1 <= each <= 99 for each in numbers), field, "give percentages from 1 to 99, such as 20, 30")
    return tuple(each / 100 for each in numbers)


def number(field: str, text: str) -> float:
    """Read one number, 0 or more, written with a point."""
    _refuse_unless(re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()) is not None, field, "give a number, such as 0.9")
    return float(text)


def _split(text: str) -> list[str]:
    return [each for each in _SEPARATORS.split(text.strip()) if each]


@dataclass(frozen=True, slots=True)
class Cost:
    """What everybody's pay comes to, in the currency in which it was given.

    Attributes
    ----------
    people
        Annotators in all arms.
    pay, fee, total
        Pay for all of them, the platform's fee on top, and both together.
    before, after
        The currency, as it was written before or after the amount.
    """

    people: int
    pay: Decimal
    fee: Decimal
    total: Decimal
    before: str = ""
    after: str = ""

    def written(self, amount: Decimal) -> str:
        """Return an amount with its currency."""
        return f"{self.before}{amount:,.2f}{self.after}"


def cost_of(plan: Plan, pay: str, fee_percent: float = 0.0) -> Cost | None:
    """Return what the people of all arms cost.

    Parameters
    ----------
    pay
        For one person, with its currency (`£2.50`, `3 EUR`); empty: None is returned.
    fee_percent
        What the platform takes on top.
    """
    if not pay.strip():
        return None
    found = _MONEY.fullmatch(pay.strip())
    if found is None:
        raise PlanFaulty("pay", "give an amount for one person, such as £2.50")
    _refuse_unless(0 <= fee_percent <= 1000, "fee", "must be 0 to 1,000 percent")
    people = plan.annotators * plan.arms
    paid = Decimal(found["amount"]) * people
    fee = (paid * Decimal(repr(fee_percent)) / 100).quantize(_CENT, ROUND_HALF_UP)
    return Cost(people, paid.quantize(_CENT), fee, paid.quantize(_CENT) + fee, found["before"], found["after"])


def stated_pay(pay: str) -> str:
    """Return a study's pay if it is an amount, else nothing: "unpaid" and the like cannot be added up."""
    return pay.strip() if _MONEY.fullmatch(pay.strip()) else ""
