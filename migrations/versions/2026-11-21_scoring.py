"""Scoring runs of a study, with a reward model's scores of responses and a judge's comparisons of pairs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scoring_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("scorer", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_revision", sa.Text(), nullable=True),
        sa.Column("random_weights", sa.Boolean(), nullable=False),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.Column("noise_floor", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("n_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_all", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_per_second", sa.Double(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scorer IN ('reward', 'judge', 'oracle')", name=op.f("ck_scoring_run_scorer_known")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_scoring_run_state_known")),
        sa.CheckConstraint(
            "noise_floor >= 0 AND noise_floor < 'infinity'", name=op.f("ck_scoring_run_noise_floor_range")
        ),
        sa.CheckConstraint(
            "n_done >= 0 AND n_all >= 0 AND tokens_per_second >= 0",
            name=op.f("ck_scoring_run_progress_not_negative"),
        ),
        sa.CheckConstraint("(state = 'failed') = (fault IS NOT NULL)", name=op.f("ck_scoring_run_failed_says_why")),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at IS NOT NULL)", name=op.f("ck_scoring_run_done_has_its_time")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_scoring_run_study_id_study")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_scoring_run_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scoring_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_scoring_run_public_id")),
    )
    op.create_index("ix_scoring_run_study_id_id", "scoring_run", ["study_id", "id"])
    op.create_table(
        "response_score",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("misconception_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("n_tokens", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('baseline_truthful', 'helpful_truthful', 'sycophantic')",
            name=op.f("ck_response_score_kind_known"),
        ),
        sa.CheckConstraint("score > '-infinity' AND score < 'infinity'", name=op.f("ck_response_score_score_finite")),
        sa.CheckConstraint("n_tokens >= 0", name=op.f("ck_response_score_n_tokens_not_negative")),
        sa.ForeignKeyConstraint(["run_id"], ["scoring_run.id"], name=op.f("fk_response_score_run_id_scoring_run")),
        sa.ForeignKeyConstraint(
            ["misconception_id", "kind"],
            ["response.misconception_id", "response.kind"],
            name=op.f("fk_response_score_misconception_id_response"),
        ),
        sa.PrimaryKeyConstraint("run_id", "variant", "misconception_id", "kind", name=op.f("pk_response_score")),
    )
    op.create_table(
        "pair_score",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("misconception_id", sa.BigInteger(), nullable=False),
        sa.Column("truthful_kind", sa.Text(), nullable=False),
        sa.Column("judged_order", sa.Text(), nullable=False),
        sa.Column("logit_first", sa.Double(), nullable=False),
        sa.Column("p_a", sa.Double(), nullable=False),
        sa.Column("p_b", sa.Double(), nullable=False),
        sa.Column("n_tokens", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("truthful_kind IN ('helpful', 'baseline')", name=op.f("ck_pair_score_truthful_kind_known")),
        sa.CheckConstraint(
            "judged_order IN ('truthful_first', 'sycophantic_first')", name=op.f("ck_pair_score_judged_order_known")
        ),
        sa.CheckConstraint(
            "logit_first > '-infinity' AND logit_first < 'infinity'", name=op.f("ck_pair_score_logit_first_finite")
        ),
        sa.CheckConstraint("p_a BETWEEN 0 AND 1 AND p_b BETWEEN 0 AND 1", name=op.f("ck_pair_score_p_range")),
        sa.CheckConstraint("n_tokens >= 0", name=op.f("ck_pair_score_n_tokens_not_negative")),
        sa.ForeignKeyConstraint(["run_id"], ["scoring_run.id"], name=op.f("fk_pair_score_run_id_scoring_run")),
        sa.ForeignKeyConstraint(
            ["misconception_id"], ["misconception.id"], name=op.f("fk_pair_score_misconception_id_misconception")
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "variant", "misconception_id", "truthful_kind", "judged_order", name=op.f("pk_pair_score")
        ),
    )
    # A score that is stored stays as it is, and so does a run that is done.
    for table in ("response_score", "pair_score"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    op.execute("""
        CREATE TRIGGER never_changed BEFORE UPDATE ON scoring_run
        FOR EACH ROW WHEN (OLD.state = 'done') EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON scoring_run
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def downgrade() -> None:
    op.drop_table("pair_score")
    op.drop_table("response_score")
    op.drop_table("scoring_run")
