"""Two small indexes for the progress page: late choices, and who declined. A judgement in time touches neither."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_choice_late", "choice", ["participation_id"], postgresql_where=sa.text("late"))
    op.create_index("ix_event_declined", "event", ["study_id"], postgresql_where=sa.text("kind = 'declined'"))


def downgrade() -> None:
    op.drop_index("ix_event_declined", "event")
    op.drop_index("ix_choice_late", "choice")
