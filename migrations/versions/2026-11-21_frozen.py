"""What the database itself refuses: changing a set in use, a design that is frozen, or the record of events."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Columns of a study that may change after it opened: its state, its times and its owner. All others are its design.
_LIVING = ("state", "opened_at", "closed_at", "owner_id", "title")


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change_of_set_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE used bigint;
        BEGIN
            -- Both where a row was and where it goes: a row may not be moved into a set in use either.
            FOR used IN
                SELECT CASE TG_TABLE_NAME
                           WHEN 'response' THEN
                               (SELECT set_id FROM misconception WHERE id = (moved->>'misconception_id')::bigint)
                           WHEN 'misconception' THEN (moved->>'set_id')::bigint
                           ELSE (moved->>'id')::bigint
                       END
                FROM unnest(ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
                                  CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END]) AS moved
                WHERE moved IS NOT NULL
            LOOP
                IF EXISTS (SELECT 1 FROM study WHERE set_id = used) THEN
                    RAISE EXCEPTION 'misconception set % is used by a study and cannot change', used;
                END IF;
            END LOOP;
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$
    """)
    for table in ("misconception_set", "misconception", "response"):
        op.execute(f"""
            CREATE TRIGGER refuse_change_in_use BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change_of_set_in_use()
        """)
    living = ", ".join(f"'{column}'" for column in _LIVING)
    op.execute(f"""
        CREATE FUNCTION refuse_change_of_frozen_design() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.design_hash IS NOT NULL
               AND to_jsonb(OLD) - ARRAY[{living}] IS DISTINCT FROM to_jsonb(NEW) - ARRAY[{living}] THEN
                RAISE EXCEPTION 'the design of study % is frozen', OLD.slug;
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER refuse_change_of_frozen_design BEFORE UPDATE ON study
        FOR EACH ROW EXECUTE FUNCTION refuse_change_of_frozen_design()
    """)
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)

    # What a study was opened with, and what was chosen in it, stays.
    op.execute("""
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON pair
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON arm
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER never_dealt_again BEFORE UPDATE OF pair_id, arm_id, number, side_truthful OR DELETE ON slot
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON choice
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER never_deleted ON choice")
    op.execute("DROP TRIGGER never_dealt_again ON slot")
    op.execute("DROP TRIGGER never_changed ON arm")
    op.execute("DROP TRIGGER never_changed ON pair")
    op.execute("DROP TRIGGER append_only ON event")
    op.execute("DROP TRIGGER refuse_change_of_frozen_design ON study")
    for table in ("misconception_set", "misconception", "response"):
        op.execute(f"DROP TRIGGER refuse_change_in_use ON {table}")
    op.execute("DROP FUNCTION refuse_change")
    op.execute("DROP FUNCTION refuse_change_of_frozen_design")
    op.execute("DROP FUNCTION refuse_change_of_set_in_use")
