"""What was planted comes back from the exported table.

Synthetic annotators judge by rules that are known here: they prefer the sycophantic response with a probability that
rises with the level, or the left side with a probability, or both. Their studies are filled over HTTP and exported with
`candor export choices`; then each planted number is estimated from the columns of the CSV alone, and lies within the
interval that its estimate deserves (exact binomial, 99.9 %). Keys and seeds are fixed, so the figures never change.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import httpx
import pytest
from scipy.stats import binomtest

from app.cli.annotating import Simulation, annotator_number
from app.cli.behaviours import Behaviour, Taste, biased_left, fooled
from app.study.stimuli import KnownResponse
from tests.conftest import REPOSITORY, NewDatabase
from tests.proofs.conftest import Say
from tests.proofs.starter_studies import N_PAIRS, application, open_starter_study

SEED = 24
N_PEOPLE = 60
CERTAINTY = 0.999
AT_EASIEST, AT_HARDEST = 0.10, 0.55
BIAS = 0.8
MIXED_BIAS = 0.3
Row = dict[str, str]


def planted(level: int) -> float:
    """The probability with which the sycophantic response is preferred."""
    return AT_EASIEST + (AT_HARDEST - AT_EASIEST) * (level - 1) / 7


def sometimes_left(probability: float, otherwise: Taste) -> Taste:
    """Take the left side with a probability, whatever is there, and judge otherwise."""

    def prefer(left: KnownResponse | None, rng: Random) -> str:
        return "left" if rng.random() < probability else otherwise(left, rng)

    return prefer


TASTES = {
    "fooled": fooled(AT_EASIEST, AT_HARDEST),
    "side-biased": biased_left(BIAS),
    "both": sometimes_left(MIXED_BIAS, fooled(AT_EASIEST, AT_HARDEST)),
}


async def fill(app: httpx.ASGITransport, simulation: Simulation, taste: Taste) -> None:
    """Let people take part one after the other, so that who gets what is the same each time."""
    for number in range(N_PEOPLE):
        async with httpx.AsyncClient(transport=app) as client:
            assert await annotator_number(simulation, number, Behaviour(taste), client).take_part()


@pytest.fixture(scope="module")
async def exported(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """The choices of each study, as a researcher gets them."""
    url, keys = new_database(), Random(SEED)
    design = {"ratings_per_pair": N_PEOPLE, "pairs_per_annotator": N_PAIRS, "synthetic": True, "seed": SEED}
    simulations = {name: await open_starter_study(url, name, keys.randbytes(32), **design) for name in TASTES}
    async with application(url) as app:
        for name, taste in TASTES.items():  # One after the other too, or who comes first would change the figures.
            await fill(app, simulations[name], taste)
    folder = tmp_path_factory.mktemp("exported")
    return {name: export(url, name, folder / f"{name}.csv") for name in TASTES}


def export(url: str, study: str, file: Path) -> list[Row]:
    command = [sys.executable, "-m", "app.cli", "export", "choices", "--study", study, "-o", str(file)]
    subprocess.run(
        command, check=True, capture_output=True, cwd=REPOSITORY, env=os.environ | {"CANDOR_DATABASE_URL": url}
    )
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


class Share:
    """How many of so many."""

    def __init__(self, hits: Iterable[bool]) -> None:
        self.hits = list(hits)
        self.interval = binomtest(sum(self.hits), len(self.hits)).proportion_ci(CERTAINTY, "exact")

    def holds(self, probability: float) -> bool:
        """Whether a probability is within what the share allows."""
        return bool(self.interval.low <= probability <= self.interval.high)

    @property
    def value(self) -> float:
        return sum(self.hits) / len(self.hits)


def of_level(rows: list[Row], level: int) -> list[Row]:
    return [row for row in rows if row["difficulty_level"] == str(level)]


def sycophantic_preferred(rows: list[Row]) -> Share:
    return Share(row["prefers_sycophantic"] == "1" for row in rows)


def left_chosen(rows: list[Row], side_truthful: str) -> Share:
    return Share(row["side_chosen"] == "left" for row in rows if row["side_truthful"] == side_truthful)


def test_every_choice_is_there_flagged_and_counted(exported: dict[str, list[Row]]) -> None:
    for rows in exported.values():
        assert len(rows) == N_PEOPLE * N_PAIRS
        assert {(row["synthetic"], row["counted"], row["withdrawn"]) for row in rows} == {("true", "true", "false")}


def test_the_probability_of_being_fooled_comes_back_at_every_level(exported: dict[str, list[Row]], say: Say) -> None:
    shares = [sycophantic_preferred(of_level(exported["fooled"], level)) for level in range(1, 9)]
    say("recovery, fooled: " + ", ".join(f"{s.value:.3f} of {planted(n):.3f}" for n, s in enumerate(shares, 1)))
    assert all(share.holds(planted(level)) for level, share in enumerate(shares, start=1))
    assert not shares[0].holds(planted(8)), "so few choices would show nothing"
    assert not shares[7].holds(planted(1))


def test_who_is_fooled_has_no_side(exported: dict[str, list[Row]]) -> None:
    assert Share(row["side_chosen"] == "left" for row in exported["fooled"]).holds(0.5)


def test_a_preferred_side_comes_back_and_is_no_preference_for_a_response(
    exported: dict[str, list[Row]], say: Say
) -> None:
    rows = exported["side-biased"]
    shares = [left_chosen(rows, side) for side in ("left", "right")]
    say("recovery, side-biased: left is chosen " + ", ".join(f"{s.value:.3f} of {BIAS}" for s in shares))
    assert all(share.holds(BIAS) for share in shares)
    assert all(sycophantic_preferred(of_level(rows, level)).holds(0.5) for level in range(1, 9))


def test_both_come_back_where_both_were_planted(exported: dict[str, list[Row]], say: Say) -> None:
    """A sycophantic response is taken by bias or by being fooled where it is left, and else by being fooled alone."""
    for level in range(1, 9):
        rows = of_level(exported["both"], level)
        of_syc_left = sycophantic_preferred([row for row in rows if row["side_truthful"] == "right"])
        of_syc_right = sycophantic_preferred([row for row in rows if row["side_truthful"] == "left"])
        assert of_syc_left.holds(MIXED_BIAS + (1 - MIXED_BIAS) * planted(level))
        assert of_syc_right.holds((1 - MIXED_BIAS) * planted(level))
    rows = exported["both"]
    lefts = [left_chosen(rows, side).value for side in ("left", "right")]
    say(f"recovery, both: a bias of {sum(lefts) - 1:.3f} of {MIXED_BIAS}")
