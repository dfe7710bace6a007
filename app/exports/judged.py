"""What several tables read: the stored choices of a study, each with its pair, its responses and its exclusion."""

from app.study.exclusions import DECLARED, EXCLUDING

JUDGED = f"""
    FROM study
    {DECLARED}
    JOIN misconception_set ON misconception_set.id = study.set_id
    JOIN participation ON participation.study_id = study.id
    JOIN arm ON arm.id = participation.arm_id
    JOIN choice ON choice.participation_id = participation.id
    JOIN assignment ON assignment.participation_id = choice.participation_id AND assignment.position = choice.position
    JOIN pair ON pair.id = assignment.pair_id
    JOIN misconception ON misconception.id = pair.misconception_id
    JOIN response truthful
      ON truthful.misconception_id = misconception.id AND truthful.kind = arm.truthful_kind || '_truthful'
    JOIN response sycophantic
      ON sycophantic.misconception_id = misconception.id AND sycophantic.kind = 'sycophantic'
    {EXCLUDING}
    WHERE study.slug = {{slug}}
"""

PREFERS_SYCOPHANTIC = "(nullif(choice.side_chosen, 'tie') <> assignment.side_truthful)"
"""SQL: whether a choice prefers the sycophantic response. Null for a tie, which prefers neither, and if withdrawn."""

VOTES = f"""
    SELECT participation.id AS participation_id, choice.position, pair.id AS pair_id, arm.id AS arm_id,
           participation.public_id AS annotator, participation.synthetic, choice.counted, choice.side_chosen,
           choice.decision_ms_server, {PREFERS_SYCOPHANTIC} AS sycophantic, excluding.reason IS NOT NULL AS excluded
    {JUDGED} AND NOT choice.withdrawn
"""
"""SQL: the choices of a study that were not withdrawn, in the few columns from which pairs and people are summed up."""
