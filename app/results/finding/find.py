"""All findings of a study, from what was observed: the function behind the page, the report and `candor analyze`."""

from collections.abc import Sequence

from app.analysis.contrasts import compare_arms
from app.results.crossed.data import held_against
from app.results.crossed.fit import ModelFit
from app.results.facts import Facts
from app.results.finding.arms import arm_findings
from app.results.finding.judges import all_judges, variants_contrasted
from app.results.finding.seeds import CONFIDENCE, RESAMPLES, Seeds
from app.results.finding.views import View, arms_together
from app.results.findings import EXPLORATORY, ArmContrast, Findings
from app.results.observed import Observed

NO_FIT = (
    "no crossed random-effects model was fitted to this study; `candor study fit` fits one and stores it, "
    "`candor analyze … --model` fits one to files, both with the extra `bayes`"
)
ONE_ARM = "the study has one arm, so there is none to compare it with"
NO_SHARED_PAIR = "no other arm has a choice on a pair that the first arm judged too"
NO_SCORES = "no preference model was run on this study's pairs"
NO_VARIANTS = "no run scored a variant beside the standard one"
NO_PEOPLE = "the table of annotators was not given"


def find(observed: Observed, models: Sequence[ModelFit] = ()) -> Findings:
    """Compute everything that a study's results consist of. The same observations give the same findings.

    Parameters
    ----------
    models
        Stored fits of the crossed random-effects model; they take long, so they are made elsewhere. Whether the choices
        have changed since is told here.
    """
    facts = observed.facts
    seeds = Seeds(facts.seed or 0)
    judges = all_judges(observed)
    variants = variants_contrasted(judges, seeds)
    contrasts = _arms_compared(observed)
    arms = tuple(
        arm_findings(observed, View(observed, index), judges, seeds.of(arm.name))
        for index, arm in enumerate(facts.arms)
    )
    return Findings(
        facts=facts,
        source=observed.source,
        people=observed.people,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        seed=seeds.seed,
        exploratory=_exploratory(facts),
        arms=arms,
        arms_compared=contrasts,
        judges=tuple(judge.findings for judge in judges),
        judge_contrasts=variants,
        models=held_against(observed, models),
        why_not=_why_not(
            observed,
            {
                "people": observed.people is None,
                "arms_compared": not contrasts,
                "judges": not judges,
                "judge_contrasts": not variants,
                "models": not models,
            },
        ),
    )


def _exploratory(facts: Facts) -> frozenset[str]:
    planned = {"slope", "rates", "ends", "arms_compared", "exclusions", "response_times"}
    return EXPLORATORY if facts.preregistration is not None else EXPLORATORY | planned


def _arms_compared(observed: Observed) -> tuple[ArmContrast, ...]:
    if len(observed.facts.arms) < 2:
        return ()
    names = [arm.name for arm in observed.facts.arms]
    found = compare_arms(arms_together(observed), reference=0, confidence=CONFIDENCE)
    return tuple(ArmContrast(names[each.group], names[each.reference], each.difference, each.p_holm) for each in found)


def _why_not(observed: Observed, absent: dict[str, bool]) -> dict[str, str]:
    missing = observed.source.missing
    reasons = {
        "people": missing.get("annotators", NO_PEOPLE),
        "arms_compared": ONE_ARM if len(observed.facts.arms) < 2 else NO_SHARED_PAIR,
        "judges": missing.get("scores", NO_SCORES),
        "judge_contrasts": NO_VARIANTS if observed.scores else missing.get("scores", NO_SCORES),
        "models": NO_FIT,
    }
    return {name: reasons[name] for name, is_absent in absent.items() if is_absent}
