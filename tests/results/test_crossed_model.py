"""The crossed random-effects model: planted effects come back, a second implementation agrees, doubts are told."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from app.analysis.crossed_design import CrossedDesign, choices_hash, crossed_design
from app.analysis.effective_size import bulk_ess, tail_ess
from app.results.crossed.data import choices_of_arm
from app.results.crossed.fit import Coefficient, ModelFit
from app.results.crossed.model import BayesMissing, NothingToFit, Sampling
from app.results.crossed.posterior import Draws, coefficients, rates, warnings
from app.results.crossed.stored import fit_in, record_of
from app.results.finding.find import find
from app.results.observed import Observed
from app.results.report.contents import results
from app.results.words import of_model
from tests.results.laplace_ml import laplace_ml
from tests.results.made_up_fits import made_up_draws, made_up_fit
from tests.results.planted import changed, cut, planted

ARM = "helpful/neutral"
# 64 pairs x 5. A side of 0.6 either way is 1.2 from one side to the other; lengths do nothing.
PLANTED = {"intercept": -1.0, "level": 0.35, "side": -1.2, "length": 0.0, "sd_pair": 0.9, "sd_annotator": 0.6}
STUDY: dict[str, Any] = {"seed": 5, "slope": 0.35, "left": 0.6, "per_level": 8}

# In a process of its own: jax starts threads, and tests beside this one fork.
SCRIPT = f"""
import json
from app.results.crossed.model import Sampling, fit_crossed
from app.results.crossed.stored import record_of
from tests.results.planted import planted
print(json.dumps(record_of(fit_crossed(planted(**{STUDY!r}), {ARM!r}, Sampling(4, 600)))))
"""


def design_of(observed: Observed) -> CrossedDesign:
    choices = choices_of_arm(observed, ARM)
    assert choices is not None
    return crossed_design(choices)


@pytest.fixture(scope="module")
def sampled() -> ModelFit:
    if find_spec("numpyro") is None or find_spec("jax") is None:
        pytest.skip("needs the extra bayes")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    fit = fit_in(json.loads(done.stdout))
    assert fit is not None
    return fit


def by_name(fit: ModelFit) -> dict[str, Coefficient]:
    return {one.name: one for one in fit.coefficients}


def test_planted_effects_are_within_their_intervals(sampled: ModelFit) -> None:
    found = by_name(sampled)
    assert list(found) == list(PLANTED)
    for name, value in PLANTED.items():
        assert value in found[name].interval, name
        assert found[name].interval.low <= found[name].interval_50.low <= found[name].median
    assert found["level"].interval.low > 0
    assert found["side"].interval.high < 0
    assert (sampled.n_choices, sampled.n_pairs, sampled.n_annotators) == (320, 64, 15)
    assert sampled.precision == "float64"
    assert sampled.versions.keys() >= {"numpyro", "jax", "candor"}


def test_a_second_implementation_agrees(sampled: ModelFit) -> None:
    """Fixed effects within half a standard error: the priors are weak, and Laplace's approximation is a little low."""
    with threadpool_limits(1):
        found, theirs = by_name(sampled), laplace_ml(design_of(planted(**STUDY)))
    for name, value, se in zip(("intercept", "level", "side", "length"), theirs.coefficients, theirs.se, strict=True):
        assert abs(found[name].mean - value) < 0.5 * se, name
        assert found[name].sd == pytest.approx(se, rel=0.25), name
    assert theirs.sd_pair in found["sd_pair"].interval
    assert theirs.sd_annotator in found["sd_annotator"].interval


def test_the_chains_agree_and_marginal_rates_are_those_that_were_counted(sampled: ModelFit) -> None:
    assert sampled.n_divergences == 0
    for one in sampled.coefficients:
        assert one.rhat is not None
        assert one.rhat < 1.02, one.name
        assert one.ess_bulk is not None
        assert one.ess_bulk > 150, one.name
    counted = find(planted(**STUDY)).arms[0].rates
    assert counted.overall is not None
    assert sampled.marginal[0].rate == pytest.approx(counted.overall.rate, abs=0.03)
    for level, rate in sampled.marginal.items():
        conditional = sampled.conditional[level].rate
        assert abs(rate.rate - 0.5) < abs(conditional - 0.5) + 0.01, level
    rising = [sampled.marginal[level].rate for level in range(1, 9)]
    assert rising == sorted(rising)


# What needs no extra.


def test_without_the_extra_the_command_says_what_to_install() -> None:
    script = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"jax", "numpyro"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from app.cli import main
sys.argv = ["candor", "analyze", "nothing.csv", "--model"]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Refused: {BayesMissing()}\n"
    assert "pip install 'candor[bayes]'" in done.stderr


def test_the_marginal_rate_is_the_reference_value() -> None:
    """E[σ(-1 + Z)] = .30327, where the rate in the middle is σ(-1) = .26894; 0.6² + 0.8² = 1."""
    names = {"intercept": -1.0, "level": 0.0, "side": 0.0, "length": 0.0, "sd_pair": 0.6, "sd_annotator": 0.8}
    draws = Draws({name: np.full((2, 10), value) for name, value in names.items()}, 0)
    found = rates(design_of(planted(per_level=2)), draws)
    assert list(found.marginal) == list(range(9))
    for level in range(9):
        assert found.marginal[level].rate == pytest.approx(0.30327, abs=5e-6)
        assert found.conditional[level].rate == pytest.approx(0.26894, abs=5e-6)


def test_the_design_is_centred_over_pairs_and_leaves_out_what_does_not_vary() -> None:
    observed = planted(per_level=3)
    design = design_of(observed)
    assert design.terms == ("level", "side", "length")
    per_pair = dict(zip(design.pair.tolist(), design.x.tolist(), strict=True))
    level, _, length = np.array(list(per_pair.values())).T
    assert (level.mean(), length.mean(), length.std(ddof=1)) == pytest.approx((0, 0, 1))
    assert set(design.x[:, 1]) == {0.5, -0.5}
    left = changed(observed, truthful_left=np.ones(len(observed.stored), np.bool_))
    short = replace(left, pairs=replace(left.pairs, words_sycophantic=left.pairs.words_truthful["helpful"]))
    bare = replace(short, pairs=replace(short.pairs, level=np.where(np.arange(24) == 3, 0, short.pairs.level)))
    alone = design_of(bare)
    assert alone.terms == ()
    assert set(alone.left_out) == {"level", "side", "length"}
    implied = rates(alone, made_up_draws(alone, Sampling(2, 100)))
    assert list(implied.marginal) == [0]


def test_ties_and_excluded_choices_are_not_in_it() -> None:
    observed = planted(per_level=3)
    answers = observed.stored.prefers_sycophantic.copy()
    answers[:10] = np.nan
    reason = np.zeros(len(answers), np.int64)
    reason[10:15] = 1
    assert len(design_of(changed(observed, prefers_sycophantic=answers, reason=reason))) == len(answers) - 15


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_choices_are_refused_with_their_numbers(n: int) -> None:
    with pytest.raises(NothingToFit, match=f"has {n} decided choices, of {min(n, 1)} annotators on {n} pairs"):
        made_up_fit(cut(planted(), n), ARM)


def test_effective_sizes_are_those_of_an_autoregressive_chain() -> None:
    """ρ of 0.5 leaves a third, -0.5 triples; of independent draws all count."""
    rng = np.random.default_rng(3)
    for rho, share in ((0.0, 1.0), (0.5, 1 / 3), (-0.5, 3.0)):
        chains = np.zeros((4, 5000))
        noise = rng.normal(size=chains.shape)
        chains[:, 0] = noise[:, 0]
        for at in range(1, chains.shape[1]):
            chains[:, at] = rho * chains[:, at - 1] + np.sqrt(1 - rho**2) * noise[:, at]
        assert bulk_ess(chains) == pytest.approx(share * chains.size, rel=0.1)
        if rho >= 0:
            tail = tail_ess(chains)
            assert tail is not None
            assert share * chains.size * 0.85 < tail < chains.size * 1.1
    assert bulk_ess(np.ones((2, 50))) is None
    assert tail_ess(np.ones((2, 50))) is None
    apart = rng.normal(size=(4, 500)) + np.arange(4)[:, None] * 5
    assert (bulk_ess(apart) or 0) < 20


def test_chains_apart_few_draws_and_divergences_are_warned_of() -> None:
    rng = np.random.default_rng(2)
    fine = coefficients(Draws({"level": rng.normal(size=(4, 500))}, 0))
    assert warnings(fine, 0) == ()
    apart = coefficients(Draws({"level": rng.normal(size=(4, 500)) + np.arange(4)[:, None]}, 0))
    said = warnings(apart, 3)
    assert [one.split(":")[0] for one in said] == [
        "The chains do not agree on level",
        "Too few effective draws of level",
        "3 divergent transitions",
    ]
    few = coefficients(Draws({"sd_pair": rng.normal(size=(2, 100))}, 0))
    assert "fewer than 400" in " ".join(warnings(few, 0))


def test_a_fit_is_known_to_be_out_of_date_by_its_choices() -> None:
    observed = planted(per_level=3)
    fit = made_up_fit(observed, ARM)
    (fresh,) = find(observed, [fit]).models
    assert fresh.outdated is False
    answers = observed.stored.prefers_sycophantic.copy()
    answers[0] = 1 - answers[0]
    (old,) = find(changed(observed, prefers_sycophantic=answers), [fit]).models
    assert old.outdated is True
    assert of_model(old).startswith("Out of date: by the random-effects model")
    choices = choices_of_arm(observed, ARM)
    assert choices is not None
    assert choices_hash(choices) == fit.choices_hash


def test_a_fit_comes_back_from_its_record_as_it_was() -> None:
    fit = made_up_fit(planted(per_level=3), ARM)
    read = fit_in(json.loads(json.dumps(record_of(fit))))
    assert read == replace(fit, outdated=None)
    assert fit_in({"arm": ARM}) is None


def test_the_figure_shows_both_scales_diagnostics_and_doubts() -> None:
    observed = planted(per_level=3)
    fit = made_up_fit(observed, ARM)
    shown = {figure.id: figure for figure in results(find(observed, [fit]), "d4" * 32).figures}["model"]
    implied, terms, diagnostics, priors = shown.tables
    assert [column.text for column in implied.columns][1::2] == ["Marginal (%)", "Conditional (%)"]
    assert [row[0] for row in implied.rows] == [*map(str, range(1, 9)), "all"]
    assert [column.text for column in terms.columns][-2:] == ["50 % interval", "95 % interval"]
    assert [column.text for column in diagnostics.columns][1:] == ["R-hat", "ESS, bulk", "ESS, tail"]
    assert len(terms.rows) == len(diagnostics.rows) == 6
    assert priors.rows[0][0] == "intercept"
    assert shown.exploratory
    assert any("divergent transitions: 0" in said for said in shown.more)
    assert "prefer" not in shown.more[0]
    doubted = {each.id: each for each in results(find(observed, [made_up_fit(observed, ARM, 7)]), "d4" * 32).figures}
    assert doubted["model"].heading.startswith("The random-effects model did not sample well")
    assert doubted["model"].more[0].startswith("7 divergent transitions")
