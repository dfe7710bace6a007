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


def closed(record: Mapping[str, Any], shards: Sequence[Told], backend: Backend | None) -> dict[str, Any]:
    """Return the record of a run that is done: what all its shards cost, whoever computed them and when."""
    seconds = sum(shard.seconds for shard in shards)
    return {
        **record,
        "tokens": sum(shard.tokens for shard in shards),
        "computed_tokens": sum(shard.computed_tokens for shard in shards),
        "unique_tokens": sum(shard.unique_tokens for shard in shards),
        "wall_s": round(seconds, 3),
        "budget_halvings": sum(shard.halvings for shard in shards),
        "fraction_of_ceiling": _fraction(shards, seconds, backend),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _fraction(shards: Sequence[Told], seconds: float, backend: Backend | None) -> float | None:
    """Return how much of the time a machine at its measured peak would have needed for the least work there was."""
    if not isinstance(backend, Sized) or not seconds:
        return None
    least = backend.flops(sum(s.unique_tokens for s in shards), sum(s.attended for s in shards))
    return round(least / backend.peak() / seconds, 4)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
