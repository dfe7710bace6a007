"""What one person does costs the same however many came: indexes for what is deleted, and how many slots an arm has."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BY_ARM = ("slot", "vacancy", "claim")


def _index_open(condition: str) -> None:
    op.create_index(
        "ix_slot_open",
        "slot",
        ["pair_id", "arm_id", "side_truthful", "number"],
        postgresql_where=sa.text(condition),
    )


def upgrade() -> None:
    for index in ("ix_slot_open", "ix_slot_held", "ix_slot_held_arm"):
        op.drop_index(index, "slot")
    # An index whose condition names the state would be written anew by every judgement, with all others of the table.
    _index_open("participation_id IS NULL")
    op.create_index(op.f("ix_slot_participation_id"), "slot", ["participation_id"])
    for table in _BY_ARM:
        op.create_index(op.f(f"ix_{table}_arm_id"), table, ["arm_id"])
    op.create_table(
        "arm_vacancy",
        sa.Column("arm_id", sa.BigInteger(), nullable=False),
        sa.Column("n_open", sa.Integer(), nullable=False),
        sa.CheckConstraint("n_open >= 0", name=op.f("ck_arm_vacancy_open_not_negative")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_arm_vacancy_arm_id_arm")),
        sa.PrimaryKeyConstraint("arm_id", name=op.f("pk_arm_vacancy")),
    )
    op.execute("""
        INSERT INTO arm_vacancy (arm_id, n_open)
        SELECT arm.id, coalesce(sum(n_open), 0)
        FROM study JOIN arm ON arm.study_id = study.id LEFT JOIN vacancy ON vacancy.arm_id = arm.id
        WHERE study.design_hash IS NOT NULL
          AND (SELECT count(*) FROM arm AS beside WHERE beside.study_id = study.id) > 1
        GROUP BY arm.id
    """)


def downgrade() -> None:
    op.drop_table("arm_vacancy")
    for table in _BY_ARM:
        op.drop_index(op.f(f"ix_{table}_arm_id"), table)
    op.drop_index(op.f("ix_slot_participation_id"), "slot")
    op.drop_index("ix_slot_open", "slot")
    _index_open("state = 'open'")
    op.create_index("ix_slot_held", "slot", ["participation_id"], postgresql_where=sa.text("state = 'held'"))
    op.create_index("ix_slot_held_arm", "slot", ["arm_id"], postgresql_where=sa.text("state = 'held'"))
