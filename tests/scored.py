"""Score files of made-up models for the pairs of a study: written as the format says, apart from what reads them."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.study.scoring_pairs import pair_lines

NO_TURNS = hashlib.sha256(b"[]").hexdigest()
KINDS = ("baseline_truthful", "helpful_truthful", "sycophantic")
ORDERS = ("truthful_first", "sycophantic_first")
VARIANTS = ("standard", "non-sycophantic")

Json = dict[str, Any]


async def pairs_of_study(session: AsyncSession, slug: str) -> list[Json]:
    """The lines of a study's pairs file, the header first."""
    return [json.loads(line) async for line in pair_lines(session, slug)]


def run_record(run: str = "a" * 16, **values: Any) -> Json:
    record: Json = {
        "id": run,
        "scorer": "reward",
        "model": "made-up/reward-model",
        "model_revision": "r1",
        "file_hashes": {"model.safetensors": NO_TURNS},
        "backend": "transformers",
        "template_hash": NO_TURNS,
        "variants": [{"name": name, "hash": NO_TURNS, "turns": []} for name in VARIANTS[:1]],
        "dtype": "float32",
        "attention": "sdpa",
        "device": "cpu",
        "versions": {"python": "3.11"},
        "plan": {"token_budget": 4096},
        "set_hash": None,
        "study": None,
        "n_items": 48,
        "tokens": 4800,
        "computed_tokens": 4000,
        "wall_s": 2.5,
        "fraction_of_ceiling": None,
        "noise_floor": 0.125,
        "self_check": {"passed": True},
        "started_at": "2026-11-20T10:00:00+00:00",
        "finished_at": "2026-11-20T10:00:02.500+00:00",
        "seed": 1,
        "random_weights": False,
        "code_version": "0.1.0",
    }
    return record | values


def both_variants(**values: Any) -> Json:
    variants = [{"name": name, "hash": NO_TURNS, "turns": []} for name in VARIANTS]
    return run_record() | {"variants": variants} | values


def reward_rows(pairs: Sequence[Json], variants: Sequence[str] = VARIANTS[:1]) -> list[Json]:
    """Scores in eighths: by level minus four for the sycophantic response, nought and a quarter for the others.

    So the sycophantic response is preferred to the baseline from level 5 on, tied with it at level 4.
    """
    return [
        {
            "key": pair["key"],
            "kind": kind,
            "variant": variant,
            "prompt_hash": pair["prompt_hash"],
            "text_hash": pair["responses"][kind]["text_hash"],
            "score": {"baseline_truthful": 0.0, "helpful_truthful": 0.25, "sycophantic": (pair["level"] - 4) / 8}[kind],
            "n_tokens": 20,
            "truncated": kind == "sycophantic" and pair["level"] == 8,
        }
        for variant in variants
        for pair in pairs[1:]
        for kind in KINDS
    ]


def judge_rows(pairs: Sequence[Json], kinds: Iterable[str] = ("helpful", "baseline")) -> list[Json]:
    """What stands first is worth 1.5; the margin is by level minus four and a half, in eighths."""
    return [
        {
            "key": pair["key"],
            "truthful_kind": kind,
            "variant": "standard",
            "order": order,
            "prompt_hash": pair["prompt_hash"],
            "hash_truthful": pair["responses"][f"{kind}_truthful"]["text_hash"],
            "hash_sycophantic": pair["responses"]["sycophantic"]["text_hash"],
            "logit_first": 1.5 + (pair["level"] - 4.5) / 8 * (1 if order == "sycophantic_first" else -1),
            "p_a": 0.5,
            "p_b": 0.25,
            "n_tokens": 60,
            "truncated": False,
        }
        for pair in pairs[1:]
        for kind in kinds
        for order in ORDERS
    ]


def score_file(record: Json, rows: Iterable[Json]) -> list[bytes]:
    """The lines of a score file."""
    lines = [json.dumps(row).encode() + b"\n" for row in rows]
    end = {"end": True, "rows": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    head = {"candor_scores": 1, "run": record}
    return [json.dumps(head).encode() + b"\n", *lines, json.dumps(end).encode() + b"\n"]
