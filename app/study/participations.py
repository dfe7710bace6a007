"""A person's way through a study once they have a place: consenting, going on, stopping, withdrawing, finishing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, func, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Participation
from app.study import checks, claims, events, exclusions, slots
from app.study.entering import enter_again
from app.study.places import HOLDING, Place, find_place
from app.terms import Outcome, Stage


async def keep_holding(session: AsyncSession, place: Place) -> Place:
    """Extend a person's hold, because they asked for a page; return where they are, holding again if it had ended.

    Raises
    ------
    StudyNotOpen, StudyFull, NoPlaceNow
        When the hold of somebody who has not consented had ended, and nobody could enter either.
    """
    if place.stage not in HOLDING:
        return place
    if place.held_until is None:
        return await _hold_again(session, place)
    if place.stage != Stage.CONSENT:
        await session.execute(_EXTEND, {"participation": place.participation_id, "minutes": place.study.hold_minutes})
    return place


_EXTEND = text("""
    UPDATE participation SET held_until = now() + make_interval(mins => :minutes)
    WHERE id = :participation AND held_until < now() + make_interval(mins => :minutes) - interval '1 minute'
""")


async def _hold_again(session: AsyncSession, place: Place) -> Place:
    """Hold again for a person whose hold had ended, unless another tab has done it, or has stopped, meanwhile."""
    found = await find_place(session, place.study.slug, place.annotator, lock=True)
    if found is None or found.held_until is not None or found.stage not in HOLDING:
        return found or place
    if found.stage == Stage.CONSENT:
        return await enter_again(session, found)
    return await _take_back(session, found)


async def _take_back(session: AsyncSession, place: Place) -> Place:
    """Take back what is left of what a person held who has consented; the place must be locked."""
    study = place.study
    whose = {"participation": place.participation_id, "minutes": study.hold_minutes}
    held_until = await session.scalar(_HOLD, whose)
    draw = f"{study.seed}/{place.participation_id}/returned at {place.now.isoformat()}"
    again = await slots.hold_again(session, place.participation_id, place.arm_id, draw)
    await claims.record(session, study.id, place.arm_id, place.participation_id, again.rounds)
    await events.record(
        session,
        "returned",
        study_id=study.id,
        participation_id=place.participation_id,
        retaken=again.retaken,
        replaced=again.replaced,
        missing=again.missing,
    )
    return replace(place, held_until=held_until)


_HOLD = text("""
    UPDATE participation SET held_until = now() + make_interval(mins => :minutes)
    WHERE id = :participation
    RETURNING held_until
""")


async def decline(session: AsyncSession, place: Place) -> None:
    """Forget a person who does not consent: only that somebody declined is kept."""
    await slots.release(session, [place.participation_id])
    await session.execute(delete(Participation).where(Participation.id == place.participation_id))
    await events.record(session, "declined", study_id=place.study.id)


async def consent(session: AsyncSession, place: Place) -> Place:
    """Record consent, and hold the person's slots for as long as judging may take between two requests.

    Nothing is recorded where the hold had ended and so many pairs as the person agreed to cannot be held again: they
    stay at the consent, to read how many it would be. The place must be locked.

    Raises
    ------
    StudyNotOpen, StudyFull, NoPlaceNow
        When the hold had ended, and nobody could enter either.
    """
    held = await keep_holding(session, place)
    if held.n_planned != place.n_planned:
        return held
    after = Stage.BACKGROUND if place.study.options.background else Stage.INSTRUCTIONS
    await session.execute(_EXTEND, {"participation": place.participation_id, "minutes": place.study.hold_minutes})
    return await _advance(session, place, after, consented_at=func.now())


async def answer_background(session: AsyncSession, place: Place, answers: Mapping[str, str]) -> Place:
    """Store the answers to the background questions; go on, or end here where one of them screens out."""
    screened = any(answers[question.key] in question.screens_out for question in place.study.options.background)
    if screened:
        return await _screen_out(session, place, background=dict(answers))
    return await _advance(session, place, Stage.INSTRUCTIONS, background=dict(answers))


async def end_instructions(session: AsyncSession, place: Place) -> Place:
    """Go on from the instructions: to the questions about them, where the study asks some, or to the practice pair."""
    after = Stage.COMPREHENSION if place.study.options.comprehension else Stage.PRACTICE
    return await _advance(session, place, after)


async def answer_comprehension(session: AsyncSession, place: Place, answers: list[str]) -> Place:
    """Go on to the practice pair if all is right; else stay for one more attempt, or end after the last one."""
    passed, left = await checks.answer_comprehension(session, place, answers)
    if passed:
        return await _advance(session, place, Stage.PRACTICE)
    return place if left > 0 else await _screen_out(session, place)


async def start_judging(session: AsyncSession, place: Place) -> Place:
    """Go on from the practice pair to the first pair."""
    return await _advance(session, place, Stage.JUDGING)


async def answer_belief(session: AsyncSession, place: Place, belief: int) -> Place:
    """Store how likely (0 to 100 percent) the person finds the next pair's claim, before they see the pair."""
    whose = {"participation": place.participation_id, "position": place.next_position}
    await session.execute(_BELIEVE, whose | {"belief": belief})
    await session.execute(text("UPDATE participation SET n_believed = :position WHERE id = :participation"), whose)
    return place.at(Stage(place.stage), n_believed=place.next_position)


_BELIEVE = text("""
    UPDATE assignment SET prior_belief = :belief
    WHERE participation_id = :participation AND position = :position AND shown_at IS NULL
""")


async def answer_looked_up(session: AsyncSession, place: Place, *, looked_up: bool) -> Place:
    """Store whether the person looked anything up, and go on to the debrief."""
    return await _advance(session, place, Stage.DEBRIEF, looked_up=looked_up)


async def stop(session: AsyncSession, place: Place) -> Place:
    """Stop early: free what is held and go to the debrief. Who has judged every pair has not stopped early."""
    if 0 < place.n_planned == place.n_answered:
        return await _advance(session, place, Stage.DEBRIEF)
    return await end_early(session, place, Outcome.STOPPED)


async def end_early(session: AsyncSession, place: Place, outcome: Outcome) -> Place:
    """End a person's judging, by their own decision or the platform's: free what is held, and debrief them."""
    await slots.release(session, [place.participation_id])
    if place.step.name == "belief":
        await session.execute(_READ, {"participation": place.participation_id, "position": place.next_position})
    return await _advance(session, place, Stage.DEBRIEF, outcome=outcome, stopped_at=func.now())


# Who stops where a belief is asked has read the pair's claim, so the debrief must explain it.
_READ = text("""
    UPDATE assignment SET shown_at = now()
    WHERE participation_id = :participation AND position = :position AND shown_at IS NULL
""")


async def _screen_out(session: AsyncSession, place: Place, **values: Any) -> Place:
    """End before any pair was shown, so there is nothing to debrief."""
    await slots.release(session, [place.participation_id])
    ended = {"outcome": Outcome.SCREENED_OUT, "stopped_at": func.now(), "finished_at": func.now()}
    return await _advance(session, place, Stage.COMPLETE, **ended, **values)


async def finish(session: AsyncSession, place: Place, *, withdraw: bool) -> Place:
    """Finish, keeping the person's data or emptying it: a withdrawn choice says nothing and frees its slot."""
    outcome = place.outcome or (Outcome.FAILED_CHECKS if place.failed_checks else Outcome.COMPLETE)
    ended: dict[str, Any] = {"finished_at": func.now(), "outcome": outcome}
    if not withdraw:
        await exclusions.refill(session, place)
        return await _advance(session, place, Stage.COMPLETE, **ended)
    await slots.reopen_filled(session, place.participation_id)
    for emptying in _EMPTY:
        await session.execute(emptying, {"participation": place.participation_id})
    checked = {"n_checked": 0, "next_check": None, "checks_failed": 0}
    forgotten = {"withdrawn_at": func.now(), "looked_up": None, "background": None} | checked
    return await _advance(session, place, Stage.COMPLETE, **ended, **forgotten)


_EMPTY = (
    text("""
        UPDATE choice
        SET withdrawn = true, counted = false, slot_id = NULL, side_chosen = NULL, decision_ms_browser = NULL,
            decision_ms_server = NULL, confidence = NULL, reason = NULL, times_away = NULL, pastes = NULL
        WHERE participation_id = :participation
    """),
    text("UPDATE assignment SET prior_belief = NULL WHERE participation_id = :participation"),
    text("DELETE FROM check_answer WHERE participation_id = :participation"),
)


async def _advance(session: AsyncSession, place: Place, stage: Stage, **values: Any) -> Place:
    await session.execute(
        update(Participation).where(Participation.id == place.participation_id).values(stage=stage, **values)
    )
    await events.record(session, f"reached_{stage}", study_id=place.study.id, participation_id=place.participation_id)
    known = {name: value for name, value in values.items() if name == "outcome"}
    return place.at(stage, **known)
