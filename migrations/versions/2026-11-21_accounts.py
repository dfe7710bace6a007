"""Invitations, password resets and API tokens; who was acted on, and the indexes by which the audit log is read."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ACTS = "participation_id IS NULL AND kind <> 'declined'"
_READ_BY = ((), ("kind",), ("study_id",), ("account_id",), ("about_account_id",))


def _name(columns: tuple[str, ...]) -> str:
    return "_".join(("ix_event_acts", *columns))


def _times(*names: str) -> list[sa.Column[datetime]]:
    made = sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    expires = sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False)
    return [made, expires, *(sa.Column(name, sa.DateTime(timezone=True)) for name in names)]


def upgrade() -> None:
    op.add_column("account", sa.Column("last_signed_in_at", sa.DateTime(timezone=True)))
    op.create_table(
        "invitation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        *_times("accepted_at", "withdrawn_at"),
        sa.CheckConstraint("role IN ('admin', 'researcher')", name=op.f("ck_invitation_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index(
        "uq_invitation_email_pending",
        "invitation",
        ["email"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_table(
        "password_reset",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_password_reset_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        *_times("last_used_at", "revoked_at"),
        sa.CheckConstraint("scope IN ('read', 'control')", name=op.f("ck_api_token_scope_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_token_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(
        "uq_api_token_account_id_name",
        "api_token",
        ["account_id", "name"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.add_column("event", sa.Column("about_account_id", sa.BigInteger()))
    for columns in _READ_BY:
        op.create_index(_name(columns), "event", [*columns, "at", "id"], postgresql_where=sa.text(_ACTS))


def downgrade() -> None:
    for columns in reversed(_READ_BY):
        op.drop_index(_name(columns), "event")
    op.drop_column("event", "about_account_id")
    op.drop_table("api_token")
    op.drop_table("password_reset")
    op.drop_table("invitation")
    op.drop_column("account", "last_signed_in_at")
