"""Every page is rendered from a realistic context, and held to what all pages promise."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import TypedDict

import pytest

from app import resources
from app.markdown import markdown
from app.web.account.pages import ChangePassword, MakeToken, YourAccount
from app.web.admin.pages import (
    AccountDetail,
    AccountRow,
    Accounts,
    ActRow,
    Audit,
    AuditFilter,
    ChangeRole,
    InvitationRow,
    Invite,
    SetRow,
    Sets,
)
from app.web.annotator.pages import (
    AttentionCheck,
    Belief,
    Complete,
    Consent,
    Debrief,
    Debriefed,
    Instructions,
    Judge,
    LookedUp,
    Question,
    Questions,
    Source,
    Step,
    Stop,
)
from app.web.annotator.way import Common
from app.web.desk import Confirm, ShownOnce, TokenRow
from app.web.login.pages import Login, LoginLink, SetPassword, Start
from app.web.pages import Link, Notice, Page, render
from app.web.researcher.downloads import Download, Downloads
from app.web.researcher.pages import LevelProgress, Paste, Recruiting, Studies, StudyDetail, StudyRow
from tests.web.configuring_samples import FORM_PAGES, around
from tests.web.models_samples import MODELS_PAGES
from tests.web.planning_samples import PLAN_PAGES, PREREGISTERED, TO_PREREGISTER
from tests.web.progress_samples import PROGRESS_PAGES
from tests.web.results_samples import RESULTS_PAGES
from tests.web.set_samples import SET_PAGES


class Desk(TypedDict):
    """What every page for a signed-in person is given."""

    email: str
    is_admin: bool
    form_token: str


WHEN = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)
STEP: Common = {
    "action": "/s/demo/page",
    "token": "opaque-token",
    "contact": "study@example.org",
    "stop": "/s/demo/stop",
    "error": "",
    "purpose": "study",
}
LAST_STEP: Common = {**STEP, "stop": ""}
DESK: Desk = {"email": "ada@example.org", "is_admin": True, "form_token": "form-token"}
PROMPT = (
    "Dolphins are fish, plain and simple: fins, a tail, and a whole life spent in the sea. "
    "Could you say a bit about why people make it more complicated than that?"
)
FIRST = (
    "Dolphins are mammals, and the complication is there for a good reason. Look past the outline and nearly "
    "everything about them matches us better than it matches a cod. They breathe with lungs, not gills, which is "
    "why they come up to open the blowhole. They keep their blood warm and feed their calves on milk.\n\n"
    "The skeleton tells the same story. Inside each flipper are the bones of an arm and a hand, and the tail "
    "beats up and down, as the back of a running animal bends, where the tail of a fish swings from side to side.\n\n"
    "Their ancestors walked on land about fifty million years ago. The fins and the smooth shape came later, "
    "because swimming fast favours one kind of body. You have a fair picture of how they live, and it is only the "
    "family that differs."
)
SECOND = (
    "Fins, tail, smooth body, a whole life in salt water: that is what the word fish has meant for most of its "
    "history, and dolphins fit it on every point. Pliny put them in his book of fishes nearly 2,000 years ago, "
    "and the mackerel shape is more than a coincidence.\n\n"
    "The complication comes from a few odd features. Dolphins take air at the surface, but so do lungfish and "
    "gouramis, and no one moves those out of the group. They bear live young, as many sharks and guppies do. They "
    "run warm, and so do tuna.\n\n"
    "Every trait that is supposed to set them apart can be found in another fish. When an animal swims with fins, "
    "steers with fins and cannot live on dry land, the simple name is the one that fits."
)
CONSENT_PARAGRAPHS = (
    "You are invited to take part in a research study about how people judge written answers.",
    "Taking part is your choice. You can stop at any time, and you can have your answers removed at the end.",
    "Some of what you read may be wrong. At the end we explain what was behind it, with sources.",
)
CONSENT_TEXT = markdown("\n\n".join((*CONSENT_PARAGRAPHS, "## More\n\n[The lab](https://lab.example) *answers*.")))
CLAIM = Debriefed(
    claim="Dolphins are a kind of fish.",
    fact="Dolphins are mammals: they breathe air with lungs, are warm-blooded and feed their young on milk.",
    sources=(
        Source(publisher="Reference.com", title="Are Dolphins Mammals?", url="https://www.reference.com/dolphins"),
        Source(publisher="Encyclopaedia Britannica", title="Dolphin", url=""),
    ),
    prompt=PROMPT,
    truthful_response=FIRST,
    false_response=SECOND,
    chose="truthful",
)
JUDGE = Judge(
    title="Pair 7 of 20",
    **STEP,
    question="Which response do you prefer?",
    prompt=PROMPT,
    first=FIRST,
    second=SECOND,
    practice=False,
    position=7,
    n_pairs=20,
)
QUESTIONS = Questions(
    title="A few questions",
    **STEP,
    lead=("You can always choose not to say.",),
    questions=(
        Question(name="often", legend="How often?", answers=("Daily", "Weekly", "Never")),
        Question(name="long", legend="For how long?", answers=("Years", "Months"), given="Months"),
    ),
    error_field="often-1",
    text=markdown("Judge by reading alone."),
)
CONSENT = Consent(
    title="Taking part",
    **LAST_STEP,
    text=CONSENT_TEXT,
    n_pairs=20,
    shorter=False,
    expected_minutes=25,
    pay="£4.50",
)
DEBRIEF = Debrief(
    title="What was behind it",
    **LAST_STEP,
    text=markdown(
        "Some of what you read was false, on purpose. One of the two responses agreed with a false claim.\n\n"
        "We study how people choose between an accurate answer and a convincing one that agrees with them."
    ),
    claims=(
        CLAIM,
        replace(CLAIM, claim="The Moon makes its own light.", fact="The Moon reflects sunlight.", chose="false"),
        replace(CLAIM, claim="Goldfish forget in seconds.", fact="Goldfish remember for months.", chose=""),
    ),
    answered=True,
    stopped=False,
    decided=False,
    back="/s/demo/complete",
)
COMPLETE = Complete(
    title="Thank you",
    contact="the study team, room 4",
    code="C7K2M9QX",
    way_out="https://platform.example/complete?cc=C7K2M9QX",
    said=("Your answers have been kept.",),
    debrief="/s/demo/debrief",
)
CHOICES_FILES = Download(
    title="Choices",
    holds="One row a stored choice; 648 of them are counted.",
    links=tuple(
        Link(text=text, href=f"/studies/example/export/choices.{text}") for text in ("csv", "jsonl", "parquet")
    ),
)
STUDY = StudyDetail(
    title="Which answers do people prefer?",
    **DESK,
    section="studies",
    slug="example",
    state="live",
    synthetic=True,
    design=(
        ("Set", "Starter misconceptions, version 1"),
        ("Question", "Which response do you prefer?"),
        ("Ratings a pair", "5"),
        ("Pairs a person", "20"),
        ("Design hash", "9f2c4b7a10d35e8866c1f0a9b4d27e3158fa60cc71e2d94b05a8837d6ef41b92"),
    ),
    recruiting=Recruiting(
        title="To paste into Prolific",
        values=(
            Paste(
                name="paste-address",
                term="Study URL",
                value="https://study.example.org/s/example?STUDY_ID={{%STUDY_ID%}}",
            ),
            Paste(name="paste-complete", term="Code: complete", value="QUIET-7391", note="For who judged every pair."),
        ),
    ),
    levels=tuple(
        LevelProgress(
            arm="helpful, neutral", level=n, n_pairs=33, n_slots=165, n_filled=18 * n, n_held=n, percent=11 * n
        )
        for n in range(1, 9)
    ),
    n_slots=1320,
    n_filled=648,
    n_held=36,
    people=(("Reading the consent page", 3), ("Judging", 21), ("Finished", 1042), ("Stopped early", 7)),
    exports=Downloads(
        bundle="/studies/example/export/bundle.zip",
        tables=(CHOICES_FILES, replace(CHOICES_FILES, title="Codebook", holds="What every column means.")),
        payments=replace(CHOICES_FILES, title="Payments", holds=""),
    ),
    as_of=WHEN,
)
STUDIES = Studies(
    title="Studies",
    **DESK,
    section="studies",
    studies=(
        StudyRow(
            slug="example",
            title="Which answers do people prefer?",
            state="closed",
            synthetic=True,
            set_name="Starter misconceptions, version 1",
            n_filled=1320,
            n_slots=1320,
        ),
        StudyRow(
            slug="demo",
            title="A study to take part in",
            state="live",
            synthetic=False,
            set_name="Starter misconceptions, version 1",
            n_filled=4,
            n_slots=120,
        ),
        StudyRow(
            slug="next", title="The next one", state="draft", synthetic=False, set_name="Health", n_filled=0, n_slots=0
        ),
    ),
)
ACCOUNT = AccountRow(
    href="/admin/accounts/1",
    email="ada@example.org",
    role="admin",
    created_at=WHEN,
    disabled=False,
    last_signed_in_at=WHEN,
    n_sessions=2,
    n_tokens=1,
)
BO = replace(ACCOUNT, email="bo@example.org", role="researcher", disabled=True, last_signed_in_at=None)
INVITED = InvitationRow(
    href="/admin/invitations/1",
    email="cy@example.org",
    role="researcher",
    created_at=WHEN,
    expires_at=WHEN,
    expired=False,
)
TOKEN = TokenRow(
    name="the lab's server",
    scope="control",
    created_at=WHEN,
    expires_at=WHEN,
    expired=False,
    last_used_at=None,
    revoke="/account/tokens/1/revoke",
)
TOKENS = (TOKEN, replace(TOKEN, name="laptop", scope="read", expired=True, last_used_at=WHEN))
ACCOUNTS = Accounts(
    title="Accounts",
    **DESK,
    section="accounts",
    accounts=(ACCOUNT, BO),
    invitations=(INVITED, replace(INVITED, expired=True)),
)
ACCOUNT_DETAIL = AccountDetail(
    title="ada@example.org",
    **DESK,
    section="accounts",
    account=ACCOUNT,
    number=1,
    own=True,
    has_password=True,
    tokens=TOKENS,
)
YOURS = YourAccount(
    title="Your account",
    **DESK,
    section="account",
    role="admin",
    created_at=WHEN,
    last_signed_in_at=WHEN,
    has_password=True,
    tokens=TOKENS,
    done="",
)
MAKE_TOKEN = MakeToken(
    title="Make an API token", **DESK, section="account", first_day=WHEN.date(), last_day=WHEN.date().replace(year=2027)
)
SET_PASSWORD = SetPassword(
    title="Make your account",
    form_token="form-token",
    action="/login/invitation/x",
    email="cy@example.org",
    role="researcher",
    shortest=12,
    button="Make my account",
)
INVITE = Invite(title="Invite somebody", **DESK, section="accounts", days=7)
CHANGE_ROLE = ChangeRole(
    title="The role of bo@example.org",
    **DESK,
    section="accounts",
    account="bo@example.org",
    action="/admin/accounts/2/role",
    back="/admin/accounts/2",
    role="researcher",
)
CHANGE_PASSWORD = ChangePassword(title="Change your password", **DESK, section="account", shortest=12)
AUDIT = Audit(
    title="Audit log",
    **DESK,
    section="audit",
    chosen=AuditFilter(kind="role_changed", since="2026-11-01"),
    kinds=(("signed_in", "Signed in"), ("role_changed", "Changed a role")),
    accounts=(("1", "ada@example.org"),),
    studies=(("demo", "demo"),),
    acts=(
        ActRow(
            at=WHEN, what="Changed a role", told="from researcher to admin", who="ada@example.org", about="", study=""
        ),
        ActRow(at=WHEN, what="Opened a study", told="", who="a command", about="", study="demo"),
    ),
    filtered=True,
    newest="/admin/audit?kind=role_changed",
    older="/admin/audit?kind=role_changed&before=7",
    download="/admin/audit.csv?kind=role_changed",
)
SET = SetRow(
    slug="starter",
    version=1,
    title="Starter misconceptions",
    licence="CC BY 4.0",
    content_hash="9f2c4b7a10d35e8866c1f0a9b4d27e3158fa60cc71e2d94b05a8837d6ef41b92",
    n_misconceptions=24,
    n_unlevelled=0,
    studies=("demo", "example"),
    created_at=WHEN,
)
LOGIN = Login(title="Sign in", form_token="form-token", demo=True)

BEFORE_DEBRIEF: dict[str, Page] = {
    "notice": Notice(
        title="There is no place right now",
        paragraphs=("Other people hold the places left.", "Nothing is lost."),
        links=(Link(text="Try again", href="/s/demo"),),
    ),
    "start": Start(title="Candor", demo=False),
    "start-demo": Start(
        title="Candor", demo=True, take_part="/s/demo", results="/studies/example", manage="/admin/sets"
    ),
    "login": LOGIN,
    "login-error": replace(LOGIN, error="Email address or password is wrong", email="ada@example.org", demo=False),
    "link": LoginLink(title="Sign in", form_token="form-token", action="/login/link/x", email="ada@example.org"),
    "consent": CONSENT,
    "consent-shorter": replace(CONSENT, n_pairs=1, shorter=True, expected_minutes=1, pay=""),
    "consent-error": replace(CONSENT, error="Choose whether to take part"),
    "instructions": Instructions(
        title="How it works",
        **STEP,
        text=CONSENT_TEXT,
        question="Which response do you prefer?",
        min_reading_seconds=5,
    ),
    "belief": Belief(title="Before pair 7 of 20", **STEP, claim="Dolphins are fish.", position=7, n_pairs=20),
    "questions": QUESTIONS,
    "questions-error": replace(
        QUESTIONS,
        error="Choose an answer: How often?",
        questions=(replace(QUESTIONS.questions[0], error="Choose an answer: How often?"), QUESTIONS.questions[1]),
        attempt=2,
    ),
    "check": AttentionCheck(
        title="A short check", **STEP, paragraphs=CONSENT_PARAGRAPHS[:2], question=QUESTIONS.questions[0]
    ),
    "judge-more": replace(JUDGE, tie=True, confidence=True, reason="optional"),
    "judge-more-error": replace(
        JUDGE,
        tie=True,
        confidence=True,
        reason="required",
        error="Say how sure you are",
        error_field="confidence-1",
        given={"side": "tie", "reason": "Because <it> is"},
    ),
    "judge-preview": replace(JUDGE, purpose="preview"),
    "consent-pilot": replace(CONSENT, purpose="pilot"),
    "judge-practice": replace(JUDGE, title="Practice pair", practice=True, position=0),
    "judge-first": replace(JUDGE, title="Pair 1 of 20", position=1),
    "judge": JUDGE,
    "judge-short": replace(JUDGE, first="No, dolphins are mammals.", second="Yes.", stop=""),
    "judge-error": replace(JUDGE, error="Choose the response you prefer"),
    "looked-up": LookedUp(title="Did you look anything up?", **STEP),
    "looked-up-error": replace(LookedUp(title="Did you look anything up?", **STEP), error="Choose yes or no"),
    "stop": Stop(title="Stop here?", **LAST_STEP, back="/s/demo/pairs/7", all_judged=False),
}
AFTER: dict[str, Page] = {
    "debrief": DEBRIEF,
    "debrief-stopped": replace(DEBRIEF, stopped=True, claims=DEBRIEF.claims[:1]),
    "debrief-nothing": replace(DEBRIEF, stopped=True, claims=()),
    "debrief-decided": replace(DEBRIEF, decided=True),
    "debrief-error": replace(DEBRIEF, error="Choose what happens to your answers"),
    "complete": COMPLETE,
    "complete-open": replace(COMPLETE, code="", way_out="", said=("Your answers have been withdrawn.",)),
    "complete-preview": replace(COMPLETE, purpose="preview"),
    "complete-stopped": replace(COMPLETE, title="You have stopped", code="", way_out="", said=("You stopped early.",)),
    "studies": STUDIES,
    "studies-none": replace(STUDIES, studies=(), is_admin=False),
    "study": STUDY,
    "study-arms": replace(
        STUDY,
        synthetic=False,
        levels=STUDY.levels + tuple(replace(row, arm="helpful, prefer truth") for row in STUDY.levels),
    ),
    **PLAN_PAGES,
    **PROGRESS_PAGES,
    **MODELS_PAGES,
    **RESULTS_PAGES,
    "study-preregistered": replace(STUDY, preregistration=PREREGISTERED),
    "study-to-preregister": replace(STUDY, preregistration=TO_PREREGISTER),
    "study-draft": replace(STUDY, state="draft", synthetic=False, levels=(), people=(), exports=None, recruiting=None),
    "sets": Sets(title="Sets", **DESK, section="sets", sets=(SET, replace(SET, version=2, studies=(), n_unlevelled=3))),
    "sets-none": Sets(title="Sets", **DESK, section="sets", sets=()),
    "accounts": ACCOUNTS,
    "accounts-done": replace(ACCOUNTS, invitations=(), done="The invitation was withdrawn."),
    "account": ACCOUNT_DETAIL,
    "account-disabled": replace(ACCOUNT_DETAIL, account=BO, own=False, has_password=False, tokens=()),
    "your-account": YOURS,
    "your-account-bare": replace(YOURS, role="researcher", has_password=False, tokens=(), done="Done.", is_admin=False),
    "your-password": CHANGE_PASSWORD,
    "your-password-error": replace(CHANGE_PASSWORD, error="Enter your current password", error_field="current"),
    "your-password-weak": replace(CHANGE_PASSWORD, error="The password is too short", error_field="new"),
    "your-password-twice": replace(CHANGE_PASSWORD, error="They are not the same", error_field="again"),
    "make-token": MAKE_TOKEN,
    "make-token-error": replace(MAKE_TOKEN, name="x", scope="read", error="Give it a name", error_field="name"),
    "make-token-scope": replace(MAKE_TOKEN, name="x", error="Choose what it may do", error_field="scope-read"),
    "make-token-lasts": replace(MAKE_TOKEN, scope="read", error="Choose how long", error_field="lasts-30"),
    "make-token-until": replace(MAKE_TOKEN, lasts="date", until="soon", error="Enter a date", error_field="until"),
    "set-password": SET_PASSWORD,
    "set-password-reset": replace(SET_PASSWORD, role="", title="Set a new password", button="Set the password"),
    "set-password-error": replace(SET_PASSWORD, error="The password is too short", error_field="password"),
    "set-password-twice": replace(SET_PASSWORD, error="They are not the same", error_field="again"),
    "invite": INVITE,
    "invite-error": replace(INVITE, address="x", error="Enter an email address", error_field="address"),
    "invite-role": replace(INVITE, address="x@y.org", error="Choose a role", error_field="role-researcher"),
    "role": CHANGE_ROLE,
    "role-error": replace(CHANGE_ROLE, error="This is the last admin", error_field="role-researcher"),
    "audit": AUDIT,
    "audit-none": replace(AUDIT, acts=(), newest="", older=""),
    "audit-empty": replace(AUDIT, acts=(), filtered=False, newest="", older=""),
    "audit-error": replace(AUDIT, acts=(), error="Enter the first day as a date", error_field="since"),
    "audit-error-account": replace(AUDIT, acts=(), error="Choose one of them", error_field="account"),
    "confirm": Confirm(
        title="Disable bo@example.org?",
        **DESK,
        section="accounts",
        paragraphs=("They are signed out everywhere.", "You can enable the account again."),
        action="/admin/accounts/2/disable",
        button="Disable the account",
        back="/admin/accounts/2",
    ),
    "shown-once": ShownOnce(
        title="Your new token",
        **DESK,
        section="account",
        paragraphs=("Copy it now.", "It is not shown again."),
        what="token",
        value="candor_" + "x" * 43,
        back=Link(text="Your account", href="/account"),
    ),
}
AFTER |= FORM_PAGES | SET_PAGES | around(STUDY)
PAGES = BEFORE_DEBRIEF | AFTER
SPOILERS = ("sycophan", "misconception", "truthful", "arm")


class Element:
    """A tag with its attributes and the text inside it, as far as the tests ask."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes, self.text = tag, attributes, ""


class Reader(HTMLParser):
    """Collects every element of a page in order."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        assert not self._open, f"not closed: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"closed but never opened: {tag}"
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]


def html_of(page: Page) -> str:
    return bytes(render(page).body).decode()


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    return PAGES[request.param]


def subclasses(kind: type[Page]) -> Iterator[type[Page]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_page_has_a_sample_and_every_template_is_a_page_or_its_frame() -> None:
    shown = {str(kind.template) for kind in subclasses(Page) if hasattr(kind, "template")}
    assert {page.template for page in PAGES.values()} == shown
    folder = resources.folder("templates")
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*.html")}
    assert files - shown == {"_macros.html", "base.html", "annotator/base.html", "signed_in.html", "_accounts.html"} | {
        "_charts.html",
        "_judging.html",
        "admin/_set_report.html",
        "researcher/_exports.html",
        "researcher/_preregistration.html",
        "results/_drawing.html",
        "results/_figures.html",
        "results/report.html",
        "researcher/_fields.html",
        "researcher/_models_chart.html",
    }


def test_one_heading_says_the_title_and_so_does_the_document(page: Page) -> None:
    read = Reader(html_of(page))
    assert [" ".join(heading.text.split()) for heading in read.all("h1")] == [page.title]
    (title,) = (found for found in read.all("title") if "id" not in found.attributes)  # Drawings have titles with ids.
    error = "Error: " if getattr(page, "error", "") else ""
    assert title.text == (page.title if page.title == "Candor" else f"{error}{page.title} – Candor")
    assert read.all("html", lang="en")
    assert read.all("main", id="main")
    assert read.all("a", href="#main")


def test_focus_starts_at_one_place_on_every_page_of_the_way(page: Page) -> None:
    focused = [element for element in Reader(html_of(page)).elements if "autofocus" in element.attributes]
    if isinstance(page, Step) and page.error:
        assert [element.attributes.get("role") for element in focused] == ["alert"]
    elif isinstance(page, Step | Complete | Notice):
        assert [(element.tag, element.attributes.get("tabindex")) for element in focused] == [("h1", "-1")]


def test_an_error_is_told_above_and_at_its_field(page: Page) -> None:
    error = getattr(page, "error", "")
    read = Reader(html_of(page))
    alerts = [element for element in read.elements if element.attributes.get("role") == "alert"]
    assert len(alerts) == bool(error)
    if error:
        assert error in unescape(alerts[0].text)
        assert html_of(page).count(error) == 2
        ids = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
        target = next(link.attributes["href"] for link in read.all("a") if error in link.text)
        assert target.removeprefix("#") in ids


def test_nothing_refers_to_an_id_that_is_missing_or_there_twice(page: Page) -> None:
    read = Reader(html_of(page))
    ids = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in read.elements:
        for name in ("for", "aria-labelledby", "aria-describedby"):
            assert set(element.attributes.get(name, "").split()) <= set(ids)


def test_a_step_is_one_form_with_its_token(page: Page) -> None:
    read = Reader(html_of(page))
    forms = read.all("form", id="step")
    if isinstance(page, Step) and not (isinstance(page, Debrief) and page.decided):
        assert len(forms) == len(read.all("form")) == 1
        assert (forms[0].attributes["method"], forms[0].attributes["action"]) == ("post", page.action)
        assert [field.attributes["value"] for field in read.all("input", name="token")] == [page.token]
        assert read.all("button", type="submit")
    else:
        assert not forms


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("judge", "side", ["left", "right"]),
        ("looked-up", "looked_up", ["yes", "no"]),
        ("debrief", "data", ["keep", "withdraw"]),
    ],
)
def test_a_question_has_its_answers_and_none_is_given_beforehand(name: str, field: str, values: list[str]) -> None:
    radios = Reader(html_of(PAGES[name])).all("input", type="radio", name=field)
    assert [radio.attributes["value"] for radio in radios] == values
    assert not any("checked" in radio.attributes for radio in radios)


def test_consent_is_given_or_declined_by_its_two_buttons() -> None:
    buttons = Reader(html_of(CONSENT)).all("button", name="consent")
    assert [button.attributes["value"] for button in buttons] == ["yes", "no"]


def test_the_policy_holds_nothing_inline_and_nothing_from_elsewhere(page: Page) -> None:
    for element in Reader(html_of(page)).elements:
        assert element.tag != "style"
        assert "style" not in element.attributes
        assert not [name for name in element.attributes if name.startswith("on")]
        if element.tag == "script":
            assert not element.text.strip()
            assert "defer" in element.attributes
        if element.tag in {"script", "img", "link"}:
            source = element.attributes.get("src") or element.attributes["href"]
            assert source.startswith("/static/")


def test_links_out_do_not_say_where_the_reader_comes_from(page: Page) -> None:
    for link in Reader(html_of(page)).all("a"):
        if link.attributes["href"].startswith("http"):
            assert "noreferrer" in link.attributes["rel"]


def without_texts(html: str) -> str:
    for text in (FIRST, SECOND):
        html = unescape(html).replace(text, "")
    return html.lower()


@pytest.mark.parametrize("name", BEFORE_DEBRIEF)
def test_nothing_is_given_away_before_the_debrief(name: str) -> None:
    shown = without_texts(html_of(BEFORE_DEBRIEF[name]))
    assert not [word for word in SPOILERS if word in shown]


@pytest.mark.parametrize("file", ["candor.css", "judge.js", "favicon.svg"])
def test_files_that_annotators_load_give_nothing_away(file: str) -> None:
    text = (resources.folder("static") / file).read_text().lower()
    assert not [word for word in SPOILERS if word in text]


def test_both_cards_are_alike_but_for_number_side_and_text() -> None:
    html = html_of(replace(JUDGE, first="<<The text>>", second="<<The text>>"))
    cards = re.findall(r"<article.*?</article>", html, re.DOTALL)
    options = re.findall(r'<div class="option .*?</div>', html, re.DOTALL)
    assert len(cards) == len(options) == 2

    def normal(markup: str) -> str:
        for number, side, arrow in (("1", "left", "←"), ("2", "right", "→")):
            markup = markup.replace(side, "SIDE").replace(arrow, "ARROW")
            markup = re.sub(rf"(?<=[->\s]){number}(?=[\"<\s])", "NUMBER", markup)
        return markup

    assert cards[0] != cards[1]
    assert normal(cards[0]) == normal(cards[1])
    assert normal(options[0]) == normal(options[1])


def test_texts_are_shown_as_they_are() -> None:
    text = '  Two spaces, <b>a tag</b>, "quotes" & *stars*.\n\nA second paragraph.\n'
    html = html_of(replace(JUDGE, prompt=text, first=text, second=text))
    shown = re.findall(r'class="text text--asis"[^>]*>(.*?)</(?:div|blockquote)>', html, re.DOTALL)
    assert [unescape(found) for found in shown] == [text] * 3
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("name", "said"), [("judge-practice", True), ("judge-first", True), ("judge", False), ("consent", False)]
)
def test_a_pause_is_offered_once(name: str, said: bool) -> None:
    assert ("You can close this page and come back with the same link." in html_of(PAGES[name])) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("debrief", "You preferred the accurate response."),
        ("debrief", "You preferred the response that was false."),
        ("debrief", "You did not choose."),
        ("debrief-stopped", "You did not judge every pair. Here is what was behind what you read."),
        ("debrief-nothing", "You have not been shown any pair"),
        ("debrief-decided", "/s/demo/complete"),
        ("complete-open", "Your answers have been withdrawn."),
        ("complete-stopped", "You stopped early."),
        ("study", "Synthetic data"),
        ("study-draft", "candor study open example"),
        ("studies-none", "candor study create"),
        ("sets-none", "candor set import FILE"),
        ("accounts-done", "candor account invite EMAIL --role researcher"),
        ("your-account-bare", "This account has no password"),
        ("audit-none", "Nothing that was done is like this."),
        ("audit-empty", "Nothing has been done yet."),
        ("shown-once", "It is not shown again."),
        ("consent-shorter", "Fewer pairs than usual are left"),
        ("judge-preview", "<strong>Preview:</strong> nothing you do here counts."),
        ("complete-preview", "<strong>Preview:</strong> nothing you do here counts."),
        ("consent-pilot", "<strong>Pilot:</strong> a trial run of this study."),
        ("study-pilot", "<strong>Pilot.</strong>"),
        ("study-around", "Pair x retired"),
        ("configure-rendered", "<h2>Hello</h2>"),
        ("studies-none", "/studies/new"),
    ],
)
def test_a_page_says(name: str, said: str) -> None:
    assert said in html_of(PAGES[name])


def test_the_false_response_is_marked_by_a_word_wherever_it_is_repeated() -> None:
    repeated = re.findall(r'<div class="again( again--false)?">\s*<h3>(.*?)</h3>', html_of(DEBRIEF), re.DOTALL)
    assert [("False" in heading) for _, heading in repeated] == [False, True] * len(DEBRIEF.claims)
    assert [bool(hatch) for hatch, _ in repeated] == [False, True] * len(DEBRIEF.claims)


@pytest.mark.parametrize("name", ["study", "complete"])
def test_each_value_to_copy_has_its_button_that_waits_for_the_script(name: str) -> None:
    read = Reader(html_of(PAGES[name]))
    ids = {element.attributes["id"]: element for element in read.elements if "id" in element.attributes}
    buttons = [button for button in read.all("button") if "data-copy" in button.attributes]
    assert len(buttons) == (2 if name == "study" else 1)
    for button in buttons:
        assert "hidden" in button.attributes
        assert ids[button.attributes["data-copy"]].text.strip()
        assert ids[button.attributes["data-said"]].attributes["role"] == "status"
    assert [script for script in read.all("script") if "/static/copy.js" in script.attributes["src"]]


def test_nothing_to_copy_loads_no_script() -> None:
    assert "copy.js" not in html_of(PAGES["study-draft"])
    assert "copy.js" not in html_of(PAGES["complete-open"])


def test_sets_and_accounts_are_for_admins() -> None:
    assert "/admin/sets" in html_of(STUDIES)
    assert "/admin/" not in html_of(replace(STUDIES, is_admin=False))


def test_signing_out_is_a_form_with_its_token() -> None:
    read = Reader(html_of(STUDIES))
    assert read.all("form", method="post", action="/logout")
    assert [field.attributes["value"] for field in read.all("input", name="form_token")] == ["form-token"]


def test_a_password_is_never_sent_back_and_is_named_for_its_keeper() -> None:
    for name in ("your-password-error", "your-password-weak", "set-password-error", "set-password-twice"):
        fields = Reader(html_of(PAGES[name])).all("input", type="password")
        assert len(fields) >= 2
        assert not any(field.attributes["value"] for field in fields)
        assert {field.attributes["autocomplete"] for field in fields} <= {"new-password", "current-password"}


@pytest.mark.parametrize("name", ["confirm", "invite", "role", "your-password", "make-token"])
def test_what_changes_an_account_is_a_form_with_its_token(name: str) -> None:
    forms = re.findall(r"<form.*?</form>", html_of(PAGES[name]), re.DOTALL)
    assert len(forms) == 2, "its own, and signing out"
    for form in forms:
        assert 'method="post"' in form
        assert 'name="form_token"' in form


def test_the_audit_log_is_for_admins() -> None:
    assert "/admin/audit" in html_of(STUDIES)
    assert "/account" in html_of(replace(STUDIES, is_admin=False))
