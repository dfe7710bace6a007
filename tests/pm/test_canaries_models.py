"""The same model here and behind a server: the run here vouches for the server, and gives a squashed one away."""

import asyncio
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from app.pm import canaries
from app.pm.backends.http_calls import Server
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.backends.vllm import VllmModel, VllmSpec
from app.pm.dialogs import Turn
from app.pm.records import RunSettings
from app.pm.runner import score_items
from app.pm.scorer import Batch
from app.pm.self_check import ModelUnfit
from app.pm.variants import STANDARD
from tests.pm.conftest import ModelFolder
from tests.pm.fake_scorers import pairs
from tests.pm.stub_servers import MODEL, Stub, serving, vllm

pytestmark = pytest.mark.filterwarnings("default")

SETTINGS = RunSettings(budget=1500, shard_rows=9)


@pytest.fixture(scope="module")
def here(model_folder: ModelFolder) -> LocalModel:
    return LocalModel(LocalSpec(model_folder("llama"), device="cpu"))


@pytest.fixture(scope="module")
def local_run(here: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "run"
    score_items(pairs(4), here, (STANDARD,), folder, settings=SETTINGS)
    return folder


@pytest.fixture
def server(here: LocalModel) -> Iterator[Stub]:
    """vLLM's interface in front of the tiny model itself, each sequence computed alone."""
    stub = vllm()

    def tokenize(body: dict[str, Any]) -> dict[str, Any]:
        if "prompt" in body:
            ids = [5] if not body["add_special_tokens"] else [0, 5]
        else:
            ids = here._tokenizer.encode([tuple(Turn(turn["role"], turn["content"]) for turn in body["messages"])])[0]
        return {"count": len(ids), "max_model_len": 2048, "tokens": ids}

    def classify(body: dict[str, Any]) -> dict[str, Any]:
        scores = [float(here.network.alone(np.asarray(ids, dtype=np.int32))) for ids in body["input"]]
        data = [{"index": n, "label": "LABEL_0", "probs": [score], "num_classes": 1} for n, score in enumerate(scores)]
        return {"model": MODEL, "data": data, "usage": {"prompt_tokens": sum(map(len, body["input"]))}}

    stub.answers |= {"/tokenize": tokenize, "/classify": classify}
    with serving(stub) as running:
        yield running


def test_a_run_here_keeps_what_each_canary_scores_alone(here: LocalModel, local_run: Path) -> None:
    held = canaries.read(local_run)
    assert held.run == json.loads((local_run / "run.json").read_text())["id"]
    encoded = here._tokenizer.encode(canaries.CANARIES)
    alone = [float(here.network.alone(np.asarray(ids, dtype=np.int32))) for ids in encoded]
    assert list(held.scores) == pytest.approx(alone, abs=1e-6)
    assert np.std(alone) > 1e-3
    assert canaries.read(local_run / "scores.jsonl") == held


def test_a_server_of_the_same_model_agrees_with_the_run_here(server: Stub, here: LocalModel, local_run: Path) -> None:
    model = VllmModel(VllmSpec(Server(server.url), local=canaries.read(local_run)))
    assert model.identity().told["self_check"]["against_local"] < 1e-6
    ids = np.arange(10, 40, dtype=np.int32)
    assert asyncio.run(model.score(Batch((ids,), ())))[0] == pytest.approx(float(here.network.alone(ids)), abs=1e-6)


def test_a_squashed_or_other_model_behind_the_server_is_refused(server: Stub, local_run: Path) -> None:
    raw = server.answers["/classify"]

    def squashed(body: dict[str, Any]) -> dict[str, Any]:
        given = raw(body)
        for row in given["data"]:
            # Shifted, so that not all of them lie between 0 and 1: only the run here can tell.
            row["probs"] = [1 / (1 + math.exp(-row["probs"][0])) - 0.6]
        return given

    server.answers["/classify"] = squashed
    assert VllmModel(VllmSpec(Server(server.url))).identity().model == MODEL
    with pytest.raises(ModelUnfit, match="not those of the local model"):
        VllmModel(VllmSpec(Server(server.url), local=canaries.read(local_run)))


def test_a_judge_keeps_no_canaries(model_folder: ModelFolder) -> None:
    judge = LocalModel(LocalSpec(model_folder("llama", "judge"), use="judge", device="cpu"))
    assert canaries.FIELD not in judge.identity().told
