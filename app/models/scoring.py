"""What preference models make of a study's pairs: scoring runs, with their scores of responses or of pairs."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, ForeignKeyConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Created, Key, one_of
from app.terms import JudgedOrder, ResponseKind, RunState, Scorer, TruthfulKind


class ScoringRun(Base):
    """One run of a preference model or judge over a study's pairs. `record` holds all that made it.

    `n_done` of `n_all` items are scored while it runs, and `told_at` is when that was last said. `noise_floor` is in
    the unit of the scores: margins within it cannot be told from none. `fault` says why a run failed. A model with
    `random_weights` was made for a test and says nothing about preferences. A run that is done never changes.
    """

    __tablename__ = "scoring_run"
    __table_args__ = (
        one_of("scorer", Scorer),
        one_of("state", RunState),
        CheckConstraint("noise_floor >= 0 AND noise_floor < 'infinity'", name="noise_floor_range"),
        CheckConstraint("n_done >= 0 AND n_all >= 0 AND tokens_per_second >= 0", name="progress_not_negative"),
        CheckConstraint("(state = 'failed') = (fault IS NOT NULL)", name="failed_says_why"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="done_has_its_time"),
        Index("ix_scoring_run_study_id_id", "study_id", "id"),
    )

    id: Mapped[Key]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    public_id: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    scorer: Mapped[str]
    model: Mapped[str]
    model_revision: Mapped[str | None]
    random_weights: Mapped[bool]
    record: Mapped[dict[str, Any]]
    noise_floor: Mapped[float] = mapped_column(Double, server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default=RunState.RUNNING)
    fault: Mapped[str | None]
    n_done: Mapped[int] = mapped_column(server_default=text("0"))
    n_all: Mapped[int] = mapped_column(server_default=text("0"))
    tokens_per_second: Mapped[float | None] = mapped_column(Double)
    started_at: Mapped[Created]
    told_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class ResponseScore(Base):
    """A reward model's score of one response, as the last turn after its prompt. Never changed."""

    __tablename__ = "response_score"
    __table_args__ = (
        ForeignKeyConstraint(
            ["misconception_id", "kind"],
            ["response.misconception_id", "response.kind"],
            name="fk_response_score_misconception_id_response",
        ),
        one_of("kind", ResponseKind),
        CheckConstraint("score > '-infinity' AND score < 'infinity'", name="score_finite"),
        CheckConstraint("n_tokens >= 0", name="n_tokens_not_negative"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("scoring_run.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    misconception_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    n_tokens: Mapped[int]
    truncated: Mapped[bool]


class PairScore(Base):
    """A judge's comparison of a pair in one order. Never changed.

    `logit_first` is log P(the response read first is named) less log P(the other is); `p_a` and `p_b` are the raw
    probabilities of both names as the next token.
    """

    __tablename__ = "pair_score"
    __table_args__ = (
        one_of("truthful_kind", TruthfulKind),
        one_of("judged_order", JudgedOrder),
        CheckConstraint("logit_first > '-infinity' AND logit_first < 'infinity'", name="logit_first_finite"),
        CheckConstraint("p_a BETWEEN 0 AND 1 AND p_b BETWEEN 0 AND 1", name="p_range"),
        CheckConstraint("n_tokens >= 0", name="n_tokens_not_negative"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("scoring_run.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    misconception_id: Mapped[int] = mapped_column(ForeignKey("misconception.id"), primary_key=True)
    truthful_kind: Mapped[str] = mapped_column(primary_key=True)
    judged_order: Mapped[str] = mapped_column(primary_key=True)
    logit_first: Mapped[float] = mapped_column(Double)
    p_a: Mapped[float] = mapped_column(Double)
    p_b: Mapped[float] = mapped_column(Double)
    n_tokens: Mapped[int]
    truncated: Mapped[bool]
