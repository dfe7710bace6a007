"""The methods, generated from what was really run: estimators, clusters, policies, resamples, seeds, versions."""

from importlib.metadata import version
from platform import python_version

from app.results.crossed.fit import ModelFit
from app.results.findings import ArmFindings, Findings
from app.results.phrases import many
from app.results.report.answers import arm_words
from app.results.report.naming import models_of, of_whom, pm_label

_METHODS = {
    "logit_t": "two-way clustered by pair and person on the logit scale, t",
    "wilson_effective_n": "Wilson with the effective number of answers",
}
_SOURCES = {
    "database": "the study’s database",
    "bundle": "the study’s exported bundle",
    "tables": "exported tables",
}


def methods(findings: Findings, data_version: str) -> tuple[tuple[str, str], ...]:
    """Return terms and what is said of each; what was not run is not described."""
    arm = findings.primary
    entries: list[tuple[str, str]] = [*_study(findings)]
    if arm is not None:
        entries += _people(findings, arm)
        entries += _models(findings, arm)
        entries += _crossed(findings)
    entries += _made(findings, data_version)
    return tuple((term, said) for term, said in entries if said)


def _study(findings: Findings) -> list[tuple[str, str]]:
    facts = findings.facts
    k, n = facts.ratings_per_pair, facts.pairs_per_annotator
    asked = "" if k is None or n is None else f"{k} ratings of each pair in each arm; {n} pairs for each person"
    return [
        ("Study", f"{facts.title or facts.slug} ({facts.slug})"),
        ("Question", facts.question or ""),
        ("Arms", "; ".join(arm_words(arm.name) for arm in facts.arms)),
        ("Design", asked),
        ("State", facts.state or ""),
    ]


def _people(findings: Findings, arm: ArmFindings) -> list[tuple[str, str]]:
    used = sorted({rate.method for rate in (arm.rates.overall, *arm.rates.by_level.values()) if rate is not None})
    slope, declared = arm.slope, findings.facts.declared
    trend = ""
    if slope is not None:
        trend = (
            "Linear slope of pair-level rates over the difficulty levels, least squares; standard error two-way "
            f"clustered by pair and person, t with {slope.df} degrees of freedom (the smaller number of clusters, "
            f"{min(slope.n_pairs, slope.n_annotators):,}, less 1); two-sided."
        )
    ties = "Pairs without a majority are left out of the headline; one half and not sycophantic stand beside it."
    rules = "none declared" if declared is not None and not declared.exclusions else ""
    if declared is not None and declared.exclusions:
        rules = "; ".join(f"{rule.replace('_', ' ')}: {_value(value)}" for rule, value in declared.exclusions.items())
    curve = arm.aggregation
    return [
        ("Analysed", f"{of_whom(arm)}; {many(arm.counts.n_ties, 'tie')}, {many(arm.counts.n_late, 'late choice')}."),
        (
            "Preference rates",
            "Average person: mean over pairs of each pair’s share of choices for the sycophantic response (macro); the "
            "share of all choices (micro) beside it. 95 % intervals: "
            + "; ".join(_METHODS.get(method, method) for method in used)
            + ".",
        ),
        ("Primary test", trend),
        ("Fit beside it", "Isotonic regression of level rates, weighted by pairs." if arm.isotonic else ""),
        ("Majority vote", ties if arm.majority is not None else ""),
        (
            "More people",
            f"Exact hypergeometric chance within each pair, on the same {many(curve.n_pairs, 'pair')} at every number."
            if curve is not None and curve.by_j
            else "",
        ),
        (
            "Side",
            "Half the sum of the logits of the rates with the sycophantic response left and right."
            if arm.position is not None
            else "",
        ),
        (
            "Length",
            "Logistic model with the standardised log ratio of words; rate at equal length."
            if arm.length is not None
            else "",
        ),
        (
            "Agreement",
            "Krippendorff’s alpha (nominal), Gwet’s AC1 and raw agreement; percentile intervals, drawing pairs again."
            if arm.agreement is not None
            else "",
        ),
        ("Exclusions", rules),
        ("Bootstraps", f"{findings.n_resamples:,} resamples each, seed {findings.seed}."),
        ("Exploratory", _exploratory(findings)),
    ]


def _value(value: int) -> str:
    return "on" if value is True else f"{value:,}"


def _exploratory(findings: Findings) -> str:
    if findings.facts.preregistration is None:
        return "Everything: nothing was written down before the study opened."
    return "Every figure marked so: no hypothesis was written down for it."


def _models(findings: Findings, arm: ArmFindings) -> list[tuple[str, str]]:
    if not findings.judges:
        return []
    called = "; ".join(dict.fromkeys(f"{pm_label(pm.name, model=True)}, run {pm.name.run}" for pm in findings.judges))
    compared = (
        "Paired over pairs: percentile intervals from drawing pairs again; people’s majority against the PM by McNemar "
        "(mid-p); Holm over levels × PMs."
        if arm.judges
        else ""
    )
    return [
        (
            f"Preference models ({len(models_of(findings))})",
            f"{called}. A PM prefers the response with the higher score; equal ones count one half. Wilson intervals.",
        ),
        ("People against PMs", compared),
    ]


def _crossed(findings: Findings) -> list[tuple[str, str]]:
    return [(f"Random-effects model, {arm_words(fit.arm)}", _fit(fit)) for fit in findings.models]


def _fit(fit: ModelFit) -> str:
    terms = [one.name for one in fit.coefficients if not one.name.startswith("sd_") and one.name != "intercept"]
    fixed = ", ".join(("intercept", *terms))
    outdated = " The choices have changed since." if fit.outdated else ""
    return (
        f"Logistic model of each choice: {fixed}; random intercepts of misconception and annotator, non-centred. "
        f"{fit.n_chains} chains of {fit.n_draws:,} draws by the no-U-turn sampler, fitted {fit.fitted_at[:10]} to "
        f"{many(fit.n_choices, 'choice')}. Rates are marginal: over all misconceptions and annotators, at the mean log "
        f"ratio of lengths, half of the choices on either side.{outdated}"
    )


def _made(findings: Findings, data_version: str) -> list[tuple[str, str]]:
    facts = findings.facts
    missing = "; ".join(f"without {table}: {lost}" for table, lost in findings.source.missing.items())
    source = _SOURCES[findings.source.kind] + (f" ({missing})" if missing else "")
    return [
        ("Made from", source),
        ("Data version", data_version),
        ("Misconception set", f"{facts.set_slug}, version {facts.set_version}" if facts.set_slug else ""),
        ("Set hash", facts.set_hash or ""),
        ("Design hash", facts.design_hash or ""),
        ("Amended designs", "; ".join(facts.amended_designs)),
        ("Preregistration", facts.preregistration or "none"),
        ("Seed of the study", "" if facts.seed is None else str(facts.seed)),
        (
            "Programs",
            f"Python {python_version()}, "
            + ", ".join(f"{name} {version(name)}" for name in ("candor", "numpy", "scipy")),
        ),
    ]
