"""Every step of the way but the pairs, by its name."""

from app.terms import Stage
from app.web.annotator import beginning, between_pairs, ending, questioning
from app.web.annotator.step import StepOfTheWay

STEPS: dict[str, StepOfTheWay] = {
    Stage.CONSENT: beginning.CONSENT,
    Stage.BACKGROUND: questioning.BACKGROUND,
    Stage.INSTRUCTIONS: beginning.INSTRUCTIONS,
    Stage.COMPREHENSION: questioning.COMPREHENSION,
    Stage.PRACTICE: beginning.PRACTICE,
    "belief": between_pairs.BELIEF,
    "check": between_pairs.CHECK,
    Stage.LOOKED_UP: ending.LOOKED_UP,
    Stage.DEBRIEF: ending.DEBRIEF,
    Stage.COMPLETE: ending.COMPLETE,
}
