"""What can be done with a study from its page: open, pause and close it, look at it, rehearse it, copy it, amend it.

What cannot be undone is asked once, on a page of its own that names what happens.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.errors import CandorError
from app.models import Study
from app.study import amendments, copies, previews, studies
from app.study.amendments import CannotLower, PairUnknown, RatingsTooMany, ReasonMissing
from app.study.designs import DesignFaulty
from app.study.studies import StudyExists
from app.terms import StudyState
from app.web.deps import ReadSession, WriteSession
from app.web.desk import Confirm, frame
from app.web.fields import Typed, sentence
from app.web.pages import render
from app.web.researcher.access import visible_study
from app.web.researcher.design_field import Field
from app.web.researcher.design_form import FieldFault
from app.web.researcher.form_pages import Ask, ask_faults, ask_fields, only
from app.web.signed_in import CurrentAccount, OwnForm, Researcher

router = APIRouter(prefix="/studies/{slug}")


class Asked(NamedTuple):
    """What a small form asks: its title, what will happen, its fields and its button."""

    act: str
    title: str
    paragraphs: tuple[str, ...]
    fields: tuple[Field, ...]
    button: str


def _address(slug: str) -> str:
    return f"/studies/{quote(slug)}"


def _done(slug: str, done: str) -> Response:
    return RedirectResponse(f"{_address(slug)}?done={done}", 303)


def _confirm(account: CurrentAccount, study: Study, asked: Asked) -> Response:
    page = Confirm(
        title=asked.title,
        **frame(account, "studies"),
        paragraphs=asked.paragraphs,
        action=f"{_address(study.slug)}/{asked.act}",
        button=asked.button,
        back=_address(study.slug),
    )
    return render(page)


def _ask(
    account: CurrentAccount,
    study: Study,
    asked: Asked,
    typed: dict[str, str] | None = None,
    faults: Sequence[FieldFault] = (),
) -> Response:
    page = Ask(
        title=asked.title,
        **frame(account, "studies"),
        paragraphs=asked.paragraphs,
        fields=ask_fields(asked.fields, only(typed or {}), faults),
        action=f"{_address(study.slug)}/{asked.act}",
        button=asked.button,
        back=_address(study.slug),
        faults=ask_faults(faults),
        error=faults[0].message if faults else "",
    )
    return render(page, 422 if faults else 200)


# Its life.


@router.get("/open")
async def ask_open(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Say what freezes, and ask once."""
    study = await visible_study(session, slug, account)
    frozen = (
        "Its design is frozen and hashed, and nothing of it can be changed afterwards: the set and its version, the "
        "arms, the question and texts, the options and rules, where people come from, the codes, the times and the pay."
    )
    paragraphs = (
        frozen,
        "Later, more ratings of each pair can be asked for, and a faulty pair retired. Both are recorded.",
        "From then on the study takes people.",
    )
    return _confirm(account, study, Asked("open", f"Open “{study.title}”?", paragraphs, (), "Open the study"))


@router.post("/open")
async def open_(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Open a draft, or let a paused study go on."""
    study = await visible_study(session, slug, account)
    done = "goes-on" if study.state == StudyState.PAUSED else "opened"
    await studies.open_study(session, slug, account_id=account.who.account_id)
    return _done(slug, done)


@router.post("/pause")
async def pause(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Take no newcomers for now."""
    await visible_study(session, slug, account)
    await studies.pause_study(session, slug, account_id=account.who.account_id)
    return _done(slug, "paused")


@router.get("/close")
async def ask_close(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Say what closing means, and ask once."""
    study = await visible_study(session, slug, account)
    paragraphs = (
        "It takes no newcomers ever again. People who began may finish, and everything can still be exported.",
        "This cannot be undone. To take nobody for a while, pause the study.",
    )
    return _confirm(account, study, Asked("close", f"Close “{study.title}”?", paragraphs, (), "Close the study"))


@router.post("/close")
async def close(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Take no newcomers ever again."""
    await visible_study(session, slug, account)
    await studies.close_study(session, slug, account_id=account.who.account_id)
    return _done(slug, "closed")


# Copies.


@router.post("/preview")
async def preview(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Open a preview and go into it as an annotator would."""
    await visible_study(session, slug, account)
    shown = await previews.preview(session, slug, account.who.account_id)
    return RedirectResponse(f"/s/{shown.slug}", 303)


@router.get("/pilot")
async def ask_pilot(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Say what a pilot is, or what resetting one does, and ask once."""
    study = await visible_study(session, slug, account)
    await copies.refuse_copy(session, study)
    running = next((one for one in await copies.pilots(session, study.id) if one.state != StudyState.CLOSED), None)
    return _confirm(account, study, _pilot_asked(study, running))


def _pilot_asked(study: Study, running: Study | None) -> Asked:
    if running is None:
        what = (
            "A pilot is this study for real: people take part and get their codes, and it can be exported.",
            "It is a study of its own, so nothing of it counts for this one.",
            "It has the design as it is now. To try a changed design, reset the pilot.",
        )
        return Asked("pilot", f"Start a pilot of “{study.title}”?", what, (), "Start the pilot")
    said = (
        f"The pilot that runs now, {running.slug}, is closed. People who began may finish, and all of it is kept.",
        "A new pilot starts, empty, with the design as it is now and an address of its own.",
    )
    return Asked("pilot", f"Reset the pilot of “{study.title}”?", said, (), "Reset the pilot")


@router.post("/pilot")
async def pilot(slug: str, account: Researcher, _: OwnForm, session: WriteSession) -> Response:
    """Start a pilot; one that runs is closed."""
    await visible_study(session, slug, account)
    started = await copies.pilot(session, slug, account.who.account_id)
    return _done(started.slug, "pilot")


_NEW = Field(
    place=("new",),
    kind="line",
    label="Name in addresses",
    help="Of the new study: lower-case letters and digits, with hyphens.",
    if_blank="Give the new study a name for its addresses",
)


def _clone_asked(study: Study) -> Asked:
    said = "You get a draft with the same design and texts, but with codes and a seed of its own."
    return Asked("clone", f"Clone “{study.title}”", (said,), (_NEW,), "Make the draft")


@router.get("/clone")
async def ask_clone(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Ask what the copy is to be called."""
    study = await visible_study(session, slug, account)
    return _ask(account, study, _clone_asked(study))


@router.post("/clone")
async def clone(slug: str, account: Researcher, _: OwnForm, session: WriteSession, new: Typed = "") -> Response:
    """Make a draft with the design of a study."""
    study = await visible_study(session, slug, account)
    try:
        made = await copies.clone(session, slug, new, account.who.account_id)
    except DesignFaulty as refused:
        said = f"{_NEW.label}: {refused.found[0].said}" if new.strip() else _NEW.if_blank
    except StudyExists as refused:
        said = sentence(refused)
    else:
        return _done(made.slug, "cloned")
    return _ask(account, study, _clone_asked(study), {_NEW.name: new}, [FieldFault(_NEW.name, said)])


# Amendments.

_RATINGS = Field(place=("ratings",), kind="number", label="Ratings of each pair", unit="ratings")
_KEY = Field(
    place=("key",),
    kind="line",
    label="Key of the misconception",
    help="As in the exports, in the column misconception_key.",
    if_blank="Give the key of the misconception",
)
_REASON = Field(
    place=("reason",),
    kind="text",
    label="Why",
    help="It is recorded with the amendment.",
    rows=3,
)


def _raise_asked(study: Study) -> Asked:
    said = (
        f"Each pair gets {study.ratings_per_pair} ratings now. Slots are added for every pair and arm, in balance.",
        "The amendment is recorded and gives the design a new hash, which later choices carry.",
        "It cannot be undone: ratings are never lowered.",
    )
    return Asked("raise", f"Raise the ratings of “{study.title}”", said, (_RATINGS,), "Raise the ratings")


@router.get("/raise")
async def ask_raise(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Ask how many ratings each pair is to get."""
    study = await visible_study(session, slug, account)
    return _ask(account, study, _raise_asked(study))


@router.post("/raise")
async def raise_ratings(
    slug: str, account: Researcher, _: OwnForm, session: WriteSession, ratings: Typed = ""
) -> Response:
    """Ask for more ratings of every pair."""
    study = await visible_study(session, slug, account)
    written = ratings.strip()
    if written.isascii() and written.isdigit() and len(written) < 10:
        try:
            await amendments.raise_ratings(session, slug, int(written), account.who.account_id)
        except (CannotLower, RatingsTooMany) as refused:
            said = sentence(refused)
        else:
            return _done(slug, "raised")
    else:
        said = f"{_RATINGS.label}: must be a whole number"
    return _ask(account, study, _raise_asked(study), {_RATINGS.name: ratings}, [FieldFault(_RATINGS.name, said)])


def _retire_asked(study: Study) -> Asked:
    said = (
        "The pair is offered to nobody any more. Who has it planned already still meets it.",
        "Its choices stay in every export, marked as excluded.",
        "The amendment is recorded and gives the design a new hash. It cannot be undone.",
    )
    return Asked("retire", f"Retire a pair of “{study.title}”", said, (_KEY, _REASON), "Retire the pair")


@router.get("/retire")
async def ask_retire(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Ask which pair is faulty, and why."""
    study = await visible_study(session, slug, account)
    return _ask(account, study, _retire_asked(study))


@router.post("/retire")
async def retire(
    slug: str, account: Researcher, _: OwnForm, session: WriteSession, key: Typed = "", reason: Typed = ""
) -> Response:
    """Offer a faulty pair to nobody any more."""
    study = await visible_study(session, slug, account)
    fault: CandorError
    try:
        await amendments.retire_pair(session, slug, key.strip(), reason, account.who.account_id)
    except PairUnknown as refused:
        fault, at = refused, _KEY
    except ReasonMissing as refused:
        fault, at = refused, _REASON
    else:
        return _done(slug, "retired")
    typed = {_KEY.name: key, _REASON.name: reason}
    said = sentence(fault) if typed[at.name].strip() or not at.if_blank else at.if_blank
    return _ask(account, study, _retire_asked(study), typed, [FieldFault(at.name, said)])
