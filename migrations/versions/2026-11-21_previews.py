"""Previews may be removed with all that was done in them; everything else stays as it is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Each table of which rows of a preview may be deleted, what still refuses every row, and whose a row is.
_KEPT = {
    "pair": ("never_changed", "UPDATE OR TRUNCATE", "SELECT OLD.study_id"),
    "slot": (
        "never_dealt_again",
        "UPDATE OF pair_id, arm_id, number, side_truthful OR TRUNCATE",
        "SELECT study_id FROM pair WHERE id = OLD.pair_id",
    ),
    "choice": ("never_deleted", "TRUNCATE", "SELECT study_id FROM participation WHERE id = OLD.participation_id"),
    # What was done to a preview stays on record, what was done in it does not.
    "event": (
        "append_only",
        "UPDATE OR TRUNCATE",
        "SELECT OLD.study_id WHERE OLD.participation_id IS NOT NULL OR OLD.kind = 'declined'",
    ),
}
_BEFORE = {
    "pair": "UPDATE OR DELETE OR TRUNCATE",
    "slot": "UPDATE OF pair_id, arm_id, number, side_truthful OR DELETE",
    "choice": "DELETE OR TRUNCATE",
    "event": "UPDATE OR DELETE OR TRUNCATE",
}


def _refuse(table: str, trigger: str, acts: str) -> None:
    op.execute(f"""
        CREATE TRIGGER {trigger} BEFORE {acts} ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _arms_of_a_frozen_design(unless: str) -> None:
    op.execute(f"""
        CREATE OR REPLACE FUNCTION refuse_change_of_frozen_arm() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM study WHERE id = OLD.study_id AND design_hash IS NOT NULL {unless}) THEN
                RAISE EXCEPTION 'arm is append-only';
            END IF;
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$
    """)  # noqa: S608 - of the words below


def upgrade() -> None:
    # Without these, each slot and pair that goes would be looked for among everybody's assignments.
    op.create_index(op.f("ix_assignment_pair_id"), "assignment", ["pair_id"])
    op.create_index("ix_assignment_slot_id", "assignment", ["slot_id"], postgresql_where=sa.text("slot_id IS NOT NULL"))
    for table, (trigger, acts, whose) in _KEPT.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        _refuse(table, trigger, acts)
        op.execute(f"""
            CREATE FUNCTION refuse_delete_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (SELECT 1 FROM study WHERE purpose = 'preview' AND id = ({whose})) THEN
                    RAISE EXCEPTION '{table} is append-only';
                END IF;
                RETURN OLD;
            END $$
        """)  # noqa: S608 - of the words above
        op.execute(f"""
            CREATE TRIGGER deleted_of_previews_alone BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_delete_of_{table}()
        """)
    _arms_of_a_frozen_design("AND NOT (TG_OP = 'DELETE' AND purpose = 'preview')")


def downgrade() -> None:
    _arms_of_a_frozen_design("")
    for table, (trigger, _, _) in _KEPT.items():
        op.execute(f"DROP TRIGGER deleted_of_previews_alone ON {table}")
        op.execute(f"DROP FUNCTION refuse_delete_of_{table}")
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        _refuse(table, trigger, _BEFORE[table])
    op.drop_index("ix_assignment_slot_id", "assignment")
    op.drop_index(op.f("ix_assignment_pair_id"), "assignment")
