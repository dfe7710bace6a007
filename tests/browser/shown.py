"""Every page that there is, in one list: how to reach it, and the heading by which it is known.

The list is what the accessibility tests, the tests of all pages and the screenshots go through. A new page is one line.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import urljoin

from playwright.sync_api import Page

from app.db import transaction
from app.study import result_links, studies
from tests.browser.served import ADMIN, AMENDED, EVERYTHING, READING, RESEARCHER, TIE, Served, Walk, apart, starter_set
from tests.example_sets import STARTER
from tests.scored import run_record, score_file
from tests.walker import Walker


def nothing(page: Page) -> None:
    """Do nothing more on a page."""


@dataclass(frozen=True)
class Shown:
    """A page: its name, its heading, the address a browser opens, who is signed in, and what is done there.

    `then` is a second address, for pages to which no link leads directly. `status` is what the server answers.
    """

    name: str
    heading: str
    opens: Callable[[Served], str]
    then: str = ""
    signed_in: str = ""
    act: Callable[[Page], None] = nothing
    status: int = 200

    def __str__(self) -> str:
        """Name the test of this page."""
        return self.name


def at(path: str) -> Callable[[Served], str]:
    """Open an address of the server."""
    return lambda there: there.base + path


def send_empty(page: Page) -> None:
    """Send the main form with nothing chosen, as a browser does that checks nothing by itself."""
    page.locator("#step").evaluate("form => { form.noValidate = true }")
    page.locator("#step button[type=submit]").first.click()
    page.locator(".summary").wait_for()


def send_signed_out(page: Page) -> None:
    """Send a form of the desk without being signed in."""
    page.locator("main form").evaluate("form => { form.action = '/studies/new'; form.submit() }")
    page.get_by_role("heading", name="You are no longer signed in").wait_for()


def look_as_a_preview(page: Page) -> None:
    """Open a study's link as a program does that makes previews of links."""
    page.set_extra_http_headers({"User-Agent": "a preview"})
    page.goto(urljoin(page.url, f"/s/{READING}?pid=somebody"))
    page.set_extra_http_headers({})


def sign_in_wrongly(page: Page) -> None:
    """Send a wrong password."""
    page.get_by_label("Email address").fill(RESEARCHER)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    page.locator(".summary").wait_for()


def fill_wrongly(*fields: tuple[str, str]) -> Callable[[Page], None]:
    """Fill the main form's fields, by id, with what cannot be taken, and send it unchecked by the browser."""

    def act(page: Page) -> None:
        for name, value in fields:
            page.locator(f"#{name}").fill(value)
        form = page.locator("main form").first
        form.evaluate("form => { form.noValidate = true }")
        form.locator("button[type=submit]").first.click()
        page.locator(".summary").wait_for()

    return act


def invite_again(page: Page) -> None:
    """Invite somebody who has an account."""
    page.locator("#role-researcher").check()
    fill_wrongly(("address", RESEARCHER))(page)


def demote(page: Page) -> None:
    """Take the role of the last admin away."""
    page.locator("#role-researcher").check()
    fill_wrongly()(page)


def press_it(page: Page) -> None:
    """Press the button of a question."""
    page.locator("main form button[type=submit]").click()
    page.locator(".ways").wait_for()


def make_a_token(page: Page) -> None:
    """Make a token of a name that no other has, and see it."""
    page.get_by_label("Name").fill(f"seen {time.monotonic_ns()}")
    page.locator("#scope-read").check()
    page.locator("#lasts-30").check()
    page.get_by_role("button", name="Make the token").click()
    page.locator("#value").wait_for()


def make_the_link(page: Page) -> None:
    """Press the button of a question, and see the link."""
    page.locator("main form button[type=submit]").click()
    page.locator("#value").wait_for()


def choose_first(page: Page) -> None:
    """Choose the first response, and send nothing."""
    page.locator("#side-left").check()


def choose_all_but_confidence(page: Page) -> None:
    """Say that there is no preference, and why, but not how sure; and send it."""
    page.locator("#side-tie").check()
    page.locator("#reason").fill("Both explain it well, and I could not say which of them I would rather have read.")
    send_empty(page)


def choose_everything(page: Page) -> None:
    """Answer all that is asked about a pair, and send nothing."""
    page.locator("#side-right").check()
    page.locator("#confidence-4").check()
    page.locator("#reason").fill("It answers what was asked.")


def answer_early(page: Page) -> None:
    """Say that there is no preference before the reading time is over."""
    page.locator("#side-tie").check()
    send_empty(page)


def open_tables(page: Page) -> None:
    """Unfold every table of the results."""
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true })")


def results_link(there: Served) -> str:
    """Return the address of a fresh read-only link to the results of the example."""

    async def make() -> str:
        async with transaction(there.database_url) as session:
            study = await studies.get_study(session, "example")
            return await result_links.make(session, study.id)

    return f"{there.base}/r/{apart(make)}"


def open_responses(page: Page) -> None:
    """Unfold the responses of the first claim."""
    page.locator("summary").first.click()


# How somebody comes to a page of the way, with a plain client.


async def to_instructions(walker: Walker, query: str) -> None:
    """Consent."""
    await walker.enter(query)
    await walker.send(consent="yes")


async def to_practice(walker: Walker, query: str) -> None:
    """Read the instructions."""
    await to_instructions(walker, query)
    await walker.send()


async def to_judging(walker: Walker, query: str) -> None:
    """Practise."""
    await walker.to_judging(query)


async def to_second_pair(walker: Walker, query: str) -> None:
    """Judge one pair."""
    await walker.to_judging(query)
    await walker.send(side="left")


async def to_looked_up(walker: Walker, query: str) -> None:
    """Judge every pair."""
    await walker.to_judging(query)
    while walker.path.startswith("/pairs/"):
        await walker.send(side="left" if walker.path.endswith(("1", "4", "5")) else "right")


async def to_debrief(walker: Walker, query: str) -> None:
    """Say that nothing was looked up."""
    await to_looked_up(walker, query)
    await walker.send(looked_up="no")


async def to_complete(walker: Walker, query: str) -> None:
    """Keep the data."""
    await to_debrief(walker, query)
    await walker.send(data="keep")


async def to_withdrawn(walker: Walker, query: str) -> None:
    """Withdraw the data."""
    await to_debrief(walker, query)
    await walker.send(data="withdraw")


async def to_stopped(walker: Walker, query: str) -> None:
    """Judge one pair, see the next, and stop."""
    await to_second_pair(walker, query)
    await walker.get("/stop")
    await walker.send()


async def to_stopped_at_once(walker: Walker, query: str) -> None:
    """Stop before the first pair."""
    await to_instructions(walker, query)
    await walker.get("/stop")
    await walker.send()


async def to_stopped_complete(walker: Walker, query: str) -> None:
    """Stop, and keep the data."""
    await to_stopped(walker, query)
    await walker.send(data="keep")


async def to_comprehension(walker: Walker, query: str) -> None:
    """Say who one is, and read the instructions, in a study that asks everything."""
    await to_instructions(walker, query)
    await walker.send(age="18 to 39", english="Prefer not to say")
    await walker.send()


_UNDERSTOOD = {"question-1": "Which of the two I prefer", "question-2": "No, I judge by reading alone"}


async def to_second_attempt(walker: Walker, query: str) -> None:
    """Answer one of the questions about the instructions wrongly."""
    await to_comprehension(walker, query)
    await walker.send(**_UNDERSTOOD | {"question-1": "Who wrote them"})


async def to_screened_out(walker: Walker, query: str) -> None:
    """Answer it wrongly again."""
    await to_second_attempt(walker, query)
    await walker.send(**_UNDERSTOOD | {"question-1": "Who wrote them"})


async def to_belief(walker: Walker, query: str) -> None:
    """Understand the instructions, and practise."""
    await to_comprehension(walker, query)
    await walker.send(**_UNDERSTOOD)
    await walker.send(side="left")


async def to_pair_with_everything(walker: Walker, query: str) -> None:
    """Say how likely the claim of the first pair is."""
    await to_belief(walker, query)
    await walker.send(belief="70")


async def to_check(walker: Walker, query: str) -> None:
    """Judge until the first check."""
    await to_belief(walker, query)
    while not walker.path.startswith("/checks/"):
        await walker.send(belief="70", side="tie", confidence="3")


async def to_failed_checks(walker: Walker, query: str) -> None:
    """Judge every pair, and do at each check what it does not ask for."""
    await to_belief(walker, query)
    while walker.path != "/looked-up":
        offered = walker.page.options.get("answer", [])
        wrong = next((answer for answer in offered if f"“{answer}”" not in walker.page.words), "")
        await walker.send(belief="70", side="tie", confidence="3", answer=wrong)
    await walker.send(looked_up="no")
    await walker.send(data="keep")


def type_wrongly(page: Page) -> None:
    """Save a draft with faults in three kinds of field."""
    page.get_by_label("Ratings of each pair").fill("many")
    page.get_by_label("Background questions").fill("english | Yes | No")
    for arm in page.get_by_role("checkbox", name="answer,").all():
        arm.uncheck()
    page.get_by_role("button", name="Save the draft").click()
    page.locator(".summary").wait_for()


def show_texts(page: Page) -> None:
    """Ask for the texts as annotators read them."""
    page.get_by_label("Consent", exact=True).fill("# Welcome\n\nRead *closely*, please:\n\n- one page\n- at a time\n")
    page.get_by_role("button", name="Preview the texts").click()
    page.locator(".rendered").first.wait_for()


def send_ask(page: Page) -> None:
    """Send a small form as it is."""
    page.locator(".configure button").click()
    page.locator(".summary").wait_for()


def _send(page: Page, name: str, content: str) -> None:
    """Send a file of misconceptions."""
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/plain", "buffer": content.encode()})
    page.get_by_role("button", name="Check the file").click()


def send_unknown_columns(page: Page) -> None:
    """Send a table that says nothing of what its columns are."""
    _send(page, "facts.csv", "myth,question,truth\na,b,c\n")
    page.locator(".summary").wait_for()


def send_faulty_set(page: Page) -> None:
    """Send the starter set with three lines that cannot be taken, and one that gives itself away."""
    lines = STARTER.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace('"category": "', '"category": "Not A Word ')
    lines[5] = lines[5].replace('"fact":', '"facts":')
    lines[8] = lines[8].replace('"sycophantic": "', '"sycophantic": "**Yes**, ')
    _send(page, "facts.jsonl", "\n".join(lines))
    page.locator(".decide").wait_for()


def send_faulty_scores(page: Page) -> None:
    """Send scores of another study's pairs, and a number that is none."""
    row: dict[str, object] = {
        "key": "no-such-pair",
        "kind": "sycophantic",
        "variant": "standard",
        "prompt_hash": "0" * 64,
    }
    row |= {"text_hash": "0" * 64, "score": 1.5, "n_tokens": 20, "truncated": False}
    lines = b"".join(score_file(run_record("4" * 16), [row, row | {"score": None}, row | {"variant": "odd"}]))
    page.locator("#file").set_input_files({"name": "scores.jsonl", "mimeType": "text/plain", "buffer": lines})
    page.get_by_role("button", name="Import the scores").click()
    page.locator(".summary").wait_for()


def check_it(page: Page) -> None:
    """Check a version, if nobody has yet."""
    button = page.get_by_role("button", name="Check this version")
    if button.count():
        button.click()
    page.get_by_role("heading", name="Levels").wait_for()


def edit_wrongly(page: Page) -> None:
    """Change a misconception in a way that cannot be taken."""
    page.get_by_label("Key", exact=True).fill("Not a key")
    page.get_by_label("Fact", exact=True).fill("")
    page.get_by_label("Difficulty level").fill("9")
    page.get_by_role("button", name="See what changes").click()
    page.locator(".summary").wait_for()


def edit_a_little(page: Page) -> None:
    """Change the level and a few words."""
    page.get_by_label("Difficulty level").fill("8")
    text = page.get_by_label("Helpful truthful response")
    text.fill(text.input_value().replace("the", "this", 2))
    page.get_by_role("button", name="See what changes").click()
    page.locator(".change").wait_for()


def person(walk: Walk | None = None, slug: str = READING) -> Callable[[Served], str]:
    """Open the link of somebody who has walked so far."""
    name = "at the start" if walk is None else walk.__name__
    return lambda there: there.someone(f"{slug} {name}".replace(" ", "-"), walk, slug)


_newcomers = count(1)


def newcomer(walk: Walk, slug: str) -> Callable[[Served], str]:
    """Open the link of somebody who has just walked so far, another one each time: for what time changes."""
    return lambda there: there.someone(f"{slug}-newcomer-{next(_newcomers)}", walk, slug)


ENTERS = person()
_FIRST = "Pair 1 of 6"
_SECOND = "Pair 2 of 6"
_GONE = "gone@lab.example"
_ONCE_MORE = "The questions once more"
_RESULTS = "Results of An example, filled by synthetic annotators"
_FILLED = "Progress of An example, filled by synthetic annotators"
_TWO_ARMS = "Progress of Told to prefer the truth, or not"
_MODELS = "Preference models of An example, filled by synthetic annotators"
_MODELS_RUNNING = "Preference models of Reading closely"
_MODELS_NONE = "Preference models of A study that is being prepared"
_IMPORT, _SCORES_IMPORT = "Import a score file", at("/studies/example/models/import")
_BEING_PREPARED = "Progress of A study that is being prepared"
_EDIT = "Edit “A study that is being prepared”"
_EVERYTHING = person(to_pair_with_everything, EVERYTHING)
_STOP = f"/s/{READING}/stop"

_STARTER = "/admin/sets/starter/1"
_FIRST_KEY, _CLAIM = starter_set()[0].key, starter_set()[0].claim
_MISCONCEPTION = f"{_STARTER}/misconceptions/{_FIRST_KEY}"

PAGES: tuple[Shown, ...] = (
    Shown("start", "Candor", at("/")),
    Shown("start-demo", "Candor", lambda there: f"{there.demo}/"),
    Shown("login", "Sign in", at("/login")),
    Shown("login-error", "Sign in", at("/login"), act=sign_in_wrongly, status=403),
    Shown("signed-out", "You are no longer signed in", at("/login"), act=send_signed_out),
    Shown("login-link", "Sign in", lambda there: there.login_link(RESEARCHER)),
    Shown("login-link-used", "This link no longer signs you in", at("/login/link/used-before"), status=410),
    Shown("login-needed", "Sign in", at("/studies")),
    Shown("consent", "Taking part", ENTERS),
    Shown("consent-shorter", "Taking part", person(slug="shorter")),
    Shown("declined", "Thank you", at(f"/s/{READING}/declined")),
    Shown("instructions", "How it works", person(to_instructions)),
    Shown("instructions-reading-time", "How it works", person(to_instructions, TIE)),
    Shown("background", "About you", person(to_instructions, EVERYTHING)),
    Shown("background-error", "About you", person(to_instructions, EVERYTHING), act=send_empty, status=422),
    Shown("comprehension", "A few questions about the task", person(to_comprehension, EVERYTHING)),
    Shown("comprehension-again", _ONCE_MORE, person(to_second_attempt, EVERYTHING)),
    Shown("comprehension-error", _ONCE_MORE, person(to_second_attempt, EVERYTHING), act=send_empty, status=422),
    Shown("practice", "Practice pair", person(to_practice)),
    Shown("practice-tie", "Practice pair", person(to_practice, TIE)),
    Shown("judge", _FIRST, person(to_judging)),
    Shown("judge-chosen", _SECOND, person(to_second_pair), act=choose_first),
    Shown("judge-error", _SECOND, person(to_second_pair), act=send_empty, status=422),
    Shown("judge-tie", _FIRST, person(to_judging, TIE)),
    Shown("judge-early", _FIRST, newcomer(to_judging, TIE), act=answer_early, status=422),
    Shown("belief", "Before pair 1 of 7", person(to_belief, EVERYTHING)),
    Shown("belief-error", "Before pair 1 of 7", person(to_belief, EVERYTHING), act=send_empty, status=422),
    Shown("judge-everything", "Pair 1 of 7", _EVERYTHING),
    Shown("judge-everything-chosen", "Pair 1 of 7", _EVERYTHING, act=choose_everything),
    Shown("judge-everything-error", "Pair 1 of 7", _EVERYTHING, act=choose_all_but_confidence, status=422),
    Shown("check", "A short check", person(to_check, EVERYTHING)),
    Shown("check-error", "A short check", person(to_check, EVERYTHING), act=send_empty, status=422),
    Shown("stop", "Stop here?", person(to_second_pair), then=_STOP),
    Shown("looked-up", "Did you look anything up?", person(to_looked_up)),
    Shown("looked-up-error", "Did you look anything up?", person(to_looked_up), act=send_empty, status=422),
    Shown("debrief", "What was behind it", person(to_debrief)),
    Shown("debrief-open", "What was behind it", person(to_debrief), act=open_responses),
    Shown("debrief-error", "What was behind it", person(to_debrief), act=send_empty, status=422),
    Shown("debrief-stopped", "What was behind it", person(to_stopped)),
    Shown("debrief-nothing-seen", "What was behind it", person(to_stopped_at_once)),
    Shown("debrief-again", "What was behind it", person(to_complete), then=f"/s/{READING}/debrief"),
    Shown("complete", "Thank you", person(to_complete)),
    Shown("complete-prolific", "Thank you", person(to_complete, "prolific")),
    Shown("complete-withdrawn", "Thank you", person(to_withdrawn)),
    Shown("complete-stopped", "You have stopped", person(to_stopped_complete)),
    Shown("complete-failed-checks", "Thank you", person(to_failed_checks, EVERYTHING)),
    Shown("screened-out", "This study is not for you", person(to_screened_out, EVERYTHING)),
    Shown("link-preview", "A study", at("/"), act=look_as_a_preview),
    Shown("full", "This study is complete", person(slug="full"), status=410),
    Shown("no-place", "There is no place right now", person(slug="held"), status=503),
    Shown("paused", "This study is paused", person(slug="paused"), status=503),
    Shown("closed", "This study has ended", person(slug="closed"), status=410),
    Shown("example-takes-nobody", "This study is an example", person(slug="example"), status=403),
    Shown("unknown-study", "We do not know this study", at("/s/nothing?pid=x"), status=404),
    Shown("link-incomplete", "This link is incomplete", at(f"/s/{READING}"), status=400),
    Shown("place-lost", "We could not find your place", at(f"/s/{READING}/consent"), status=403),
    Shown("no-such-page", "There is no such page", at("/nothing"), status=404),
    Shown("studies", "Studies", at("/studies"), signed_in=RESEARCHER),
    Shown("studies-admin", "Studies", at("/studies"), signed_in=ADMIN),
    Shown("study", "Reading closely", at(f"/studies/{READING}"), signed_in=RESEARCHER),
    Shown("study-draft", "A study that is being prepared", at("/studies/draft"), signed_in=RESEARCHER),
    Shown("study-untouched", "A study that is paused", at("/studies/paused"), signed_in=RESEARCHER),
    Shown("study-filled", "An example, filled by synthetic annotators", at("/studies/example"), signed_in=RESEARCHER),
    Shown("study-two-arms", "Told to prefer the truth, or not", at("/studies/two-arms"), signed_in=RESEARCHER),
    Shown("progress", "Progress of Reading closely", at(f"/studies/{READING}/progress"), signed_in=RESEARCHER),
    Shown("progress-filled", _FILLED, at("/studies/example/progress"), signed_in=RESEARCHER),
    Shown("progress-two-arms", _TWO_ARMS, at("/studies/two-arms/progress"), signed_in=RESEARCHER),
    Shown("progress-draft", _BEING_PREPARED, at("/studies/draft/progress"), signed_in=RESEARCHER),
    Shown("models", _MODELS, at("/studies/example/models"), signed_in=RESEARCHER),
    Shown("models-judge", _MODELS, at(f"/studies/example/models?run={'e' * 16}"), signed_in=RESEARCHER),
    Shown("models-running", _MODELS_RUNNING, at(f"/studies/{READING}/models"), signed_in=RESEARCHER),
    Shown("models-none", _MODELS_NONE, at("/studies/draft/models"), signed_in=RESEARCHER),
    Shown("scores-import", _IMPORT, _SCORES_IMPORT, signed_in=RESEARCHER),
    Shown("scores-import-error", _IMPORT, _SCORES_IMPORT, signed_in=RESEARCHER, act=send_faulty_scores, status=422),
    Shown("results", _RESULTS, at("/studies/example/results"), signed_in=RESEARCHER),
    Shown("results-open", _RESULTS, at("/studies/example/results"), signed_in=RESEARCHER, act=open_tables),
    Shown("results-none", "Results of A study that is paused", at("/studies/paused/results"), signed_in=RESEARCHER),
    Shown(
        "results-draft",
        "Results of A study that is being prepared",
        at("/studies/draft/results"),
        signed_in=RESEARCHER,
    ),
    Shown(
        "results-revoke",
        "Revoke the link to the results of “An example, filled by synthetic annotators”?",
        at("/studies/example/results/link/revoke"),
        signed_in=RESEARCHER,
    ),
    Shown("results-shared", _RESULTS, results_link),
    Shown("results-revoked", "There is no such page", at("/r/revoked-before"), status=404),
    Shown("plan", "Plan a study", at("/studies/plan"), signed_in=RESEARCHER),
    Shown("plan-result", "Plan a study", at("/studies/plan?simulations=40&pay=£2.50"), signed_in=RESEARCHER),
    Shown("plan-error", "Plan a study", at("/studies/plan?rates=0.2"), signed_in=RESEARCHER, status=422),
    Shown("study-amended", "Raised, and without one pair", at(f"/studies/{AMENDED}"), signed_in=RESEARCHER),
    Shown("study-pilot", "Raised, and without one pair", at(f"/studies/{AMENDED}-pilot-1"), signed_in=RESEARCHER),
    Shown("study-new", "New study", at("/studies/new"), signed_in=RESEARCHER),
    Shown("study-new-error", "New study", at("/studies/new"), signed_in=RESEARCHER, act=type_wrongly),
    Shown("study-edit", _EDIT, at("/studies/draft/edit"), signed_in=RESEARCHER),
    Shown("study-edit-texts", _EDIT, at("/studies/draft/edit"), signed_in=RESEARCHER, act=show_texts),
    Shown("study-open", "Open “A study that is being prepared”?", at("/studies/draft/open"), signed_in=RESEARCHER),
    Shown("study-clone", "Clone “Reading closely”", at(f"/studies/{READING}/clone"), signed_in=RESEARCHER),
    Shown(
        "study-retire-error",
        "Retire a pair of “Reading closely”",
        at(f"/studies/{READING}/retire"),
        signed_in=RESEARCHER,
        act=send_ask,
    ),
    Shown("study-not-a-draft", "This could not be done", at(f"/studies/{READING}/edit"), "", RESEARCHER, status=409),
    Shown("preview-consent", "Taking part", lambda there: there.someone("a preview", slug=there.preview)),
    Shown("preview-judge", _FIRST, lambda there: there.someone("previewing", to_judging, there.preview)),
    Shown("preview-complete", "Thank you", lambda there: there.someone("previewed", to_complete, there.preview)),
    Shown("studies-none", "Studies", at("/studies"), signed_in="new@lab.example"),
    Shown("not-for-this-role", "This page is for admins", at("/admin/sets"), signed_in=RESEARCHER, status=403),
    Shown("sets", "Sets", at("/admin/sets"), signed_in=ADMIN),
    Shown("set-upload", "Upload a set", at("/admin/set-uploads/new"), signed_in=ADMIN),
    Shown("set-upload-error", "Upload a set", at("/admin/set-uploads/new"), signed_in=ADMIN, act=send_unknown_columns),
    Shown("set-checked", "Check of facts.jsonl", at("/admin/set-uploads/new"), signed_in=ADMIN, act=send_faulty_set),
    Shown("set", "Starter set", at(_STARTER), signed_in=ADMIN),
    Shown("set-none", "Starter set", at(f"{_STARTER}?q=nothing+like+this"), signed_in=ADMIN),
    Shown("set-unchecked", "Check of two, version 1", at("/admin/sets/two/1/check"), signed_in=ADMIN),
    Shown("set-check", "Check of starter, version 1", at(f"{_STARTER}/check"), signed_in=ADMIN, act=check_it),
    Shown("set-misconception", _CLAIM, at(_MISCONCEPTION), signed_in=ADMIN),
    Shown("set-preview", f"Preview of {_FIRST_KEY}", at(f"{_MISCONCEPTION}/preview"), signed_in=ADMIN),
    Shown("set-edit", f"Edit {_FIRST_KEY}", at(f"{_MISCONCEPTION}/edit"), signed_in=ADMIN),
    Shown("set-edit-error", f"Edit {_FIRST_KEY}", at(f"{_MISCONCEPTION}/edit"), signed_in=ADMIN, act=edit_wrongly),
    Shown(
        "set-edit-confirm",
        f"Store the change of {_FIRST_KEY}?",
        at(f"{_MISCONCEPTION}/edit"),
        signed_in=ADMIN,
        act=edit_a_little,
    ),
    Shown("set-versions", "Versions of A set that grew", at("/admin/sets/grown/versions"), signed_in=ADMIN),
    Shown("set-older", "A set that grew", at("/admin/sets/grown/1?page=1"), signed_in=ADMIN),
    Shown("accounts", "Accounts", at("/admin/accounts"), signed_in=ADMIN),
    Shown("account", RESEARCHER, lambda there: there.account(RESEARCHER), signed_in=ADMIN),
    Shown("account-disabled", _GONE, lambda there: there.account(_GONE), signed_in=ADMIN),
    Shown(
        "account-disable",
        f"Disable {RESEARCHER}?",
        lambda there: there.account(RESEARCHER, "/disable"),
        signed_in=ADMIN,
    ),
    Shown(
        "account-role", f"The role of {RESEARCHER}", lambda there: there.account(RESEARCHER, "/role"), signed_in=ADMIN
    ),
    Shown(
        "account-role-error",
        f"The role of {ADMIN}",
        lambda there: there.account(ADMIN, "/role"),
        signed_in=ADMIN,
        act=demote,
        status=422,
    ),
    Shown(
        "account-last-admin",
        "This is the last active admin",
        lambda there: there.account(ADMIN, "/disable"),
        signed_in=ADMIN,
        act=press_it,
    ),
    Shown(
        "account-reset",
        "The link is ready",
        lambda there: there.account(RESEARCHER, "/reset"),
        signed_in=ADMIN,
        act=make_the_link,
    ),
    Shown("invite", "Invite somebody", at("/admin/invitations/new"), signed_in=ADMIN),
    Shown(
        "invite-error",
        "Invite somebody",
        at("/admin/invitations/new"),
        signed_in=ADMIN,
        act=invite_again,
        status=422,
    ),
    Shown(
        "invite-renewed",
        "The invitation is ready",
        lambda there: there.invitation("/renew"),
        signed_in=ADMIN,
        act=make_the_link,
    ),
    Shown("audit", "Audit log", at("/admin/audit"), signed_in=ADMIN),
    Shown("audit-filtered", "Audit log", at("/admin/audit?kind=token_made&since=2026-01-01"), signed_in=ADMIN),
    Shown("audit-none", "Audit log", at("/admin/audit?until=2020-01-01"), signed_in=ADMIN),
    Shown("audit-error", "Audit log", at("/admin/audit?since=soon"), signed_in=ADMIN, status=422),
    Shown("your-account", "Your account", at("/account"), signed_in=RESEARCHER),
    Shown("your-account-bare", "Your account", at("/account"), signed_in="new@lab.example"),
    Shown("your-password", "Change your password", at("/account/password"), signed_in=RESEARCHER),
    Shown(
        "your-password-error",
        "Change your password",
        at("/account/password"),
        signed_in=RESEARCHER,
        act=fill_wrongly(("current", "x"), ("new", "password1234"), ("again", "password1234")),
        status=422,
    ),
    Shown("make-token", "Make an API token", at("/account/tokens/new"), signed_in=RESEARCHER),
    Shown(
        "make-token-error",
        "Make an API token",
        at("/account/tokens/new"),
        signed_in=RESEARCHER,
        act=fill_wrongly(("name", "the lab's server")),
        status=422,
    ),
    Shown("token-made", "Your new token", at("/account/tokens/new"), signed_in="new@lab.example", act=make_a_token),
    Shown("invitation", "Make your account", lambda there: there.invitation_link()),
    Shown(
        "invitation-error",
        "Make your account",
        lambda there: there.invitation_link(),
        act=fill_wrongly(("password", "password1234"), ("again", "password1234")),
        status=422,
    ),
    Shown("invitation-used", "This invitation is no longer open", at("/login/invitation/used-before"), status=410),
    Shown("reset", "Set a new password", lambda there: there.reset_link("new@lab.example")),
    Shown("reset-used", "This link no longer sets a password", at("/login/password/used-before"), status=410),
)
