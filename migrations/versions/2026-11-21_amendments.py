"""Amendments of live designs, retired pairs, preregistrations; pilots and previews as studies of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Columns of a study that may change after it opened, as before; and what an amendment may raise, with a hash on record.
_LIVING = "'state', 'opened_at', 'closed_at', 'owner_id', 'title'"
_AMENDABLE = "'ratings_per_pair', 'design_hash'"


def _refuse_change_of_frozen_design(unless_amended: str, amendable: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION refuse_change_of_frozen_design() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {unless_amended}
            IF OLD.design_hash IS NOT NULL
               AND to_jsonb(OLD) - ARRAY[{_LIVING}{amendable}] IS DISTINCT FROM
                   to_jsonb(NEW) - ARRAY[{_LIVING}{amendable}] THEN
                RAISE EXCEPTION 'the design of study % is frozen', OLD.slug;
            END IF;
            RETURN NEW;
        END $$
    """


_UNLESS_AMENDED = """
            IF OLD.design_hash IS NOT NULL
               AND (NEW.ratings_per_pair, NEW.design_hash) IS DISTINCT FROM (OLD.ratings_per_pair, OLD.design_hash)
               AND (NEW.ratings_per_pair < OLD.ratings_per_pair
                    OR NOT EXISTS (SELECT 1 FROM amendment
                                   WHERE study_id = OLD.id AND design_hash = NEW.design_hash
                                     AND NEW.design_hash IS DISTINCT FROM OLD.design_hash)) THEN
                RAISE EXCEPTION 'the design of study % is frozen', OLD.slug;
            END IF;
"""


def upgrade() -> None:
    op.add_column("study", sa.Column("purpose", sa.Text(), server_default="study", nullable=False))
    op.add_column("study", sa.Column("copy_of_id", sa.BigInteger()))
    op.create_check_constraint(op.f("ck_study_purpose_known"), "study", "purpose IN ('study', 'pilot', 'preview')")
    op.create_check_constraint(
        op.f("ck_study_copies_have_an_original"), "study", "(purpose = 'study') = (copy_of_id IS NULL)"
    )
    op.create_foreign_key(op.f("fk_study_copy_of_id_study"), "study", "study", ["copy_of_id"], ["id"])
    op.create_index(op.f("ix_study_copy_of_id"), "study", ["copy_of_id"])
    op.create_table(
        "amendment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("design_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_amendment_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("study_id", "design_hash", name=op.f("uq_amendment_study_id_design_hash")),
    )
    op.create_table(
        "retired_pair",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_retired_pair_pair_id_pair")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_retired_pair_study_id_study")),
        sa.PrimaryKeyConstraint("pair_id", name=op.f("pk_retired_pair")),
    )
    op.create_index(op.f("ix_retired_pair_study_id"), "retired_pair", ["study_id"])
    op.create_table(
        "preregistration",
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_preregistration_study_id_study")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_preregistration")),
    )
    op.execute(_refuse_change_of_frozen_design(_UNLESS_AMENDED, f", {_AMENDABLE}"))
    # The arms of a draft may change with it.
    op.execute("""
        CREATE FUNCTION refuse_change_of_frozen_arm() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM study WHERE id = OLD.study_id AND design_hash IS NOT NULL) THEN
                RAISE EXCEPTION 'arm is append-only';
            END IF;
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$
    """)
    op.execute("DROP TRIGGER never_changed ON arm")
    op.execute("""
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON arm
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_frozen_arm()
    """)
    op.execute("""
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON arm FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    for table in ("amendment", "retired_pair", "preregistration"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def downgrade() -> None:
    op.execute("DROP TRIGGER never_emptied ON arm")
    op.execute("DROP TRIGGER never_changed ON arm")
    op.execute("DROP FUNCTION refuse_change_of_frozen_arm")
    op.execute("""
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON arm
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute(_refuse_change_of_frozen_design("", ""))
    op.drop_table("preregistration")
    op.drop_table("retired_pair")
    op.drop_table("amendment")
    for constraint in ("fk_study_copy_of_id_study", "ck_study_copies_have_an_original", "ck_study_purpose_known"):
        op.drop_constraint(op.f(constraint), "study")
    op.drop_index(op.f("ix_study_copy_of_id"), "study")
    op.drop_column("study", "copy_of_id")
    op.drop_column("study", "purpose")
