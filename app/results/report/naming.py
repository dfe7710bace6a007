"""What figures and tables call things: who chose, a preference model, what an axis shows."""

from app.results.figures.charts import Reference, Shape
from app.results.findings import ArmFindings, Findings
from app.results.judged import STANDARD, JudgeName
from app.results.phrases import many

PREFER = "Preference for the sycophantic response (%)"


HALF = Reference(at=50, label="no preference")


INTERVAL = "95 % interval"


_VARIANTS = {STANDARD: "standard PM", "non-sycophantic": "non-sycophantic PM"}


def of_whom(arm: ArmFindings) -> str:
    """Return what an arm's main numbers were taken over."""
    n = arm.counts
    return f"{many(n.n_decided, 'choice')} by {whom(arm)} on {many(n.n_pairs, 'pair')}"


def whom(arm: ArmFindings) -> str:
    """Return how many people chose; programs are called what they are."""
    return who(arm, arm.counts.n_annotators)


def who(arm: ArmFindings, n: int) -> str:
    """Return a number of those who chose in an arm."""
    counts = arm.counts
    if counts.n_synthetic and counts.n_synthetic == counts.n_analysed:
        return many(n, "synthetic annotator")
    return many(n, "person", "people")


def pm_label(name: JudgeName, *, model: bool) -> str:
    """Return what a preference model is called beside its points."""
    called = _VARIANTS.get(name.variant, f"PM, {name.variant}")
    if name.scorer == "oracle":
        called = "oracle"
    elif name.scorer == "judge":
        called = f"judge, {name.variant}"
    weights = " (random weights)" if name.random_weights else ""
    return f"{name.called}, {called}{weights}" if model else f"{called}{weights}"


def pm_named(findings: Findings, name: JudgeName) -> str:
    """Return a PM's label, with its model where a study has several."""
    return pm_label(name, model=len(models_of(findings)) > 1)


def pm_shape(name: JudgeName) -> Shape:
    """Return how a preference model is marked."""
    return Shape.DIAMOND if name.variant == STANDARD else Shape.TRIANGLE


def models_of(findings: Findings) -> list[str]:
    """Return the preference models that were scored, each once, in order."""
    return list(dict.fromkeys(judge.name.called for judge in findings.judges))
