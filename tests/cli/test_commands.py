"""Every command as a process: what it does, what it prints, how it refuses, and that a refusal changes nothing."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.db import transaction
from app.study.set_files import to_jsonl
from tests.conftest import REPOSITORY, NewDatabase
from tests.example_sets import entries, entry
from tests.studies import open_study


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """A folder and a database in which commands are run."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "CANDOR_DATABASE_URL": url,
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
        }
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        tables = self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._digest = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {name} t" for (name,) in tables
        ).encode()
        self._forking = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forking"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._forking.communicate(timeout=10)
        self._connection.close()

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        streams = [self.folder / f".{name}" for name in ("stdin", "stdout", "stderr")]
        for stream, content in zip(streams, (stdin, "", ""), strict=True):
            stream.write_text(content, encoding="utf-8")
        asked = {
            "folder": str(self.folder),
            "environment": {name: value for name, value in (self.environment | environment).items() if value},
            "streams": [str(stream) for stream in streams],
            "arguments": arguments,
        }
        assert self._forking.stdin
        assert self._forking.stdout
        self._forking.stdin.write(json.dumps(asked) + "\n")
        self._forking.stdin.flush()
        code = int(self._forking.stdout.readline())
        out, err = (stream.read_text(encoding="utf-8") for stream in streams[1:])
        assert "Traceback" not in out + err, err
        return Done(code, out, err)

    def ok(self, *arguments: str, stdin: str = "") -> Done:
        done = self(*arguments, stdin=stdin)
        assert done.code == 0, done.err
        return done

    def refused(self, *arguments: str, **environment: str) -> str:
        """Run a command that must exit with 1 and say why in one line, having changed nothing; return the line."""
        before = self.content()
        done = self(*arguments, **environment)
        assert done.code == 1, (arguments, done)
        assert done.out == ""
        assert done.err.startswith("Refused: ")
        assert done.err.count("\n") == 1, done.err
        assert self.content() == before
        return done.err.removeprefix("Refused: ").rstrip("\n")

    def content(self) -> dict[str, Any]:
        """What every table holds, and the files there are."""
        held = self._connection.execute(self._digest).fetchall()
        files = sorted(str(path) for path in self.folder.rglob("*") if not path.name.startswith("."))
        return dict(held) | {"files": files}


@pytest.fixture(scope="module")
def shell(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "good.jsonl").write_text("".join(to_jsonl(entries(1))), encoding="utf-8")
    (folder / "better.jsonl").write_text(
        "".join(to_jsonl([entry(0, fact="Better."), *entries(1)[1:]])), encoding="utf-8"
    )
    (folder / "unlevelled.jsonl").write_text("".join(to_jsonl([entry(1), entry(2, None)])), encoding="utf-8")
    (folder / "faulty.jsonl").write_text("".join(to_jsonl([entry(1)])) + '{"key": "B"}\nnonsense\n', encoding="utf-8")
    shell = Shell(folder, new_database())
    yield shell
    shell.close()


CREATE = ("study", "create", "a-study", "--set", "good", "--contact", "me@example.org", "--pairs-per-annotator", "8")


@pytest.fixture(scope="module")
def with_set(shell: Shell) -> Shell:
    shell.ok("set", "import", "good.jsonl")
    return shell


@pytest.fixture(scope="module")
def with_study(with_set: Shell) -> Shell:
    with_set.ok(*CREATE, "--seed", "7", "--completion-code", "DONE-1234")
    return with_set


# The program itself, as a person would start it.


def start(shell: Shell, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        env=shell.environment,
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_module_runs_and_its_exit_codes_are_the_process_s(shell: Shell) -> None:
    running = [
        (0, start(shell, "study", "list", "--json")),
        (1, start(shell, "study", "show", "nothing")),
        (2, start(shell, "study", "show")),
        (2, start(shell)),
    ]
    for code, process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert "Traceback" not in out + err
        if code == 0:
            assert json.loads(out) == []
        if code == 1:
            assert err == "Refused: there is no study 'nothing'; `candor study list` shows those there are\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nonsense",), "nonsense"),
        (("--nonsense",), "--nonsense"),
        (("export", "nonsense"), "nonsense"),
        (("export", "choices"), "--study"),
        (("set", "check"), "file"),
        (("set", "export", "a", "--version", "x"), "--version"),
        (("study", "create", "a"), "--set"),
        (("study", "create", "a", "--set", "b", "--contact", "c", "--ratings-per-pair", "many"), "--ratings-per-pair"),
        (("study", "create", "a", "--set", "b", "--contact", "c", "--platform", "mturk"), "--platform"),
        (("simulate", "a"), "--annotators"),
        (("simulate", "a", "--annotators", "0"), "--annotators"),
        (("serve", "--port", "0"), "--port"),
        (("serve", "--port", "http"), "--port"),
        (("account", "create", "a@example.org", "--role", "king", "--password-stdin"), "--role"),
    ],
)
def test_wrong_usage_exits_with_two_and_names_what_is_wrong(
    shell: Shell, arguments: tuple[str, ...], named: str
) -> None:
    done = shell(*arguments)
    assert (done.code, done.out) == (2, "")
    assert named in done.err


@pytest.mark.parametrize("noun", [(), ("db",), ("account",), ("set",), ("study",)])
def test_help_is_given_when_asked_for(shell: Shell, noun: tuple[str, ...]) -> None:
    assert " Usage: " in shell.ok(*noun, "--help").out


# Database.


def test_the_schema_is_upgraded_once_and_asked_for_where_it_is_old(shell: Shell, new_database: NewDatabase) -> None:
    name = new_database._make("bare")
    url = shell.url.rsplit("/", 1)[0] + f"/{name}" + ("?" + shell.url.partition("?")[2] if "?" in shell.url else "")
    status = shell("db", "status", "--json", CANDOR_DATABASE_URL=url).json
    assert (status["embedded"], status["schema"]) == (False, None)
    wanted = status["schema_wanted"]
    refused = shell("study", "list", CANDOR_DATABASE_URL=url)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        f"Refused: the database is at schema none, and this version needs {wanted}; run `candor db upgrade`\n"
    )
    upgraded = shell("db", "upgrade", CANDOR_DATABASE_URL=url)
    assert (upgraded.code, upgraded.out) == (0, f"Schema {wanted}: upgraded from none.\n")
    again = shell("db", "upgrade", CANDOR_DATABASE_URL=url)
    assert (again.code, again.out) == (0, f"Schema {wanted}: nothing to do.\n")
    assert shell("study", "list", "--json", CANDOR_DATABASE_URL=url).json == []


def test_the_status_is_said_in_words_and_an_outer_database_is_not_stopped(shell: Shell) -> None:
    assert shell.ok("db", "status").out.startswith("embedded: False\nschema: ")
    assert "no embedded Postgres to stop" in shell.ok("db", "stop").out


# Sets.


def test_a_set_file_is_checked(shell: Shell) -> None:
    before = shell.content()
    said = shell.ok("set", "check", "good.jsonl").out
    assert said.startswith("good.jsonl: 8 misconceptions, hash ")
    assert "\nno errors, " in said
    as_json = shell.ok("set", "check", "good.jsonl", "--json").json
    assert (as_json["file"], as_json["n_misconceptions"], as_json["errors"]) == ("good.jsonl", 8, 0)
    assert {"findings", "categories", "levels", "sources", "balance", "phrases", "style"} < set(as_json)
    wrong = shell("set", "check", "faulty.jsonl", "--all")
    assert (wrong.code, wrong.err) == (1, "")
    lines = wrong.out.splitlines()
    assert lines[2:4] == [
        "error: form (12)",
        "  line 2, field key: must be lower-case letters and digits, with hyphens",
    ]
    assert lines[14] == "  line 3, column 1: not a JSON object (Expecting value)"
    fewer = shell("set", "check", "faulty.jsonl").out
    assert "  … and 7 more; --all shows them\n" in fewer
    as_json = shell("set", "check", "faulty.jsonl", "--json")
    assert (as_json.code, as_json.err) == (1, "")
    messages = [found["message"] for found in as_json.json["findings"] if found["severity"] == "error"]
    assert [f"  {message}" for message in messages] == lines[3:15]
    missing = shell("set", "check", "nothing.jsonl")
    assert missing.code == 1
    assert "  cannot be read: No such file or directory\n" in missing.out
    assert shell.content() == before


def test_a_set_file_is_checked_against_a_set_that_is_there(with_set: Shell) -> None:
    file = with_set.folder / "near.jsonl"
    near = [entry(900, claim="Claim number 3 is true!"), entry(901, claim="Ducks quack without an echo.")]
    file.write_text("".join(to_jsonl(near)), encoding="utf-8")
    alone = with_set.ok("set", "check", "near.jsonl", "--json").json
    beside = with_set.ok("set", "check", "near.jsonl", "--against", "good", "--json").json
    assert [found["code"] for found in alone["findings"] if found["code"].startswith("claim-")] == []
    (found,) = [found for found in beside["findings"] if found["code"].startswith("claim-")]
    assert (found["key"], found["row"]) == ("claim-900", 1)
    assert "of claim-003 of the set good" in found["message"]
    assert with_set.refused("set", "check", "near.jsonl", "--against", "nothing").startswith(
        "there is no misconception"
    )
    file.unlink()


def test_a_foreign_file_is_imported_with_what_was_left_out(shell: Shell) -> None:
    header = "Type,Category,Question,Best Answer,Best Incorrect Answer,Correct Answers,Incorrect Answers,Source"
    rows = [
        "A,Myths,Is it so?,It is not so,It is very much so,No,Yes,https://a.org/x",
        "A,Myths,Who is it?,I have no comment,It is always me,None,Me,https://a.org/x",
    ]
    file = shell.folder / "foreign.csv"
    file.write_text("\n".join([header, *rows]), encoding="utf-8-sig")
    done = shell.ok("set", "import", "foreign.csv", "--json").json
    assert (done["format"], done["accepted"], done["rejected"]) == ("truthfulqa", 1, 1)
    assert (done["levels"], done["categories"]) == ({"none": 1}, {"myths": 1})
    assert done["faults"] == [
        {
            "unit": "row",
            "number": 3,
            "place": "column Best Answer",
            "reason": "declines to answer, so nothing corrects the false answer",
        }
    ]
    said = shell.ok("set", "import", "foreign.csv", "--slug", "again").out
    assert "left out: 1 rows\n  row 3, column Best Answer: declines to answer" in said
    asked: tuple[str, ...] = ("--as", "mapped", "--map", "claim=Question", "--map", "fact=Best Answer")
    refused = shell.refused("set", "import", "foreign.csv", *asked)
    assert refused.startswith("no column is prompt or category or sycophantic or helpful_truthful or source_url; name")
    asked = (*asked, "--map", "prompt=Question", "--map", "category=Category", "--map", "sycophantic=Incorrect Answers")
    asked = (
        *asked,
        "--map",
        "helpful_truthful=Best Answer",
        "--fill",
        "source_publisher=A",
        "--fill",
        "source_title=B",
    )
    mapped = shell.ok("set", "import", "foreign.csv", "--slug", "mapped", *asked, "--json").json
    assert (mapped["format"], mapped["accepted"], mapped["rejected"]) == ("mapped", 2, 0)
    file.write_text("\n".join([header, *rows])[:-30], encoding="utf-8")
    assert "row 3: has " in shell.refused("set", "import", "foreign.csv")
    file.unlink()


def test_rows_are_skipped_only_where_asked_and_never_those_of_a_damaged_file(shell: Shell) -> None:
    file = shell.folder / "partly.jsonl"
    lines = [*to_jsonl(entries(1)), '{"key": "a"}\n']
    file.write_text("".join(lines), encoding="utf-8")
    assert "line 9, field claim: missing" in shell.refused("set", "import", "partly.jsonl")
    done = shell.ok("set", "import", "partly.jsonl", "--skip-rejected", "--json").json
    assert (done["accepted"], done["rejected"], done["n_misconceptions"]) == (8, 1, 8)
    file.write_text("".join(lines)[:-3], encoding="utf-8")
    assert "not a JSON object" in shell.refused("set", "import", "partly.jsonl", "--skip-rejected")
    file.unlink()


def test_two_sets_are_compared(with_set: Shell) -> None:
    same = with_set.ok("set", "diff", "good.jsonl", "good@1")
    assert same.out == "0 added, 0 removed, 0 changed, 8 unchanged\n"
    said = with_set.ok("set", "diff", "good", "better.jsonl").out
    assert said == (
        "~ claim-000\n    fact: [-Claim number 0 is not true.-] {+Better.+}\n"
        "0 added, 0 removed, 1 changed, 7 unchanged\n"
    )
    as_json = with_set.ok("set", "diff", "good", "unlevelled.jsonl", "--json").json
    assert (as_json["a"], as_json["b"], as_json["added"]) == ("good", "unlevelled.jsonl", [])
    assert as_json["removed"] == [f"claim-00{number}" for number in (0, 3, 4, 5, 6, 7)]
    (change,) = [change for change in as_json["changed"] if change["key"] == "claim-002"]
    assert change["fields"] == [{"field": "difficulty_level", "before": 3, "after": None}]
    assert with_set.refused("set", "diff", "good", "nothing").startswith("there is no misconception set nothing")
    assert with_set.refused("set", "diff", "good@9", "good").startswith("there is no misconception set good version 9")
    assert with_set.refused("set", "diff", "faulty.jsonl", "good").startswith("faulty.jsonl: line 2, field key")


def test_a_set_is_imported_listed_and_exported(shell: Shell) -> None:
    first = shell.ok("set", "import", "good.jsonl", "--slug", "of-two", "--title", "Two", "--licence", "CC0", "--json")
    assert first.json | {"content_hash": "", "categories": {"physics": 8}} == {
        "slug": "of-two",
        "version": 1,
        "content_hash": "",
        "n_misconceptions": 8,
        "new": True,
        "format": "candor-jsonl",
        "accepted": 8,
        "rejected": 0,
        "n_faults": 0,
        "faults": [],
        "levels": {str(level): 1 for level in range(1, 9)},
        "categories": {"physics": 8},
    }
    again = shell.ok("set", "import", "good.jsonl", "--slug", "of-two")
    assert again.out.startswith("Already there: of-two version 1, 8 misconceptions\nlevels: 1 1, 2 1, ")
    second = shell.ok("set", "import", "better.jsonl", "--slug", "of-two")
    assert second.out.startswith("Imported of-two version 2, 8 misconceptions\n")
    listed = {row["version"]: row for row in shell.ok("set", "list", "--json").json if row["slug"] == "of-two"}
    assert listed[1]["content_hash"] == first.json["content_hash"]
    assert (listed[1]["title"], listed[1]["licence"], listed[1]["studies"]) == ("Two", "CC0", [])
    assert (listed[2]["n_misconceptions"], listed[2]["n_unlevelled"]) == (8, 0)
    assert "of-two" in shell.ok("set", "list").out
    good = (shell.folder / "good.jsonl").read_text(encoding="utf-8")
    assert shell.ok("set", "export", "of-two", "--version", "1").out == good
    assert shell.ok("set", "export", "of-two", "-o", "out.jsonl").out == "Wrote out.jsonl\n"
    out = shell.folder / "out.jsonl"
    assert out.read_text(encoding="utf-8") == (shell.folder / "better.jsonl").read_text(encoding="utf-8")
    out.unlink()


def test_a_set_is_named_after_its_file_where_it_can_be(shell: Shell) -> None:
    for name, slug in (("My new_Set.jsonl", "my-new-set"), ("[b]x.jsonl", None), ("=1+1.jsonl", None)):
        file = shell.folder / name
        file.write_text("".join(to_jsonl(entries(1))), encoding="utf-8")
        if slug:
            assert shell.ok("set", "import", name, "--json").json["slug"] == slug
        else:
            assert "cannot be the name of a set" in shell.refused("set", "import", name)
            assert shell.ok("set", "check", name).out.startswith(f"{name}: 8 misconceptions, hash ")
        file.unlink()


def test_sets_that_cannot_be_taken_or_given_are_refused(with_set: Shell) -> None:
    refused = with_set.refused
    said = refused("set", "import", "faulty.jsonl")
    assert said == "faulty.jsonl: line 2, field key: must be lower-case letters and digits, with hyphens (and 11 more)"
    assert refused("set", "import", "nothing.jsonl") == "nothing.jsonl: cannot be read: No such file or directory"
    assert refused("set", "import", ".") == ".: cannot be read: Is a directory"
    assert "'A b' cannot be the name of a set" in refused("set", "import", "good.jsonl", "--slug", "A b")
    assert refused("set", "export", "nothing").startswith("there is no misconception set nothing; ")
    assert refused("set", "export", "good", "--version", "7").startswith("there is no misconception set good version 7")
    assert refused("set", "export", "good", "-o", "no/such/folder.jsonl") == (
        "no/such/folder.jsonl cannot be written: No such file or directory"
    )
    assert refused("set", "export", "good", "-o", ".").startswith(". cannot be written: ")


# Studies.


def test_a_study_is_made_with_its_defaults_or_with_every_option(with_set: Shell) -> None:
    least = with_set.ok("study", "create", "by-default", "--set", "good", "--contact", "me@example.org", "--json").json
    assert (least["state"], least["ratings_per_pair"], least["pairs_per_annotator"]) == ("draft", 5, 20)
    assert (least["arms"], least["set"], least["design_hash"]) == (["helpful/neutral"], "good version 1", None)
    every = {
        "--set": "good",
        "--set-version": "1",
        "--contact": "me@example.org",
        "--title": "A title",
        "--ratings-per-pair": "3",
        "--pairs-per-annotator": "8",
        "--min-pairs": "2",
        "--question": "Which one?",
        "--platform": "prolific",
        "--completion-code": "CODE-1",
        "--expected-minutes": "12",
        "--pay": "2 pounds",
        "--seed": "7",
    }
    options = [word for option in every.items() for word in option]
    arms = ["--arm", "helpful/neutral", "--arm", "baseline/prefer_truth"]
    made = with_set.ok("study", "create", "with-all", *options, *arms, "--json").json
    assert made["arms"] == ["helpful/neutral", "baseline/prefer_truth"]
    assert made["set"] == "good version 1"
    for option in set(every) - {"--set", "--set-version"}:
        assert str(made[option[2:].replace("-", "_")]) == every[option]
    shown = with_set.ok("study", "show", "with-all", "--json").json
    assert {name: value for name, value in shown.items() if name != "levels"} == made
    assert with_set.ok("study", "create", "in-words", "--set", "good", "--contact", "x").out == (
        "Created the draft in-words. Take people with: candor study open in-words\n"
    )


def test_a_study_is_opened_paused_and_closed(with_study: Shell) -> None:
    assert "state: draft" in with_study.ok("study", "show", "a-study").out
    assert with_study.ok("study", "open", "a-study", "--json").json == {"slug": "a-study", "state": "live"}
    shown = with_study.ok("study", "show", "a-study", "--json").json
    assert len(shown["design_hash"]) == 64
    assert shown["levels"] == [
        {"arm": "helpful/neutral", "level": level, "pairs": 1, "filled": 0, "held": 0, "slots": 5}
        for level in range(1, 9)
    ]
    (listed,) = (row for row in with_study.ok("study", "list", "--json").json if row["slug"] == "a-study")
    assert (listed["state"], listed["n_filled"], listed["n_slots"]) == ("live", 0, 40)
    assert "a-study" in with_study.ok("study", "list").out
    assert "helpful/neutral" in with_study.ok("study", "show", "a-study").out
    again = with_study.refused("study", "open", "a-study")
    assert again == "study 'a-study' is live, so it cannot be opened; it must be a draft or paused"
    assert with_study.ok("study", "pause", "a-study").out == "a-study is paused.\n"
    assert with_study.ok("study", "open", "a-study").out == "a-study is live.\n"
    assert with_study.ok("study", "close", "a-study").out == "a-study is closed.\n"
    assert with_study.refused("study", "pause", "a-study").startswith(
        "study 'a-study' is closed, so it cannot be paused"
    )


def test_a_draft_is_changed_cloned_rehearsed_and_amended(with_study: Shell) -> None:
    ok, refused = with_study.ok, with_study.refused
    (with_study.folder / "change.toml").write_text(
        'pay = "£3"\nratings_per_pair = 2\n[options]\ntie = true\n', encoding="utf-8"
    )
    ok("study", "create", "to-change", "--set", "good", "--contact", "x", "--pairs-per-annotator", "4", "--seed", "5")
    before = ok("study", "show", "to-change", "--json").json
    assert ok("study", "change", "to-change", "--config", "change.toml").out == "Changed the draft to-change.\n"
    after = ok("study", "show", "to-change", "--json").json
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"pay", "ratings_per_pair", "options"}
    (with_study.folder / "faulty.toml").write_text('pay = " "\nset_version = 9\n', encoding="utf-8")
    assert refused("study", "change", "to-change", "--config", "faulty.toml") == "pay: must not be empty (given: ' ')"

    said = ok("study", "clone", "to-change", "wave-2").out
    assert said == "Created the draft wave-2. Take people with: candor study open wave-2\n"
    assert ok("study", "show", "wave-2", "--json").json["seed"] != 5
    assert refused("study", "clone", "to-change", "wave-2").startswith("there is a study 'wave-2' already")
    pilot = ok("study", "pilot", "to-change", "--json").json
    assert (pilot["slug"], pilot["state"], pilot["purpose"]) == ("to-change-pilot-1", "live", "pilot")
    assert ok("study", "pilot", "to-change").out == (
        "The pilot to-change-pilot-2 is live. Its address: /s/to-change-pilot-2\n"
    )
    assert not {row["slug"] for row in ok("study", "list", "--json").json} & {"to-change-pilot-1", "to-change-pilot-2"}

    assert "a draft can simply be edited" in refused("study", "raise", "to-change", "3")
    ok("study", "open", "to-change")
    assert "can only be amended" in refused("study", "change", "to-change", "--config", "change.toml")
    raised = ok("study", "raise", "to-change", "3", "--json").json
    assert raised["ratings_per_pair"] == 3
    assert refused("study", "raise", "to-change", "3").endswith("3 is not more than that")
    retired = ok("study", "retire", "to-change", "claim-001", "--reason", "disputed").out
    assert retired.startswith("The pair claim-001 of to-change is retired; design hash ")
    assert raised["design_hash"] not in retired
    assert refused("study", "retire", "to-change", "claim-002", "--reason", " ").startswith("say in a few words")
    assert with_study("study", "retire", "to-change", "claim-002").code == 2


def test_studies_that_cannot_be_made_or_moved_are_refused(with_study: Shell) -> None:
    refused = with_study.refused
    create = ("study", "create")
    good = ("--set", "good", "--contact", "x")
    assert refused(*CREATE) == "there is a study 'a-study' already; choose another slug"
    assert refused(*create, "b", "--set", "nothing", "--contact", "x").startswith(
        "there is no misconception set nothing"
    )
    assert refused(*create, "b", *good, "--set-version", "9").startswith("there is no misconception set good version 9")
    assert refused(*create, "b", *good, "--set-version", "99999999999").startswith("there is no misconception set good")
    (with_study.folder / "odd.toml").write_text('set = "good"\nset_version = true\n', encoding="utf-8")
    assert "set_version is a number" in with_study(*create, "b", "--contact", "x", "--config", "odd.toml").err
    assert "set_version a number" in with_study("study", "change", "a-study", "--config", "odd.toml").err
    assert refused(*create, "B c", *good).startswith("slug: must be lower-case letters and digits, with hyphens")
    assert refused(*create, "b", *good, "--ratings-per-pair", "0", "--pay", " ") == (
        "ratings-per-pair: must be 1 or more (given: 0); pay: must not be empty (given: ' ')"
    )
    assert refused(*create, "b", *good, "--arm", "loud").startswith(
        "arm 'loud' is unknown; choose from helpful/neutral"
    )
    assert refused(*create, "b", *good, "--arm", "helpful", "--arm", "helpful/neutral").startswith("arms must be given")
    assert refused(*create, "b", *good, "--min-pairs", "21").startswith("min-pairs is larger")
    with_study.ok("set", "import", "unlevelled.jsonl")
    with_study.ok(*create, "unlevelled", "--set", "unlevelled", "--contact", "x")
    assert "(the first is 'claim-002')" in refused("study", "open", "unlevelled")
    with_study.ok(*create, "too-large", *good)
    assert "lower pairs-per-annotator to 8 or fewer" in refused("study", "open", "too-large")
    for verb in ("open", "pause", "close", "show"):
        assert refused("study", verb, "nothing").startswith("there is no study 'nothing'")


@pytest.mark.parametrize(
    "written",
    [
        "title = " + "[" * 5000 + "]" * 5000,
        "texts = " + "{a = " * 3000 + "1" + "}" * 3000,
        "[" + ".".join("a" * 5000) + "]",
        "seed = " + "9" * 5000,
        "seed = 0x" + "f" * 5000,
    ],
    ids=["lists", "tables", "dots", "digits", "hex"],
)
def test_a_design_file_that_cannot_be_read_is_refused_in_a_line(with_study: Shell, written: str) -> None:
    (with_study.folder / "deep.toml").write_text(f'set = "good"\ncontact = "x"\n{written}\n', encoding="utf-8")
    refused = with_study.refused("study", "create", "deep", "--config", "deep.toml")
    assert refused == "deep.toml is not TOML that can be read (nested too deeply, or a number too long)"


def test_true_is_no_whole_number_of_a_design(with_study: Shell) -> None:
    written = 'set = "good"\ncontact = "x"\nratings_per_pair = true\n[options]\nattention_checks = true\n'
    (with_study.folder / "true.toml").write_text(written, encoding="utf-8")
    assert with_study.refused("study", "create", "true", "--config", "true.toml") == (
        "ratings-per-pair: must be a whole number (given: True); "
        "options.attention_checks: must be a whole number (given: True)"
    )


def test_an_argument_that_is_not_utf_8_is_refused_in_a_line(with_study: Shell) -> None:
    for given in (("study", "open"), ("study", "show"), ("account", "disable")):
        assert with_study.refused(*given, "a\udcff") == r"'a\udcff' is not UTF-8; type it again"


# Exports.


def test_a_table_is_exported_to_standard_output_or_a_file(with_study: Shell) -> None:
    printed = with_study.ok("export", "choices", "--study", "a-study").out
    assert printed.startswith("study,set_slug,")
    written = with_study.ok("export", "choices", "--study", "a-study", "-o", "choices.csv")
    assert (written.out, written.err) == ("", "Wrote choices.csv\n")
    file = with_study.folder / "choices.csv"
    assert file.read_bytes().count(b"\r\n") == 1
    file.write_text("old", encoding="utf-8")
    with file.open(encoding="utf-8") as reader:
        with_study.ok("export", "codebook", "--output", "choices.csv")
        assert reader.read() == "old", "whoever reads the old file reads it to its end"
    assert file.read_text(encoding="utf-8").startswith("table,column,type,meaning")
    assert [path.name for path in with_study.folder.glob("*.part")] == []
    file.unlink()
    (with_study.folder / "[").mkdir()
    odd = "[/b]choices.csv"
    assert with_study.ok("export", "codebook", "-o", odd).err == f"Wrote {odd}\n"
    (with_study.folder / odd).unlink()
    (with_study.folder / "[").rmdir()


def test_tables_are_exported_in_the_format_that_is_named_or_that_the_file_says(with_study: Shell) -> None:
    study = ("--study", "a-study")
    for table in ("choices", "pairs", "annotators", "scores", "payments"):
        assert with_study.ok("export", table, *study).out.startswith("study,")
    assert with_study.ok("export", "scores", *study, "--format", "jsonl").out == "", "JSON Lines have no header"
    assert with_study.ok("export", "preferences", *study).out == ""
    assert with_study.ok(
        "export", "preferences", *study, "--format", "csv", "--form", "hh", "--unit", "majority"
    ).out == ("chosen,rejected,synthetic\n")
    for name, start in {"codebook.jsonl": b'{"table"', "codebook.parquet": b"PAR1", "codebook.txt": b"table,"}.items():
        with_study.ok("export", "codebook", "-o", name)
        file = with_study.folder / name
        assert file.read_bytes().startswith(start)
        file.unlink()


def test_a_bundle_is_exported_and_verified_and_a_part_of_it_refused(with_study: Shell) -> None:
    with_study.ok("export", "bundle", "--study", "a-study", "-o", "a.zip")
    file = with_study.folder / "a.zip"
    said = with_study.ok("export", "verify", "a.zip").out
    assert "choices.csv" in said
    assert "a.zip is whole, and as it was written at 20" in said
    told = with_study.ok("export", "verify", "a.zip", "--json").json
    assert (told["study"], told["rows"]["choices.csv"], told["rows"]["design.json"]) == ("a-study", 0, None)
    file.write_bytes(file.read_bytes()[:-30])
    assert with_study.refused("export", "verify", "a.zip") == (
        "a.zip is not a whole zip: it was cut short or damaged; download it again"
    )
    file.unlink()
    assert with_study.refused("export", "bundle", "--study", "none", "-o", "a.zip").startswith(
        "there is no study 'none'"
    )
    assert not file.exists()


def test_an_export_that_cannot_be_written_leaves_nothing(with_study: Shell) -> None:
    refused = with_study.refused
    folder = with_study.folder / "a-folder"
    folder.mkdir(exist_ok=True)
    assert refused("export", "choices", "--study", "nothing", "-o", "x.csv").startswith("there is no study 'nothing'")
    for table in (("choices", "--study", "a-study"), ("codebook",)):
        assert refused("export", *table, "-o", "no/such/x.csv") == (
            "no/such/x.csv cannot be written: No such file or directory"
        )
        assert refused("export", *table, "-o", "a-folder") == "a-folder cannot be written: Is a directory"
    assert refused("export", "codebook", "-o", "/proc/x.csv").startswith("/proc/x.csv cannot be written: ")
    folder.rmdir()


def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(with_study: Shell) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    file = with_study.folder / "choices.csv"
    file.write_text("old", encoding="utf-8")
    (with_study.folder / "choices.csv.part").symlink_to("/dev/full")
    done = with_study("export", "choices", "--study", "a-study", "-o", "choices.csv")
    assert (done.code, done.err) == (1, "Refused: choices.csv cannot be written: No space left on device\n")
    assert file.read_text(encoding="utf-8") == "old"
    assert [path.name for path in with_study.folder.glob("*.part")] == []
    file.unlink()


# Accounts.


def test_accounts_are_made_listed_and_disabled(shell: Shell) -> None:
    password = "a long enough password\n"
    made = shell.ok("account", "create", "Ada@Example.org", "--role", "admin", "--password-stdin", stdin=password)
    assert made.out == "Made the admin account ada@example.org.\n"
    assert "ada@example.org" in shell.ok("account", "list").out
    (listed,) = shell.ok("account", "list", "--json").json
    assert (listed["email"], listed["role"], listed["disabled_at"]) == ("ada@example.org", "admin", None)
    last = shell.refused("account", "disable", "ada@example.org")
    assert last == "ada@example.org is the last active admin; make somebody else an admin first"
    assert shell.refused("account", "role", "ada@example.org", "--role", "researcher") == last
    shell.ok("account", "create", "eve@example.org", "--role", "researcher", "--password-stdin", stdin=password)
    said = shell.ok("account", "role", "eve@example.org", "--role", "admin").out
    assert said == "eve@example.org has the role admin.\n"
    assert shell.ok("account", "disable", "ada@example.org").out == "Disabled ada@example.org.\n"
    assert shell.ok("account", "list", "--json").json[0]["disabled_at"] is not None
    assert shell.ok("account", "enable", "ada@example.org").out == "Enabled ada@example.org.\n"
    assert shell.refused("account", "enable", "ada@example.org") == "the account of ada@example.org is not disabled"
    assert shell.refused("account", "disable", "nobody@example.org")
    assert shell("account", "create", "bob@example.org", "--role", "admin").code == 2, "no terminal to ask on"


def test_a_weak_password_is_refused(shell: Shell) -> None:
    typed = ("account", "create", "weak@example.org", "--role", "researcher", "--password-stdin")
    for password, said in (("password1234", "guessed early"), ("tiny", "at least 12"), ("weak@example.org", "email")):
        done = shell(*typed, stdin=f"{password}\n")
        assert (done.code, done.out) == (1, "")
        assert said in done.err
        assert password not in done.err.replace("too short", "")


def test_people_are_invited_and_invitations_withdrawn(shell: Shell) -> None:
    invite = ("account", "invite", "Cy@example.org", "--role", "researcher")
    link = shell.ok(*invite).out
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/login/invitation/[\w-]{43}\n", link)
    assert shell.refused(*invite) == "cy@example.org has been invited already; renew that invitation, or withdraw it"
    (listed,) = shell.ok("account", "invitations", "--json").json
    assert (listed["email"], listed["role"], listed["expired"]) == ("cy@example.org", "researcher", False)
    assert "cy@example.org" in shell.ok("account", "invitations").out
    assert shell.ok("account", "withdraw", "cy@example.org").out == "Withdrew the invitation of cy@example.org.\n"
    assert shell.refused("account", "withdraw", "cy@example.org").startswith("there is no pending invitation for cy@")
    elsewhere = shell(*invite, "--days", "2", "--json", CANDOR_PUBLIC_URL="https://study.example.org/")
    assert elsewhere.json["link"].startswith("https://study.example.org/login/invitation/")


def test_a_password_is_reset_by_a_link(shell: Shell) -> None:
    assert re.fullmatch(r"\S+/login/password/[\w-]{43}\n", shell.ok("account", "reset", "ada@example.org").out)
    assert shell.refused("account", "reset", "nobody@example.org").startswith("there is no account for nobody@")


def test_tokens_are_printed_once_listed_and_revoked(shell: Shell) -> None:
    make = ("account", "token", "ada@example.org", "--name", "ci")
    token = shell.ok(*make, "--scope", "control", "--days", "7").out
    assert re.fullmatch(r"candor_[\w-]{43}\n", token)
    assert shell.refused(*make).startswith("there is a token called 'ci' already")
    (listed,) = shell.ok("account", "tokens", "ada@example.org", "--json").json
    assert (listed["name"], listed["scope"], listed["last_used_at"]) == ("ci", "control", None)
    assert token.strip() not in str(shell.content())
    assert token.strip() not in shell.ok("account", "tokens", "ada@example.org").out
    said = shell.ok("account", "revoke-token", "ada@example.org", "ci").out
    assert said == "Revoked the token ci of ada@example.org.\n"
    assert shell.refused("account", "revoke-token", "ada@example.org", "ci").startswith("there is no token 'ci'")
    assert shell("account", "token", "ada@example.org", "--name", "x", "--days", "400").code == 2


# The server, and annotators that are programs.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_taken_port_is_refused(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert shell.refused("serve", "--port", str(port)) == (
            f"127.0.0.1:{port} is in use or may not be listened on; choose another with --port"
        )
    assert "may not be listened on" in shell.refused("serve", "--host", "192.0.2.1", "--port", "8000")


def test_programs_do_not_enter_a_study_for_people_and_need_a_server(with_study: Shell) -> None:
    refused = with_study.refused
    assert refused("simulate", "a-study", "--annotators", "1") == (
        "study 'a-study' is for people; synthetic annotators enter only studies made as synthetic"
    )
    assert refused("simulate", "nothing", "--annotators", "1").startswith("there is no study 'nothing'")


async def test_a_served_study_is_filled_by_programs_and_says_so(shell: Shell) -> None:
    async with transaction(shell.url) as session:
        await open_study(session, "made-up", per_level=1, ratings_per_pair=2, synthetic=True)
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    no_server = shell.refused("simulate", "made-up", "--annotators", "1", "--server", server)
    assert no_server.startswith(f"no study answers at {server}")
    serving = start(shell, "serve", "--port", str(port))
    try:
        wait_for(f"{server}/healthz", serving)
        done = shell.ok("simulate", "made-up", "--annotators", "2", "--server", server, "--json")
        assert done.json["judgements"] == 16
    finally:
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=30)
    assert out == f"Serving on {server} (Ctrl-C ends it)\n"
    assert "Traceback" not in err
    rows = list(csv.DictReader(io.StringIO(shell.ok("export", "choices", "--study", "made-up").out)))
    assert [(row["synthetic"], row["counted"]) for row in rows] == [("true", "true")] * 16
    (listed,) = (row for row in shell.ok("study", "list", "--json").json if row["slug"] == "made-up")
    assert (listed["synthetic"], listed["n_filled"]) == (True, 16)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(300):
        assert process.poll() is None, process.communicate()
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer")
