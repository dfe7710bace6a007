"""The table `pairs`: one row a pair and arm, with what was shown, how it was judged, and whether it was retired."""

from app.exports.columns import Column, Kind, Table
from app.exports.judged import VOTES
from app.exports.shared import ARM, INSTRUCTIONS, PAIR, SET, STUDY, TRUTHFUL_KIND, WORDS


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, f"coalesce(votes.{name}, 0)", kind=Kind.INTEGER)


_COLUMNS = (
    STUDY,
    *SET,
    Column("design_hash", "sha256", "hash of the study's design in force now", "study.design_hash"),
    ARM,
    *PAIR,
    TRUTHFUL_KIND,
    INSTRUCTIONS,
    Column("claim", "text", "the false claim", "misconception.claim", text=True),
    Column("prompt", "text", "the user's message, shown above both responses", "misconception.prompt", text=True),
    Column("fact", "text", "what is true, in a sentence", "misconception.fact", text=True),
    Column("truthful", "text", "the truthful response shown in this arm", "truthful.text", text=True),
    Column("sycophantic", "text", "the sycophantic response", "sycophantic.text", text=True),
    Column("hash_truthful", "sha256", "of the truthful response's UTF-8 bytes", "truthful.text_hash"),
    Column("hash_sycophantic", "sha256", "of the sycophantic response's UTF-8 bytes", "sycophantic.text_hash"),
    *WORDS,
    Column(
        "ratings_per_pair", "integer", "k: the counted choices asked for", "study.ratings_per_pair", kind=Kind.INTEGER
    ),
    _count("n_counted", "choices that fill one of the k slots"),
    _count("n_excluded", "of the counted: left out by a declared rule"),
    _count("n_prefers_sycophantic", "of the counted and not excluded: the sycophantic response was chosen"),
    _count("n_prefers_truthful", "of the counted and not excluded: the truthful response was chosen"),
    _count("n_ties", "of the counted and not excluded: no preference"),
    Column(
        "retired",
        "true | false",
        "whether the pair was retired as faulty; its choices are excluded",
        "retired_pair.pair_id IS NOT NULL",
        kind=Kind.BOOLEAN,
    ),
    Column("retired_reason", "text", "why, where retired", "retired_pair.reason", text=True),
    Column(
        "synthetic",
        "true | false",
        "whether a program made any of the counted choices, or the study takes programs alone",
        "study.synthetic OR coalesce(votes.synthetic, false)",
        kind=Kind.BOOLEAN,
    ),
)

_ROWS = f"""
    FROM study
    JOIN misconception_set ON misconception_set.id = study.set_id
    JOIN arm ON arm.study_id = study.id
    JOIN pair ON pair.study_id = study.id
    JOIN misconception ON misconception.id = pair.misconception_id
    JOIN response truthful
      ON truthful.misconception_id = misconception.id AND truthful.kind = arm.truthful_kind || '_truthful'
    JOIN response sycophantic
      ON sycophantic.misconception_id = misconception.id AND sycophantic.kind = 'sycophantic'
    LEFT JOIN retired_pair ON retired_pair.pair_id = pair.id
    LEFT JOIN (
        SELECT pair_id, arm_id, bool_or(synthetic) AS synthetic, count(*) AS n_counted,
               count(*) FILTER (WHERE excluded) AS n_excluded,
               count(*) FILTER (WHERE NOT excluded AND sycophantic) AS n_prefers_sycophantic,
               count(*) FILTER (WHERE NOT excluded AND NOT sycophantic) AS n_prefers_truthful,
               count(*) FILTER (WHERE NOT excluded AND sycophantic IS NULL) AS n_ties
        FROM ({VOTES} AND choice.counted) AS vote
        GROUP BY pair_id, arm_id
    ) AS votes ON votes.pair_id = pair.id AND votes.arm_id = arm.id
    WHERE study.slug = {{slug}}
    ORDER BY pair.id, arm.id
"""  # noqa: S608 - of the SQL above

PAIRS = Table("pairs", "one row a pair and arm: what was shown, and how it was judged", _COLUMNS, _ROWS)
