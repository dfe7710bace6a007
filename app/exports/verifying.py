"""Whether a bundle is whole and as it was written: every file's rows and hash against the manifest."""

import csv
import hashlib
import io
import json
import lzma
import zlib
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

from app.errors import CandorError
from app.exports.bundle import KIND, MANIFEST

_CHUNK_BYTES = 1024 * 1024
# One changed byte can make zipfile believe in a compression, a version or a password that no bundle has.
_NOT_A_WHOLE_ZIP = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, UnicodeDecodeError)
_LONGEST_FIELD = 2**31 - 1


class BundleDamaged(CandorError):
    """The file is no bundle, or not a whole one, or not as it was written."""


class Verified(NamedTuple):
    """A bundle that is as it was written: its manifest without the files, and each file's rows, None for no table."""

    manifest: dict[str, Any]
    rows: dict[str, int | None]


def verify(path: Path) -> Verified:
    """Hold every file of a bundle against its manifest.

    Raises
    ------
    BundleDamaged
        Naming the first file that is not as it was written.
    """
    try:
        with ZipFile(path) as archive:
            return _verify(path, archive)
    except OSError as error:
        raise BundleDamaged(f"{path} cannot be read: {error.strerror or error}") from None
    except _NOT_A_WHOLE_ZIP:
        raise BundleDamaged(f"{path} is not a whole zip: it was cut short or damaged; download it again") from None


def _verify(path: Path, archive: ZipFile) -> Verified:
    names = archive.namelist()
    if MANIFEST not in names:
        raise BundleDamaged(f"{path} has no {MANIFEST}: it is not a bundle of a study")
    try:
        manifest = json.loads(archive.read(MANIFEST))
        files = manifest.pop("files") if manifest["kind"] == KIND else None
    except (ValueError, KeyError, TypeError, AttributeError):
        files = None
    if not isinstance(files, dict):
        raise BundleDamaged(f"{path} has a {MANIFEST} that cannot be understood")
    if sorted(names) != sorted([*files, MANIFEST]):
        odd = sorted(set(names) ^ {*files, MANIFEST}) or names
        raise BundleDamaged(f"{path} does not hold the files that its manifest lists; see {odd[0]}")
    for name, said in files.items():
        _hold(archive, name, said)
    return Verified(manifest, {name: said.get("rows") for name, said in files.items()})


def _hold(archive: ZipFile, name: str, said: dict[str, Any]) -> None:
    if _digest(archive, name) != said["sha256"]:
        raise BundleDamaged(f"{name} is not as it was written: its SHA-256 differs from the manifest's")
    rows = said.get("rows")
    if rows is not None and _rows(archive, name) != rows:
        raise BundleDamaged(f"{name} has another number of rows than the manifest's {rows}")


def _digest(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _rows(archive: ZipFile, name: str) -> int:
    """Return how many rows a table has, its header not counted."""
    with archive.open(name) as file:
        if name.endswith(".jsonl"):
            return sum(1 for _ in file)
        before = csv.field_size_limit(_LONGEST_FIELD)
        try:
            return sum(1 for _ in csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))) - 1
        finally:
            csv.field_size_limit(before)
