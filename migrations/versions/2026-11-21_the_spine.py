"""the spine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'researcher')", name=op.f("ck_account_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=True),
        sa.Column("participation_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_study_id_id", "event", ["study_id", "id"], unique=False)
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_at", "login_attempt", ["at"], unique=False)
    op.create_index("ix_login_attempt_subject_at", "login_attempt", ["subject", "at"], unique=False)
    op.create_table(
        "misconception_set",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_misconception_set_version_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_misconception_set")),
        sa.UniqueConstraint("slug", "content_hash", name=op.f("uq_misconception_set_slug_content_hash")),
        sa.UniqueConstraint("slug", "version", name=op.f("uq_misconception_set_slug_version")),
    )
    op.create_table(
        "login_link",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_link_account_id_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login_link")),
    )
    op.create_index(op.f("ix_login_link_account_id"), "login_link", ["account_id"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login_session")),
    )
    op.create_index(op.f("ix_login_session_account_id"), "login_session", ["account_id"], unique=False)
    op.create_table(
        "misconception",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("difficulty_level", sa.SmallInteger(), nullable=True),
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.CheckConstraint("difficulty_level BETWEEN 1 AND 8", name=op.f("ck_misconception_difficulty_level_range")),
        sa.ForeignKeyConstraint(
            ["set_id"], ["misconception_set.id"], name=op.f("fk_misconception_set_id_misconception_set")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_misconception")),
        sa.UniqueConstraint("set_id", "key", name=op.f("uq_misconception_set_id_key")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("ratings_per_pair", sa.SmallInteger(), nullable=False),
        sa.Column("pairs_per_annotator", sa.SmallInteger(), nullable=False),
        sa.Column("min_pairs", sa.SmallInteger(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("completion_code", sa.Text(), nullable=False),
        sa.Column("expected_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("pay", sa.Text(), nullable=False),
        sa.Column("entry_hold_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("hold_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("design_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'draft') = (design_hash IS NULL)", name=op.f("ck_study_design_frozen")),
        sa.CheckConstraint("platform IN ('open', 'generic', 'prolific')", name=op.f("ck_study_platform_known")),
        sa.CheckConstraint("state IN ('draft', 'live', 'paused', 'closed')", name=op.f("ck_study_state_known")),
        sa.CheckConstraint("entry_hold_minutes > 0 AND hold_minutes > 0", name=op.f("ck_study_holds_positive")),
        sa.CheckConstraint("min_pairs BETWEEN 1 AND pairs_per_annotator", name=op.f("ck_study_min_pairs_range")),
        sa.CheckConstraint("pairs_per_annotator >= 1", name=op.f("ck_study_pairs_per_annotator_positive")),
        sa.CheckConstraint("ratings_per_pair >= 1", name=op.f("ck_study_ratings_per_pair_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_study_owner_id_account")),
        sa.ForeignKeyConstraint(["set_id"], ["misconception_set.id"], name=op.f("fk_study_set_id_misconception_set")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("slug", name=op.f("uq_study_slug")),
    )
    op.create_index(op.f("ix_study_owner_id"), "study", ["owner_id"], unique=False)
    op.create_index(op.f("ix_study_set_id"), "study", ["set_id"], unique=False)
    op.create_table(
        "arm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("truthful_kind", sa.Text(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.CheckConstraint("instructions IN ('neutral', 'prefer_truth')", name=op.f("ck_arm_instructions_known")),
        sa.CheckConstraint("truthful_kind IN ('helpful', 'baseline')", name=op.f("ck_arm_truthful_kind_known")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_arm_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arm")),
        sa.UniqueConstraint(
            "study_id", "truthful_kind", "instructions", name=op.f("uq_arm_study_id_truthful_kind_instructions")
        ),
    )
    op.create_table(
        "pair",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("misconception_id", sa.BigInteger(), nullable=False),
        sa.Column("difficulty_level", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("difficulty_level BETWEEN 1 AND 8", name=op.f("ck_pair_difficulty_level_range")),
        sa.ForeignKeyConstraint(
            ["misconception_id"], ["misconception.id"], name=op.f("fk_pair_misconception_id_misconception")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_pair_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pair")),
        sa.UniqueConstraint("study_id", "misconception_id", name=op.f("uq_pair_study_id_misconception_id")),
    )
    op.create_index(op.f("ix_pair_misconception_id"), "pair", ["misconception_id"], unique=False)
    op.create_table(
        "response",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("misconception_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("n_words", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('baseline_truthful', 'helpful_truthful', 'sycophantic')", name=op.f("ck_response_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["misconception_id"], ["misconception.id"], name=op.f("fk_response_misconception_id_misconception")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("misconception_id", "kind", name=op.f("uq_response_misconception_id_kind")),
    )
    op.create_table(
        "participation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("arm_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), server_default="consent", nullable=False),
        sa.Column("n_planned", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_answered", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_up", sa.Boolean(), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "stage IN ('consent', 'instructions', 'practice', 'judging', 'looked_up', 'debrief', 'complete')",
            name=op.f("ck_participation_stage_known"),
        ),
        sa.CheckConstraint("n_answered BETWEEN 0 AND n_planned", name=op.f("ck_participation_answered_of_planned")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_participation_arm_id_arm")),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_participation_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
        sa.UniqueConstraint("study_id", "public_id", name=op.f("uq_participation_study_id_public_id")),
    )
    op.create_index(op.f("ix_participation_arm_id"), "participation", ["arm_id"], unique=False)
    op.create_index(
        "ix_participation_held",
        "participation",
        ["study_id", "held_until"],
        unique=False,
        postgresql_where=sa.text("held_until IS NOT NULL"),
    )
    op.create_table(
        "vacancy",
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("arm_id", sa.BigInteger(), nullable=False),
        sa.Column("difficulty_level", sa.SmallInteger(), nullable=False),
        sa.Column("shuffle", sa.Integer(), nullable=False),
        sa.Column("open_left", sa.SmallInteger(), nullable=False),
        sa.Column("open_right", sa.SmallInteger(), nullable=False),
        sa.Column("n_open", sa.SmallInteger(), sa.Computed("open_left + open_right", persisted=True), nullable=False),
        sa.CheckConstraint("open_left >= 0 AND open_right >= 0", name=op.f("ck_vacancy_open_not_negative")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_vacancy_arm_id_arm")),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_vacancy_pair_id_pair")),
        sa.PrimaryKeyConstraint("pair_id", "arm_id", name=op.f("pk_vacancy")),
    )
    op.create_index(
        "ix_vacancy_left",
        "vacancy",
        ["arm_id", "difficulty_level", sa.literal_column("n_open DESC"), "shuffle"],
        unique=False,
        postgresql_where=sa.text("open_left > 0"),
    )
    op.create_index(
        "ix_vacancy_right",
        "vacancy",
        ["arm_id", "difficulty_level", sa.literal_column("n_open DESC"), "shuffle"],
        unique=False,
        postgresql_where=sa.text("open_right > 0"),
    )
    op.create_table(
        "claim",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger(), nullable=False),
        sa.Column("arm_id", sa.BigInteger(), nullable=False),
        sa.Column("participation_id", sa.BigInteger(), nullable=True),
        sa.Column("draw", sa.Text(), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("planned", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_claim_arm_id_arm")),
        sa.ForeignKeyConstraint(
            ["participation_id"],
            ["participation.id"],
            name=op.f("fk_claim_participation_id_participation"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_claim_study_id_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_participation_id"), "claim", ["participation_id"], unique=False)
    op.create_index("ix_claim_study_id_id", "claim", ["study_id", "id"], unique=False)
    op.create_table(
        "platform_identity",
        sa.Column("participation_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("platform_person", sa.Text(), nullable=False),
        sa.Column("platform_study", sa.Text(), nullable=True),
        sa.Column("platform_session", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participation_id"],
            ["participation.id"],
            name=op.f("fk_platform_identity_participation_id_participation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("participation_id", name=op.f("pk_platform_identity")),
    )
    op.create_index("ix_platform_identity_session", "platform_identity", ["platform_session"], unique=False)
    op.create_table(
        "slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("arm_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("side_truthful", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("participation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (participation_id IS NULL)", name=op.f("ck_slot_held_by_someone")),
        sa.CheckConstraint("side_truthful IN ('left', 'right')", name=op.f("ck_slot_side_truthful_known")),
        sa.CheckConstraint("state IN ('open', 'held', 'filled')", name=op.f("ck_slot_state_known")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_slot_number_from_one")),
        sa.ForeignKeyConstraint(["arm_id"], ["arm.id"], name=op.f("fk_slot_arm_id_arm")),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_slot_pair_id_pair")),
        sa.ForeignKeyConstraint(
            ["participation_id"], ["participation.id"], name=op.f("fk_slot_participation_id_participation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint("pair_id", "arm_id", "number", name=op.f("uq_slot_pair_id_arm_id_number")),
    )
    op.create_index(
        "ix_slot_held", "slot", ["participation_id"], unique=False, postgresql_where=sa.text("state = 'held'")
    )
    op.create_index("ix_slot_held_arm", "slot", ["arm_id"], unique=False, postgresql_where=sa.text("state = 'held'"))
    op.create_index(
        "ix_slot_open",
        "slot",
        ["pair_id", "arm_id", "side_truthful", "number"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "assignment",
        sa.Column("participation_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("side_truthful", sa.Text(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=True),
        sa.Column("repeat_of", sa.SmallInteger(), nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("side_truthful IN ('left', 'right')", name=op.f("ck_assignment_side_truthful_known")),
        sa.ForeignKeyConstraint(["pair_id"], ["pair.id"], name=op.f("fk_assignment_pair_id_pair")),
        sa.ForeignKeyConstraint(
            ["participation_id"],
            ["participation.id"],
            name=op.f("fk_assignment_participation_id_participation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_assignment_slot_id_slot")),
        sa.PrimaryKeyConstraint("participation_id", "position", name=op.f("pk_assignment")),
    )
    op.create_index(
        "uq_assignment_participation_id_pair_id",
        "assignment",
        ["participation_id", "pair_id"],
        unique=True,
        postgresql_where=sa.text("repeat_of IS NULL"),
    )
    op.create_table(
        "choice",
        sa.Column("participation_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=True),
        sa.Column("side_chosen", sa.Text(), nullable=True),
        sa.Column("decision_ms_browser", sa.Integer(), nullable=True),
        sa.Column("decision_ms_server", sa.BigInteger(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("design_hash", sa.Text(), nullable=False),
        sa.CheckConstraint("side_chosen IN ('left', 'right')", name=op.f("ck_choice_side_chosen_known")),
        sa.CheckConstraint("NOT (withdrawn AND counted)", name=op.f("ck_choice_withdrawn_frees_its_slot")),
        sa.CheckConstraint("counted = (slot_id IS NOT NULL)", name=op.f("ck_choice_counted_fills_a_slot")),
        sa.CheckConstraint(
            "decision_ms_browser >= 0 AND decision_ms_server >= 0", name=op.f("ck_choice_decision_ms_not_negative")
        ),
        sa.CheckConstraint("withdrawn = (side_chosen IS NULL)", name=op.f("ck_choice_withdrawn_says_nothing")),
        sa.ForeignKeyConstraint(
            ["participation_id", "position"],
            ["assignment.participation_id", "assignment.position"],
            name="fk_choice_participation_id_assignment",
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_choice_slot_id_slot")),
        sa.PrimaryKeyConstraint("participation_id", "position", name=op.f("pk_choice")),
        sa.UniqueConstraint("slot_id", name=op.f("uq_choice_slot_id")),
    )


def downgrade() -> None:

    op.drop_table("choice")
    op.drop_index(
        "uq_assignment_participation_id_pair_id", table_name="assignment", postgresql_where=sa.text("repeat_of IS NULL")
    )
    op.drop_table("assignment")
    op.drop_index("ix_slot_open", table_name="slot", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_slot_held_arm", table_name="slot", postgresql_where=sa.text("state = 'held'"))
    op.drop_index("ix_slot_held", table_name="slot", postgresql_where=sa.text("state = 'held'"))
    op.drop_table("slot")
    op.drop_index("ix_platform_identity_session", table_name="platform_identity")
    op.drop_table("platform_identity")
    op.drop_index("ix_claim_study_id_id", table_name="claim")
    op.drop_index(op.f("ix_claim_participation_id"), table_name="claim")
    op.drop_table("claim")
    op.drop_index("ix_vacancy_right", table_name="vacancy", postgresql_where=sa.text("open_right > 0"))
    op.drop_index("ix_vacancy_left", table_name="vacancy", postgresql_where=sa.text("open_left > 0"))
    op.drop_table("vacancy")
    op.drop_index(
        "ix_participation_held", table_name="participation", postgresql_where=sa.text("held_until IS NOT NULL")
    )
    op.drop_index(op.f("ix_participation_arm_id"), table_name="participation")
    op.drop_table("participation")
    op.drop_table("response")
    op.drop_index(op.f("ix_pair_misconception_id"), table_name="pair")
    op.drop_table("pair")
    op.drop_table("arm")
    op.drop_index(op.f("ix_study_set_id"), table_name="study")
    op.drop_index(op.f("ix_study_owner_id"), table_name="study")
    op.drop_table("study")
    op.drop_table("misconception")
    op.drop_index(op.f("ix_login_session_account_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_index(op.f("ix_login_link_account_id"), table_name="login_link")
    op.drop_table("login_link")
    op.drop_table("misconception_set")
    op.drop_index("ix_login_attempt_subject_at", table_name="login_attempt")
    op.drop_index("ix_login_attempt_at", table_name="login_attempt")
    op.drop_table("login_attempt")
    op.drop_index("ix_event_study_id_id", table_name="event")
    op.drop_table("event")
    op.drop_table("account")
