"""A person's way through a study: entering, consenting, going on, stopping, withdrawing, finishing."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Statements
from app.errors import CandorError
from app.models import Arm, Assignment, Claim, Participation, PlatformIdentity, Study
from app.study import events, slots
from app.study.places import HOLDING, Place, find_place
from app.study.slots import Held, PlannedRound
from app.study.studies import StudyUnknown
from app.study.tokens import public_id, same, synthetic_proof
from app.terms import Platform, Stage, StudyState


class TurnedAway(CandorError):
    """A study cannot take this person. `contact` is whom they may ask."""

    def __init__(self, message: str, contact: str) -> None:
        self.contact = contact
        super().__init__(message)


class StudyNotOpen(TurnedAway):
    """The study takes no newcomers: it is paused or closed."""

    def __init__(self, study: Study) -> None:
        self.state = study.state
        super().__init__(f"study {study.slug!r} is {study.state} and takes no newcomers", study.contact)


class StudyFull(TurnedAway):
    """Every rating that the study asked for has been given, or too few are missing to ask anybody."""


class NoPlaceNow(TurnedAway):
    """Every rating still missing is held by somebody; places may come back."""


class LinkIncomplete(TurnedAway):
    """The link lacks the id that the study's platform sends."""


class PeopleNotWanted(CandorError):
    """The study is for synthetic annotators alone, so that its data can never be taken for people's."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a person's link brought. `proof` shows that a synthetic annotator was sent by `candor simulate`."""

    person: str
    platform_study: str | None = None
    platform_session: str | None = None
    proof: str = ""


async def enter(session: AsyncSession, slug: str, arrival: Arrival) -> str:
    """Give a person their place, holding their slots before consent, or find the place they have; return their id.

    Raises
    ------
    StudyUnknown, StudyNotOpen, StudyFull, NoPlaceNow, LinkIncomplete, PeopleNotWanted
        Before anything is stored.
    """
    study = await session.scalar(select(Study).filter_by(slug=slug))
    if study is None or study.state == StudyState.DRAFT:
        raise StudyUnknown(slug)
    person = _person(study, arrival)
    if study.synthetic and not same(arrival.proof, synthetic_proof(study.key, person)):
        raise PeopleNotWanted(f"study {slug!r} takes synthetic annotators only")
    annotator = public_id(study.key, f"{study.platform}:{person}")
    if await find_place(session, slug, annotator) is not None:
        return annotator
    if study.state != StudyState.LIVE:
        raise StudyNotOpen(study)
    arm_id = await _choose_arm(session, study)
    new = await _insert(session, study, arm_id, annotator)
    if new is not None:
        await _identify(session, study, new, person, arrival)
        await _assign(session, study, arm_id, new, annotator)
    return annotator


def _person(study: Study, arrival: Arrival) -> str:
    if arrival.person:
        return arrival.person
    if study.platform != Platform.OPEN:
        raise LinkIncomplete(f"study {study.slug!r} needs the id that its platform adds to the link", study.contact)
    return secrets.token_hex(16)


async def _choose_arm(session: AsyncSession, study: Study) -> int:
    """Return the arm with the fewest people of those with a place, or of all; the first of equals.

    A study with one arm asks nothing more.
    """
    arms = (await session.scalars(select(Arm.id).filter_by(study_id=study.id).order_by(Arm.id))).all()
    if len(arms) == 1:
        return arms[0]
    people = await session.execute(
        select(Participation.arm_id, func.count())
        .where(Participation.arm_id.in_(arms), Participation.stopped_at.is_(None))
        .group_by(Participation.arm_id)
    )
    counts = dict(people.all())
    roomy = set((await session.scalars(_WITH_ROOM, {"study": study.id, "pairs": study.min_pairs})).all())
    return min(arms, key=lambda arm_id: (arm_id not in roomy, counts.get(arm_id, 0)))


_WITH_ROOM = text("""
    SELECT id FROM arm
    WHERE study_id = :study
      AND :pairs = (SELECT count(*) FROM (
          SELECT 1 FROM vacancy WHERE arm_id = arm.id AND (open_left > 0 OR open_right > 0) LIMIT :pairs
      ) AS open_pair)
""")


async def _insert(session: AsyncSession, study: Study, arm_id: int, annotator: str) -> int | None:
    """Insert the participation; None when the same person's other tab was first."""
    inserted: int | None = await session.scalar(
        postgresql.insert(Participation)
        .values(study_id=study.id, arm_id=arm_id, public_id=annotator, synthetic=study.synthetic)
        .on_conflict_do_nothing()
        .returning(Participation.id)
    )
    return inserted


async def _identify(session: AsyncSession, study: Study, participation_id: int, person: str, arrival: Arrival) -> None:
    if study.platform == Platform.OPEN or study.synthetic:
        return
    await session.execute(
        insert(PlatformIdentity).values(
            participation_id=participation_id,
            platform=study.platform,
            platform_person=person,
            platform_study=arrival.platform_study,
            platform_session=arrival.platform_session,
        )
    )


async def _assign(session: AsyncSession, study: Study, arm_id: int, participation_id: int, annotator: str) -> None:
    """Claim the person's slots for the entry hold and store their assignments, or raise if too few are left."""
    held, rounds = await slots.claim(
        session,
        participation_id=participation_id,
        arm_id=arm_id,
        n=study.pairs_per_annotator,
        draw=f"{study.seed}/{annotator}",
    )
    if len(held) < study.min_pairs:
        if await slots.some_held(session, study.id, besides=participation_id):
            raise NoPlaceNow(f"study {study.slug!r} has no place right now", study.contact)
        raise StudyFull(f"study {study.slug!r} is complete", study.contact)
    await session.execute(insert(Assignment), _assignments(participation_id, held))
    await session.execute(insert(Claim), [_claim(study.id, arm_id, participation_id, planned) for planned in rounds])
    await session.execute(
        text("""
            UPDATE participation SET n_planned = :n, held_until = now() + make_interval(mins => :minutes)
            WHERE id = :participation
        """),
        {"n": len(held), "minutes": study.entry_hold_minutes, "participation": participation_id},
    )
    await events.record(session, "entered", study_id=study.id, participation_id=participation_id, n_planned=len(held))


def _assignments(participation_id: int, held: list[Held]) -> list[dict[str, Any]]:
    return [
        {
            "participation_id": participation_id,
            "position": position,
            "pair_id": slot.pair_id,
            "side_truthful": slot.side_truthful,
            "slot_id": slot.slot_id,
        }
        for position, slot in enumerate(held, start=1)
    ]


def _claim(study_id: int, arm_id: int, participation_id: int, planned: PlannedRound) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "arm_id": arm_id,
        "participation_id": participation_id,
        "draw": planned.draw,
        "asked": {
            "n": planned.n,
            "candidates": [[c.pair_id, c.level, c.open_left, c.open_right] for c in planned.candidates],
            "so_far": [[p.pair_id, p.level, p.side_truthful] for p in planned.so_far],
        },
        "planned": [
            {"pair_id": p.pair_id, "level": p.level, "side_truthful": p.side_truthful} for p in planned.planned
        ],
    }


async def keep_holding(session: Statements, place: Place) -> None:
    """Extend a person's hold, because they asked for a page; take back what is left of a hold that had ended."""
    if place.stage not in HOLDING:
        return
    if place.held_until is None:
        await _take_back(session, place)
    elif place.stage != Stage.CONSENT:
        await session.execute(_EXTEND, {"participation": place.participation_id, "minutes": place.hold_minutes})


_EXTEND = text("""
    UPDATE participation SET held_until = now() + make_interval(mins => :minutes)
    WHERE id = :participation AND held_until < now() + make_interval(mins => :minutes) - interval '1 minute'
""")


async def _take_back(session: Statements, place: Place) -> None:
    """Hold again what is left of a hold that had ended. Of two tabs that come back at once, one does it."""
    minutes = place.entry_hold_minutes if place.stage == Stage.CONSENT else place.hold_minutes
    ended = await session.scalar(_HOLD_AGAIN, {"participation": place.participation_id, "minutes": minutes})
    if ended is None:
        return
    retaken = await slots.retake(session, place.participation_id, place.arm_id)
    await events.record(
        session,
        "returned",
        study_id=place.study_id,
        participation_id=place.participation_id,
        retaken=retaken,
        missing=place.n_planned - place.n_answered - retaken,
    )


_HOLD_AGAIN = text("""
    UPDATE participation SET held_until = now() + make_interval(mins => :minutes)
    WHERE id = :participation AND held_until IS NULL
    RETURNING id
""")


async def decline(session: AsyncSession, place: Place) -> None:
    """Forget a person who does not consent: only that somebody declined is kept."""
    await slots.release(session, [place.participation_id])
    await session.execute(delete(Participation).where(Participation.id == place.participation_id))
    await events.record(session, "declined", study_id=place.study_id)


async def consent(session: AsyncSession, place: Place) -> None:
    """Record consent, and hold the person's slots for as long as judging may take between two requests."""
    if place.held_until is None:
        await _take_back(session, place)
    await _advance(session, place, Stage.INSTRUCTIONS, consented_at=func.now())
    await session.execute(_EXTEND, {"participation": place.participation_id, "minutes": place.hold_minutes})


async def start_practice(session: AsyncSession, place: Place) -> None:
    """Go on from the instructions to the practice pair."""
    await _advance(session, place, Stage.PRACTICE)


async def start_judging(session: AsyncSession, place: Place) -> None:
    """Go on from the practice pair to the first pair."""
    await _advance(session, place, Stage.JUDGING)


async def answer_looked_up(session: AsyncSession, place: Place, *, looked_up: bool) -> None:
    """Store whether the person looked anything up, and go on to the debrief."""
    await _advance(session, place, Stage.DEBRIEF, looked_up=looked_up)


async def stop(session: AsyncSession, place: Place) -> None:
    """Stop early: free what is held and go to the debrief. Who has judged every pair has not stopped early."""
    done = 0 < place.n_planned == place.n_answered
    await slots.release(session, [place.participation_id])
    await _advance(session, place, Stage.DEBRIEF, stopped_at=None if done else func.now())


async def finish(session: AsyncSession, place: Place, *, withdraw: bool) -> None:
    """Finish, keeping the person's data or emptying it: a withdrawn choice says nothing and frees its slot."""
    if withdraw:
        await slots.reopen_filled(session, place.participation_id)
        await session.execute(_EMPTY_CHOICES, {"participation": place.participation_id})
    forget = {"withdrawn_at": func.now(), "looked_up": None} if withdraw else {}
    await _advance(session, place, Stage.COMPLETE, finished_at=func.now(), **forget)


_EMPTY_CHOICES = text("""
    UPDATE choice SET withdrawn = true, counted = false, slot_id = NULL, side_chosen = NULL,
                      decision_ms_browser = NULL, decision_ms_server = NULL
    WHERE participation_id = :participation
""")


async def _advance(session: AsyncSession, place: Place, stage: Stage, **values: Any) -> None:
    await session.execute(
        update(Participation).where(Participation.id == place.participation_id).values(stage=stage, **values)
    )
    await events.record(session, f"reached_{stage}", study_id=place.study_id, participation_id=place.participation_id)
