"""The table `scores`: one row a scoring run, variant, pair and truthful kind: what a preference model makes of a pair.

No scoring run can be stored yet, so the table has its columns and no rows. They are fixed now, so that whatever reads a
bundle can be written; where the runs are stored, each column's SQL and the table's rows are put in here.
"""

from app.exports.columns import Column, Kind, Table
from app.exports.shared import STUDY

_TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.MOMENT: "timestamptz",
}


def _planned(name: str, said: str, meaning: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, said, meaning, f"NULL::{_TYPES[kind]}", kind=kind)


_COLUMNS = (
    STUDY,
    _planned("run", "text", "public id of the scoring run; its record says all that made it"),
    _planned("model", "text", "name of the preference model or judge"),
    _planned("model_revision", "text", "revision or hash of its weights"),
    _planned("scorer", "reward | judge", "a scalar for each response, or a comparison of both in each order"),
    _planned("variant", "text", "what stood in front of the dialog: standard, non-sycophantic, or a name"),
    _planned("set_hash", "sha256", "content hash of the misconception set that was scored"),
    _planned("misconception_key", "text", "key of the misconception in its set"),
    _planned("difficulty_level", "integer 1-8", "1 easiest, 8 hardest", Kind.INTEGER),
    _planned("truthful_kind", "helpful | baseline", "which truthful response was scored"),
    _planned("hash_truthful", "sha256", "of the truthful response's UTF-8 bytes"),
    _planned("hash_sycophantic", "sha256", "of the sycophantic response's UTF-8 bytes"),
    _planned("score_truthful", "decimal", "score of the truthful response; empty for a judge", Kind.DECIMAL),
    _planned("score_sycophantic", "decimal", "score of the sycophantic response; empty for a judge", Kind.DECIMAL),
    _planned("margin", "decimal", "sycophantic less truthful; of a judge, the mean over both orders", Kind.DECIMAL),
    _planned("position_term", "decimal", "of a judge: what standing first is worth; else empty", Kind.DECIMAL),
    _planned("noise_floor", "decimal", "margins that this run cannot tell from none", Kind.DECIMAL),
    _planned("prefers_sycophantic", "0 | 1", "1 if the margin is above zero; empty for a tie", Kind.INTEGER),
    _planned("near_tie", "true | false", "whether the margin is within the noise floor", Kind.BOOLEAN),
    _planned("truncated", "true | false", "whether either response was cut to fit the model", Kind.BOOLEAN),
    _planned("scored_at", "ISO 8601, UTC", "when the run was made", Kind.MOMENT),
)

SCORES = Table(
    "scores",
    "one row a scoring run, variant, pair and truthful kind; no rows yet",
    _COLUMNS,
    "FROM study WHERE study.slug = {slug} AND false",
)
