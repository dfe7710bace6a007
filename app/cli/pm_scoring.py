"""What `candor pm score` does, once its options are read: loads what scores, scores, stores and reports."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import typer

from app.cli.output import console
from app.cli.pm_backends import ORACLE, Asked, Behind, backend, judges, n_gpus
from app.cli.pm_options import Attention, Dtype, Route
from app.cli.pm_progress import Tally, report, shown, stopping
from app.cli.pm_storing import scoring_study
from app.errors import CandorError
from app.pm import canaries
from app.pm.backends.http_calls import Server
from app.pm.backends.local import LocalSpec
from app.pm.item_files import ItemFile, spool
from app.pm.items import ItemsFaulty
from app.pm.processes import EachDevice, score_in_processes
from app.pm.progress import Progress
from app.pm.records import RunSettings
from app.pm.rendering import OverLong
from app.pm.runner import Outcome, asked_in_all, score_items
from app.pm.shards import RunDirectory
from app.pm.variants import PromptVariant, chosen_variants
from app.terms import ResponseKind


class InputMissing(CandorError):
    """What to score cannot be found."""


class Plan(NamedTuple):
    """What a run is given, once the options are read."""

    work: "Work"
    asked: Asked
    variants: tuple[PromptVariant, ...]
    directory: Path
    settings: RunSettings
    processes: int


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were given."""

    output: Path
    study: str | None
    given: str | None
    model: str
    endpoint: str
    key: str
    canary: Path | None
    route: Route
    concurrency: int
    variants: tuple[str, ...]
    variants_file: Path | None
    kinds: tuple[ResponseKind, ...]
    dtype: Dtype
    device: str
    attention: Attention
    token_budget: int
    shard_rows: int
    max_tokens: int
    processes: int
    threads: int
    judge: bool
    truncate: bool
    resume: bool
    allow_random_weights: bool
    as_json: bool


def score(options: Options) -> None:
    """Score pairs or rows into a folder, and say what came out."""
    output = options.output
    if not options.resume and (output / "run.json").exists():
        raise InputMissing(f"{output} holds a run already; choose another folder, or leave --no-resume out")
    asked = _asked(options)
    tally = Tally()
    with stopping(output), _work(options.study, options.given, output) as work:
        variants = chosen_variants(options.variants, options.variants_file)
        outcome = _run(Plan(work, asked, variants, output, _settings(options), options.processes), tally)
        stored = work.store()
    report(outcome, tally, str(output), as_json=options.as_json)
    if stored and not options.as_json:
        console.print(
            f"Stored as the scoring run {stored} of {options.study}: /studies/{options.study}/models", markup=False
        )


def _asked(options: Options) -> Asked:
    """Return what is asked: a model here, or one behind a server."""
    if not (options.model or options.endpoint):
        raise typer.BadParameter("name a model, or the address of a server", param_hint="--model or --endpoint")
    if options.canary and (options.judge or not options.endpoint):
        raise typer.BadParameter(
            "holds a preference model behind a server to a run; give it with --endpoint, without --judge",
            param_hint="--canary",
        )
    if options.endpoint:
        _refuse_uncounted(options)
        return Behind(
            Server(options.endpoint, options.key),
            options.model,
            options.route,
            _over_long(options),
            options.concurrency,
            judges=options.judge,
            longest=options.max_tokens,
            local=canaries.read(options.canary) if options.canary else None,
        )
    return LocalSpec(
        model=options.model,
        use="judge" if options.judge else "score",
        dtype=options.dtype.value,
        device=options.device,
        attention=options.attention.value,
        over_long=_over_long(options),
        longest=options.max_tokens,
        random_allowed=options.allow_random_weights,
        threads=options.threads,
    )


def _refuse_uncounted(options: Options) -> None:
    """Refuse what needs the tokens of a dialog, where an endpoint takes words and counts them itself."""
    for given, name in ((options.max_tokens, "--max-tokens"), (options.truncate, "--truncate")):
        if options.judge and given:
            raise typer.BadParameter(
                "the tokens of a judge behind an endpoint are not known here; leave the option out: what is too long "
                "for the model, the endpoint refuses",
                param_hint=name,
            )


def _over_long(options: Options) -> OverLong:
    return OverLong.TRUNCATE if options.truncate else OverLong.REFUSE


def _settings(options: Options) -> RunSettings:
    kinds = tuple(kind.value for kind in ResponseKind if kind in options.kinds) or None
    return RunSettings(options.token_budget, options.shard_rows, kinds, _over_long(options).value)


class Work(NamedTuple):
    """What is scored, and what becomes of it: who is told how far it is, and where its scores are stored, if anywhere.

    `telling` takes the rows there will be and a progress; `store` returns the id of the run that it stored, if any.
    """

    items: ItemFile
    telling: Callable[[int, Progress], Progress]
    store: Callable[[], str]


@contextmanager
def _work(study: str | None, given: str | None, output: Path) -> Iterator[Work]:
    if (study is None) == (given is None):
        raise typer.BadParameter("give one of them: a study, or a file", param_hint="--study or --input")
    if study is not None:
        with scoring_study(study, output) as run:
            yield Work(ItemFile(run.pairs), run.telling, run.store)
    elif given is not None:
        yield Work(_items(given, output), lambda _, progress: progress, str)


class _Scores(Protocol):
    def __call__(self, progress: Progress) -> Outcome: ...


def _run(plan: Plan, tally: Tally) -> Outcome:
    contents = plan.work.items.contents()
    total = asked_in_all(contents, plan.variants, plan.settings.kinds, judges=judges(plan.asked))
    doing = _scoring(plan)
    with shown(total, tally) as progress:
        return doing(plan.work.telling(total, progress))


def _scoring(plan: Plan) -> _Scores:
    """Return what scores: in this process, or in one for each GPU."""
    items, variants, directory, settings = plan.work.items, plan.variants, plan.directory, plan.settings
    n = plan.processes or n_gpus(plan.asked)
    if isinstance(plan.asked, LocalSpec) and plan.asked.model != ORACLE and n > 1:
        make = EachDevice(plan.asked, n_gpus(plan.asked), n)
        return lambda progress: score_in_processes(items, make, variants, directory, progress, settings)
    scorer = backend(plan.asked)
    return lambda progress: score_items(items, scorer, variants, directory, progress, settings)


def _kept(output: Path) -> ItemFile:
    """Return what comes by standard input. What cannot be scored is not kept: it can be mended and sent again."""
    items = ItemFile(spool(sys.stdin.buffer, output / "input.jsonl"))
    try:
        items.contents()
    except ItemsFaulty:
        if RunDirectory(output).record() is None:
            items.file.unlink()
        raise
    return items


def _items(given: str, output: Path) -> ItemFile:
    if given == "-":
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputMissing(f"{output} cannot be written: {error.strerror}") from None
        return _kept(output)
    file = Path(given)
    if not file.is_file():
        raise InputMissing(f"there is no file {given}; write one with candor pm pairs")
    return ItemFile(file)
