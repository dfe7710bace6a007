"""What a study may switch on, checks and how a person's way ended; codes by outcome, and what platforms report."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STAGES = ("consent", "background", "instructions", "comprehension", "practice", "judging", "looked_up", "debrief")
_NEW_STAGES = ("background", "comprehension")
_OUTCOMES = ("complete", "failed_checks", "screened_out", "stopped", "returned")


_KINDS: dict[str, Any] = {
    "options": postgresql.JSONB(),
    "failed_checks_code": sa.Text(),
    "screened_out_code": sa.Text(),
    "confidence": sa.SmallInteger(),
    "reason": sa.Text(),
    "times_away": sa.SmallInteger(),
    "pastes": sa.SmallInteger(),
}


def _one_of(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def upgrade() -> None:
    # A default fills the rows there are; then it goes, because the application gives the value.
    for column, default in (
        ("options", "'{}'::jsonb"),
        ("failed_checks_code", "upper(left(md5(random()::text), 8))"),
        ("screened_out_code", "upper(left(md5(random()::text), 8))"),
    ):
        op.add_column("study", sa.Column(column, _KINDS[column], server_default=sa.text(default), nullable=False))
        op.alter_column("study", column, server_default=None)
    op.add_column("study", sa.Column("entry_holds", sa.Integer()))
    op.create_check_constraint(op.f("ck_study_entry_holds_positive"), "study", "entry_holds > 0")

    for column in ("n_believed", "n_checked", "checks_failed"):
        op.add_column("participation", sa.Column(column, sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("participation", sa.Column("next_check", sa.SmallInteger()))
    op.add_column("participation", sa.Column("outcome", sa.Text()))
    op.add_column("participation", sa.Column("background", postgresql.JSONB()))
    op.execute("""
        UPDATE participation
        SET outcome = CASE WHEN stopped_at IS NOT NULL THEN 'stopped' WHEN stage = 'complete' THEN 'complete' END
    """)
    op.create_check_constraint(
        op.f("ck_participation_outcome_known"), "participation", f"outcome IN ({_one_of(_OUTCOMES)})"
    )
    op.drop_constraint(op.f("ck_participation_stage_known"), "participation")
    op.create_check_constraint(
        op.f("ck_participation_stage_known"), "participation", f"stage IN ({_one_of((*_STAGES, 'complete'))})"
    )
    op.create_index(
        "ix_participation_unconsented",
        "participation",
        ["study_id"],
        postgresql_where=sa.text("held_until IS NOT NULL AND consented_at IS NULL"),
    )
    op.add_column("platform_identity", sa.Column("platform_status", sa.Text()))
    op.add_column("platform_identity", sa.Column("platform_status_at", sa.DateTime(timezone=True)))

    op.add_column("assignment", sa.Column("prior_belief", sa.SmallInteger()))
    op.create_check_constraint(op.f("ck_assignment_prior_belief_range"), "assignment", "prior_belief BETWEEN 0 AND 100")
    for column in ("confidence", "reason", "times_away", "pastes"):
        op.add_column("choice", sa.Column(column, _KINDS[column]))
    op.create_check_constraint(op.f("ck_choice_confidence_range"), "choice", "confidence BETWEEN 1 AND 5")
    op.create_check_constraint(op.f("ck_choice_counts_not_negative"), "choice", "times_away >= 0 AND pastes >= 0")
    op.drop_constraint(op.f("ck_choice_side_chosen_known"), "choice")
    op.create_check_constraint(op.f("ck_choice_side_chosen_known"), "choice", "side_chosen IN ('left', 'right', 'tie')")

    op.create_table(
        "check_answer",
        sa.Column("participation_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('comprehension', 'attention')", name=op.f("ck_check_answer_kind_known")),
        sa.CheckConstraint("number >= 1 AND attempt >= 1", name=op.f("ck_check_answer_counted_from_one")),
        sa.ForeignKeyConstraint(
            ["participation_id"],
            ["participation.id"],
            name=op.f("fk_check_answer_participation_id_participation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("participation_id", "kind", "number", "attempt", name=op.f("pk_check_answer")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("signature_hash", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("signature_hash", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_delivered_at"), "webhook_delivery", ["delivered_at"])


def downgrade() -> None:
    op.drop_table("webhook_delivery")
    op.drop_table("check_answer")
    op.drop_constraint(op.f("ck_choice_side_chosen_known"), "choice")
    op.create_check_constraint(op.f("ck_choice_side_chosen_known"), "choice", "side_chosen IN ('left', 'right')")
    for column in ("pastes", "times_away", "reason", "confidence"):
        op.drop_column("choice", column)
    op.drop_column("assignment", "prior_belief")
    op.drop_column("platform_identity", "platform_status_at")
    op.drop_column("platform_identity", "platform_status")
    op.drop_index("ix_participation_unconsented", "participation")
    op.drop_constraint(op.f("ck_participation_stage_known"), "participation")
    old = tuple(stage for stage in _STAGES if stage not in _NEW_STAGES)
    op.create_check_constraint(
        op.f("ck_participation_stage_known"), "participation", f"stage IN ({_one_of((*old, 'complete'))})"
    )
    for column in ("background", "outcome", "next_check", "checks_failed", "n_checked", "n_believed"):
        op.drop_column("participation", column)
    op.drop_column("study", "entry_holds")
    for column in ("screened_out_code", "failed_checks_code", "options"):
        op.drop_column("study", column)
