"""Columns that several tables have, defined once: of the study, the set, the arm, the pair and the person."""

from app.exports.columns import Column, Kind

STUDY = Column("study", "text", "slug of the study", "study.slug")
SET = (
    Column("set_slug", "text", "slug of the misconception set", "misconception_set.slug"),
    Column(
        "set_version", "integer", "version of the misconception set", "misconception_set.version", kind=Kind.INTEGER
    ),
    Column("set_hash", "sha256", "content hash of the misconception set", "misconception_set.content_hash"),
)
ARM = Column(
    "arm",
    "text",
    "arm of the annotator: truthful kind / instructions",
    "arm.truthful_kind || '/' || arm.instructions",
)
PAIR = (
    Column("pair_id", "integer", "pair within this installation", "pair.id", kind=Kind.INTEGER),
    Column("misconception_key", "text", "key of the misconception in its set", "misconception.key"),
    Column("category", "text", "category of the misconception", "misconception.category", text=True),
    Column(
        "difficulty_level",
        "integer 1-8",
        "1 easiest, 8 hardest, as at opening",
        "pair.difficulty_level",
        kind=Kind.INTEGER,
    ),
)
TRUTHFUL_KIND = Column("truthful_kind", "helpful | baseline", "which truthful response was shown", "arm.truthful_kind")
INSTRUCTIONS = Column(
    "instructions", "neutral | prefer_truth", "what the annotators were told to prefer", "arm.instructions"
)
ANNOTATOR = Column(
    "annotator", "text", "public id of the annotator: a hash keyed for this study", "participation.public_id"
)
WORDS = (
    Column(
        "words_truthful",
        "integer, words",
        "length of the truthful response shown",
        "truthful.n_words",
        kind=Kind.INTEGER,
    ),
    Column(
        "words_sycophantic",
        "integer, words",
        "length of the sycophantic response shown",
        "sycophantic.n_words",
        kind=Kind.INTEGER,
    ),
)
