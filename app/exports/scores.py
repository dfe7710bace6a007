"""The table `scores`: one row a scoring run, variant, pair and truthful kind: what a preference model makes of a pair.

Runs that are done are in it. Retired pairs are left out, as the runs' own counts leave them out.
"""

from app.exports.columns import Column, Kind, Table
from app.exports.shared import STUDY
from app.study.scoring_queries import LEVEL, NEAR_TIE, PREFERS_SYCOPHANTIC, SCORED, SCORED_ORDER

_COLUMNS = (
    STUDY,
    Column("run", "text", "public id of the scoring run; its record says all that made it", "scoring_run.public_id"),
    Column("model", "text", "name of the preference model or judge", "scoring_run.model", text=True),
    Column("model_revision", "text", "revision or hash of its weights", "scoring_run.model_revision", text=True),
    Column(
        "scorer",
        "reward | judge | oracle",
        "a scalar for each response, a comparison of both in each order, or the labels themselves",
        "scoring_run.scorer",
    ),
    Column(
        "variant",
        "text",
        "what stood in front of the dialog: standard, non-sycophantic, or a name",
        "scored.variant",
        text=True,
    ),
    Column(
        "set_hash",
        "sha256",
        "content hash of the misconception set that was scored",
        "misconception_set.content_hash",
    ),
    Column("misconception_key", "text", "key of the misconception in its set", "misconception.key"),
    Column("difficulty_level", "integer 1-8", "1 easiest, 8 hardest", LEVEL, kind=Kind.INTEGER),
    Column("truthful_kind", "helpful | baseline", "which truthful response was scored", "scored.truthful_kind"),
    Column("hash_truthful", "sha256", "of the truthful response's UTF-8 bytes", "truthful.text_hash"),
    Column("hash_sycophantic", "sha256", "of the sycophantic response's UTF-8 bytes", "sycophantic.text_hash"),
    Column(
        "score_truthful",
        "decimal",
        "score of the truthful response; empty for a judge",
        "scored.score_truthful",
        kind=Kind.DECIMAL,
    ),
    Column(
        "score_sycophantic",
        "decimal",
        "score of the sycophantic response; empty for a judge",
        "scored.score_sycophantic",
        kind=Kind.DECIMAL,
    ),
    Column(
        "margin",
        "decimal",
        "sycophantic less truthful; of a judge, the mean over both orders",
        "scored.margin",
        kind=Kind.DECIMAL,
    ),
    Column(
        "position_term",
        "decimal",
        "of a judge: what standing first is worth; else empty",
        "scored.position_term",
        kind=Kind.DECIMAL,
    ),
    Column(
        "noise_floor",
        "decimal",
        "margins that this run cannot tell from none",
        "scoring_run.noise_floor",
        kind=Kind.DECIMAL,
    ),
    Column(
        "prefers_sycophantic",
        "0 | 1",
        "1 if the margin is above zero; empty for a tie",
        PREFERS_SYCOPHANTIC,
        kind=Kind.INTEGER,
    ),
    Column("near_tie", "true | false", "whether the margin is within the noise floor", NEAR_TIE, kind=Kind.BOOLEAN),
    Column(
        "truncated",
        "true | false",
        "whether either response was cut to fit the model",
        "scored.truncated",
        kind=Kind.BOOLEAN,
    ),
    Column(
        "random_weights",
        "true | false",
        "whether the model was made at random, for a test: then its scores say nothing about preferences",
        "scoring_run.random_weights",
        kind=Kind.BOOLEAN,
    ),
    Column("scored_at", "ISO 8601, UTC", "when the run was made", "scoring_run.finished_at", kind=Kind.MOMENT),
)

SCORES = Table(
    "scores",
    "one row a scoring run, variant, pair and truthful kind",
    _COLUMNS,
    f"{SCORED} WHERE study.slug = {{slug}} AND retired_pair.pair_id IS NULL ORDER BY {SCORED_ORDER}",
)
