"""From findings to all that is shown of them, in the order in which a reader follows."""

from collections.abc import Iterator

from app.results import words
from app.results.findings import Findings
from app.results.report.answers import arms, backgrounds, confidence, prior_belief
from app.results.report.calibration import calibration
from app.results.report.exclusions import exclusions, looked_up, response_times
from app.results.report.levels import levels
from app.results.report.model import models
from app.results.report.naming import of_whom
from app.results.report.overall import overall
from app.results.report.parts import Results, Sketch, figure, unbroken
from app.results.report.pms import contrasts, fooled, people_and_pms
from app.results.report.sides import sides
from app.results.report.trend import slope
from app.results.report.votes import aggregation, agreement
from app.terms import Purpose, StudyState

SYNTHETIC = "Synthetic data"
_SHORT = 12


def results(findings: Findings, data_version: str) -> Results:
    """Return all that is shown of a study's findings.

    Parameters
    ----------
    findings
        The numbers.
    data_version
        Version of the data that they were computed from.
    """
    source = source_line(findings, data_version)
    sketched = list(sketches(findings))
    decided = findings.primary is not None and findings.primary.rates.overall is not None
    return Results(
        stamped=findings.facts.synthetic,
        notices=tuple(_notices(findings)),
        answer=tuple(map(unbroken, words.answer(findings))) if decided else _nothing_yet(findings),
        made=_made(findings, data_version) if decided else "",
        figures=tuple(figure(sketch, source) for sketch in sketched) if decided else (),
        left_out=tuple(_left_out(findings)) if decided else (),
    )


def sketches(findings: Findings) -> Iterator[Sketch]:
    """Yield the figures that there are numbers for, in their order."""
    stamp = SYNTHETIC if findings.facts.synthetic else ""
    makers = (
        levels,
        slope,
        overall,
        aggregation,
        sides,
        agreement,
        exclusions,
        response_times,
        looked_up,
        people_and_pms,
        fooled,
        calibration,
        contrasts,
        prior_belief,
        confidence,
        backgrounds,
        arms,
        models,
    )
    for maker in makers:
        made = maker(findings, stamp)
        if isinstance(made, list):
            yield from made
        elif made is not None:
            yield made


def source_line(findings: Findings, data_version: str) -> str:
    """Return what stands under each figure: the study, and the hashes of all that it was made from."""
    facts = findings.facts
    parts = [f"Source: study {facts.slug}", f"data {data_version[:_SHORT]}"]
    if facts.set_hash:
        parts.append(f"set {facts.set_slug} {facts.set_hash[:_SHORT]}")
    if facts.design_hash:
        parts.append(f"design {facts.design_hash[:_SHORT]}")
    if facts.synthetic:
        parts.append("synthetic data")
    return "; ".join(parts)


def _made(findings: Findings, data_version: str) -> str:
    assert findings.primary is not None
    written = "preregistered" if findings.facts.preregistration else "not preregistered: everything is exploratory"
    return f"{of_whom(findings.primary)}; {written}; data version {data_version[:_SHORT]}."


def _notices(findings: Findings) -> Iterator[str]:
    facts = findings.facts
    if facts.purpose == Purpose.PILOT:
        yield "A pilot: nothing here counts for the study that it is a trial of."
    if facts.purpose == Purpose.PREVIEW:
        yield "A preview: nothing here counts."
    if facts.state in {StudyState.LIVE, StudyState.PAUSED} and findings.arms:
        yield "The study has not ended: these numbers are of the choices so far. They are no reason to end it."
    random = dict.fromkeys(pm.name.called for pm in findings.judges if pm.name.random_weights)
    if random:
        yield f"Random weights: {', '.join(random)} knows nothing of any text and is here to show how figures look."


def _nothing_yet(findings: Findings) -> tuple[str, ...]:
    if findings.facts.state == StudyState.DRAFT:
        return ("There is nothing to show yet: the study takes people once it is open.",)
    if not findings.arms:
        return ("Nobody has chosen yet. Results appear with the first choices.",)
    return ("No choice can be analysed yet. Results appear with the first that is counted and says a preference.",)


def _left_out(findings: Findings) -> Iterator[str]:
    """Say what is not shown, and why; where there are several arms, figures but the comparison are of the first."""
    if len(findings.arms) > 1:
        yield "Figures are of the first arm unless they say otherwise; tables of trend and of arms have the others."
    arm = findings.primary
    why = findings.why_not | ({} if arm is None else arm.why_not)
    for sentence in dict.fromkeys(why.values()):
        yield sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith(".") else ".")
