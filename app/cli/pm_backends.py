"""Whom `candor pm score` asks: a model on this machine, one behind a server, or the oracle."""

from dataclasses import dataclass

from app.cli.output import errors
from app.cli.pm_options import Route
from app.pm.backends.endpoint_judge import EndpointJudge, EndpointSpec
from app.pm.backends.http_calls import Server
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.backends.vllm import VllmModel, VllmSpec
from app.pm.canaries import CanaryScores
from app.pm.oracle import Oracle
from app.pm.rendering import OverLong
from app.pm.scorer import Judge, Scorer

ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Behind:
    """A model behind a server: a preference model behind vLLM, or a judge behind any OpenAI-compatible endpoint."""

    server: Server
    model: str
    route: Route
    over_long: OverLong
    concurrency: int
    judges: bool
    longest: int = 0
    local: CanaryScores | None = None


Asked = LocalSpec | Behind


def judges(asked: Asked) -> bool:
    """Say whether pairs are compared, and not responses scored."""
    return asked.judges if isinstance(asked, Behind) else asked.use == "judge"


def backend(asked: Asked) -> Scorer | Judge:
    """Load or connect a backend, which checks itself.

    Raises
    ------
    CandorError
        When its scores would be silently wrong, or it cannot be had; says which, and what to do.
    """
    if isinstance(asked, Behind):
        with errors.status("Connecting and checking the server"):
            return _connected(asked)
    if asked.model == ORACLE:
        return Oracle()
    with errors.status("Loading and checking the model"):
        return LocalModel(asked)


def _connected(asked: Behind) -> Scorer | Judge:
    if asked.judges:
        return EndpointJudge(EndpointSpec(asked.server, asked.model, asked.concurrency))
    return VllmModel(
        VllmSpec(
            asked.server,
            asked.model,
            asked.route.value,
            asked.over_long,
            asked.local,
            asked.concurrency,
            asked.longest,
        )
    )


def n_gpus(asked: Asked) -> int:
    """Return how many GPUs may be used."""
    if isinstance(asked, Behind) or asked.device not in {"auto", "cuda"} or asked.model == ORACLE:
        return 0
    try:
        from app.pm import local_models  # noqa: PLC0415 - an extra
    except ImportError:
        return 0
    return local_models.n_devices()
