"""The pages on which a study is designed: a new one, and a draft that is changed."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.models import MisconceptionSet, Study
from app.study import copies, preregistrations, progress_queries, studies
from app.study.canonical import content_hash
from app.study.progress_queries import SetListed
from app.study.sets import find_set
from app.study.studies import StudyExists, StudyPreregistered, StudyScored, StudyStateWrong
from app.study.tokens import same
from app.terms import StudyState
from app.web.deps import ReadSession, WriteSession
from app.web.fields import sentence
from app.web.pages import render
from app.web.researcher import design_form
from app.web.researcher.access import visible_study
from app.web.researcher.design_form import FieldFault, FormFaulty, SetChosen, Typed
from app.web.researcher.form_pages import SAVE, FormState, StudyForm, study_form
from app.web.signed_in import CurrentAccount, Researcher

router = APIRouter()

_CHANGED_MEANWHILE = (
    "The draft was changed meanwhile, in another tab or by somebody else. "
    "Below is what you typed: saving it now replaces their changes"
)
_SIGNED_IN_AGAIN = "You signed in again meanwhile, so this is not saved yet. Below is what you typed: save it once more"


class _Sets(NamedTuple):
    """The sets that a study can be made of, the newest version of each first."""

    listed: Sequence[SetListed]

    @property
    def named(self) -> list[SetChosen]:
        return [SetChosen(found.slug, found.version) for found in self.listed]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        return tuple((str(name), _set_words(found)) for name, found in zip(self.named, self.listed, strict=True))


def _set_words(found: SetListed) -> str:
    unlevelled = f", {found.n_unlevelled} without a level" if found.n_unlevelled else ""
    return f"{found.title} ({found.slug}, version {found.version}): {found.n_misconceptions} pairs{unlevelled}"


async def _sets(session: AsyncSession) -> _Sets:
    return _Sets(await progress_queries.sets(session))


def _new_page(account: CurrentAccount, state: FormState) -> StudyForm:
    return study_form(account, "New study", "/studies/new", "/studies", state)


def _edit_page(account: CurrentAccount, study: Study, state: FormState) -> StudyForm:
    there = f"/studies/{quote(study.slug)}"
    return study_form(account, f"Edit “{study.title}”", f"{there}/edit", there, state)


@router.get("/studies/new")
async def ask_new(account: Researcher, session: ReadSession) -> Response:
    """Show the form of a new study, with the defaults."""
    sets = await _sets(session)
    only = sets.named[0] if len({found.slug for found in sets.named}) == 1 else None
    return render(_new_page(account, FormState(typed=design_form.new(only), sets=sets.choices)))


@router.post("/studies/new")
async def create(request: Request, account: Researcher, session: WriteSession) -> Response:
    """Store a draft, or show the form again with what is wrong, or with its texts rendered."""
    form = await request.form()
    typed, sets = design_form.typed_in(form), await _sets(session)
    if not _is_own(form, account):
        return render(_new_page(account, FormState(typed=typed, sets=sets.choices, faults=_OUT_OF_DATE)), 403)
    if "render" in form:
        return render(_new_page(account, FormState(typed=typed, sets=sets.choices, rendered=True)))
    try:
        design, chosen = design_form.read(typed, sets.named)
        owner = account.who.account_id
        await studies.create_study(session, design, await find_set(session, *chosen), owner)
    except (FormFaulty, StudyExists) as refused:
        state = FormState(typed=typed, sets=sets.choices, faults=_faults(refused))
        return render(_new_page(account, state), 422)
    return RedirectResponse(f"/studies/{quote(design.slug)}?done=created", 303)


_OUT_OF_DATE = [FieldFault(SAVE, _SIGNED_IN_AGAIN)]


def _is_own(form: FormData, account: CurrentAccount) -> bool:
    """Say whether a form has the token of this session. The one that it was typed in may have ended, so it is kept."""
    return same(str(form.get("form_token", "")), account.form_token)


def _faults(refused: FormFaulty | StudyExists | StudyScored) -> list[FieldFault]:
    if isinstance(refused, FormFaulty):
        return refused.faults
    return [FieldFault("set" if isinstance(refused, StudyScored) else "slug", sentence(refused))]


@router.get("/studies/{slug}/edit")
async def ask_edit(slug: str, account: Researcher, session: ReadSession) -> Response:
    """Show the form of a draft."""
    study = await _draft(session, slug, account)
    typed = _typed_of(study, study.misconception_set)
    state = FormState(typed=typed, sets=(await _sets(session)).choices, seen=_version(typed))
    return render(_edit_page(account, study, state))


@router.post("/studies/{slug}/edit")
async def change(slug: str, request: Request, account: Researcher, session: WriteSession) -> Response:
    """Store a changed draft, or show the form again."""
    form = await request.form()
    is_own = _is_own(form, account)
    study = await _draft(session, slug, account, lock=is_own)
    typed, sets = design_form.typed_in(form), await _sets(session)
    if not is_own:
        state = FormState(typed=typed, sets=sets.choices, faults=_OUT_OF_DATE, seen=str(form.get("seen", "")))
        return render(_edit_page(account, study, state), 403)
    now = _version(_typed_of(study, study.misconception_set))
    if "render" in form:
        state = FormState(typed=typed, sets=sets.choices, seen=str(form.get("seen", "")), rendered=True)
        return render(_edit_page(account, study, state))
    try:
        design, chosen = design_form.read(typed, sets.named)
        _refuse_stale(form.get("seen"), now)
        by = account.who.account_id
        await studies.change_draft(session, slug, design, await find_set(session, *chosen), by)
    except (FormFaulty, StudyExists, StudyScored) as refused:
        seen = now if _is_stale(refused) else str(form.get("seen", ""))
        state = FormState(typed=typed, sets=sets.choices, faults=_faults(refused), seen=seen)
        return render(_edit_page(account, study, state), 422)
    return RedirectResponse(f"/studies/{quote(design.slug)}?done=saved", 303)


def _refuse_stale(seen: object, now: str) -> None:
    if seen != now:
        raise FormFaulty([FieldFault(SAVE, _CHANGED_MEANWHILE)])


def _is_stale(refused: FormFaulty | StudyExists | StudyScored) -> bool:
    return isinstance(refused, FormFaulty) and refused.faults[0].field == SAVE


async def _draft(session: AsyncSession, slug: str, account: CurrentAccount, *, lock: bool = False) -> Study:
    await visible_study(session, slug, account)
    study = await studies.get_study(session, slug, lock=lock)
    if study.state != StudyState.DRAFT:
        raise StudyStateWrong(slug, study.state, "changed", "a draft; what is live can only be amended")
    if await preregistrations.find(session, study.id) is not None:
        raise StudyPreregistered(slug)
    return study


def _typed_of(study: Study, used: MisconceptionSet) -> Typed:
    return design_form.typed_of(copies.design_of(study), SetChosen(used.slug, used.version))


def _version(typed: Typed) -> str:
    """Return what tells one state of a draft from another."""
    return content_hash({name: list(values) for name, values in typed.items()})
