"""What surrounds a study on its page: what can be done with it now, its pilots and amendments, what it is a copy of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Amendment, Study
from app.study import amendments, copies
from app.terms import Purpose, StudyState
from app.web.pages import Link
from app.web.researcher.pages import Act, AmendmentRow, PilotRow

DONE = {
    "created": "The draft is saved. Nobody can take part until you open it.",
    "saved": "The draft is saved.",
    "cloned": "The draft is made. It has codes and a seed of its own.",
    "opened": "The study is open. Its design is frozen.",
    "goes-on": "The study takes people again.",
    "paused": "The study is paused. People who began may finish.",
    "closed": "The study is closed.",
    "pilot": "The pilot has started. Its address is below.",
    "raised": "The ratings were raised. The study takes people for the new slots.",
    "retired": "The pair is retired.",
}


class Around(TypedDict):
    """What surrounds a study, as its page takes it."""

    purpose: str
    original: Link | None
    next_act: Act | None
    acts: tuple[Act, ...]
    pilots: tuple[PilotRow, ...]
    amendments: tuple[AmendmentRow, ...]
    done: str


@dataclass(frozen=True, slots=True)
class Acts:
    """What can be done with a study now: one thing that comes next, and the rest."""

    following: Act | None
    others: tuple[Act, ...]


async def around(session: AsyncSession, study: Study, *, preregistered: bool, done: str) -> Around:
    """Read what surrounds a study."""
    original = await copies.original_of(session, study)
    acts = acts_of(study, original, preregistered=preregistered)
    return Around(
        purpose=study.purpose,
        original=None if original is None else Link(text=original.title, href=_address(original)),
        next_act=acts.following,
        acts=acts.others,
        pilots=tuple(map(_pilot, await copies.pilots(session, study.id))),
        amendments=tuple(map(_amendment, await amendments.listed(session, study.id))),
        done=DONE.get(done, ""),
    )


def _address(study: Study) -> str:
    return f"/studies/{quote(study.slug)}"


def acts_of(study: Study, original: Study | None, *, preregistered: bool) -> Acts:
    """Return what can be done with a study in its state. A copy is opened when it is made, and belongs to its study."""
    there = _address(study)
    following = _NEXT.get(study.state)
    living = [(text, act, posts) for text, act, posts, states in _LIVING if study.state in states]
    if study.purpose == Purpose.STUDY:
        copied = [(text, act, posts) for text, act, posts, states in _DESIGNING if study.state in states]
        others = [act for act in (*copied, *living) if not (preregistered and act[1] == "edit")]
    else:
        others = living
    rows = [Act(text=text, href=f"{there}/{act}", posts=posts) for text, act, posts in others]
    if study.purpose == Purpose.PILOT and original is not None:
        rows.append(Act(text="Reset the pilot", href=f"{_address(original)}/pilot"))
    first = None if following is None else Act(text=following[0], href=f"{there}/open", posts=following[1])
    return Acts(first, tuple(rows))


_NEXT: dict[str, tuple[str, bool]] = {
    StudyState.DRAFT: ("Open the study", False),
    StudyState.PAUSED: ("Let it go on", True),
}
_ANY: Sequence[str] = (*StudyState,)
_OPEN: Sequence[str] = (StudyState.LIVE, StudyState.PAUSED)
_DESIGNING: tuple[tuple[str, str, bool, Sequence[str]], ...] = (
    ("Edit", "edit", False, (StudyState.DRAFT,)),
    ("Preview", "preview", True, _ANY),
    ("Pilot", "pilot", False, (StudyState.DRAFT, *_OPEN)),
    ("Clone", "clone", False, _ANY),
    ("Raise ratings", "raise", False, _OPEN),
    ("Retire a pair", "retire", False, _OPEN),
)
_LIVING: tuple[tuple[str, str, bool, Sequence[str]], ...] = (
    ("Pause", "pause", True, (StudyState.LIVE,)),
    ("Close", "close", False, _OPEN),
)


def _pilot(study: Study) -> PilotRow:
    return PilotRow(
        href=_address(study), slug=study.slug, state=study.state, opened_at=study.opened_at or study.created_at
    )


def _amendment(made: Amendment) -> AmendmentRow:
    said, reason = _AMENDED[made.kind](made.detail)
    return AmendmentRow(said=said, reason=reason, made_at=made.made_at, design_hash=made.design_hash)


def _raised(detail: dict[str, Any]) -> tuple[str, str]:
    return f"Ratings of each pair raised from {detail['before']} to {detail['after']}", ""


def _retired(detail: dict[str, Any]) -> tuple[str, str]:
    return f"Pair {detail['key']} retired", str(detail["reason"])


_AMENDED = {"ratings_raised": _raised, "pair_retired": _retired}
