"""What the API says of a study's scoring runs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.models import ScoringRun


class ScoringRunDocument(BaseModel):
    """One run of a preference model: its state and progress, and the record of all that made it."""

    run: str = Field(description="public id; the scores table names it")
    scorer: str = Field(description="reward, judge or oracle")
    model: str
    model_revision: str | None
    random_weights: bool = Field(description="whether the model was made at random, for a test")
    state: str = Field(description="running, done or failed")
    fault: str | None = Field(description="why it failed")
    n_done: int = Field(description="items scored so far, of n_all")
    n_all: int
    tokens_per_second: float | None
    noise_floor: float = Field(description="margins up to this cannot be told from none")
    started_at: datetime
    finished_at: datetime | None
    record: dict[str, Any]


class ScoringRuns(BaseModel):
    """The scoring runs of a study, the newest first."""

    scoring_runs: list[ScoringRunDocument]


def scoring_run_document(run: ScoringRun) -> ScoringRunDocument:
    """Return what is told of a run."""
    told = {name: getattr(run, name) for name in ScoringRunDocument.model_fields if name != "run"}
    return ScoringRunDocument(run=run.public_id, **told)
