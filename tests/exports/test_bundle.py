"""The bundle: all of it, of one moment, verifiable, read by other programs; never taken for whole when it is not."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.json
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.exports.bundle import bundle
from app.exports.copying import see_one_moment
from app.exports.tables import RELEASED
from app.exports.verifying import BundleDamaged, verify
from app.study.canonical import content_hash
from app.study.studies import StudyUnknown
from tests.conftest import NewDatabase
from tests.exports.filled import exported, filled_study, from_csv, from_jsonl
from tests.study.people import People, people_of

TABLES = ["choices.csv", "pairs.csv", "annotators.csv", "scores.csv", "preferences.jsonl", "codebook.csv"]
REST = [
    "design.json",
    "amendments.json",
    "hashes.json",
    "read.py",
    "read.R",
    "preregistration.json",
    "preregistration.md",
]


@pytest.fixture(scope="module")
async def study(new_database: NewDatabase) -> AsyncIterator[People]:
    async with filled_study(new_database(), "bundled") as people:
        yield people


@pytest.fixture(scope="module")
async def file(study: People, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "bundled.zip"
    path.write_bytes(await bundled(study))
    return path


async def bundled(people: People) -> bytes:
    async with people.sessions.begin() as session:
        await see_one_moment(session)
        return b"".join([chunk async for chunk in bundle(session, people.slug)])


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def test_it_holds_every_table_but_the_payments_and_its_manifest_is_last(file: Path, study: People) -> None:
    found = contents(file)
    assert list(found) == [*TABLES, *REST, "manifest.json"]
    for name, table in RELEASED.items():
        if name != "preferences":
            assert found[f"{name}.csv"] == await exported(study, table)
    for content in found.values():
        for secret in (b"person-", b"DONE-1234", b"platform_person\r\n", (await study_key(study)).hex().encode()):
            assert secret not in content


async def study_key(people: People) -> bytes:
    return bytes(await people.one("SELECT key FROM study WHERE slug = :slug", slug=people.slug))


async def test_the_manifest_has_rows_and_hash_of_each_file_and_what_made_it(file: Path, study: People) -> None:
    found = contents(file)
    manifest = json.loads(found.pop("manifest.json"))
    assert list(manifest["files"]) == list(found)
    for name, content in found.items():
        said = manifest["files"][name]
        assert (said["bytes"], said["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        read = from_csv if name.endswith(".csv") else from_jsonl if name.endswith(".jsonl") else None
        assert said.get("rows") == (len(read(content)) if read else None)
    assert manifest["files"]["choices.csv"]["rows"] > 30
    assert (manifest["study"], manifest["synthetic"], manifest["format"]) == ("bundled", False, 1)
    assert set(manifest["versions"]) == {"candor", "python", "postgres"}


async def test_its_hashes_can_be_recomputed_from_its_files(file: Path, study: People) -> None:
    found = contents(file)
    hashes = json.loads(found["manifest.json"])["hashes"]
    assert hashes == json.loads(found["hashes.json"])
    design, written = json.loads(found["design.json"]), json.loads(found["preregistration.json"])
    now = await study.one("SELECT design_hash FROM study WHERE slug = 'bundled'")
    assert content_hash(design) == hashes["design"] == now
    assert content_hash(written["document"]) == hashes["preregistration"] == written["document_hash"]
    assert (
        [change["design_hash"] for change in json.loads(found["amendments.json"])] == hashes["amended_designs"] == [now]
    )
    assert found["preregistration.md"].startswith(b"# Preregistration")
    for pair in from_csv(found["pairs.csv"]):
        for kind in ("truthful", "sycophantic"):
            assert hashlib.sha256(pair[kind].encode()).hexdigest() == pair[f"hash_{kind}"]


async def test_a_whole_one_is_verified(file: Path) -> None:
    verified = verify(file)
    assert verified.manifest["study"] == "bundled"
    assert list(verified.rows) == [*TABLES, *REST]
    assert verified.rows["design.json"] is None


# Other programs read it.


def test_its_own_python_reads_it_without_anything_installed(file: Path, tmp_path: Path) -> None:
    script = tmp_path / "read.py"
    script.write_bytes(contents(file)["read.py"])
    done = subprocess.run([sys.executable, "-I", "-S", script, file], capture_output=True, text=True, check=True)
    rows = {name.partition(".")[0]: n for name, n in verify(file).rows.items() if n is not None}
    assert done.stdout == "".join(f"{table} {n}\n" for table, n in rows.items())
    changed = rewritten(file, tmp_path, {"pairs.csv": b"study\r\n"})
    done = subprocess.run([sys.executable, "-I", "-S", script, changed], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "pairs.csv is not as it was written\n")


def test_its_own_r_reads_it(file: Path, tmp_path: Path) -> None:
    r = shutil.which("Rscript")
    if r is None:
        pytest.skip("no R here")
    script = tmp_path / "read.R"
    script.write_bytes(contents(file)["read.R"])
    done = subprocess.run([r, script, file], capture_output=True, text=True, check=True)
    rows = {name[:-4]: n for name, n in verify(file).rows.items() if name.endswith(".csv")}
    assert done.stdout == "".join(f"{table} {n} \n" for table, n in rows.items())
    asked = "cat(class(choices$counted), sum(choices$counted), sum(is.na(choices$side_chosen)))"
    asked = f'source("{script}"); choices <- read_bundle("{file}")$choices; {asked}'
    done = subprocess.run([r, "-e", asked], capture_output=True, text=True, check=True)
    choices = from_csv(contents(file)["choices.csv"])
    counted, withdrawn = sum(c["counted"] == "true" for c in choices), sum(c["side_chosen"] == "" for c in choices)
    assert done.stdout == f"logical {counted} {withdrawn}"


def test_a_reader_of_another_make_finds_the_same_values(file: Path) -> None:
    found = contents(file)
    lines = pyarrow.csv.ParseOptions(newlines_in_values=True)
    for name in ("choices.csv", "pairs.csv", "annotators.csv", "codebook.csv"):
        plain = from_csv(found[name])
        texts = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(plain[0], pyarrow.string()), strings_can_be_null=False
        )
        read = pyarrow.csv.read_csv(io.BytesIO(found[name]), parse_options=lines, convert_options=texts)
        assert read.to_pylist() == plain
    read = pyarrow.json.read_json(io.BytesIO(found["preferences.jsonl"]))
    assert read.to_pylist() == from_jsonl(found["preferences.jsonl"])


# Not whole.


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_one_that_was_cut_short_is_no_bundle_and_no_zip(file: Path, tmp_path: Path, part: float) -> None:
    content = file.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(content[: int(part * len(content))])
    with pytest.raises(BundleDamaged, match="is not a whole zip: it was cut short or damaged; download it again"):
        verify(cut)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(cut)


def test_one_byte_damaged_anywhere_is_refused_or_harms_no_file(file: Path, tmp_path: Path) -> None:
    """Some bytes of a zip say nothing, such as its times; all others are noticed."""
    whole, found = file.read_bytes(), contents(file)
    with zipfile.ZipFile(file) as archive:
        start = archive.start_dir
    n_refused = 0
    directory = range(start, start + 46 + len("choices.csv"))
    for at in [*range(0, start, start // 200), *directory, *range(directory.stop, len(whole), 10)]:
        for bit in (1, 128):
            changed = damaged(whole, at, bit, tmp_path)
            try:
                verify(changed)
            except BundleDamaged:
                n_refused += 1
            else:
                assert contents(changed) == found, (at, bit)
    assert n_refused > 200


def damaged(whole: bytes, at: int, bit: int, folder: Path) -> Path:
    path = folder / "damaged.zip"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
    return path


def rewritten(file: Path, folder: Path, changes: dict[str, bytes | None]) -> Path:
    """The bundle with some files put in place of others, or left out, in a zip that is sound."""
    path = folder / "changed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (contents(file) | changes).items():
            if content is not None:
                archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pairs.csv": b"study\r\n"}, "pairs.csv is not as it was written"),
        ({"read.py": b"import os"}, "read.py is not as it was written"),
        ({"choices.csv": None}, "see choices.csv"),
        ({"payments.csv": b""}, "see payments.csv"),
        ({"manifest.json": None}, "has no manifest.json"),
        ({"manifest.json": b"{}"}, "cannot be understood"),
        ({"manifest.json": b"["}, "cannot be understood"),
    ],
)
def test_one_that_is_not_as_it_was_written_is_refused(
    file: Path, tmp_path: Path, changes: dict[str, bytes | None], said: str
) -> None:
    with pytest.raises(BundleDamaged, match=said):
        verify(rewritten(file, tmp_path, changes))


def test_rows_that_the_manifest_does_not_count_are_refused(file: Path, tmp_path: Path) -> None:
    manifest = json.loads(contents(file)["manifest.json"])
    manifest["files"]["pairs.csv"]["rows"] += 1
    changed = rewritten(file, tmp_path, {"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(BundleDamaged, match=r"pairs\.csv has another number of rows"):
        verify(changed)


def test_no_file_and_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleDamaged, match="cannot be read: No such file"):
        verify(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    with pytest.raises(BundleDamaged, match="is not a whole zip"):
        verify(tmp_path / "text.zip")


async def test_an_unknown_study_has_none(study: People) -> None:
    async with study.sessions.begin() as session:
        await see_one_moment(session)
        with pytest.raises(StudyUnknown):
            await anext(bundle(session, "none"))


# One moment, and constant memory.


async def test_a_choice_that_is_made_meanwhile_is_in_no_table(new_database: NewDatabase, tmp_path: Path) -> None:
    async with people_of(new_database(), "moving") as people:
        early, late = await people.enter("early"), await people.enter("late")
        for annotator in (early, late):
            await people.to_judging(annotator)
        await people.judge(early)
        content: list[bytes] = []
        async with people.sessions.begin() as session:
            await see_one_moment(session)
            chunks = bundle(session, "moving")
            content.append(await anext(chunks))
            await people.judge(late)
            content += [chunk async for chunk in chunks]
        path = tmp_path / "moving.zip"
        path.write_bytes(b"".join(content))
    rows = verify(path).rows
    assert (rows["choices.csv"], rows["preferences.jsonl"], rows["annotators.csv"]) == (8, 8, 2)
    pairs = from_csv(contents(path)["pairs.csv"])
    assert sum(int(row["n_counted"]) for row in pairs) == 8


async def test_nothing_can_be_written_in_the_transaction_of_an_export(study: People) -> None:
    async with study.sessions() as session:
        await see_one_moment(session)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await session.execute(text("UPDATE study SET title = 'x'"))


async def test_a_large_one_is_packed_in_constant_memory(new_database: NewDatabase) -> None:
    peaks: list[int] = []
    async with people_of(new_database(), "large", ratings_per_pair=1) as people:
        for n_people in (100, 4000):
            await people.rows(MADE_UP, people=n_people)
            tracemalloc.start()
            try:
                size = len(await discarded(people))
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
            assert size > 0
    assert peaks[1] < peaks[0] + 500_000 < 5_000_000


async def discarded(people: People) -> dict[int, Any]:
    """Export and keep nothing but how large the chunks are."""
    sizes: dict[int, Any] = {}
    async with people.sessions.begin() as session:
        await see_one_moment(session)
        async for chunk in bundle(session, people.slug):
            sizes[len(chunk)] = None
    return sizes


MADE_UP = """
    WITH people AS (
        INSERT INTO participation (study_id, arm_id, public_id, synthetic, consented_at)
        SELECT arm.study_id, arm.id, 'made-up-' || :people || '-' || number, true, now()
        FROM arm JOIN study ON study.id = arm.study_id, generate_series(1, :people) AS number
        WHERE study.slug = 'large' RETURNING id, study_id
    ), shown AS (
        INSERT INTO assignment (participation_id, position, pair_id, side_truthful, shown_at)
        SELECT people.id, row_number() OVER (PARTITION BY people.id), pair.id, 'left', now()
        FROM people JOIN pair ON pair.study_id = people.study_id RETURNING participation_id, position
    )
    INSERT INTO choice (participation_id, position, side_chosen, counted, late, design_hash)
    SELECT participation_id, position, 'right', false, false, repeat('0', 64) FROM shown RETURNING 1
"""
