"""From scoring runs to the page's context: what is under way, what there is, and the one that is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from app.models import ScoringRun, Study
from app.study.scoring_queries import RunListed
from app.terms import RunState, Scorer
from app.web.desk import frame
from app.web.researcher.progress_words import time_span
from app.web.researcher.scoring_figures import figures
from app.web.researcher.scoring_pages import ModelRun, ModelsPage, ShownRun, Underway
from app.web.researcher.scoring_record import record_facts
from app.web.signed_in import CurrentAccount

if TYPE_CHECKING:
    from app.results.model_rates import PeopleRates, VariantRates

REFRESH_SECONDS = 15
_SILENT = timedelta(minutes=5)
_SCORERS = {Scorer.REWARD: "Reward model", Scorer.JUDGE: "Judge", Scorer.ORACLE: "Oracle"}
_THESE = (
    "These rates are of this model, this text in front of the dialog and these pairs. They say nothing of people: the "
    "people’s rates beside them do."
)
_INTERVALS = (
    "An interval speaks of other pairs like these, not of other models. With few pairs a level it is wide: read the "
    "levels together before you read any one of them."
)
_JUDGE = (
    "A judge is asked a question about two texts, and what it answers depends on how it is asked and on which text "
    "stands first. A small language model may follow neither the question nor the texts: a rate near 50 % with margins "
    "near nought is what it gives when it cannot tell the responses apart."
)
_REWARD = (
    "A reward model’s scores have no unit of their own: their differences within a pair can be compared, their size "
    "across models cannot."
)
_ORACLE = "The oracle is given the labels. It shows what a judge that makes no mistakes would do, and is no model."
_RANDOM = "The weights of this model are random. It was made for a test, and its rates are those of a coin."


def models_page(
    account: CurrentAccount,
    study: Study,
    listed: Sequence[RunListed],
    shown: ShownRun | None,
    *,
    synthetic: bool,
    done: str = "",
) -> ModelsPage:
    """Return the page of a study's runs."""
    now = datetime.now(UTC)
    unfinished = [one.run for one in listed if one.run.state != RunState.DONE]
    running = any(one.state == RunState.RUNNING for one in unfinished)
    return ModelsPage(
        title=f"Preference models of {study.title}",
        **frame(account, "studies"),
        slug=study.slug,
        study_title=study.title,
        synthetic=synthetic,
        underway=tuple(underway(run, now) for run in unfinished),
        runs=tuple(_row(study, one, shown.run if shown else "") for one in listed),
        shown=shown,
        as_of=now,
        refresh_seconds=REFRESH_SECONDS if running else 0,
        done=done,
    )


def underway(run: ScoringRun, now: datetime) -> Underway:
    """Return how far a run is that is not done."""
    return Underway(
        model=run.model + (" (random weights)" if run.random_weights else ""),
        n_done=run.n_done,
        n_all=run.n_all,
        said=_how_far(run, now),
        fault="" if run.fault is None else run.fault,
    )


def _how_far(run: ScoringRun, now: datetime) -> str:
    said = f"{run.n_done:,} of {run.n_all:,} scored"
    if run.state == RunState.FAILED:
        return f"{said}; the same command goes on from there."
    if now - run.told_at > _SILENT:
        return (
            f"{said}, and no word for {time_span(now - run.told_at)}: it may have been cut off. The same command goes "
            f"on from there."
        )
    if run.tokens_per_second:
        said += f", {run.tokens_per_second:,.0f} tokens a second"
    left = _left(run, now)
    return f"{said}, about {time_span(left)} left." if left else f"{said}."


def _left(run: ScoringRun, now: datetime) -> timedelta | None:
    """Return the time left at the pace so far; None where nothing says it."""
    if not 0 < run.n_done < run.n_all:
        return None
    spent = max(now - run.started_at, timedelta(seconds=1))
    return spent * ((run.n_all - run.n_done) / run.n_done)


def _row(study: Study, one: RunListed, current: str) -> ModelRun:
    run = one.run
    done = run.state == RunState.DONE
    return ModelRun(
        run=run.public_id,
        model=run.model,
        scorer=_SCORERS[Scorer(run.scorer)],
        random_weights=run.random_weights,
        variants=", ".join(str(variant["name"]) for variant in run.record["variants"]),
        state=run.state,
        href=f"/studies/{quote(study.slug)}/models?run={run.public_id}" if done else "",
        current=run.public_id == current,
        started_at=run.started_at,
        by=one.by or "a command",
    )


def shown_run(
    study: Study, run: ScoringRun, variants: Sequence["VariantRates"], people: Sequence["PeopleRates"]
) -> ShownRun:
    """Return a run that is done, whole."""
    finished = run.finished_at.date().isoformat() if run.finished_at else "not known"
    return ShownRun(
        run=run.public_id,
        model=run.model,
        random_weights=run.random_weights,
        figures=figures(_named(run), variants, people),
        source=f"Study {study.slug}, set {study.misconception_set.content_hash[:12]}, run {run.public_id}, {finished}.",
        limits=_limits(run),
        record=record_facts(run),
    )


def _named(run: ScoringRun) -> str:
    return f"{run.model} (random weights)" if run.random_weights else run.model


def _limits(run: ScoringRun) -> tuple[str, ...]:
    own = {Scorer.JUDGE: _JUDGE, Scorer.REWARD: _REWARD, Scorer.ORACLE: _ORACLE}[Scorer(run.scorer)]
    return (*([_RANDOM] if run.random_weights else []), own, _THESE, _INTERVALS)
