"""Gradings of sets: how plausible each claim is, by a model or by people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grading",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("prompt_hash", sa.Text(), nullable=True),
        sa.Column("record", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('model', 'endpoint', 'ratings')", name=op.f("ck_grading_kind_known")),
        sa.CheckConstraint("(kind = 'ratings') = (prompt_hash IS NULL)", name=op.f("ck_grading_models_were_asked")),
        sa.ForeignKeyConstraint(["set_id"], ["misconception_set.id"], name=op.f("fk_grading_set_id_misconception_set")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_grading_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grading")),
    )
    op.create_index(op.f("ix_grading_set_id"), "grading", ["set_id"])
    op.create_table(
        "grading_value",
        sa.Column("grading_id", sa.BigInteger(), nullable=False),
        sa.Column("misconception_id", sa.BigInteger(), nullable=False),
        sa.Column("rater", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.CheckConstraint("value BETWEEN 0 AND 100", name=op.f("ck_grading_value_value_range")),
        sa.ForeignKeyConstraint(["grading_id"], ["grading.id"], name=op.f("fk_grading_value_grading_id_grading")),
        sa.ForeignKeyConstraint(
            ["misconception_id"], ["misconception.id"], name=op.f("fk_grading_value_misconception_id_misconception")
        ),
        sa.PrimaryKeyConstraint("grading_id", "misconception_id", "rater", name=op.f("pk_grading_value")),
    )
    # A grading that is stored stays as it is.
    for table in ("grading", "grading_value"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def downgrade() -> None:
    op.drop_table("grading_value")
    op.drop_table("grading")
