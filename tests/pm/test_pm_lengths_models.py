# ruff: noqa: E402 - the extra may be missing
"""Models that compute longer dialogs otherwise: by other frequencies of their positions, or within a window."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from app.pm import architecture, planning
from app.pm.backends.local import Attention, LocalModel, LocalSpec
from app.pm.dialogs import user
from app.pm.items import ItemList, item
from app.pm.local_models import Network
from app.pm.planning import Apart
from app.pm.records import RunSettings
from app.pm.rendering import DialogTooLong
from app.pm.runner import score_items
from app.pm.scorer import Batch, Floats
from app.pm.self_check import ModelUnfit
from app.pm.variants import STANDARD
from tests.pm import tiny_models

pytestmark = pytest.mark.filterwarnings("default")

_PROMPTS = ("is the earth flat? " * 5, "x" * 60, "short")
DIALOGS = [(prompt, f"{prompt[:1]}{'yes and no ' * n}"[:most]) for prompt in _PROMPTS for n, most in
           ((1, 5), (2, 20), (9, 28), (9, 29), (9, 30), (9, 90), (30, 200))]  # fmt: skip
ITEMS = ItemList(tuple(item(str(n), (user(asked),), {"": told}) for n, (asked, told) in enumerate(DIALOGS)))
EDGE = 128


def save(folder: Path, made: Callable[..., Any], **more: Any) -> str:
    torch.manual_seed(5)
    config = made(
        vocab_size=264, num_key_value_heads=2, bos_token_id=0, eos_token_id=1, pad_token_id=1, num_labels=1,
        initializer_range=0.2, **tiny_models._WIDTH, **({"max_position_embeddings": 1024} | more),
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tiny_models.tokenizer("chat").save_pretrained(folder)
    return str(folder)


def longrope(folder: Path) -> str:
    scaling = {"type": "longrope", "short_factor": [1.0] * 6, "long_factor": [4.0] * 6}
    return save(folder, transformers.Phi3Config, original_max_position_embeddings=EDGE, rope_scaling=scaling)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()[1:-1]]


@pytest.mark.parametrize("attention", ["auto", "padded"])
def test_dialogs_on_both_sides_of_an_edge_equal_one_by_one(tmp_path: Path, attention: Attention) -> None:
    folder = longrope(tmp_path / "model")
    scorer = LocalModel(LocalSpec(folder, device="cpu", attention=attention))
    assert (scorer.packs, scorer.apart.edges) == (attention == "auto", (EDGE,))
    score_items(ITEMS, scorer, (STANDARD,), tmp_path / "run", settings=RunSettings(10**5, 100))
    rows = rows_of(tmp_path / "run")
    assert min(row["n_tokens"] for row in rows) < EDGE < max(row["n_tokens"] for row in rows)
    assert {EDGE, EDGE + 1} <= {row["n_tokens"] for row in rows}
    plain = tiny_models.one_by_one(folder, DIALOGS)
    np.testing.assert_allclose([row["score"] for row in rows], plain, atol=1e-5, rtol=0)


def test_no_edge_is_looked_for_where_nothing_is_as_long(tmp_path: Path) -> None:
    scorer = LocalModel(LocalSpec(longrope(tmp_path), device="cpu", longest=EDGE))
    assert scorer.apart.edges == ()
    assert scorer.checked.canaries == 8


@pytest.mark.parametrize("attention", ["packed", "padded"])
def test_canaries_straddle_an_edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attention: Attention) -> None:
    """Were the lengths not kept apart, the check at load would refuse the model."""
    folder = longrope(tmp_path)
    assert LocalModel(LocalSpec(folder, device="cpu", attention=attention)).checked.canaries == 10
    monkeypatch.setattr(Apart, "kind", lambda _self, _length: (0, False))
    with pytest.raises(ModelUnfit, match="padding changes scores"):
        LocalModel(LocalSpec(folder, device="cpu", attention=attention))


def test_what_scales_by_the_length_is_held_to_the_length_from_which_it_does(tmp_path: Path) -> None:
    """Beyond it such a model scores by the longest dialog that it has seen so far."""
    scaling = {"rope_type": "dynamic", "factor": 4.0}
    folder = save(tmp_path / "m", transformers.LlamaConfig, max_position_embeddings=EDGE, rope_parameters=scaling)
    scorer = LocalModel(LocalSpec(folder, device="cpu", longest=10 * EDGE))
    with pytest.raises(DialogTooLong, match="the model reads 128"):
        score_items(ITEMS, scorer, (STANDARD,), tmp_path / "no", settings=RunSettings(10**5, 100))
    fitting = [n for n, (asked, told) in enumerate(DIALOGS) if len(asked) + len(told) + 5 <= EDGE]
    score_items(
        ItemList(tuple(ITEMS.listed[n] for n in fitting)), scorer, (STANDARD,), tmp_path / "run",
        settings=RunSettings(10**5, 100),
    )  # fmt: skip
    rows = rows_of(tmp_path / "run")
    assert EDGE in {row["n_tokens"] for row in rows}
    plain = tiny_models.one_by_one(folder, [DIALOGS[n] for n in fitting])
    np.testing.assert_allclose([row["score"] for row in rows], plain, atol=1e-5, rtol=0)


def test_beyond_its_window_a_model_is_padded_within_the_budget_and_the_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "model", transformers.MistralConfig, sliding_window=150)
    scorer = LocalModel(LocalSpec(folder, device="cpu"))
    padded, sizes = scorer.network.padded, []

    def seen(batch: Batch) -> Floats:
        sizes.append(len(batch.sequences) * max(map(len, batch.sequences)))
        return padded(batch)

    monkeypatch.setattr(scorer.network, "padded", seen)
    prompt = "is the earth flat? " * 20
    dialogs = [*((prompt, f"no {n}") for n in range(30)), *DIALOGS]
    items = ItemList(tuple(item(str(n), (user(asked),), {"": told}) for n, (asked, told) in enumerate(dialogs)))
    outcome = score_items(items, scorer, (STANDARD,), tmp_path / "run", settings=RunSettings(1000, 100))
    rows = rows_of(tmp_path / "run")
    assert sizes
    assert max(sizes) <= 1000
    assert sum(row["n_tokens"] > 150 for row in rows) > 30
    assert outcome.record["attention"] == "packed; over 150 tokens padded, sdpa"
    plain = tiny_models.one_by_one(folder, dialogs)
    np.testing.assert_allclose([row["score"] for row in rows], plain, atol=1e-5, rtol=0)


_FEW = {"num_experts_per_tok": 2}
_IN_THE_MASK = {
    "Qwen2MoeConfig": {"use_sliding_window": True, "max_window_layers": 2, "num_experts": 4,
                       "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32, **_FEW},
    "PhimoeConfig": {"num_local_experts": 4, **_FEW},
}  # fmt: skip


@pytest.mark.parametrize("name", _IN_THE_MASK)
def test_a_window_that_only_the_mask_is_told_of_is_kept_to(tmp_path: Path, name: str) -> None:
    more = _IN_THE_MASK[name]
    folder = save(tmp_path / "m", getattr(transformers, name), sliding_window=EDGE, **more)
    scorer = LocalModel(LocalSpec(folder, device="cpu"))
    outcome = score_items(ITEMS, scorer, (STANDARD,), tmp_path / "run", settings=RunSettings(10**5, 100))
    assert outcome.record["attention"] == f"packed; over {EDGE} tokens padded, sdpa"
    plain = tiny_models.one_by_one(folder, DIALOGS)
    np.testing.assert_allclose([row["score"] for row in rows_of(tmp_path / "run")], plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("turned_off", [{"use_sliding_window": False}, {"layer_types": ["full_attention"] * 2}])
def test_a_window_that_no_layer_slides_is_none(turned_off: dict[str, Any]) -> None:
    config = transformers.Qwen2MoeConfig(sliding_window=EDGE, num_hidden_layers=2, **turned_off)
    assert architecture.window(config) is None


@pytest.mark.parametrize("tuned", [True, False])
def test_a_model_that_attends_by_the_place_in_a_row_is_padded(tmp_path: Path, *, tuned: bool) -> None:
    """Its canaries are short, and would show nothing."""
    torch.manual_seed(5)
    config = transformers.Llama4TextConfig(
        vocab_size=264, num_key_value_heads=2, head_dim=12, intermediate_size_mlp=96, num_local_experts=2,
        bos_token_id=0, eos_token_id=1, pad_token_id=1, initializer_range=0.2, attn_temperature_tuning=tuned,
        attention_chunk_size=1000, **tiny_models._WIDTH,
    )  # fmt: skip
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny_models.tokenizer("chat").save_pretrained(tmp_path)
    judge = LocalModel(LocalSpec(str(tmp_path), use="judge", device="cpu"))
    assert not judge.packs
    assert judge.unpacked == "its attention hangs on where in a row a token stands"
    config.attention_chunk_size = None
    assert architecture.by_place(config) == tuned


def test_a_window_that_nothing_is_longer_than_is_not_told_of(tmp_path: Path) -> None:
    folder = save(tmp_path, transformers.MistralConfig, sliding_window=150)
    assert LocalModel(LocalSpec(folder, device="cpu", longest=150)).identity().attention == "packed"


@pytest.mark.parametrize("aware", [True, False])
def test_a_batch_planned_with_or_without_the_lengths_apart_gives_the_same(tmp_path: Path, *, aware: bool) -> None:
    scorer = LocalModel(LocalSpec(longrope(tmp_path), device="cpu"))
    draw = np.random.default_rng(4)
    head = draw.integers(8, 260, 100)
    sequences = [np.append(head, draw.integers(8, 260, n)).astype(np.int32) for n in (3, 28, 29, 90)]
    planned = planning.plan(sequences, 10**6, packed=True, apart=scorer.apart if aware else planning.TOGETHER)
    assert len(planned.batches) == (2 if aware else 1)
    for number in range(len(planned.batches)):
        alone = [float(scorer.network.alone(planned.unique[member])) for member in planned.members(number)]
        np.testing.assert_allclose(scorer.score(planned.batch(number)), alone, atol=1e-5, rtol=0)


def test_each_parameter_counts_once_and_an_encoder_attends_to_all(tmp_path: Path) -> None:
    config = {"vocab_size": 264, "num_key_value_heads": 4, **tiny_models._WIDTH}
    weights = 2 * (4 * 48 * 48 + 3 * 48 * 96 + 2 * 48) + 48
    for tied in (True, False):
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(tie_word_embeddings=tied, **config))
        assert Network(model, "judge").flops(10, 55) == 2 * weights * 10 + 4 * 2 * 48 * 55
    encoder = LocalModel(LocalSpec(tiny_models.save(tmp_path, "bert"), device="cpu"))
    without = encoder.flops(10, 10)
    assert encoder.flops(10, 55) - without == 4 * 2 * 48 * (100 - 10)


def test_the_record_names_the_processor(tmp_path: Path) -> None:
    told = LocalModel(LocalSpec(tiny_models.save(tmp_path, "llama"), device="cpu")).identity().told
    assert len(told["device_name"]) > 2


def test_a_model_without_attention_has_the_cost_of_its_weights() -> None:
    config = transformers.MambaConfig(vocab_size=264, hidden_size=48, num_hidden_layers=2)
    judge = Network(transformers.MambaForCausalLM(config), "judge")
    assert judge.flops(10, 55) == judge.flops(10, 10) == 10 * judge.flops(1, 1) > 0


def test_the_length_that_mpt_reads_is_known(tmp_path: Path) -> None:
    config = transformers.MptConfig(
        vocab_size=264, d_model=48, n_layers=2, n_heads=4, max_seq_len=EDGE, bos_token_id=0, eos_token_id=1,
        pad_token_id=1, num_labels=1, initializer_range=0.2,
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path / "m")
    tiny_models.tokenizer("chat").save_pretrained(tmp_path / "m")
    scorer = LocalModel(LocalSpec(str(tmp_path / "m"), device="cpu"))
    with pytest.raises(DialogTooLong, match="the model reads 128"):
        score_items(ITEMS, scorer, (STANDARD,), tmp_path / "no", settings=RunSettings(10**5, 100))
