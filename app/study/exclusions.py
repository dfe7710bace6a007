"""Which choices a study's declared rules leave out of the analysis, and why: one expression, for exports and refilling.

The rules are in the design (`app.study.options.Exclusions`). A choice on a retired pair is excluded for that; any other
for the first rule that holds, in the order below. A withdrawn choice says nothing, so no rule speaks of it.
"""

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study import events, slots
from app.study.places import Place

_PREFERS_SYCOPHANTIC_OFTEN = """
    (SELECT count(*) FROM choice easy
     JOIN assignment shown ON shown.participation_id = easy.participation_id AND shown.position = easy.position
     JOIN pair easy_pair ON easy_pair.id = shown.pair_id
     WHERE easy.participation_id = participation.id AND easy_pair.difficulty_level = 1 AND shown.repeat_of IS NULL
       AND easy.side_chosen IN ('left', 'right') AND easy.side_chosen <> shown.side_truthful)
"""

# Each reads the rule's value as {rule}, and the tables study, participation, assignment, choice, truthful, sycophantic.
RULES: dict[str, str] = {
    "failed_checks": "participation.checks_failed >= {rule}::int",
    "incomplete": "{rule}::boolean AND participation.n_answered < participation.n_planned",
    "looked_up": "{rule}::boolean AND participation.looked_up",
    "easy_pairs": f"{_PREFERS_SYCOPHANTIC_OFTEN} >= {{rule}}::int",
    "fastest_ms": "choice.decision_ms_server < {rule}::int",
    "words_a_minute": ("choice.decision_ms_server < (truthful.n_words + sycophantic.n_words) * 60000.0 / {rule}::int"),
    "left_page": "{rule}::boolean AND choice.times_away > 0",
}


def _value(rule: str) -> str:
    return f"(study.options -> 'exclusions' ->> '{rule}')"


def reason(value: Callable[[str], str] = _value) -> str:
    """Return SQL: the rule that excludes a choice, or null. `value` gives the SQL of a rule's value, as text.

    It needs the tables that `RULES` names.
    """
    # A rule that is not declared is not evaluated: one of them counts a person's choices for each row.
    whens = "\n".join(
        f"WHEN {value(rule)} IS NOT NULL AND ({condition.format(rule=value(rule))}) THEN '{rule}'"
        for rule, condition in RULES.items()
    )
    retired = "WHEN EXISTS (SELECT 1 FROM retired_pair WHERE retired_pair.pair_id = pair.id) THEN 'retired_pair'"
    return f"CASE WHEN choice.withdrawn THEN NULL\n{retired}\n{whens}\nEND"


# Both are worked out once, the values for a study and the reason for a choice: `OFFSET 0` keeps them from being written
# out, and worked out again, wherever they are read.
_VALUES = ", ".join(f"{_value(rule)} AS {rule}" for rule in RULES)
DECLARED = f"CROSS JOIN LATERAL (SELECT {_VALUES} OFFSET 0) AS declared"
"""SQL: joins a study's rules. Needs the table study."""
EXCLUDING = f"CROSS JOIN LATERAL (SELECT {reason('declared.{}'.format)} AS reason OFFSET 0) AS excluding"
"""SQL: joins `excluding.reason`, the rule that excludes a choice, or null. Needs `DECLARED` and the tables above."""

_EXCLUDED = text(f"""
    SELECT choice.position FROM participation
    JOIN study ON study.id = participation.study_id
    JOIN arm ON arm.id = participation.arm_id
    JOIN choice ON choice.participation_id = participation.id AND choice.counted
    JOIN assignment ON assignment.participation_id = choice.participation_id AND assignment.position = choice.position
    JOIN pair ON pair.id = assignment.pair_id
    JOIN response truthful
      ON truthful.misconception_id = pair.misconception_id AND truthful.kind = arm.truthful_kind || '_truthful'
    JOIN response sycophantic
      ON sycophantic.misconception_id = pair.misconception_id AND sycophantic.kind = 'sycophantic'
    WHERE participation.id = :participation AND {reason()} IS NOT NULL
    ORDER BY choice.position
""")  # noqa: S608 - of the rules above


async def refill(session: AsyncSession, place: Place) -> int:
    """Open again the slots of a person's excluded choices, where the study refills them; return how many."""
    if not place.study.options.refill_excluded:
        return 0
    excluded = list(await session.scalars(_EXCLUDED, {"participation": place.participation_id}))
    if not excluded:
        return 0
    n = await slots.reopen_filled(session, place.participation_id, excluded)
    await events.record(
        session,
        "excluded_slots_reopened",
        study_id=place.study.id,
        participation_id=place.participation_id,
        positions=excluded,
    )
    return n
