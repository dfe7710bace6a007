"""The database and the exported files give equal observations, so they give the same findings."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli.analyzing import ArmUnknown
from app.cli.commands import app
from app.exports.bundle import bundle
from app.exports.copying import see_one_moment
from app.exports.verifying import BundleDamaged
from app.results.facts import Source
from app.results.finding.find import find
from app.results.json_keys import plain
from app.results.observed import CODES, REASONS, Observed
from app.results.rules import reasons_without
from app.results.sources.from_database import from_database
from app.results.sources.from_files import FileUnreadable, from_files
from app.results.sources.tables import TableFaulty
from app.study import exclusions, studies
from tests.conftest import NewDatabase
from tests.exports.filled import filled_study
from tests.results.alike import differences
from tests.studies import draft_study
from tests.study.people import People, people_with
from tests.study.steps import say_looked_up, walk

EVERY_RULE: dict[str, Any] = {
    "tie": True,
    "confidence": True,
    "prior_belief": True,
    "swapped_repeats": 2,
    "attention_checks": 2,
    "exclusions": {
        "failed_checks": 2,
        "incomplete": True,
        "looked_up": True,
        "easy_pairs": 1,
        "fastest_ms": 2000,
        "words_a_minute": 270,
        "left_page": True,
    },
}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture(scope="module")
async def oddities(url: str) -> AsyncIterator[People]:
    """Two arms, a retired pair, withdrawn, stopped, ties; a reward model with two variants, and a judge."""
    async with filled_study(url, "odd") as people:
        yield people


@pytest.fixture(scope="module")
async def ruled(url: str) -> AsyncIterator[People]:
    """Every rule declared, and choices that fall under each, alone and together."""
    async with people_with(url, "ruled") as people:
        async with people.sessions.begin() as session:
            await draft_study(session, "ruled", ratings_per_pair=12, pairs_per_annotator=8, options=EVERY_RULE)
            await studies.open_study(session, "ruled")
        who = [await people.enter(f"person-{number}") for number in range(12)]
        for number, annotator in enumerate(who):
            await people.to_judging(annotator)
            await walk(people, annotator, most=1000 if number else 3)
            if number:
                await say_looked_up(people, annotator, looked_up=number == 3)
        await people.finish(who[5], withdraw=True)
        await _strew(people)
        yield people


async def _strew(people: People) -> None:
    """Give choices times, pages left, answers and ties, so that each rule holds for some of them."""
    who = """
        (SELECT p.id, row_number() OVER (ORDER BY p.id) + 7 AS n
        FROM participation p JOIN study ON study.id = p.study_id WHERE study.slug = 'ruled') AS who
    """
    for statement in (
        """
        UPDATE choice SET decision_ms_server = 1500 + 700 * ((n * 7 + position * 5) % 12),
            times_away = nullif((n + position) % 5, 0) - 1, confidence = 1 + (n + position) % 5,
            side_chosen = CASE (n * 5 + position * 3) % 11 WHEN 0 THEN 'tie' WHEN 1 THEN 'left'
                WHEN 2 THEN 'left' WHEN 3 THEN 'left' WHEN 4 THEN 'right' WHEN 5 THEN 'right' ELSE side_chosen END
        FROM {who} WHERE NOT withdrawn AND participation_id = who.id RETURNING 1
        """,
        """
        UPDATE assignment SET prior_belief = (n * position % 11) * 10
        FROM {who} WHERE participation_id = who.id RETURNING 1
        """,
        """
        UPDATE participation SET checks_failed = CASE WHEN n % 6 = 1 THEN 2 ELSE n % 2 END,
            looked_up = CASE WHEN looked_up THEN true WHEN n % 5 = 0 THEN NULL ELSE false END
        FROM {who} WHERE participation.id = who.id RETURNING 1
        """,
    ):
        await people.rows(statement.format(who=who))


async def read(people: People) -> Observed:
    async with people.sessions.begin() as session:
        return await from_database(session, people.slug)


async def write(people: People, folder: Path) -> Path:
    path = folder / f"{people.slug}.zip"
    async with people.sessions.begin() as session:
        await see_one_moment(session)
        path.write_bytes(b"".join([chunk async for chunk in bundle(session, people.slug)]))
    return path


@pytest.fixture(scope="module")
async def odd_bundle(oddities: People, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await write(oddities, tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def odd_choices(odd_bundle: Path) -> str:
    with zipfile.ZipFile(odd_bundle) as archive:
        return archive.read("choices.csv").decode()


async def both(people: People, folder: Path) -> tuple[Observed, Observed]:
    return await read(people), from_files(await write(people, folder))


@pytest.mark.parametrize("slug", ["odd", "ruled"])
async def test_a_bundle_gives_what_the_database_gives(
    slug: str, oddities: People, ruled: People, tmp_path: Path
) -> None:
    here, there = await both({"odd": oddities, "ruled": ruled}[slug], tmp_path)
    assert there.source == Source("bundle")
    same_source = replace(there, source=here.source)
    assert list(differences(here, same_source)) == []
    assert len(here.stored) > 30
    found = find(here)
    assert list(differences(found, find(same_source))) == []
    assert found.arms[0].counts.n_decided > 4


async def test_the_command_says_what_the_page_says(oddities: People, odd_bundle: Path) -> None:
    page = plain(find(await read(oddities)))
    done = CliRunner().invoke(app, ["analyze", str(odd_bundle), "--json"])
    assert done.exit_code == 0, done.output
    command = json.loads(done.stdout)
    assert command.pop("source") == {"kind": "bundle", "missing": {}}
    assert page.pop("source") == {"kind": "database", "missing": {}}
    assert command == json.loads(json.dumps(page))


def test_the_command_tells_people_of_an_arm_and_refuses_what_it_cannot_read(odd_bundle: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["analyze", str(odd_bundle), "--arm", "baseline/prefer_truth"])
    assert done.exit_code == 0, done.output
    assert "Arm baseline/prefer_truth" in done.stdout
    assert "the design's first arm, whose test is the primary one, is helpful/neutral." in " ".join(done.stderr.split())
    assert "preferred the sycophantic response in" in done.stdout
    assert "=judge" in done.stdout
    assert "(random" in done.stdout
    unknown = CliRunner().invoke(app, ["analyze", str(odd_bundle), "--arm", "helpful/none"])
    assert isinstance(unknown.exception, ArmUnknown)
    damaged = tmp_path / "cut.zip"
    damaged.write_bytes(odd_bundle.read_bytes()[:-100])
    refused = CliRunner().invoke(app, ["analyze", str(damaged)])
    assert isinstance(refused.exception, BundleDamaged)


@pytest.mark.parametrize("name", ["tampered.zip", "tampered.ZIP", "tampered.bundle", "tampered.csv"])
def test_a_bundle_is_held_against_its_manifest_whatever_it_is_called(
    name: str, odd_bundle: Path, tmp_path: Path
) -> None:
    tampered = tmp_path / name
    with zipfile.ZipFile(odd_bundle) as archive, zipfile.ZipFile(tampered, "w") as out:
        for member in archive.namelist():
            told = archive.read(member)
            out.writestr(member, told.replace(b",left,", b",right,") if member == "choices.csv" else told)
    refused = CliRunner().invoke(app, ["analyze", str(tampered)])
    assert isinstance(refused.exception, BundleDamaged)
    assert "choices.csv is not as it was written" in str(refused.exception)


def test_a_damaged_file_in_a_bundle_is_told_in_words(odd_bundle: Path, tmp_path: Path) -> None:
    damaged, told = tmp_path / "damaged.bundle", bytearray(odd_bundle.read_bytes())
    with zipfile.ZipFile(odd_bundle) as archive:
        choices = archive.getinfo("choices.csv")
    start = told.index(b"choices.csv") + len("choices.csv")
    told[start : start + choices.compress_size // 2] = b"\xff" * (choices.compress_size // 2)
    damaged.write_bytes(told)
    with pytest.raises(FileUnreadable, match="not a whole zip"):
        from_files(damaged)
    refused = CliRunner().invoke(app, ["analyze", str(damaged)])
    assert isinstance(refused.exception, BundleDamaged)


async def test_every_rule_left_something_out(ruled: People) -> None:
    observed = await read(ruled)
    held = {REASONS[code] for code in np.unique(observed.stored.reason)}
    assert held == {"", *exclusions.RULES}
    assert tuple(REASONS[2:]) == tuple(exclusions.RULES)


async def test_dropping_a_rule_is_as_if_it_had_not_been_declared(ruled: People) -> None:
    """The rule is taken out of the stored design, and the database asked again."""
    whole = await read(ruled)
    for rule in list(exclusions.RULES)[2:]:
        async with ruled.sessions() as session:  # Never committed.
            await session.execute(text("ALTER TABLE study DISABLE TRIGGER USER"))
            drop = text("UPDATE study SET options = options #- CAST(:at AS text[]) WHERE slug = 'ruled'")
            await session.execute(drop, {"at": ["exclusions", rule]})
            without = await from_database(session, "ruled")
        assert np.array_equal(reasons_without(whole, rule), without.stored.reason), rule
        assert not np.array_equal(whole.stored.reason, without.stored.reason), rule


CAME = """
    INSERT INTO participation (id, study_id, arm_id, public_id, synthetic) OVERRIDING SYSTEM VALUE
    SELECT {id}, study.id, min(arm.id), 'came-' || {id}, false
    FROM study JOIN arm ON arm.study_id = study.id, (SELECT min(id) AS first, max(id) AS last FROM participation) AS at
    WHERE study.slug = 'ruled' GROUP BY study.id, at.first, at.last
"""


@pytest.mark.parametrize("ids", [("at.first - 1", "at.last + 1"), ("at.last + 1000000",)], ids=["among", "apart"])
async def test_how_people_s_ids_lie_makes_no_difference(ids: tuple[str, ...], oddities: People, ruled: People) -> None:
    """Ids that lie close are read from the first to the last, with what others said in between; else by person."""
    alone = await read(ruled)
    async with ruled.sessions() as session:  # Never committed.
        for each in ids:
            await session.execute(text(CAME.format(id=each)))
        found = await from_database(session, "ruled")
        others = await session.scalar(
            text("""
                SELECT count(*) FROM choice JOIN participation p ON p.id = participation_id
                WHERE study_id <> (SELECT id FROM study WHERE slug = 'ruled') AND p.id BETWEEN
                    (SELECT min(r.id) FROM participation r JOIN study ON study.id = study_id WHERE slug = 'ruled') AND
                    (SELECT max(r.id) FROM participation r JOIN study ON study.id = study_id WHERE slug = 'ruled')
            """)
        )
    assert others > 30 or len(ids) == 1
    assert list(differences(found, alone)) == []


def test_single_tables_say_what_is_left_out_and_agree_in_the_rest(odd_bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(odd_bundle) as archive:
        archive.extractall(tmp_path)
    whole = find(from_files(odd_bundle))
    alone = find(from_files(tmp_path / "choices.csv"))
    assert set(alone.source.missing) == {"design", "pairs", "annotators", "scores"}
    assert alone.why_not["judges"].startswith("the table of scores was not given")
    assert alone.people is None
    assert (alone.facts.slug, alone.facts.synthetic) == ("odd", False)
    assert not alone.facts.arms_ordered
    assert alone.facts.first_arm is None
    assert not any(arm.primary for arm in alone.arms)
    assert [arm.arm for arm in alone.arms] == [arm.arm for arm in whole.arms]
    for one, other in zip(alone.arms, whole.arms, strict=True):
        for name in ("rates", "slope", "ends", "position", "majority", "ceiling", "length", "counts", "background"):
            question = {"question": "english"} if name == "background" else {}
            found, expected = getattr(one, name), getattr(other, name)
            if question:
                expected = tuple(replace(each, **question) for each in expected)
            assert list(differences(found, expected, name)) == []
    scored = find(from_files(tmp_path / "choices.csv", scores=tmp_path / "scores.csv"))
    assert len(scored.judges) == len(whole.judges) == 5
    assert "scores" not in scored.source.missing
    assert [each.name for each in scored.judges] == [each.name for each in whole.judges]
    assert scored.arms[0].judges[0].likeness == whole.arms[0].judges[0].likeness


def test_a_model_s_name_that_a_spreadsheet_would_run_comes_back_as_it_was(odd_bundle: Path) -> None:
    observed = from_files(odd_bundle)
    assert {scores.name.model for scores in observed.scores} == {"=judge", "made-up/reward-model"}


def test_rows_in_another_order_make_no_difference_that_counts(odd_choices: str, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(odd_choices, newline="")))
    file = tmp_path / "turned.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([rows[0], *reversed(rows[1:])])
    (tmp_path / "choices.csv").write_text(odd_choices, encoding="utf-8", newline="")
    turned, straight = find(from_files(file)), find(from_files(tmp_path / "choices.csv"))
    one, other = turned.arms[0].rates.overall, straight.arms[0].rates.overall
    assert one is not None
    assert other is not None
    assert one.rate == pytest.approx(other.rate, abs=1e-12)
    assert one.se == pytest.approx(other.se, abs=1e-12)


async def test_another_arm_can_go_first(oddities: People) -> None:
    observed = await read(oddities)
    turned = find(observed.with_first("baseline/prefer_truth"))
    straight = find(observed)
    assert [arm.arm.name for arm in turned.arms] == ["baseline/prefer_truth", "helpful/neutral"]
    assert turned.primary is not None
    assert turned.primary.counts == straight.arms[1].counts
    assert [arm.primary for arm in turned.arms] == [False, True]
    assert (turned.facts.arms_ordered, turned.facts.first_arm) == (False, "helpful/neutral")
    assert list(differences(turned.arms[1].rates, straight.arms[0].rates)) == []


FAULTS: dict[str, tuple[Callable[[str], str], str | None]] = {
    "no column": (lambda told: told.replace("side_chosen", "chosen"), "no column 'side_chosen'"),
    "odd side": (lambda told: told.replace(",left,", ",top,", 1), "cannot be 'top'"),
    "short row": (lambda told: told.rstrip("\r\n").rsplit(",", 3)[0], "is the file whole"),
    "not text": (lambda told: told.encode().decode("latin-1") + "\udcff", None),
    "empty": (lambda _: "", "is empty"),
    "no rows": (lambda told: told.split("\r\n")[0] + "\r\n", "no choices"),
    "two studies": (lambda told: told.replace("\r\nodd,", "\r\neven,", 1), "2 studies"),
    "unknown arm": (lambda told: told.replace("helpful/neutral", "kind/neutral"), "is no arm"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_and_named(fault: str, odd_choices: str, tmp_path: Path) -> None:
    change, said = FAULTS[fault]
    file = tmp_path / "choices.csv"
    file.write_bytes(change(odd_choices).encode("utf-8", "surrogateescape"))
    with pytest.raises(TableFaulty, match=said or "UTF-8") as refused:
        from_files(file)
    assert "choices.csv" in str(refused.value)


@pytest.fixture
def odd_tables(odd_bundle: Path, tmp_path: Path) -> Path:
    """The tables of a study beside each other in a folder."""
    with zipfile.ZipFile(odd_bundle) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def given(folder: Path, *names: str) -> dict[str, Path]:
    """Those tables, as they are given beside the choices."""
    return {name: folder / f"{name}.csv" for name in names}


def with_cell(table: Path, row: int, **values: str | None) -> Path:
    """Write other values into a row, counted as a message counts it; None takes the whole column away."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[row - 2].update({column: value for column, value in values.items() if value is not None})
    columns = [column for column in rows[0] if values.get(column, "") is not None]
    with table.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return table


@pytest.mark.parametrize(
    ("name", "column"),
    [("pairs", "study"), ("pairs", "set_hash"), ("annotators", "study"), ("scores", "study"), ("scores", "set_hash")],
)
def test_tables_of_another_study_are_refused(name: str, column: str, odd_tables: Path, odd_bundle: Path) -> None:
    others = with_cell(odd_tables / f"{name}.csv", 3, **{column: "another"})
    for source in (odd_tables / "choices.csv", odd_bundle):
        with pytest.raises(TableFaulty, match=rf"{name}\.csv, row 3: {column} is 'another'; that of the choices"):
            from_files(source, **{name: others})


def test_tables_that_do_not_say_of_which_study_they_are_are_taken(odd_tables: Path) -> None:
    whole = from_files(odd_tables / "choices.csv", **given(odd_tables, "scores"))
    with_cell(odd_tables / "scores.csv", 2, study=None, set_hash=None)
    assert list(differences(from_files(odd_tables / "choices.csv", **given(odd_tables, "scores")), whole)) == []


@pytest.mark.parametrize(
    ("name", "column", "value", "must"),
    [
        ("choices", "position", "99999999999999999999", "a whole number from 1 to 2147483647"),
        ("choices", "position", "0", "a whole number from 1 to 2147483647"),
        ("choices", "pair_id", "99999999999999999999", "a whole number of at most 18 digits"),
        ("choices", "repeat_of", "-1", "a whole number from 0 to 2147483647, or empty"),
        ("choices", "difficulty_level", "-1", "a whole number from 0 to 1000, or empty"),
        ("choices", "confidence", "9", "a number from 1 to 5, or empty"),
        ("choices", "confidence", "inf", "a number from 1 to 5, or empty"),
        ("choices", "prior_belief", "250", "a number from 0 to 100, or empty"),
        ("choices", "decision_ms_server", "-5", "a number of at least 0, or empty"),
        ("choices", "decision_ms_server", "inf", "a number of at least 0, or empty"),
        ("choices", "times_away", "-4", "a number of at least 0, or empty"),
        ("choices", "words_truthful", "0", "a number of at least 1, or empty"),
        ("choices", "words_sycophantic", "inf", "a number of at least 1, or empty"),
        ("choices", "background", "[1]", "an object in JSON, or empty"),
        ("choices", "background", "7", "an object in JSON, or empty"),
        ("choices", "background", "{bad", "an object in JSON, or empty"),
        ("choices", "counted", "yes", "true or false"),
        ("choices", "side_truthful", "", "left or right"),
        ("scores", "margin", "inf", "a number from -1000000000000 to 1000000000000"),
        ("scores", "margin", "1e160", "a number from -1000000000000 to 1000000000000"),
        ("scores", "margin", "", "a number from -1000000000000 to 1000000000000"),
        ("scores", "truthful_kind", "zzz", "helpful or baseline"),
        ("scores", "noise_floor", "-1", "a number from 0 to 1000000000000, or empty"),
        ("scores", "difficulty_level", "1001", "a whole number from 0 to 1000, or empty"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(
    name: str, column: str, value: str, must: str, odd_tables: Path
) -> None:
    with_cell(odd_tables / f"{name}.csv", 2, **{column: value})
    with pytest.raises(TableFaulty) as refused:
        from_files(odd_tables / "choices.csv", scores=odd_tables / "scores.csv")
    said = f"{odd_tables / name}.csv, row 2: {column} cannot be {value!r}; it must be {must}"
    assert str(refused.value) == said


def test_a_choice_of_nobody_is_refused(odd_tables: Path) -> None:
    with_cell(odd_tables / "choices.csv", 3, annotator="")
    with pytest.raises(TableFaulty, match=r"choices\.csv, row 3: annotator is empty"):
        from_files(odd_tables / "choices.csv")


def with_row_again(table: Path, again: Callable[[dict[str, str]], bool]) -> tuple[int, int]:
    """Write the first such row a second time at the end; return where both stand, as messages count them."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = next(index for index, row in enumerate(rows) if again(row))
    with table.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows([*rows, rows[first]])
    return first + 2, len(rows) + 2


def test_a_choice_that_is_there_twice_is_refused_with_both_places(odd_tables: Path) -> None:
    first, again = with_row_again(odd_tables / "choices.csv", lambda row: row["counted"] == "true")
    said = (
        rf"choices\.csv, row {again}: annotator '\w+' has chosen on pair \d+ in row {first} already; keep the counted"
    )
    with pytest.raises(TableFaulty, match=said):
        from_files(odd_tables / "choices.csv")


def test_a_score_that_is_there_twice_is_refused_with_both_places(odd_tables: Path) -> None:
    first, again = with_row_again(odd_tables / "scores.csv", lambda row: row["variant"] != "standard")
    said = rf"scores\.csv, row {again}: .+ has scored '.+' in row {first} already, in the same run; keep one"
    with pytest.raises(TableFaulty, match=said):
        from_files(odd_tables / "choices.csv", scores=odd_tables / "scores.csv")


def test_choices_in_a_bundle_of_another_study_are_refused(odd_bundle: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.zip"
    with zipfile.ZipFile(odd_bundle) as archive, zipfile.ZipFile(mixed, "w") as out:
        for name in archive.namelist():
            told = archive.read(name)
            out.writestr(name, told.replace(b"\r\nodd,", b"\r\neven,", 1) if name == "choices.csv" else told)
    with pytest.raises(TableFaulty, match="row 2: study is 'even'"):
        from_files(mixed)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"nowhere\.zip cannot be read"):
        from_files(tmp_path / "nowhere.zip")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("read.me", "hello")
    with pytest.raises(FileUnreadable, match=r"has no manifest\.json"):
        from_files(other)
    other.write_bytes(other.read_bytes()[:-30])
    with pytest.raises(FileUnreadable, match="not a whole zip"):
        from_files(other)


def test_reasons_are_known_by_code() -> None:
    assert [CODES[reason] for reason in REASONS] == list(range(len(REASONS)))
