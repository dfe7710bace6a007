"""Sample contexts of the forms about studies, for the tests of all templates."""

from dataclasses import replace
from datetime import UTC, datetime

from app.study.login_sessions import SignedIn
from app.terms import Role
from app.web.pages import Link, Page
from app.web.researcher import design_form
from app.web.researcher.design_field import Field
from app.web.researcher.design_form import FieldFault, SetChosen
from app.web.researcher.form_pages import SAVE, Ask, FormState, ask_faults, ask_fields, only, study_form
from app.web.researcher.pages import Act, AmendmentRow, PilotRow, StudyDetail
from app.web.signed_in import CurrentAccount

WHEN = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
_ADA = CurrentAccount(SignedIn(1, "ada@example.org", Role.ADMIN), "form-token")
_SETS = (
    ("starter@1", "Starter set (starter, version 1): 24 pairs"),
    ("health@2", "Health (health, version 2): 80 pairs"),
)
_NEW = FormState(typed=design_form.new(SetChosen("starter", 1)), sets=_SETS)
_TYPED = dict(_NEW.typed) | {"options.comprehension": ("own",), "texts.consent": ("# Hello\n\n<b>You</b> & *I*",)}


def _form(state: FormState) -> Page:
    return study_form(_ADA, "New study", "/studies/new", "/studies", state)


_KEY = Field(place=("key",), kind="line", label="Key of the misconception", help="As in the exports.")
_WHY = Field(place=("reason",), kind="text", label="Why", rows=3)
_WRONG = [FieldFault("key", "There is no such pair")]
_ASK = Ask(
    title="Retire a pair of Reading closely",
    email="ada@example.org",
    is_admin=False,
    section="studies",
    form_token="form-token",
    paragraphs=("The pair is offered to nobody any more.", "It cannot be undone."),
    fields=ask_fields((_KEY, _WHY), {}, []),
    action="/studies/reading/retire",
    button="Retire the pair",
    back="/studies/reading",
    faults=(),
    error="",
)
FORM_PAGES: dict[str, Page] = {
    "configure": _form(_NEW),
    "configure-rendered": _form(replace(_NEW, typed=_TYPED, rendered=True)),
    "configure-error": _form(
        replace(_NEW, faults=[FieldFault("arms", "Arms: arms must be given, and each only once")])
    ),
    "configure-error-line": _form(
        replace(_NEW, typed=_TYPED, faults=[FieldFault("options.comprehension.own", "Line 1: put * after one")])
    ),
    "configure-error-switch": _form(replace(_NEW, faults=[FieldFault("options.signed_links", "Switch it off")])),
    "configure-error-number": _form(replace(_NEW, faults=[FieldFault("seed", "Seed: must be a whole number")])),
    "configure-changed": _form(replace(_NEW, seen="abc", faults=[FieldFault(SAVE, "The draft was changed meanwhile")])),
    "ask": _ASK,
    "ask-error": replace(
        _ASK,
        fields=ask_fields((_KEY, _WHY), only({"key": "<x>", "reason": "a\nb"}), _WRONG),
        faults=ask_faults(_WRONG),
        error=_WRONG[0].message,
    ),
}


def around(study: StudyDetail) -> dict[str, Page]:
    """Return a study's page with all that can be around it."""
    acts = (Act(text="Preview", href="/studies/x/preview", posts=True), Act(text="Clone", href="/studies/x/clone"))
    return {
        "study-around": replace(
            study,
            next_act=Act(text="Let it go on", href="/studies/x/open", posts=True),
            acts=acts,
            pilots=(PilotRow(href="/studies/x-pilot-1", slug="x-pilot-1", state="live", opened_at=WHEN),),
            amendments=(
                AmendmentRow(said="Ratings raised from 3 to 5", reason="", made_at=WHEN, design_hash="9f2c" * 16),
                AmendmentRow(said="Pair x retired", reason="<disputed>", made_at=WHEN, design_hash="1a2b" * 16),
            ),
            done="The study is paused.",
        ),
        "study-pilot": replace(study, purpose="pilot", original=Link(text="Reading", href="/studies/x"), acts=acts),
        "study-preview": replace(study, purpose="preview", original=Link(text="Reading", href="/studies/x")),
    }
