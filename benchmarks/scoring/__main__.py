"""`python -m benchmarks.scoring`: scoring on one thread beside a naive loop; memory; with `--gpu`, a GPU's ceiling."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import transformers
from rich.console import Console
from rich.table import Table

from app.pm import local_models
from app.pm.local_models import Network
from app.pm.scorer import Tokens
from benchmarks.scoring import gpu, workloads
from benchmarks.scoring.ways import Way, in_slices, naive, planned

VOCABULARY = 8192
console = Console(width=120)


class Row(NamedTuple):
    work: str
    way: str
    n: int
    cpu: float
    times: float
    differs: float


def model() -> Network:
    """A decoder of 13 million parameters with random weights: speed does not hang on them."""
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        vocab_size=VOCABULARY, hidden_size=384, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=6,
        num_key_value_heads=2, head_dim=64, max_position_embeddings=4096, num_labels=1, pad_token_id=0,
    )  # fmt: skip
    return local_models.from_config(config, "float32", "cpu")


def measured(network: Network, work: str, sequences: list[Tokens], ways: dict[str, Way], per: int) -> list[Row]:
    """Score in turns; the first way is the baseline of the others, in speed and in scores."""
    spent: dict[str, list[float]] = {way: [] for way in ways}
    scores = {}
    for _ in range(2):
        for way, score in ways.items():
            began = time.process_time()
            scores[way] = score(network, sequences)
            spent[way].append(time.process_time() - began)
    base, first = min(next(iter(spent.values()))), next(iter(scores.values()))
    return [
        Row(work, way, len(sequences) // per, min(took), base / min(took), float(np.abs(scores[way] - first).max()))
        for way, took in spent.items()
    ]


def on_cpu(pairs: int, responses: int) -> list[Row]:
    """One thread: mixed pairs, and many responses to one long prompt."""
    torch.set_num_threads(1)
    network = model()
    of_pairs: dict[str, Way] = {
        "naive, 8 at a time, right padding": naive,
        "sorted, padded, 2,048 tokens": planned(2048, packed=False),
        "packed, 2,048 tokens": planned(2048, packed=True, shared=False),
        "packed, shared prefixes": planned(2048, packed=True),
    }
    of_groups = {
        "8 at a time, right padding": in_slices(8),
        "sorted, padded, 2,048 tokens": planned(2048, packed=False),
        "packed, shared prefix": planned(2048, packed=True),
    }
    mixed = workloads.mixed_pairs(pairs, VOCABULARY)
    group = workloads.one_prompt(responses, VOCABULARY, 600, 60)
    rows = measured(network, "mixed pairs", mixed, of_pairs, 2)
    return rows + measured(network, "responses to one prompt", group, of_groups, 1)


def in_memory(sizes: list[int]) -> list[dict[str, float]]:
    """Score so many rows without a model, each in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scoring.memory"]
    return [
        json.loads(subprocess.run([*command, str(n)], capture_output=True, text=True, check=True).stdout) for n in sizes
    ]


def cpu_table(rows: list[Row]) -> Table:
    made = Table("work", "way", "n", "CPU s", "n a CPU s", "x baseline", "largest difference", box=None, pad_edge=False)
    for row in rows:
        made.add_row(
            row.work, row.way, f"{row.n:,}", f"{row.cpu:.2f}", f"{row.n / row.cpu:.2f}", f"{row.times:.2f}",
            f"{row.differs:.1e}",
        )  # fmt: skip
    return made


def memory_table(told: list[dict[str, float]]) -> Table:
    made = Table("rows", "seconds", "rows a CPU s", "peak MiB", box=None, pad_edge=False)
    for row in told:
        made.add_row(
            f"{row['rows']:,}", f"{row['seconds']:.1f}", f"{row['rows'] / row['cpu']:,.0f}", f"{row['peak_mib']:.0f}"
        )
    return made


def gpu_table(found: gpu.Found) -> Table:
    made = Table("model", "work", "way", "seconds", "n a second", "of the ceiling", "differs", box=None, pad_edge=False)
    for row in found.rows:
        made.add_row(
            row.model, row.work, row.way, f"{row.seconds:.2f}", f"{row.a_second:,.0f}", f"{row.of_ceiling:.0%}",
            f"{row.differs:.1e}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--pairs", type=int, default=0, help="pairs scored; 0: 32, on a GPU 2,048")
    parser.add_argument("--responses", type=int, default=0, help="responses to one prompt; 0: 96, on a GPU 4,096")
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 1_000_000], help="rows whose memory is measured")
    parser.add_argument("--gpu", action="store_true", help="measure a GPU instead")
    parser.add_argument("--budget", type=int, default=32_768, help="tokens a batch on a GPU")
    parser.add_argument("--models", nargs="+", choices=sorted(gpu.SHAPES), default=sorted(gpu.SHAPES))
    parser.add_argument("--record", action="store_true", help="write benchmarks/scoring/RESULTS.md, or RESULTS-GPU.md")
    given = parser.parse_args()
    if given.gpu:
        _on_gpu(given)
        return
    rows = on_cpu(given.pairs or 32, given.responses or 96)
    console.print(cpu_table(rows))
    told = in_memory(given.rows)
    console.print(memory_table(told))
    if given.record:
        machine = f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, {platform.machine()}"
        _record(
            "RESULTS.md",
            f"# Scoring\n\n`python -m benchmarks.scoring --record`, {machine}, Python {platform.python_version()}, "
            f"torch {torch.__version__}.\n\nOne thread, float32, a decoder of 13 million parameters, random weights; "
            "CPU seconds of the scoring alone,\nthe better of two rounds in turns. All ways use the same network; the "
            "difference is from the first way's scores.\nMemory: rows read from a file, rendered, planned and kept in "
            "shards of 256, with a sum of letters for a model.\nOn a GPU: `--gpu`.\n",
            [cpu_table(rows), memory_table(told)],
        )


def _on_gpu(given: argparse.Namespace) -> None:
    why = gpu.absent()
    if why:
        console.print(f"{why}; run it where there is one: python -m benchmarks.scoring --gpu --record", soft_wrap=True)
        sys.exit(1)
    found = gpu.measure(given.pairs or 2048, given.responses or 4096, given.budget, given.models)
    console.print(gpu_table(found))
    if given.record:
        floors = "".join(
            f"{name}: bfloat16 batched lies within {off:.2g} of float32 alone; those scores spread by {spread:.2g}.\n"
            for name, (off, spread) in found.floors.items()
        )
        _record(
            "RESULTS-GPU.md",
            f"# Scoring on a GPU\n\n`python -m benchmarks.scoring --gpu --record`, {found.device}, torch "
            f"{torch.__version__}; {given.budget:,} tokens a batch.\n\nA plain matrix product in bfloat16 reaches "
            f"{found.peak / 1e12:.0f} TFLOP/s: that is the ceiling. Random weights.\n{floors}",
            [gpu_table(found)],
        )


def _record(name: str, words: str, tables: list[Table]) -> None:
    recorder = Console(record=True, width=120, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    for table in tables:
        recorder.print(table)
        recorder.print()
    Path(__file__).with_name(name).write_text(f"{words}\n```\n{recorder.export_text()}```\n", encoding="utf-8")


if __name__ == "__main__":
    main()
