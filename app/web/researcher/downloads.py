"""What a study's page offers to download: every table in every format, the bundle, and the payments apart."""

from dataclasses import dataclass
from urllib.parse import quote

from app.exports.files import formats
from app.models import Study
from app.terms import Platform
from app.web.pages import Link

_NAMES = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A table: what it holds, and a link for each format that it can be had in."""

    title: str
    holds: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """Every download of a study. `payments` is missing where nobody is paid by this study's platform."""

    bundle: str
    tables: tuple[Download, ...]
    payments: Download | None


def downloads(study: Study, n_pairs: int, n_filled: int) -> Downloads:
    """Return what can be downloaded of a study that has been opened. `n_pairs` counts pairs in each arm."""
    path = f"/studies/{quote(study.slug)}/export"
    paid = study.platform != Platform.OPEN and not study.synthetic
    return Downloads(
        bundle=f"{path}/bundle.zip",
        tables=(
            _download(path, "choices", f"One row a stored choice; {n_filled:,} of them are counted."),
            _download(path, "pairs", f"One row a pair and arm, {n_pairs:,} in all: what was shown, how it was judged."),
            _download(path, "annotators", "One row a person who consented; no personal ids."),
            _download(path, "preferences", "One row a counted choice, in TRL's form, to train a model on."),
            _download(path, "preferences", "The same as dialogs, in the form of HH-RLHF.", query="?form=hh"),
            _download(
                path,
                "scores",
                "What preference models make of the pairs: one row a run, variant, pair and truthful kind.",
            ),
            _download(path, "codebook", "What every column of every table means."),
        ),
        payments=_download(path, "payments", "") if paid else None,
    )


def _download(path: str, name: str, holds: str, query: str = "") -> Download:
    links = (Link(text=_NAMES[known], href=f"{path}/{name}.{known}{query}") for known in formats())
    return Download(title=name.capitalize() + (" (HH-RLHF)" if query else ""), holds=holds, links=tuple(links))
