"""Entering a study: who may, which arm they get, and the slots that are held for them before they consent."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Arm, ArmVacancy, Assignment, Participation, PlatformIdentity, Study
from app.study import claims, events, slots
from app.study.assignment import choose_repeats
from app.study.checks import due_after
from app.study.options import Options
from app.study.places import Place, find_place
from app.study.slots import Held
from app.study.studies import StudyUnknown
from app.study.tokens import entry_signature, public_id, same, synthetic_proof
from app.terms import Platform, Side, StudyState


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


class LinkNotOurs(TurnedAway):
    """The study takes people by signed links only, and this one has no signature of ours."""


class PeopleNotWanted(CandorError):
    """The study is for synthetic annotators alone, so that its data can never be taken for people's."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a person's link brought.

    `signature` shows that the link was made by `candor study links`; `proof` that a synthetic annotator was sent by
    `candor simulate`.
    """

    person: str
    platform_study: str | None = None
    platform_session: str | None = None
    proof: str = ""
    signature: str = ""


async def enter(session: AsyncSession, slug: str, arrival: Arrival) -> str:
    """Give a person their place, holding their slots before consent, or find the place they have; return their id.

    Raises
    ------
    StudyUnknown, StudyNotOpen, StudyFull, NoPlaceNow, LinkIncomplete, LinkNotOurs, PeopleNotWanted
        Before anything is stored.
    """
    # As whoever comes to have a place locks it: a preview that is just being removed is then gone.
    study = await session.scalar(select(Study).filter_by(slug=slug).with_for_update(read=True, key_share=True))
    if study is None or study.state == StudyState.DRAFT:
        raise StudyUnknown(slug)
    options = Options.model_validate(study.options)
    person = _person(study, options, arrival)
    annotator = public_id(study.key, f"{study.platform}:{person}")
    if await find_place(session, slug, annotator) is not None:
        return annotator
    arm_id = await _admit(session, study)
    new = await _insert(session, study, arm_id, annotator)
    if new is not None:
        await _identify(session, study, new, person, arrival)
        await _assign(session, study, _Placed(new, arm_id, f"{study.seed}/{new}", "entered"))
    return annotator


async def enter_again(session: AsyncSession, place: Place) -> Place:
    """Give a place anew to somebody whose hold ended before they consented; their place must be locked.

    They have agreed to nothing and seen nothing, so it is done as for a newcomer: in any arm, the set as short as it
    must be.

    Raises
    ------
    StudyNotOpen, StudyFull, NoPlaceNow
        The transaction must then be rolled back: the place stays as it was.
    """
    study = await session.get_one(Study, place.study.id)
    arm_id = await _admit(session, study)
    whose = place.participation_id
    await session.execute(delete(Assignment).where(Assignment.participation_id == whose))
    await session.execute(update(Participation).where(Participation.id == whose).values(arm_id=arm_id))
    draw = f"{study.seed}/{whose}/returned at {place.now.isoformat()}"
    await _assign(session, study, _Placed(whose, arm_id, draw, "entered_again"))
    placed = await find_place(session, study.slug, place.annotator)
    assert placed is not None
    return placed


async def _admit(session: AsyncSession, study: Study) -> int:
    """Return the arm of whoever enters now, or raise why nobody may."""
    if study.state != StudyState.LIVE:
        raise StudyNotOpen(study)
    await _refuse_beyond_entry_holds(session, study)
    return await _choose_arm(session, study)


def _person(study: Study, options: Options, arrival: Arrival) -> str:
    if study.synthetic and not same(arrival.proof, synthetic_proof(study.key, arrival.person)):
        raise PeopleNotWanted(f"study {study.slug!r} takes synthetic annotators only")
    if not arrival.person and (study.platform != Platform.OPEN or options.signed_links):
        raise LinkIncomplete(f"study {study.slug!r} needs the id that its platform adds to the link", study.contact)
    signed = same(arrival.signature, entry_signature(study.key, arrival.person))
    if options.signed_links and not signed and not study.synthetic:
        raise LinkNotOurs(f"study {study.slug!r} takes people by signed links only", study.contact)
    return arrival.person or secrets.token_hex(16)


async def _refuse_beyond_entry_holds(session: AsyncSession, study: Study) -> None:
    """Refuse while as many people as the design allows hold places without having consented.

    Made-up ids and link previews can so never hold a whole study. People who come in the same instant do not see each
    other, so the cap can be passed by as many as there are database connections; locking the study would cost more.
    """
    unconsented = await session.scalar(_UNCONSENTED, {"study": study.id})
    if study.entry_holds is not None and (unconsented or 0) >= study.entry_holds:
        raise NoPlaceNow(f"study {study.slug!r} has no place right now", study.contact)


_UNCONSENTED = text("""
    SELECT count(*) FROM participation
    WHERE study_id = :study AND consented_at IS NULL AND held_until IS NOT NULL AND held_until > now()
""")


async def _choose_arm(session: AsyncSession, study: Study) -> int:
    """Return the arm in which most slots are open, of those with a place, or of all; the first of equals.

    So arms fill evenly: who leaves what they held is made up for in the same arm. A study with one arm asks nothing
    more, and none is asked for more than a few rows, however many came.
    """
    arms = (await session.scalars(select(Arm.id).filter_by(study_id=study.id).order_by(Arm.id))).all()
    if len(arms) == 1:
        return arms[0]
    counted = await session.execute(select(ArmVacancy.arm_id, ArmVacancy.n_open).where(ArmVacancy.arm_id.in_(arms)))
    n_open = dict(counted.all())
    roomy = set((await session.scalars(_WITH_ROOM, {"study": study.id, "pairs": study.min_pairs})).all())
    return min(arms, key=lambda arm_id: (arm_id not in roomy, -n_open[arm_id]))


# The order is that of the index: without it the pairs of all other studies may be read through to find the first few.
_WITH_ROOM = text("""
    SELECT id FROM arm
    WHERE study_id = :study
      AND :pairs <= (SELECT count(*) FROM (
          (SELECT pair_id FROM vacancy WHERE arm_id = arm.id AND open_left > 0
           ORDER BY difficulty_level, n_open DESC, shuffle LIMIT :pairs)
          UNION
          (SELECT pair_id FROM vacancy WHERE arm_id = arm.id AND open_right > 0
           ORDER BY difficulty_level, n_open DESC, shuffle LIMIT :pairs)
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


class _Placed(NamedTuple):
    """Who gets a place: where, the seed of their generator, and what is recorded of it.

    The seed is kept with the claim even where they decline, so it says nothing that would tell who they are.
    """

    participation_id: int
    arm_id: int
    draw: str
    event: str


async def _assign(session: AsyncSession, study: Study, placed: _Placed) -> None:
    """Claim the person's slots for the entry hold and store their assignments, or raise if too few are left."""
    participation_id, arm_id, draw, event = placed
    options = Options.model_validate(study.options)
    held, rounds = await slots.claim(
        session, participation_id=participation_id, arm_id=arm_id, n=study.pairs_per_annotator, draw=draw
    )
    if len(held) < study.min_pairs:
        just_taken = sum(len(planning.planned) for planning in rounds) > len(held)  # by others, who may yet decline
        if just_taken or await slots.some_held(session, study.id, besides=participation_id):
            raise NoPlaceNow(f"study {study.slug!r} has no place right now", study.contact)
        raise StudyFull(f"study {study.slug!r} is complete", study.contact)
    planned = _assignments(participation_id, held) + _repeats(participation_id, held, options.swapped_repeats, draw)
    await session.execute(insert(Assignment), planned)
    await claims.record(session, study.id, arm_id, participation_id, rounds)
    checks = due_after(len(planned), options.attention_checks)
    await session.execute(
        _START,
        {
            "n": len(planned),
            "minutes": study.entry_hold_minutes,
            "next_check": checks[0] if checks else None,
            "participation": participation_id,
        },
    )
    await events.record(session, event, study_id=study.id, participation_id=participation_id, n_planned=len(planned))
    await slots.count_taken(session, arm_id, held)


_START = text("""
    UPDATE participation
    SET n_planned = :n, held_until = now() + make_interval(mins => :minutes), next_check = CAST(:next_check AS smallint)
    WHERE id = :participation
""")


def _assignments(participation_id: int, held: Sequence[Held]) -> list[dict[str, Any]]:
    return [
        {
            "participation_id": participation_id,
            "position": position,
            "pair_id": slot.pair_id,
            "side_truthful": slot.side_truthful,
            "slot_id": slot.slot_id,
            "repeat_of": None,
        }
        for position, slot in enumerate(held, start=1)
    ]


def _repeats(participation_id: int, held: Sequence[Held], n: int, draw: str) -> list[dict[str, Any]]:
    """Return the swapped repeats, which come after all other pairs and never fill a slot."""
    repeated = choose_repeats(len(held), n, Random(f"{draw}/repeats"))  # noqa: S311 - reproducible on purpose
    return [
        {
            "participation_id": participation_id,
            "position": len(held) + number,
            "pair_id": held[position - 1].pair_id,
            "side_truthful": Side(held[position - 1].side_truthful).other,
            "slot_id": None,
            "repeat_of": position,
        }
        for number, position in enumerate(repeated, start=1)
    ]
