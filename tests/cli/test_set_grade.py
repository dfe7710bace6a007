"""`candor set grade`: ratings and models' grades are stored beside a set, or refused; levels change when asked to."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from app.pm.grading import PROMPT_HASH
from app.study.set_files import read_jsonl, to_jsonl
from tests.cli.test_commands import Shell
from tests.conftest import NewDatabase
from tests.example_sets import STARTER, entries, entry
from tests.pm.stub_servers import Stub, chat, serving

PATH = "/v1/chat/completions"
KEYS = [one.key for one in entries(2)]


@pytest.fixture(scope="module")
def shell(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("grade"), new_database())
    files = {"facts": entries(2), "bare": [entry(n, None) for n in range(16)], "starter": read_jsonl(STARTER)}
    for slug, misconceptions in files.items():
        (made.folder / f"{slug}.jsonl").write_text("".join(to_jsonl(misconceptions)), encoding="utf-8")
        made.ok("set", "import", f"{slug}.jsonl", "--slug", slug)
    yield made
    made.close()


def ratings(shell: Shell, name: str, rows: list[str], header: str = "key,ann,ben") -> str:
    (shell.folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return name


def counted(shell: Shell) -> tuple[int, ...]:
    with psycopg.connect(shell.url.replace("+psycopg", "")) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM grading), (SELECT count(*) FROM grading_value), "
            "(SELECT count(*) FROM misconception_set)"
        ).fetchone()
    assert row is not None
    return tuple(row)


def test_ratings_are_stored_shown_and_listed_and_change_no_level(shell: Shell) -> None:
    before = shell.ok("set", "list", "--json").json
    file = ratings(shell, "whole.csv", [f"{key},{n * 6},{n * 6 + 2}" for n, key in enumerate(KEYS)])
    said = shell.ok("set", "grade", "facts", "--ratings", file).out
    number = shell.ok("set", "gradings", "facts", "--json").json[0]["grading"]
    lines = said.splitlines()
    assert lines[0] == f"Grading {number} of facts version 1: 16 claims, 2 raters, by whole.csv"
    assert "agreement between raters: Spearman 1.000, quadratic-weighted kappa 1.000 (means over 1 pairs)" in lines
    assert "of eight groups by rank: 0 claims within a point of a cut, 0 divided by their keys alone" in lines
    assert lines[-1].endswith(f"candor set grade facts --grading {number} --regroup makes a version")
    assert shell.ok("set", "list", "--json").json == before
    (listed,) = shell.ok("set", "gradings", "facts", "--json").json
    assert (listed["by"], listed["kind"], listed["prompt_hash"]) == ("whole.csv", "ratings", None)
    assert "whole.csv" in shell.ok("set", "gradings", "facts").out

    done = shell.ok("set", "grade", "facts", "--grading", str(number), "--regroup").out
    assert "Made facts version 2 (" in done
    assert "14 claims changed (" in done
    assert "2 stayed; nothing else differs" in done
    changes = shell.ok("set", "diff", "facts@1", "facts@2", "--json").json
    assert (changes["added"], changes["removed"], changes["unchanged"]) == ([], [], 2)
    assert {f["field"] for change in changes["changed"] for f in change["fields"]} == {"difficulty_level"}
    refused = shell.refused("set", "grade", "facts", "--grading", str(number), "--regroup")
    assert refused == "version 1 of the set facts was graded, but version 2 is its newest; grade that one"


def test_faulty_ratings_are_refused_by_row_and_column_and_nothing_is_stored(shell: Shell) -> None:
    file = ratings(shell, "faulty.csv", [f"{KEYS[0]},1,x", f"{KEYS[1]},101,2", "nobody,1,2"])
    before = shell.content()
    done = shell("set", "grade", "facts", "--ratings", file)
    assert (done.code, done.out) == (1, "")
    number = "is no plausibility; give a number from 0 to 100, such as 62.5"
    assert done.err == (
        f"row 3, column ann: '101' {number}\nrow 4, column key: the set has no misconception 'nobody'\n"
        f"Refused: faulty.csv: row 2, column ben: 'x' {number} (and 2 more)\n"
    )
    assert shell.content() == before


def test_a_study_on_an_unlevelled_set_is_refused_until_the_set_is_graded(shell: Shell) -> None:
    shell.ok("study", "create", "wait", "--set", "bare", "--contact", "me@example.org", "--pairs-per-annotator", "8")
    assert "`candor set grade bare … --regroup`" in shell.refused("study", "open", "wait")
    header = "key,rater,plausibility"
    rows = [f"{key},{rater},{(n * 7) % 100}" for n, key in enumerate(KEYS) for rater in ("ann", "ben")]
    done = shell.ok(
        "set", "grade", "bare", "--ratings", ratings(shell, "long.csv", rows, header), "--regroup", "--json"
    )
    assert done.json["regrouped"]["newly"] == 16
    assert done.json["record"]["found"]["with_levels"] is None
    config = shell.folder / "newer.toml"
    config.write_text('set = "bare"\nset_version = 2\n', encoding="utf-8")
    shell.ok("study", "change", "wait", "--config", "newer.toml")
    shell.ok("study", "open", "wait")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "--ratings", "x.csv"), "there is no misconception set nothing; `candor set list` shows"),
        (("facts", "--ratings", "x.csv"), "x.csv: cannot be read: No such file or directory"),
        (("facts", "--grading", "999"), "the set facts has no grading 999; `candor set gradings facts` lists"),
        (("facts", "--ratings", "x.csv", "--version", "9"), "there is no misconception set facts version 9"),
    ],
)
def test_what_is_not_there_is_refused(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert shell.refused("set", "grade", *arguments).startswith(said)


@pytest.mark.parametrize(
    "arguments", [(), ("--model", "m", "--ratings", "x.csv"), ("--endpoint", "http://127.0.0.1:1/v1")]
)
def test_it_must_be_said_who_grades(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell("set", "grade", "facts", *arguments).code == 2


# An endpoint.


def believes(content: str) -> dict[str, float]:
    """Half a logit for A, whatever it says; and the more for True, the higher the number in the claim."""
    number = int(content.partition("number ")[2].partition(" ")[0])
    true_first = content.index("True") < content.index("False")
    logit = 0.5 + (number - 8) / 4 * (1 if true_first else -1)
    p_a = 0.9 / (1 + math.exp(-logit))
    return {"A": math.log(p_a), "B": math.log(0.9 - p_a), "The": math.log(0.1)}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(chat(believes)) as running:
        yield running


def test_an_endpoint_grades_by_the_probability_of_true(shell: Shell, stub: Stub) -> None:
    answers = stub.answers["/v1/chat/completions"]

    def probed(body: dict[str, object]) -> dict[str, object]:
        said = json.dumps(body)
        return answers(body) if "number " in said else chat(lambda _: {"A": -0.4, "B": -1.4}).answers[PATH](body)

    stub.answers[PATH] = probed
    shell.ok("set", "import", "facts.jsonl", "--slug", "asked")
    done = shell("set", "grade", "asked", "--endpoint", f"{stub.url}/v1", "--model", "a-model", "--json")
    assert done.code == 0, done.err
    assert "Asking a-model 6 questions about each of 16 claims" in done.err
    found = done.json
    assert (found["by"], found["kind"], found["prompt_hash"]) == ("a-model", "endpoint", PROMPT_HASH)
    assert found["record"]["answered"] == pytest.approx(0.9, abs=1e-5)
    assert len(stub.bodies(PATH)) == 4 + 16 * 6
    with psycopg.connect(shell.url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT key, avg(value) FROM grading_value JOIN misconception m ON m.id = misconception_id "
            "WHERE grading_id = %s GROUP BY key ORDER BY key",
            [found["grading"]],
        ).fetchall()
    for n, (key, value) in enumerate(rows):
        orders = [1 / (1 + math.exp(-(bias + (n - 8) / 4))) for bias in (0.5, -0.5)]
        assert (key, value) == (f"claim-{n:03d}", pytest.approx(50 * sum(orders), abs=1e-3))


def test_a_grading_that_is_stopped_or_fails_stores_nothing(shell: Shell, stub: Stub) -> None:
    before = counted(shell)
    stub.answers = {}
    assert "refuses with status 404" in shell.refused(
        "set", "grade", "starter", "--endpoint", f"{stub.url}/v1", "--model", "a-model"
    )
    asked = {"n": 0}
    stopped = threading.Event()

    def slow(body: dict[str, object]) -> dict[str, object]:
        asked["n"] += 1
        if asked["n"] > 30:
            stopped.wait(90)
        return chat(lambda _: {"A": -0.4, "B": -1.4}).answers[PATH](body)

    stub.answers = {PATH: slow}
    arguments = ("set", "grade", "starter", "--endpoint", f"{stub.url}/v1", "--model", "a-model")
    running = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        env=shell.environment,
        cwd=shell.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while asked["n"] <= 30 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=60)
    stopped.set()
    assert running.returncode == 130, err
    assert err.endswith("Stopped: nothing was stored.\n")
    assert "Traceback" not in err
    assert counted(shell) == before
