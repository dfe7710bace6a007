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
            IF TG_TABLE_NAME = 'response' THEN
                SELECT set_id INTO used FROM misconception WHERE id = OLD.misconception_id;
            ELSIF TG_TABLE_NAME = 'misconception' THEN
                used := OLD.set_id;
            ELSE
                used := OLD.id;
            END IF;
            IF EXISTS (SELECT 1 FROM study WHERE set_id = used) THEN
                RAISE EXCEPTION 'misconception set % is used by a study and cannot change', used;
            END IF;
            RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
        END $$
    """)
    for table in ("misconception_set", "misconception", "response"):
        op.execute(f"""
            CREATE TRIGGER refuse_change_in_use BEFORE UPDATE OR DELETE ON {table}
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


def downgrade() -> None:
    op.execute("DROP TRIGGER append_only ON event")
    op.execute("DROP TRIGGER refuse_change_of_frozen_design ON study")
    for table in ("misconception_set", "misconception", "response"):
        op.execute(f"DROP TRIGGER refuse_change_in_use ON {table}")
    op.execute("DROP FUNCTION refuse_change")
    op.execute("DROP FUNCTION refuse_change_of_frozen_design")
    op.execute("DROP FUNCTION refuse_change_of_set_in_use")
