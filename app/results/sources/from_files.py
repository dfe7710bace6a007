"""A study read from its exported files into arrays: from a bundle, or from single tables."""

import json
import lzma
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from app.errors import CandorError
from app.results.facts import Arm, Declared, Facts, Source
from app.results.observed import Observed
from app.results.sources.declaring import declared_in
from app.results.sources.from_tables import (
    ANNOTATOR_COLUMNS,
    CHOICE_COLUMNS,
    PAIR_COLUMNS,
    SCORE_COLUMNS,
    Tables,
    arms_in,
    observed_of,
)
from app.results.sources.tables import CsvTable, TableFaulty, read_csv

_WITHOUT = {
    "design": "the design was not given, so rules and thresholds that it declared, k, the seed and which arm is the "
    "first are not known; analyse the bundle to have them",
    "pairs": "the table of pairs was not given, so pairs that nobody judged are not known",
    "annotators": "the table of annotators was not given, so people who consented and chose nothing are not known",
    "scores": "the table of scores was not given, so nothing is compared with preference models",
}
# What zipfile raises hangs on where the damage is: in the list of files, in one of them, or in how that is packed.
_NOT_A_WHOLE_ZIP = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
_COLUMNS = {
    "choices": CHOICE_COLUMNS,
    "pairs": PAIR_COLUMNS,
    "annotators": ANNOTATOR_COLUMNS,
    "scores": SCORE_COLUMNS,
}


class FileUnreadable(CandorError):
    """A file to analyse cannot be read, or is not what it should be."""


def from_files(
    path: Path, *, pairs: Path | None = None, annotators: Path | None = None, scores: Path | None = None
) -> Observed:
    """Read a study from a bundle (a zip), or from its table of choices and what other tables there are, as CSV.

    Tables given beside a bundle take the place of the bundle's own.

    Raises
    ------
    FileUnreadable, TableFaulty
        Naming the file, and the row and column where that is known.
    """
    beside = {"pairs": pairs, "annotators": annotators, "scores": scores}
    given = {name: file for name, file in beside.items() if file is not None}
    with ExitStack() as opened:
        if is_zip(path):
            return _from_bundle(opened, path, given)
        return _from_tables({"choices": path, **given})


def is_zip(path: Path) -> bool:
    """Tell by how it begins whether a file is a zip, whatever it is called."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from None


def _table(name: str, path: Path) -> CsvTable:
    try:
        with path.open("rb") as file:
            return read_csv(str(path), file, _COLUMNS[name])
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from None


def _from_tables(paths: dict[str, Path]) -> Observed:
    tables = Tables(**{name: _table(name, path) for name, path in paths.items()})
    missing = {name: said for name, said in _WITHOUT.items() if name not in paths}
    return observed_of(_facts_of_tables(tables), Source("tables", missing), tables)


def _facts_of_tables(tables: Tables) -> Facts:
    choices = tables.choices
    slugs = sorted(set(choices.texts("study")))
    if len(slugs) > 1:
        raise TableFaulty(
            f"{choices.name} has choices of {len(slugs)} studies ({', '.join(slugs[:3])}); give one study's"
        )
    if not slugs:
        raise TableFaulty(f"{choices.name} has no choices, so there is nothing to analyse")
    arms = arms_in(choices)
    return Facts(
        slug=slugs[0],
        title=None,
        question=None,
        state=None,
        purpose=None,
        synthetic="synthetic" in choices and bool(choices.flags("synthetic").any()),
        ratings_per_pair=_first_whole(tables.pairs, "ratings_per_pair"),
        pairs_per_annotator=None,
        arms=arms,
        arms_ordered=len(arms) < 2,
        first_arm=arms[0].name if len(arms) < 2 else None,
        set_slug=_first(choices, "set_slug"),
        set_version=_first_whole(choices, "set_version"),
        set_hash=_first(choices, "set_hash"),
        design_hash=_first(tables.pairs, "design_hash"),
        amended_designs=(),
        preregistration=None,
        seed=None,
        declared=None,
    )


def _first(table: CsvTable | None, column: str) -> str | None:
    return table.texts(column)[0] or None if table is not None and column in table and table.n else None


def _first_whole(table: CsvTable | None, column: str) -> int | None:
    return int(table.whole(column)[0]) if table is not None and column in table and table.n else None


def _from_bundle(opened: ExitStack, path: Path, beside: dict[str, Path]) -> Observed:
    try:
        archive = opened.enter_context(ZipFile(path))
        names = set(archive.namelist())
        manifest, design = (_json(archive, path, name) for name in ("manifest.json", "design.json"))
        tables: dict[str, CsvTable] = {}
        for name, columns in _COLUMNS.items():
            if name in beside:
                tables[name] = _table(name, beside[name])
            elif f"{name}.csv" in names:
                with archive.open(f"{name}.csv") as file:
                    tables[name] = read_csv(f"{path}: {name}.csv", file, columns)
    except _NOT_A_WHOLE_ZIP:
        raise FileUnreadable(f"{path} is not a whole zip: it was cut short or damaged; download it again") from None
    if "choices" not in tables:
        raise FileUnreadable(f"{path} has no choices.csv: it is not a bundle of a study")
    missing = {name: said for name, said in _WITHOUT.items() if name != "design" and name not in tables}
    return observed_of(_facts_of_bundle(path, manifest, design), Source("bundle", missing), Tables(**tables))


def _json(archive: ZipFile, path: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads(archive.read(name))
    except KeyError:
        raise FileUnreadable(f"{path} has no {name}: it is not a bundle of a study") from None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise FileUnreadable(f"{path} has a {name} that cannot be understood")
    return value


def _facts_of_bundle(path: Path, manifest: dict[str, Any], design: dict[str, Any]) -> Facts:
    try:
        hashes, used = manifest["hashes"], manifest["set"]
        arms = tuple(Arm(str(kind), str(instructions)) for kind, instructions in design["arms"])
        return Facts(
            slug=manifest["study"],
            title=manifest["title"],
            question=design["question"],
            state=manifest["state"],
            purpose=manifest["purpose"],
            synthetic=bool(manifest["synthetic"]),
            ratings_per_pair=int(design["ratings_per_pair"]),
            pairs_per_annotator=int(design["pairs_per_annotator"]),
            arms=arms,
            arms_ordered=True,
            first_arm=arms[0].name if arms else None,
            set_slug=used["slug"],
            set_version=int(used["version"]),
            set_hash=hashes["set"],
            design_hash=hashes["design"],
            amended_designs=tuple(hashes["amended_designs"]),
            preregistration=hashes["preregistration"],
            seed=int(design["seed"]),
            declared=_declared(path, design["options"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise FileUnreadable(f"{path} has a manifest or design that lacks {fault}; export the bundle again") from None


def _declared(path: Path, options: Any) -> Declared:
    try:
        return declared_in(options)
    except ValidationError as fault:
        place = ".".join(map(str, fault.errors()[0]["loc"]))
        raise FileUnreadable(f"{path} has a design whose option {place} this version of Candor does not know") from None
