"""`candor study fit`: the crossed random-effects model of a study, fitted from its database and stored beside it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from app.cli.model_output import Chains, Samples, print_model
from app.cli.output import console, errors, print_json
from app.cli.running import migrated_database
from app.db import transaction
from app.exports.copying import see_one_moment
from app.study import data_versions, model_fits
from app.study.studies import get_study

if TYPE_CHECKING:
    from app.results.crossed.fit import ModelFit
    from app.results.observed import Observed


@dataclass(frozen=True, slots=True)
class _Read:
    """What a model is fitted to, all of one moment."""

    study_id: int
    observed: "Observed"
    data_version: str


def fit(
    slug: Annotated[str, typer.Argument(help="The study's slug.")],
    arm: Annotated[str | None, typer.Option(help="One arm, as helpful/neutral. [default: each with choices]")] = None,
    chains: Chains = 4,
    samples: Samples = 1000,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the crossed random-effects model to a study's choices and store it: its results page shows it from then on.

    Needs the extra `bayes`. A thousand choices take about a minute, ten thousand several.
    """
    from app.results.crossed.model import require  # noqa: PLC0415 - numpy and scipy take a while to import

    require()
    with migrated_database() as url:
        read = asyncio.run(_read(url, slug))
        fits = _fitted(read, arm, chains, samples)
        records = asyncio.run(_store(url, read, fits))
    if as_json:
        print_json(records)
        return
    for found in fits:
        print_model(found)
    console.print(f"\nStored with {escape(slug)}; its results page and report show it.")


async def _read(url: str, slug: str) -> _Read:
    from app.results.sources.from_database import from_database  # noqa: PLC0415 - as above

    async with transaction(url) as session:
        await see_one_moment(session)
        study = await get_study(session, slug)
        version = await data_versions.of_study(session, study.id)
        return _Read(study.id, await from_database(session, slug), version)


def _fitted(read: _Read, arm: str | None, chains: int, samples: int) -> list["ModelFit"]:
    from app.results.crossed.model import NothingToFit, Sampling, fit_crossed  # noqa: PLC0415 - as above

    slug, names = read.observed.facts.slug, [each.name for each in read.observed.facts.arms]
    if arm is not None and arm not in names:
        raise NothingToFit(f"study {slug!r} has no arm {arm!r}; it has {', '.join(names)}")
    fits = []
    for name in names if arm is None else [arm]:
        try:
            with errors.status(escape(f"Fitting the model to {name}")):
                fits.append(fit_crossed(read.observed, name, Sampling(chains, samples), read.data_version))
        except NothingToFit as lacking:
            if arm is not None or len(names) == 1:
                raise
            errors.print(f"Note: {lacking}.", markup=False)
    if not fits:
        raise NothingToFit(f"no arm of study {slug!r} has enough choices for the model yet")
    return fits


async def _store(url: str, read: _Read, fits: list["ModelFit"]) -> list[dict[str, Any]]:
    from app.results.crossed.stored import record_of  # noqa: PLC0415 - as above

    records = [record_of(found) for found in fits]
    async with transaction(url) as session:
        for found, record in zip(fits, records, strict=True):
            await model_fits.store(session, read.study_id, found.arm, read.data_version, record)
    return records
