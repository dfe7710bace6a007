"""The run record: everything that made the scores, and the fingerprint by which a run may be gone on with."""

import importlib.metadata
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.pm import planning
from app.pm.requests import JUDGE_HASH
from app.pm.scorer import Backend, ModelIdentity, Sized
from app.pm.shards import Told
from app.pm.variants import PromptVariant
from app.study.canonical import content_hash

_VERSIONS = ("candor", "torch", "transformers", "tokenizers", "numpy", "gguf")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run is cut. `budget`: tokens a batch; `shard_rows`: rows a shard; 0: as suits the device. No kinds: all."""

    budget: int = 0
    shard_rows: int = 0
    kinds: tuple[str, ...] | None = None
    over_long: str = "refuse"


def settled(settings: RunSettings, device: str) -> RunSettings:
    """Return settings with what suits the device where nothing is said: a GPU wants large batches and few files."""
    budget, rows = (32_768, 4096) if device == "cuda" else (2048, 256)
    return replace(settings, budget=settings.budget or budget, shard_rows=settings.shard_rows or rows)


def opened(
    identity: ModelIdentity,
    variants: Sequence[PromptVariant],
    settings: RunSettings,
    header: Mapping[str, Any],
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """Return the record of a run that begins; `counts` has `items` and `responses`."""
    settings = settled(settings, identity.device)
    told = asdict(identity)
    decided = told.pop("settled")
    extra = told.pop("told")
    made_by = {
        "model": {name: told[name] for name in ("model", "revision", "file_hashes", "backend", "scorer")},
        "template": told["template_hash"],
        "computing": {name: told[name] for name in ("dtype", "attention", "device")},
        "variants": [variant.hash for variant in variants],
        "plan": {"version": planning.VERSION, **asdict(settings)},
        "asked": JUDGE_HASH if identity.scorer == "judge" else None,
        "input": {"header": dict(header), **counts},
        "settled": decided,
    }
    return {
        "id": secrets.token_hex(16),
        "scorer": identity.scorer,
        "model": identity.model,
        "model_revision": identity.revision,
        "file_hashes": identity.file_hashes,
        "backend": identity.backend,
        "template_hash": identity.template_hash,
        "judge_hash": made_by["asked"],
        "variants": [variant.record() for variant in variants],
        "dtype": identity.dtype,
        "attention": identity.attention,
        "device": identity.device,
        "versions": _versions(),
        "plan": made_by["plan"],
        "set_hash": header.get("set_hash"),
        "design_hash": header.get("design_hash"),
        "study": header.get("study"),
        "n_items": counts["items"],
        "n_responses": counts["responses"],
        "random_weights": identity.random_weights,
        "noise_floor": 0.0,
        "self_check": {},
        "seed": None,
        "code_version": importlib.metadata.version("candor"),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished_at": None,
        **extra,
        "made_by": made_by,
        "fingerprint": content_hash(made_by),
    }


def closed(record: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Return the record of a run that is done: what all its shards cost together, whoever computed them and when."""
    reached = _fraction(told)
    return {
        **record,
        "tokens": told.tokens,
        "computed_tokens": told.computed_tokens,
        "unique_tokens": told.unique_tokens,
        "wall_s": round(told.seconds, 3),
        "budget_halvings": told.halvings,
        "fraction_of_ceiling": reached,
        **({} if reached is not None else {"ceiling_not_known": _unknown(record)}),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def least_seconds(backend: Backend, told: Told) -> float | None:
    """Return how long this device, at its measured peak, would need for the least work there was in a shard."""
    return backend.flops(told.unique_tokens, told.attended) / backend.peak() if isinstance(backend, Sized) else None


def _fraction(told: Told) -> float | None:
    """Return the share of the time of all processes that their devices would have needed at their peak."""
    return None if told.least_s is None or not told.seconds else round(told.least_s / told.seconds, 4)


def _unknown(record: Mapping[str, Any]) -> str:
    if record["device"] == "server":
        return "the machine behind the server is not known here"
    if record["scorer"] == "oracle":
        return "an oracle computes nothing"
    return "some shards were computed where the peak of the device was not measured"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
