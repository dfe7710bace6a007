"""On a GPU: how near each way of scoring comes to what the device does in a plain matrix product.

The models have random weights in the shapes of Qwen3-0.6B and Qwen3-8B, so that nothing has to be downloaded; speed
does not hang on the weights. The ceiling is the least work there is (each shared prefix once) at the measured peak.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import transformers

from app.pm import local_models, planning
from app.pm.local_models import Network
from app.pm.scorer import BatchTooLarge, PackingUnfit, Tokens
from benchmarks.scoring import workloads
from benchmarks.scoring.ways import Way, in_slices, planned

VOCABULARY = 151_936
SHAPES = {
    "Qwen3-0.6B": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16},
    "Qwen3-8B": {"hidden_size": 4096, "intermediate_size": 12_288, "num_hidden_layers": 36, "num_attention_heads": 32},
}


class Row(NamedTuple):
    """A way, measured: pairs or responses a second, share of the ceiling, largest difference from the first way."""

    model: str
    work: str
    way: str
    seconds: float
    a_second: float
    of_ceiling: float
    differs: float


class Found(NamedTuple):
    """All that was measured on a GPU; without one, nothing."""

    device: str
    peak: float
    floors: dict[str, tuple[float, float]]
    rows: list[Row]


def absent() -> str | None:
    """Say why nothing can be measured here, or None."""
    return None if torch.cuda.is_available() else "There is no GPU on this machine: nothing was measured"


def measure(pairs: int, responses: int, budget: int, names: Sequence[str]) -> Found:
    """Measure every way on every shape."""
    device = torch.device("cuda")
    peak = local_models.measured_peak(device, torch.bfloat16, 8192, 50)
    rows: list[Row] = []
    floors = {}
    for name in names:
        config = transformers.Qwen3Config(
            vocab_size=VOCABULARY, head_dim=128, num_key_value_heads=8, max_position_embeddings=8192, num_labels=1,
            pad_token_id=0, **SHAPES[name],
        )  # fmt: skip
        network = local_models.from_config(config, "bfloat16", "cuda")
        floors[name] = _floor(network, config)
        works = {
            "pairs, mixed": workloads.mixed_pairs(pairs, VOCABULARY),
            "pairs, 2 x 300": workloads.even_pairs(pairs, VOCABULARY),
            f"1 x {responses:,}": workloads.one_prompt(responses, VOCABULARY, 300, 150),
        }
        for work, sequences in works.items():
            rows += _measured(network, name, work, sequences, (budget, peak))
        del network
        torch.cuda.empty_cache()
    return Found(torch.cuda.get_device_name(), peak, floors, rows)


def _floor(network: Network, config: object) -> tuple[float, float]:
    """Return how far batches of 16 bits lie from float32 alone, and the spread of those scores."""
    sequences = workloads.mixed_pairs(8, VOCABULARY)
    exact = local_models.from_config(config, "float32", "cuda")
    exact.model.load_state_dict(network.model.state_dict())
    alone = np.array([exact.alone(ids) for ids in sequences])
    del exact
    batched = planned(8192, packed=False)(network, sequences)
    return float(np.abs(alone - batched).max()), float(alone.std())


def _measured(network: Network, model: str, work: str, sequences: list[Tokens], limits: tuple[int, float]) -> list[Row]:
    budget, peak = limits
    ways: dict[str, Way] = {
        "padded, 16 at a time": in_slices(16),
        "sorted, padded": planned(budget, packed=False),
        "varlen": planned(budget, packed=True, shared=False),
        "varlen, shared prefixes": planned(budget, packed=True),
    }
    least = planning.plan(sequences, 10**9, packed=True)
    ceiling = network.flops(least.unique_tokens, least.attended) / peak
    n = len(sequences) // 2 if work.startswith("pairs") else len(sequences)
    rows: list[Row] = []
    first = None
    for way, score in ways.items():
        try:
            score(network, sequences[: max(4, len(sequences) // 8)])
            torch.cuda.synchronize()
            started = time.perf_counter()
            scores = score(network, sequences)
            torch.cuda.synchronize()
            took = time.perf_counter() - started
        except (BatchTooLarge, PackingUnfit, RuntimeError) as failure:
            print(f"{model}, {work}, {way}: not measured: {str(failure).splitlines()[0]}")
            continue
        first = scores if first is None else first
        rows.append(Row(model, work, way, took, n / took, ceiling / took, float(np.abs(scores - first).max())))
        print(rows[-1])
    return rows
