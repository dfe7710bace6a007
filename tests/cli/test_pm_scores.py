"""`candor pm`: a study's pairs leave as a file, and come back as scores, or are refused by line and field."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db import transaction
from tests.cli.test_commands import Shell
from tests.conftest import NewDatabase
from tests.pm.stub_servers import chat, serving, vllm
from tests.scored import reward_rows, run_record, score_file
from tests.studies import open_study


@pytest.fixture(scope="module")
async def shell(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shell]:
    url = new_database()
    async with transaction(url) as session:
        await open_study(session, "scored", per_level=1)
    made = Shell(tmp_path_factory.mktemp("pm"), url)
    yield made
    made.close()


def written(shell: Shell, name: str, lines: list[bytes]) -> Path:
    file = shell.folder / name
    file.write_bytes(b"".join(lines))
    return file


def test_pairs_go_out_and_scores_come_in(shell: Shell) -> None:
    printed = shell.ok("pm", "pairs", "--study", "scored").out
    assert shell.ok("pm", "pairs", "--study", "scored", "-o", "pairs.jsonl").err == "Wrote 8 pairs to pairs.jsonl\n"
    assert (shell.folder / "pairs.jsonl").read_text(encoding="utf-8") == printed
    pairs = [json.loads(line) for line in printed.splitlines()]
    written(shell, "scores.jsonl", score_file(run_record(), reward_rows(pairs)))

    changed = reward_rows(pairs)
    changed[1]["text_hash"] = changed[2]["key"] = "0" * 64
    written(shell, "changed.jsonl", score_file(run_record(), changed))
    before = shell.content()
    refused = shell("pm", "import-scores", "changed.jsonl", "--study", "scored")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        f"line 4, field key: the study has no pair '{'0' * 64}'\n"
        "Refused: the score file, line 3, field text_hash: 'claim-000' has another text in this study; "
        "score the pairs file of this study (and 1 more)\n"
    )
    assert shell.content() == before

    done = shell.ok("pm", "import-scores", "scores.jsonl", "--study", "scored", "--json").json
    assert done == {"run": "a" * 16, "study": "scored", "new": True, "model": "made-up/reward-model", "pairs": 8}
    stored = shell.content()
    again = shell.ok("pm", "import-scores", "scores.jsonl", "--study", "scored")
    assert (again.out, again.err) == (
        "",
        f"Nothing to do: the scoring run {'a' * 16} is stored already, in study 'scored'; nothing was changed.\n",
    )
    assert shell.content() == stored
    listed = shell.ok("pm", "runs", "--study", "scored", "--json").json
    assert [(run["run"], run["state"], run["record"]["id"]) for run in listed] == [("a" * 16, "done", "a" * 16)]
    assert "made-up/reward-model" in shell.ok("pm", "runs", "--study", "scored").out
    assert shell.ok("export", "scores", "--study", "scored").out.count("\n") == 17


def test_scores_come_from_standard_input_too(shell: Shell) -> None:
    pairs = [json.loads(line) for line in shell.ok("pm", "pairs", "--study", "scored").out.splitlines()]
    file = b"".join(score_file(run_record("b" * 16, random_weights=True), reward_rows(pairs))).decode()
    assert shell.ok("pm", "import-scores", "-", "--study", "scored", stdin=file).out.startswith(
        "Stored the scoring run"
    )
    assert "(random weights)" in shell.ok("pm", "runs", "--study", "scored").out


def test_what_cannot_be_read_is_refused_in_a_line(shell: Shell) -> None:
    assert "no study 'nothing'" in shell.refused("pm", "pairs", "--study", "nothing")
    assert "no study 'nothing'" in shell.refused("pm", "runs", "--study", "nothing")
    unreadable = "nothing.jsonl cannot be read: No such file or directory"
    assert shell.refused("pm", "import-scores", "nothing.jsonl", "--study", "scored") == unreadable
    written(shell, "empty.jsonl", [])
    assert "is not the head of a score file" in shell.refused("pm", "import-scores", "empty.jsonl", "--study", "scored")


def test_a_run_of_another_study_is_refused_and_not_taken_for_done(shell: Shell) -> None:
    pairs = [json.loads(line) for line in shell.ok("pm", "pairs", "--study", "scored").out.splitlines()]
    written(shell, "elsewhere.jsonl", score_file(run_record("c" * 16), reward_rows(pairs)))
    shell.ok("study", "clone", "scored", "copied")
    shell.ok("pm", "import-scores", "elsewhere.jsonl", "--study", "scored")
    said = f"the scoring run {'c' * 16} is stored already, in study 'scored'; nothing was changed"
    for as_json in ((), ("--json",)):
        assert shell.refused("pm", "import-scores", "elsewhere.jsonl", "--study", "copied", *as_json) == said


def test_what_the_scorer_writes_is_what_the_import_reads(shell: Shell) -> None:
    shell.ok("pm", "pairs", "--study", "scored", "-o", "out.jsonl")
    variants = ("--variant", "standard", "--variant", "non-sycophantic")
    shell.ok("pm", "score", "--input", "out.jsonl", "--model", "oracle", "-o", "oracle", *variants)
    done = shell.ok("pm", "import-scores", "oracle/scores.jsonl", "--study", "scored", "--json").json
    (run,) = (one for one in shell.ok("pm", "runs", "--study", "scored", "--json").json if one["run"] == done["run"])
    assert (run["scorer"], run["state"], run["record"]["n_items"]) == ("oracle", "done", 8)
    exported = shell.ok("export", "scores", "--study", "scored", "--format", "jsonl").out.splitlines()
    rows = [row for row in map(json.loads, exported) if row["run"] == done["run"]]
    assert len(rows) == 8 * 2 * 2
    assert {row["prefers_sycophantic"] for row in rows} == {0}, "an oracle prefers what is true"


def test_a_study_is_scored_where_its_database_is(shell: Shell) -> None:
    given = ("pm", "score", "--study", "scored", "--model", "oracle", "-o", "of-study")
    done = shell.ok(*given).out
    assert "Scored 24 rows" in done
    record = json.loads((shell.folder / "of-study" / "run.json").read_text(encoding="utf-8"))
    assert f"Stored as the scoring run {record['id']} of scored: /studies/scored/models" in done.replace("\n", " ")
    listed = {run["run"]: run for run in shell.ok("pm", "runs", "--study", "scored", "--json").json}
    assert (listed[record["id"]]["state"], listed[record["id"]]["scorer"]) == ("done", "oracle")
    stored = shell.content()
    assert "Scored 24 rows, 24 of them finished before" in shell.ok(*given).out
    assert shell.content() == stored


def test_models_behind_servers_score_a_study(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_PM_KEY", "a-key")
    with serving(vllm()) as server:
        shell.ok("pm", "score", "--study", "scored", "--endpoint", server.url, "-o", "served", "--concurrency", "2")
        assert len(server.bodies("/classify")) > 1
    with serving(chat(lambda _: {"A": -0.4, "B": -1.2})) as server:
        address = f"{server.url}/v1"
        said = shell.ok(
            "pm", "score", "--study", "scored", "--endpoint", address, "--model", "m", "--judge", "-o", "judged"
        ).out
        assert "0 of them" not in said
        assert "8 ties left out" in " ".join(said.split()), "it names A whichever stands first"
    backends = [run["record"]["backend"] for run in shell.ok("pm", "runs", "--study", "scored", "--json").json]
    assert sorted(backends[:2]) == ["endpoint", "vllm"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--model", "oracle"), "give one of them: a study, or a file"),
        (("--study", "scored", "--input", "x.jsonl", "--model", "oracle"), "give one of them: a study, or a file"),
        (("--study", "scored"), "name a model, or the address of a server"),
    ],
)
def test_what_is_scored_and_by_whom_must_be_said(shell: Shell, given: tuple[str, ...], said: str) -> None:
    refused = shell("pm", "score", "-o", "none", *given)
    assert refused.code == 2
    assert said in " ".join(refused.err.replace("│", " ").split())


def test_a_study_that_is_not_there_is_refused_in_a_line(shell: Shell) -> None:
    refused = shell("pm", "score", "--study", "lost", "--model", "oracle", "-o", "lost")
    assert refused.code == 1
    assert refused.err.startswith("Refused: ")
    assert "Traceback" not in refused.err
