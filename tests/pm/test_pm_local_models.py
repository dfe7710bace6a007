# ruff: noqa: E402, PLR0917 - the extra may be missing; a stand-in takes what the kernel takes
"""The local backend against plain transformers, one by one: batched, padded, packed with shared prefixes, resumed."""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers.utils import chat_template_utils

from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.items import ItemList
from app.pm.packed_attention import PackedAttention
from app.pm.packing import pack
from app.pm.planning import plan
from app.pm.processes import EachDevice, score_in_processes
from app.pm.records import RunSettings
from app.pm.rendering import DialogTooLong, OverLong
from app.pm.runner import score_items
from app.pm.scorer import Batch, BatchTooLarge, Floats
from app.pm.shards import RunDirectory, RunDirectoryUnfit
from app.pm.variants import STANDARD
from app.study.canonical import text_hash
from tests.pm import tiny_models
from tests.pm.conftest import ModelFolder
from tests.pm.fake_scorers import pairs

pytestmark = pytest.mark.filterwarnings("default")

ITEMS = pairs(8)
DIALOGS = [(one.prompt[0].content, text) for one in ITEMS.listed for text in one.responses.values()]
SETTINGS = RunSettings(budget=1500, shard_rows=9)


def scores_of(folder: Path) -> list[float]:
    return [row["score"] for row in _rows(folder)]


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()[1:-1]]


@pytest.mark.parametrize("architecture", tiny_models.ARCHITECTURES)
@pytest.mark.parametrize("attention", ["auto", "padded"])
def test_a_run_equals_one_by_one(model_folder: ModelFolder, tmp_path: Path, architecture: str, attention: Any) -> None:
    folder = model_folder(architecture)
    scorer = LocalModel(LocalSpec(folder, attention=attention, device="cpu"))
    outcome = score_items(ITEMS, scorer, (STANDARD,), tmp_path, settings=SETTINGS)
    plain = tiny_models.one_by_one(folder, DIALOGS)
    assert np.std(plain) > 1e-3
    np.testing.assert_allclose(scores_of(tmp_path), plain, atol=1e-5, rtol=0)
    packed = attention == "auto" and architecture in tiny_models.DECODERS
    assert scorer.packs == packed
    record = outcome.record
    assert record["tokens"] == sum(row["n_tokens"] for row in _rows(tmp_path))
    if packed:
        assert record["computed_tokens"] < 0.8 * record["tokens"]
    else:
        assert record["computed_tokens"] > record["tokens"]
    assert 0 < record["noise_floor"] < 1e-5
    assert record["fraction_of_ceiling"] > 0


@pytest.mark.parametrize("architecture", ["qwen3", "deberta-v2"])
def test_a_run_gone_on_with_equals_one_by_one(model_folder: ModelFolder, tmp_path: Path, architecture: str) -> None:
    folder = model_folder(architecture)
    scorer = LocalModel(LocalSpec(folder, device="cpu"))
    score_items(ITEMS, scorer, (STANDARD,), tmp_path, settings=SETTINGS)
    for index in (0, 2):
        (tmp_path / "shards" / f"shard-{index:05d}.jsonl").unlink()
    again = LocalModel(LocalSpec(folder, device="cpu"))
    score_items(ITEMS, again, (STANDARD,), tmp_path, settings=SETTINGS)
    np.testing.assert_allclose(scores_of(tmp_path), tiny_models.one_by_one(folder, DIALOGS), atol=1e-5, rtol=0)


def test_many_responses_to_one_prompt_share_it_exactly(model_folder: ModelFolder) -> None:
    scorer = LocalModel(LocalSpec(model_folder("llama"), device="cpu"))
    draw = np.random.default_rng(1)
    prompt = draw.integers(8, 260, 150)
    sequences = [np.append(prompt, draw.integers(8, 260, n)).astype(np.int32) for n in (1, 2, 3, 17, 17, 40, 60)]
    planned = plan(sequences, 10**6, packed=True)
    assert len(pack(planned.batch(0)).ids) == 150 + sum(len(ids) - 150 for ids in sequences)
    together = scorer.score(planned.batch(0))
    alone = np.array([scorer.network.alone(planned.unique[member]) for member in planned.members(0)])
    np.testing.assert_allclose(together, alone, atol=1e-5, rtol=0)


def test_a_real_eos_at_the_end_is_scored_though_it_is_the_pad(model_folder: ModelFolder) -> None:
    """`.logits` of transformers takes it for padding and scores the token before it."""
    scorer = LocalModel(LocalSpec(model_folder("llama"), device="cpu", attention="padded"))
    ids = np.array([0, 20, 30, 40, 1], dtype=np.int32)
    longer = np.array([0, *range(20, 40)], dtype=np.int32)
    whole, without = scorer.network.alone(ids), scorer.network.alone(ids[:-1])
    batched = scorer.network.padded(Batch((ids, longer), ()))[0]
    assert batched == pytest.approx(float(whole), abs=1e-6)
    assert abs(float(whole) - float(without)) > 1e-2
    assert scorer.network.own(ids) is None


@pytest.mark.parametrize("takes", ["window", "causal"])
def test_the_varlen_kernel_is_told_what_the_loop_computes(takes: str) -> None:
    """A stand-in with the kernel's signature, on the CPU: causal from the last key on, in 16 bits, grouped heads."""
    draw = np.random.default_rng(2)
    head = draw.integers(8, 260, 12)
    given = [np.append(head, draw.integers(8, 260, n)) for n in (3, 5)] + [draw.integers(300, 400, 7)]
    row = pack(plan([ids.astype(np.int32) for ids in given], 10**6, packed=True).batch(0))

    def attend(q: Any, k: Any, v: Any, bounds_q: Any, bounds_k: Any, scale: float, enable_gqa: bool) -> Any:
        parts = []
        for number in range(len(bounds_q) - 1):
            asked = q[bounds_q[number] : bounds_q[number + 1]].transpose(0, 1)
            keys, values = (part[bounds_k[number] : bounds_k[number + 1]].transpose(0, 1) for part in (k, v))
            mask = torch.ones(asked.shape[1], keys.shape[1], dtype=torch.bool).tril(keys.shape[1] - asked.shape[1])
            parts.append(
                torch.nn.functional.scaled_dot_product_attention(
                    asked, keys, values, attn_mask=mask, scale=scale, enable_gqa=enable_gqa
                ).transpose(0, 1)
            )
        return torch.cat(parts)

    def windowed(
        q: Any, k: Any, v: Any, cu_q: Any, cu_k: Any, max_q: int, max_k: int, *, scale: float,
        window_size: tuple[int, int], enable_gqa: bool,
    ) -> Any:  # fmt: skip
        assert (window_size, max_q, max_k) == ((-1, 0), 12, 17)
        return attend(q, k, v, cu_q, cu_k, scale, enable_gqa)

    def causal(
        q: Any, k: Any, v: Any, cu_q: Any, cu_k: Any, max_q: int, max_k: int, *, scale: float,
        is_causal: bool, enable_gqa: bool,
    ) -> Any:  # fmt: skip
        assert is_causal
        return attend(q, k, v, cu_q, cu_k, scale, enable_gqa)

    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, len(row.ids), 8).bfloat16() for heads in (4, 2, 2))
    looped, kernel = PackedAttention(torch, None), PackedAttention(torch, windowed if takes == "window" else causal)
    results = []
    for way in (looped, kernel):
        with way.laid(row, torch.device("cpu")):
            results.append(way(None, query, key, value, scaling=0.3)[0])
    assert results[0].shape == (1, len(row.ids), 4, 8)
    torch.testing.assert_close(*results, atol=0.02, rtol=0)


def test_two_processes_make_the_same_scores(model_folder: ModelFolder, tmp_path: Path) -> None:
    spec = LocalSpec(model_folder("qwen3"), device="cpu", threads=1)
    score_items(ITEMS, LocalModel(spec), (STANDARD,), tmp_path / "one", settings=SETTINGS)
    two = score_in_processes(ITEMS, EachDevice(spec, 0, 2), (STANDARD,), tmp_path / "two", settings=SETTINGS)
    assert _rows(tmp_path / "two") == _rows(tmp_path / "one")
    assert two.record["fraction_of_ceiling"] > 0


def test_without_memory_a_run_goes_on_with_half(
    model_folder: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = LocalModel(LocalSpec(model_folder("llama"), device="cpu"))
    packed = scorer.network.packed

    def cramped(batch: Batch) -> Floats:
        if len(pack(batch).ids) > 500:
            raise BatchTooLarge("the device is out of memory")
        return packed(batch)

    monkeypatch.setattr(scorer.network, "packed", cramped)
    outcome = score_items(ITEMS, scorer, (STANDARD,), tmp_path, settings=SETTINGS)
    plain = tiny_models.one_by_one(model_folder("llama"), DIALOGS)
    np.testing.assert_allclose(scores_of(tmp_path), plain, atol=1e-5, rtol=0)
    assert outcome.record["budget_halvings"] == 2


def test_a_dialog_that_is_too_long_is_refused_or_cut_with_its_pair(model_folder: ModelFolder, tmp_path: Path) -> None:
    spec = LocalSpec(model_folder("llama"), device="cpu", longest=260)
    with pytest.raises(DialogTooLong, match=r"'k\d+', \w+, variant standard has \d+ tokens, the model reads 260"):
        score_items(ITEMS, LocalModel(spec), (STANDARD,), tmp_path / "no", settings=SETTINGS)
    cutting = LocalModel(LocalSpec(spec.model, device="cpu", longest=260, over_long=OverLong.TRUNCATE))
    score_items(ITEMS, cutting, (STANDARD,), tmp_path / "cut", settings=SETTINGS)
    marked: dict[str, set[bool]] = {}
    for row in _rows(tmp_path / "cut"):
        assert row["n_tokens"] <= 260
        marked.setdefault(row["key"], set()).add(row["truncated"])
    assert {frozenset(flags) for flags in marked.values()} == {frozenset({True}), frozenset({False})}


def test_the_record_says_what_made_the_scores(model_folder: ModelFolder, tmp_path: Path) -> None:
    scorer = LocalModel(LocalSpec(model_folder("llama"), device="cpu"))
    score_items(ItemList(ITEMS.listed[:2], ITEMS.header), scorer, (STANDARD,), tmp_path, settings=SETTINGS)
    record = RunDirectory(tmp_path).record() or {}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= set(record["file_hashes"])
    assert (record["dtype"], record["attention"], record["device"]) == ("float32", "packed", "cpu")
    assert record["self_check"]["canaries"] == 8
    assert record["versions"]["torch"]
    assert record["set_hash"] == "0" * 64


def test_a_run_whose_template_writes_the_day_is_not_gone_on_with_on_another(
    model_folder: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(model_folder("llama"), tmp_path / "model")
    dated = tiny_models.TEMPLATE.replace("{{ bos_token }}", "{{ bos_token }}{{ strftime_now('%d %b %Y') }}")
    tiny_models.tokenizer("chat", dated).save_pretrained(folder)

    def on(day: int) -> LocalModel:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> "Clock":
                return cls(2026, 11, day, tzinfo=tz)

        monkeypatch.setattr(chat_template_utils, "datetime", Clock)
        return LocalModel(LocalSpec(str(folder), device="cpu"))

    def begun(day: int) -> None:
        score_items(ITEMS, on(day), (STANDARD,), tmp_path / "run", settings=SETTINGS)

    begun(22)
    (tmp_path / "run" / "shards" / "shard-00000.jsonl").unlink()
    with pytest.raises(RunDirectoryUnfit, match="today's date"):
        begun(23)
    begun(22)
    assert on(22).identity().template_hash == on(22).identity().template_hash != on(23).identity().template_hash


def test_the_hash_of_a_template_without_a_date_is_of_the_template_alone(model_folder: ModelFolder) -> None:
    known = LocalModel(LocalSpec(model_folder("llama"), device="cpu"))
    assert known.identity().template_hash == text_hash(tiny_models.TEMPLATE)
