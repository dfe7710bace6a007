"""`candor study plan` and `candor study preregister` as people run them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import planning
from app.cli.commands import app
from app.study.set_files import to_jsonl
from tests.cli.test_commands import CREATE, Shell
from tests.conftest import REPOSITORY, NewDatabase
from tests.example_sets import entries


@pytest.fixture(scope="module")
def shell(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("planning")
    (folder / "good.jsonl").write_text("".join(to_jsonl(entries(1))), encoding="utf-8")
    shell = Shell(folder, new_database())
    shell.ok("set", "import", "good.jsonl")
    yield shell
    shell.close()


SMALL = ("--pairs", "4", "--ratings-per-pair", "3", "--pairs-per-annotator", "8", "--simulations", "20")


def test_a_plan_is_worked_out_in_words_and_for_programs(shell: Shell) -> None:
    said = shell.ok("study", "plan", *SMALL, "--pay", "£2.50", "--fee", "10", "--arms", "2")
    assert "Power of the difficulty slope (%)" in said.out
    assert "12 annotators and 96 choices in each of 2 arms." in said.out
    assert "Cost: £66.00 for 24 people (£60.00 pay, £6.00 fee)." in said.out
    assert "20 simulated studies, seed 1" in said.out
    facts = shell.ok("study", "plan", *SMALL, "--rates", "10 20 30 40 50 60 70 80", "--json").json
    assert facts["plan"]["rates"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert (facts["annotators"], facts["choices"], facts["cost"]) == (12, 96, None)
    assert 0.5 < facts["slope_power"]["value"] <= 1
    assert [level["n_pairs"] for level in facts["levels"]] == [4] * 8


def test_a_plan_takes_what_a_study_says_and_options_win(shell: Shell) -> None:
    shell.ok(*[each.replace("a-study", "planned") for each in CREATE], "--pay", "£1.50", "--ratings-per-pair", "4")
    facts = shell.ok("study", "plan", "planned", "--simulations", "5", "--json").json
    assert facts["plan"]["pairs"] == [1] * 8
    assert (facts["plan"]["ratings_per_pair"], facts["plan"]["pairs_per_annotator"]) == (4, 8)
    assert facts["cost"]["total"] == "6.00"
    facts = shell.ok("study", "plan", "planned", "--ratings-per-pair", "6", "--simulations", "5", "--json").json
    assert facts["plan"]["ratings_per_pair"] == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rates", "0.2, 0.3"), "rates: give percentages from 1 to 99, such as 20, 30"),
        (("--pairs", "1 2"), "pairs: give one number, or 8, easiest level first"),
        (("--pay", "a voucher"), "pay: give an amount for one person, such as £2.50"),
        (("nothing",), "there is no study 'nothing'; `candor study list` shows those there are"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert shell.refused("study", "plan", *arguments) == said


def test_interrupted_it_prints_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def ctrl_c_after_five(_total: int) -> Iterator[Callable[[int, int], None]]:
        def told(done: int, _wanted: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        yield told

    monkeypatch.setattr(planning, "_progress", ctrl_c_after_five)
    done = CliRunner().invoke(app, ["study", "plan", *SMALL, "--json"])
    assert done.exit_code == 130
    assert (json.loads(done.stdout)["simulations"], json.loads(done.stdout)["plan"]["simulations"]) == (5, 20)
    assert done.stderr == "Interrupted after 5 of 20 simulated studies.\n"


def test_a_draft_is_preregistered_once_and_written_as_often_as_asked(shell: Shell) -> None:
    shell.ok(*CREATE)
    first = shell.ok("study", "preregister", "a-study", "-o", "prereg.md")
    digest = first.err.split("hash ")[1].split()[0]
    read = (shell.folder / "prereg.md").read_text(encoding="utf-8")
    assert read.startswith("# Preregistration: a-study\n")
    assert digest in read
    again = shell.ok("study", "preregister", "a-study")
    assert again.out == read
    assert again.err.startswith("Preregistered already, at 20")

    shell.ok("study", "preregister", "a-study", "--json", "-o", "prereg.json")
    written = json.loads((shell.folder / "prereg.json").read_text(encoding="utf-8"))
    assert written["document_hash"] == digest
    opened = shell.ok("study", "open", "a-study", "--json").json
    assert opened["state"] == "live"
    shown = shell.ok("study", "show", "a-study", "--json").json
    assert shown["design_hash"] == written["document"]["hashes"]["design"]
    assert shell.ok("study", "preregister", "a-study").out == read


def test_the_documented_check_holds_and_finds_a_change(shell: Shell) -> None:
    docs = (REPOSITORY / "docs" / "planning.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", docs, re.DOTALL)
    shell.ok(*[each.replace("a-study", "pilot-1") for each in CREATE])
    shell.ok("study", "preregister", "pilot-1", "--json", "-o", "pilot-1.json")
    run = [sys.executable, "-c", snippet]
    assert subprocess.run(run, cwd=shell.folder, check=False).returncode == 0
    file = Path(shell.folder / "pilot-1.json")
    file.write_text(file.read_text(encoding="utf-8").replace('"pairs": 8', '"pairs": 9'), encoding="utf-8")
    assert subprocess.run(run, cwd=shell.folder, check=False, stderr=subprocess.DEVNULL).returncode == 1


def test_what_has_opened_cannot_be_preregistered(shell: Shell) -> None:
    shell.ok(*[each.replace("a-study", "late") for each in CREATE])
    shell.ok("study", "open", "late")
    said = shell.refused("study", "preregister", "late", "-o", "late.md")
    assert (
        said
        == "study 'late' is live, so it cannot be preregistered; it must be a draft: it is done before a study opens"
    )
