# ruff: noqa: E402 - the extra may be missing
"""Encoders against plain `model(**tokenizer(prompt, response))`: with the segments that the tokenizer tells or none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from app.pm import self_check
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.dialogs import user
from app.pm.items import ItemList, item
from app.pm.records import RunSettings
from app.pm.rendering import DialogTooLong
from app.pm.runner import score_items
from app.pm.scorer import Batch, Floats, Tokens
from app.pm.self_check import ModelUnfit
from app.pm.variants import STANDARD
from tests.pm import tiny_models
from tests.pm.fake_scorers import pairs

pytestmark = pytest.mark.filterwarnings("default")

# A text that holds the separator itself, and two pairs that are the same tokens but for where the response begins.
SEPARATED = (("a [SEP] b", "c [SEP] d"), ("one", "two[SEP]three"), ("one[SEP]two", "three"))
DIALOGS = [(one.prompt[0].content, text) for one in pairs(6).listed for text in one.responses.values()]
DIALOGS += SEPARATED
ITEMS = ItemList(tuple(item(str(n), (user(asked),), {"": told}) for n, (asked, told) in enumerate(DIALOGS)))
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertConfig", {}),
    "deberta-v2": ("DebertaV2Config", {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}),
    "electra": ("ElectraConfig", {"embedding_size": 48}),
    "albert": ("AlbertConfig", {"embedding_size": 24}),
    "bigbird": ("BigBirdConfig", {"attention_type": "original_full"}),
    "longformer": ("LongformerConfig", {"attention_window": 32}),
    "roberta": ("RobertaConfig", {}),
}


def saved(folder: Path, architecture: str, *, segments: bool, **more: Any) -> str:
    torch.manual_seed(3)
    name, own = CONFIGS[architecture]
    shared: dict[str, Any] = {
        "vocab_size": len(tiny_models.SPECIAL) + 256, "max_position_embeddings": 1024, "type_vocab_size": 2,
        "pad_token_id": 4, "sep_token_id": 3, "num_labels": 1, "initializer_range": 0.2, **tiny_models._WIDTH,
    }  # fmt: skip
    config = getattr(transformers, name)(**shared | own | more)
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter, weight in model.named_parameters():
            if "token_type_embeddings" in parameter:
                weight.normal_(0, 1)
    model.save_pretrained(folder)
    known = tiny_models.tokenizer("paired")
    if not segments:
        known.model_input_names = ["input_ids", "attention_mask"]
    known.save_pretrained(folder)
    return str(folder)


def scored(folder: str, output: Path, items: ItemList = ITEMS) -> list[float]:
    score_items(items, LocalModel(LocalSpec(folder, device="cpu")), (STANDARD,), output, settings=RunSettings(1500, 9))
    return [json.loads(line)["score"] for line in (output / "scores.jsonl").read_text().splitlines()[1:-1]]


@pytest.mark.parametrize("architecture", CONFIGS)
@pytest.mark.parametrize("segments", [True, False])
def test_an_encoder_equals_one_by_one(tmp_path: Path, architecture: str, *, segments: bool) -> None:
    folder = saved(tmp_path / "model", architecture, segments=segments)
    known = transformers.AutoTokenizer.from_pretrained(folder)
    assert ("token_type_ids" in known("a", "b")) == segments
    plain = tiny_models.one_by_one(folder, DIALOGS)
    assert np.std(plain) > 1e-3
    np.testing.assert_allclose(scored(folder, tmp_path / "run"), plain, atol=1e-5, rtol=0)


def test_an_encoder_with_one_segment_is_given_none(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", "roberta", segments=True, type_vocab_size=1)
    with_none = saved(tmp_path / "plain", "roberta", segments=False, type_vocab_size=1)
    plain = tiny_models.one_by_one(with_none, DIALOGS)
    np.testing.assert_allclose(scored(folder, tmp_path / "run"), plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pad", [1, 4])
def test_positions_that_begin_after_the_pad_leave_so_many_fewer_tokens(tmp_path: Path, pad: int) -> None:
    config = transformers.CamembertConfig(
        vocab_size=264, max_position_embeddings=90, type_vocab_size=1, pad_token_id=pad, num_labels=1,
        initializer_range=0.2, **tiny_models._WIDTH,
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    known = tiny_models.tokenizer("paired")
    known.model_input_names = ["input_ids", "attention_mask"]
    known.save_pretrained(tmp_path)
    longest = 90 - pad - 1
    fits, over = ("x" * (longest - 4 + n) for n in (0, 1))
    listed = ItemList((item("a", (user("y"),), {"": fits}), item("b", (user("y"),), {"": "z"})))
    plain = tiny_models.one_by_one(str(tmp_path), [("y", fits), ("y", "z")])
    np.testing.assert_allclose(scored(str(tmp_path), tmp_path / "run", listed), plain, atol=1e-5, rtol=0)
    with pytest.raises(DialogTooLong, match=f"has {longest + 1} tokens, the model reads {longest}"):
        scored(str(tmp_path), tmp_path / "over", ItemList((item("a", (user("y"),), {"": over}),)))


def test_an_encoder_with_a_decoder_is_refused(tmp_path: Path) -> None:
    config = transformers.BartConfig(
        vocab_size=264, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_labels=1, pad_token_id=4,
        eos_token_id=3, bos_token_id=2, decoder_start_token_id=3,
    )  # fmt: skip
    transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    tiny_models.tokenizer("paired").save_pretrained(tmp_path)
    for use in ("score", "judge"):
        with pytest.raises(ModelUnfit, match=r"is an encoder with a decoder \(bart\)"):
            LocalModel(LocalSpec(str(tmp_path), device="cpu", use=use))


@pytest.mark.parametrize(("off", "sound"), [(5e-5, False), (5e-7, True)])
def test_where_scores_lie_close_together_padding_may_move_them_by_less(off: float, *, sound: bool) -> None:
    """So it is with YOSO, whose error is as small as its scores and turns preferences."""

    def alone(ids: Tokens) -> Floats:
        return np.asarray(ids.mean() / 5000, np.float32)

    def batched(batch: Batch) -> Floats:
        most = max(map(len, batch.sequences))
        return np.array([alone(ids) + off * (len(ids) < most) for ids in batch.sequences], np.float32)

    probes = self_check.canaries(range(8, 200), 90, 3)
    if sound:
        assert self_check.check(probes, alone, batched, packed=False, exact=True).spread < 5e-3
    else:
        with pytest.raises(ModelUnfit, match="padding changes scores"):
            self_check.check(probes, alone, batched, packed=False, exact=True)


def test_attention_to_blocks_drawn_at_random_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, "bigbird", segments=False, attention_type="block_sparse")
    with pytest.raises(ModelUnfit, match=r'block_sparse.*set "attention_type": "original_full" in config\.json'):
        LocalModel(LocalSpec(folder, device="cpu"))


@pytest.mark.parametrize("faulty", [range(20), range(600, 1000)])
def test_padding_that_only_the_shortest_or_the_longest_hear_is_found(faulty: range) -> None:
    def batched(batch: Batch) -> Floats:
        most = max(map(len, batch.sequences))
        heard = [len(ids) < most and len(ids) in faulty for ids in batch.sequences]
        return np.array([ids.mean() for ids in batch.sequences], np.float32) + np.array(heard, np.float32)

    def alone(ids: Tokens) -> Floats:
        return np.asarray(ids.mean(), np.float32)

    probes = self_check.canaries(range(8, 200), 4096, 3, far=True)
    with pytest.raises(ModelUnfit, match="padding changes scores"):
        self_check.check(probes, alone, batched, packed=False, exact=True)
