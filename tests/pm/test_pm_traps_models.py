# ruff: noqa: E402 - the extra may be missing
"""What would be silently wrong, planted one by one: each is refused at load, with what to do."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from app.errors import CandorError
from app.pm import local_models, packing, self_check
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.dialogs import Turn, assistant, user
from app.pm.items import ItemList, item
from app.pm.local_models import Network
from app.pm.rendering import DialogMisrendered, DialogTooLong, OverLong
from app.pm.runner import score_items
from app.pm.scorer import Batch, Floats, SharedPrefix
from app.pm.self_check import ModelUnfit
from app.pm.variants import STANDARD, PromptVariant
from tests.pm import tiny_models
from tests.pm.conftest import ModelFolder
from tests.pm.fake_scorers import pairs

pytestmark = pytest.mark.filterwarnings("default")


def load(folder: str | Path, **given: Any) -> LocalModel:
    return LocalModel(LocalSpec(str(folder), device="cpu", **given))


def test_a_random_score_head_is_refused(model_folder: ModelFolder) -> None:
    folder = model_folder("llama", "judge")
    with pytest.raises(ModelUnfit, match=r"holds no weights for score\.weight: they would be drawn at random"):
        load(folder)
    allowed = load(folder, random_allowed=True).identity()
    assert allowed.random_weights
    assert allowed.told["self_check"]["random_head"]


def test_a_random_head_of_an_encoder_is_refused(model_folder: ModelFolder, tmp_path: Path) -> None:
    model = transformers.BertModel.from_pretrained(model_folder("bert"))
    model.save_pretrained(tmp_path)
    tiny_models.tokenizer("paired").save_pretrained(tmp_path)
    with pytest.raises(ModelUnfit, match=r"holds no weights for classifier\.bias, classifier\.weight"):
        load(tmp_path)


@pytest.mark.parametrize("architecture", ["qwen3", "bert"])
def test_several_outputs_are_refused(tmp_path: Path, architecture: str) -> None:
    tiny_models.save(tmp_path, architecture, num_labels=3)
    with pytest.raises(ModelUnfit, match=r"has 3 outputs \(num_labels\)"):
        load(tmp_path)


def test_two_bos_are_refused(tmp_path: Path) -> None:
    folder = tiny_models.save(tmp_path, "llama")
    doubled = tiny_models.TEMPLATE.replace("{{ bos_token }}", "{{ bos_token }}{{ bos_token }}")
    tiny_models.tokenizer("chat", doubled).save_pretrained(folder)
    with pytest.raises(ModelUnfit, match=r"begin with BOS twice \(token 0\); mend chat_template"):
        load(folder)


def test_a_template_that_writes_bos_and_a_tokenizer_that_adds_it_make_one(model_folder: ModelFolder) -> None:
    scorer = load(model_folder("llama"))
    known = transformers.AutoTokenizer.from_pretrained(model_folder("llama"))
    assert known("x")["input_ids"][0] == known.bos_token_id
    ids = scorer._tokenizer.encode([(user("a"), assistant("b"))])[0]
    assert ids.count(known.bos_token_id) == 1


def _deaf_to_the_mask(network: Network) -> None:
    """Let padding be read, as a model does that is given no mask."""
    plain = network.model.forward

    def forward(*args: Any, **given: Any) -> Any:
        given["attention_mask"] = torch.ones_like(given["attention_mask"])
        return plain(*args, **given)

    network.model.forward = forward


def _padded_on_the_left(network: Network) -> None:
    """Pad on the left without telling positions, as reward-bench does."""

    def padded(batch: Batch) -> Floats:
        most = max(map(len, batch.sequences))
        rows = [np.pad(ids, (most - len(ids), 0), constant_values=network._pad()) for ids in batch.sequences]
        mask = torch.tensor([[0] * (most - len(ids)) + [1] * len(ids) for ids in batch.sequences])
        with torch.inference_mode():
            logits = network.model(torch.tensor(np.stack(rows)).long(), attention_mask=mask).logits
        return np.asarray(logits[:, 0].numpy(), dtype=np.float32)

    network.padded = padded  # type: ignore[method-assign]


def _own_logits(network: Network) -> None:
    """Read `.logits`, which take a real EOS for padding where both are one token."""

    def padded(batch: Batch) -> Floats:
        most = max(map(len, batch.sequences))
        rows = [np.pad(ids, (0, most - len(ids)), constant_values=1) for ids in batch.sequences]
        with torch.inference_mode():
            logits = network.model(torch.tensor(np.stack(rows)).long()).logits
        return np.asarray(logits[:, 0].numpy(), dtype=np.float32)

    network.padded = padded  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("architecture", "plant", "said"),
    [
        ("bert", _deaf_to_the_mask, "padding changes scores"),
        ("deberta-v2", _padded_on_the_left, "padding changes scores"),
        ("gpt2", _padded_on_the_left, "padding changes scores"),
        ("llama", _own_logits, "padding changes scores|takes a real token 1 at the end for padding"),
    ],
)
def test_padding_that_changes_scores_is_refused(
    model_folder: ModelFolder,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    plant: Callable[[Network], None],
    said: str,
) -> None:
    plain = local_models.load

    def planted(loading: Any) -> Any:
        loaded: Any = plain(loading)
        alone = loaded.network.padded
        plant(loaded.network)
        loaded.network.alone = lambda ids: alone(Batch((ids,), ()))[0]
        return loaded

    load(model_folder(architecture), attention="padded")
    monkeypatch.setattr(local_models, "load", planted)
    with pytest.raises(ModelUnfit, match=said):
        load(model_folder(architecture), attention="padded")


def test_the_last_real_token_must_count() -> None:
    def blind(batch: Batch) -> Floats:
        return np.array([float(ids[ids != 1][-1]) for ids in batch.sequences], dtype=np.float32)

    with pytest.raises(ModelUnfit, match="takes a real token 1 at the end for padding"):
        self_check.check_last_token(np.array([5, 6, 7], dtype=np.int32), 1, blind)


@pytest.mark.parametrize("ends", ["[PAD]", "{{ eos_token }}"])
def test_a_pad_that_the_template_ends_turns_with_must_count(tmp_path: Path, ends: str) -> None:
    """The model picks the token that it scores itself, and takes no pad; the EOS is another token."""
    torch.manual_seed(0)
    config = transformers.ModernBertDecoderConfig(
        vocab_size=264, max_position_embeddings=512, bos_token_id=0, eos_token_id=1, pad_token_id=4, cls_token_id=2,
        sep_token_id=3, num_labels=1, initializer_range=0.2, **tiny_models._WIDTH,
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    template = tiny_models.TEMPLATE.replace("{{ eos_token }}", ends)
    tiny_models.tokenizer("chat", template, pad_is_eos=False).save_pretrained(tmp_path)
    if ends == "[PAD]":
        with pytest.raises(ModelUnfit, match="takes a real token 4 at the end for padding"):
            load(tmp_path)
    else:
        load(tmp_path)


@pytest.mark.parametrize("fault", ["positions", "prefix"])
def test_packing_that_changes_scores_is_found_and_the_run_pads_instead(
    model_folder: ModelFolder, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    plain = packing.pack

    def wrong(batch: Batch) -> Any:
        row = plain(batch)
        if fault == "positions":
            return dataclasses.replace(row, positions=np.arange(len(row.ids)))
        return dataclasses.replace(row, segments=tuple(dataclasses.replace(s, shared=0) for s in row.segments))

    monkeypatch.setattr(local_models, "pack", wrong)
    scorer = load(model_folder("qwen3"))
    assert not scorer.packs
    assert "padding changes scores" in (scorer.unpacked or "")
    with pytest.raises(ModelUnfit, match="cannot be computed packed"):
        load(model_folder("qwen3"), attention="packed")


def test_a_window_shorter_than_a_batch_is_padded(tmp_path: Path) -> None:
    """Within the canaries' lengths the window does not matter; beyond it a packed row would be wrong."""
    torch.manual_seed(0)
    config = transformers.MistralConfig(
        vocab_size=264, max_position_embeddings=2048, sliding_window=120, num_key_value_heads=2, bos_token_id=0,
        eos_token_id=1, pad_token_id=1, num_labels=1, **tiny_models._WIDTH,
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    tiny_models.tokenizer("chat").save_pretrained(tmp_path)
    scorer = load(tmp_path)
    assert scorer.packs
    draw = np.random.default_rng(0)
    sequences = tuple(draw.integers(8, 260, n).astype(np.int32) for n in (200, 300))
    alone = np.array([scorer.network.alone(ids) for ids in sequences])
    groups = tuple(SharedPrefix(0, (n,)) for n in range(2))
    np.testing.assert_allclose(scorer.score(Batch(sequences, groups)), alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", ["bfloat16"])
def test_the_noise_of_16_bits_is_measured(model_folder: ModelFolder, dtype: str) -> None:
    exact, rough = load(model_folder("llama")), load(model_folder("llama"), dtype=dtype)
    assert exact.checked.noise_floor < 1e-5 < rough.checked.noise_floor


def test_no_folder_and_no_cuda_are_refused(model_folder: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match="there is no model at"):
        load(tmp_path / "missing")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "no-such"}))
    with pytest.raises(ModelUnfit, match="cannot be loaded"):
        load(tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(ModelUnfit, match="there is no device cuda"):
            LocalModel(LocalSpec(model_folder("llama"), device="cuda"))


def _cut_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:2000])


def _changed(**given: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | given))

    return change


def _several_templates(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    known = tiny_models.tokenizer("chat")
    known.chat_template = {"a": tiny_models.TEMPLATE, "b": tiny_models.TEMPLATE}
    known.save_pretrained(folder)


def _larger_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer.json"
    told = json.loads(file.read_text())
    vocabulary = told["model"]["vocab"]
    told["model"]["vocab"] = {name: number + 200 * (number > 7) for name, number in vocabulary.items()}
    file.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut_weights, r"cannot be loaded: .*(incomplete|SafetensorError|header|deserializ)"),
        (_changed(hidden_size="x"), "cannot be loaded: "),
        (_changed(hidden_size=50), "cannot be (loaded|computed): "),
        (_changed(pad_token_id=264), "cannot be loaded: "),
        (_several_templates, r"several chat templates \(a, b\) and none of them is the default; keep the one to use"),
        (_larger_tokenizer, r"holds the token \d+, and the model knows 264: its tokenizer is that of another model"),
    ],
)  # fmt: skip
def test_a_damaged_folder_is_refused_in_words(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    tiny_models.save(tmp_path, "llama")
    load(tmp_path)
    damage(tmp_path)
    with pytest.raises(CandorError, match=said):
        load(tmp_path)


@pytest.mark.parametrize("device", ["gpu", "mps", "meta", "cuda:99", "CPU"])
def test_a_device_that_is_not_known_is_refused(model_folder: ModelFolder, device: str) -> None:
    with pytest.raises(
        ModelUnfit, match=f"there is no device {device} on this machine.*; leave --device out, or give "
    ):
        LocalModel(LocalSpec(model_folder("llama"), device=device))


def test_a_template_that_takes_no_system_turn_says_so(tmp_path: Path) -> None:
    tiny_models.save(tmp_path, "llama")
    first = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    tiny_models.tokenizer("chat", first + tiny_models.TEMPLATE).save_pretrained(tmp_path)
    items = pairs(2)
    variant = PromptVariant("true", (Turn("system", "be true"),))
    with pytest.raises(
        DialogMisrendered,
        match=r"'k0', baseline_truthful, variant true: the model's chat template refuses a dialog of these turns "
        r"\(system, user, assistant\): System role not supported; choose another variant",
    ):
        score_items(items, load(tmp_path), (STANDARD, variant), tmp_path / "run")


def test_a_prompt_without_a_turn_that_could_be_cut_is_refused(model_folder: ModelFolder, tmp_path: Path) -> None:
    scorer = load(model_folder("llama"), longest=60, over_long=OverLong.TRUNCATE)
    only = ItemList((item("x", (Turn("system", "w" * 80),), {"": "no"}),))
    with pytest.raises(DialogTooLong, match=r"'x', response, .* 87 tokens, the model reads 60; its prompt has no"):
        score_items(only, scorer, (STANDARD,), tmp_path)
