"""The annotator's way with everything switched on, over real HTTP and without JavaScript."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.study.tokens import entry_signature
from tests.studies import open_study
from tests.walker import Walker

SLUG = "tested"
AGE = {
    "key": "age",
    "question": "How old are you?",
    "answers": ["Under 18", "18 or older"],
    "screens_out": ["Under 18"],
}
ENGLISH = {"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]}
TASK = {"question": "What is asked?", "answers": ["This", "That"], "right": "This"}
KEYS = {"question": "And how?", "answers": ["So", "So so", "Not so"], "right": "So so"}
ALL: dict[str, Any] = {
    "tie": True,
    "confidence": True,
    "prior_belief": True,
    "reason": "required",
    "background": [AGE, ENGLISH],
    "comprehension": [TASK, KEYS],
    "attention_checks": 2,
    "swapped_repeats": 2,
    "min_reading_seconds": 5,
}
CODES = {"completion_code": "DONE-1234", "failed_checks_code": "FAIL-1234", "screened_out_code": "SORRY-1234"}
RIGHT: dict[str, dict[str, str]] = {
    "consent": {"consent": "yes"},
    "background": {"age": "18 or older", "english": "No"},
    "instructions": {},
    "comprehension": {"question-1": "This", "question-2": "So so"},
    "practice": {"side": "right"},
    "beliefs": {"belief": "70"},
    "pairs": {"side": "left", "confidence": "4", "reason": "It reads well"},
    "looked-up": {"looked_up": "no"},
    "debrief": {"data": "keep"},
}


class Guest(Walker):
    """One person at a plain browser, who can answer whatever comes, and the database beside them."""

    def __init__(self, client: httpx.AsyncClient, database: AsyncSession) -> None:
        super().__init__(client, SLUG)
        self.database = database

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        await self.database.rollback()
        return [tuple(row) for row in await self.database.execute(text(query))]

    async def time_passes(self) -> None:
        """Let every pair that was shown have been shown an hour ago."""
        await self.database.rollback()
        await self.database.execute(text("UPDATE assignment SET shown_at = shown_at - interval '1 hour'"))
        await self.database.commit()

    @property
    def kind(self) -> str:
        return self.path.split("/")[1]

    def answers(self, *, passing: bool = True) -> dict[str, str]:
        """What a person who reads would answer to the page."""
        if self.kind != "checks":
            return RIGHT[self.kind]
        (told,) = re.findall("“(.*?)”", self.page.words)
        wrong = next(answer for answer in self.page.options["answer"] if answer != told)
        return {"answer": told if passing else wrong}

    async def answer(self, *, passing: bool = True, **changed: str) -> "Guest":
        if self.kind == "pairs":
            await self.time_passes()
        await self.send(**self.answers(passing=passing) | changed)
        return self

    async def to(self, path: str, *, passing: bool = True) -> "Guest":
        """Go on to a page, by its address or its kind."""
        if self.response is None:
            await self.enter()
        while path not in {self.path, self.kind}:
            before = self.path
            await self.answer(passing=passing)
            assert self.path != before, self.html
        return self

    async def everything(self) -> list[list[tuple[Any, ...]]]:
        """All that is stored of people, but when their holds end."""
        return [
            await self.rows(
                "SELECT id, stage, n_answered, n_believed, n_checked, next_check, checks_failed, outcome, background,"
                " looked_up FROM participation ORDER BY id"
            ),
            await self.rows("SELECT participation_id, position, prior_belief FROM assignment ORDER BY 1, 2"),
            await self.rows("SELECT * FROM check_answer ORDER BY 1, 2, 3, 4"),
            await self.rows("SELECT * FROM choice ORDER BY 1, 2"),
        ]


@asynccontextmanager
async def guest_of(
    client: httpx.AsyncClient, database: AsyncSession, options: Any, **design: Any
) -> AsyncIterator[Guest]:
    await open_study(database, SLUG, options=options, **CODES | design)
    await database.commit()
    yield Guest(client, database)


@pytest.fixture
async def guest(client: httpx.AsyncClient, database: AsyncSession) -> AsyncIterator[Guest]:
    """Somebody who is sent to a study with everything switched on."""
    async with guest_of(client, database, ALL) as guest:
        yield guest


WAY = [
    *("/consent", "/background", "/instructions", "/comprehension", "/practice"),
    *("/beliefs/1", "/pairs/1", "/beliefs/2", "/pairs/2", "/beliefs/3", "/pairs/3", "/checks/1"),
    *("/beliefs/4", "/pairs/4", "/beliefs/5", "/pairs/5", "/beliefs/6", "/pairs/6", "/beliefs/7", "/pairs/7"),
    *("/checks/2", "/beliefs/8", "/pairs/8", "/beliefs/9", "/pairs/9", "/beliefs/10", "/pairs/10"),
    *("/looked-up", "/debrief", "/complete"),
]


async def test_the_whole_way_ends_with_the_code_and_stores_every_answer(guest: Guest) -> None:
    await guest.enter()
    way = [guest.path]
    while guest.kind != "complete":
        if guest.kind not in {"looked-up", "debrief"}:
            shown = guest.html.lower()
            assert not [word for word in ("sycophan", "truthful", "misconception") if word in shown], guest.path
        if guest.kind == "pairs":
            await guest.answer(side="tie", reason=f"At {guest.path}")
        elif guest.kind == "beliefs":
            await guest.answer(belief=str(10 * (int(guest.path[9:]) - 1)))
        else:
            await guest.answer()
        way.append(guest.path)
    assert way == WAY
    assert guest.page.completion_code == "DONE-1234"
    stored = await guest.rows(
        """
        SELECT position, side_chosen, confidence, reason, prior_belief, repeat_of IS NOT NULL, counted,
               decision_ms_browser, times_away, pastes
        FROM choice JOIN assignment USING (participation_id, position) ORDER BY position
        """
    )
    assert stored == [
        (n, "tie", 4, f"At /pairs/{n}", 10 * (n - 1), n > 8, n <= 8, None, None, None) for n in range(1, 11)
    ]
    assert await guest.rows("SELECT background, n_checked, checks_failed, outcome FROM participation") == [
        ({"age": "18 or older", "english": "No"}, 2, 0, "complete")
    ]
    passed = await guest.rows("SELECT kind, number, attempt, passed FROM check_answer ORDER BY kind, number")
    assert passed == [
        *(("attention", 1, 1, True), ("attention", 2, 1, True)),
        *(("comprehension", 1, 1, True), ("comprehension", 2, 1, True)),
    ]


async def test_every_page_of_the_way_is_a_plain_form_that_needs_no_script(guest: Guest) -> None:
    await guest.enter()
    while guest.kind != "complete":
        page = guest.page
        assert page.action == f"/s/{SLUG}{guest.path}"
        assert page.hidden["token"]
        offered = set(page.options) | set(page.written)
        assert offered == (set(RIGHT.get(guest.kind, {"answer"})))
        assert page.hidden.keys() <= {"token", "attempt", "decision_ms", "times_away", "pastes"}
        await guest.answer()


# Faults: what is wrong is said, at its field; what was given stays.

WHY = "It reads well"
LONG = "word " * 401
CONFIDENT = {"side": "tie", "reason": WHY, "confidence": "2"}
FAULTS: list[Any] = [
    ("consent", {}, "Choose whether to take part", "", {}),
    ("background", {}, "Choose an answer: How old are you?", "age-1", {}),
    ("background", {"english": "Yes"}, "Choose an answer: How old are you?", "age-1", {"english": "Yes"}),
    ("background", {"age": "18 or older"}, "Choose an answer: Is English", "english-1", {"age": "18 or older"}),
    (
        "background",
        {"age": "Prefer not to say", "english": "Elvish"},
        "Choose an answer: Is English your first language?",
        "english-1",
        {"age": "Prefer not to say"},
    ),
    ("comprehension", {"question-1": "That"}, "Choose an answer: And how?", "question-2-1", {"question-1": "That"}),
    ("comprehension", {"question-2": "So"}, "Choose an answer: What is asked?", "question-1-1", {"question-2": "So"}),
    ("practice", {}, "Choose the response you prefer", "side-left", {}),
    ("beliefs", {}, "Choose how likely it is", "belief-0", {}),
    ("beliefs", {"belief": "75"}, "Choose how likely it is", "belief-0", {}),
    ("beliefs", {"belief": "110"}, "Choose how likely it is", "belief-0", {}),
    ("beliefs", {"belief": "-10"}, "Choose how likely it is", "belief-0", {}),
    ("pairs", {"confidence": "2", "reason": WHY}, "Choose the response you prefer", "side-left", {"confidence": "2"}),
    ("pairs", CONFIDENT | {"side": "both"}, "Choose the response you prefer", "side-left", {"confidence": "2"}),
    ("pairs", {"side": "tie", "reason": WHY}, "Say how sure you are", "confidence-1", {"side": "tie"}),
    ("pairs", CONFIDENT | {"confidence": "6"}, "Say how sure you are", "confidence-1", {"side": "tie"}),
    ("pairs", CONFIDENT | {"confidence": "0"}, "Say how sure you are", "confidence-1", {"side": "tie"}),
    ("pairs", CONFIDENT | {"reason": " \n"}, "Say in a few words why", "reason", {"side": "tie", "confidence": "2"}),
    (
        "pairs",
        CONFIDENT | {"reason": LONG},
        "Shorten your reason to 2000 characters; it has 2004",
        "reason",
        {"side": "tie", "confidence": "2"},
    ),
    ("checks", {}, "Choose an answer", "answer-1", {}),
    ("checks", {"answer": "I do not"}, "Choose an answer", "answer-1", {}),
    ("looked-up", {"looked_up": "maybe"}, "Choose yes or no", "looked_up-yes", {}),
    ("debrief", {}, "Choose what happens to your answers", "data-keep", {}),
]


@pytest.mark.parametrize(("page", "sent", "said", "field", "kept"), FAULTS)
async def test_a_fault_is_told_at_its_field_and_what_was_given_is_kept(
    guest: Guest, page: str, sent: dict[str, str], said: str, field: str, kept: dict[str, str]
) -> None:
    await guest.to(page)
    path, before = guest.path, await guest.everything()
    if page == "pairs":
        await guest.time_passes()
    await guest.send(**sent)
    assert guest.response is not None
    assert (guest.response.status_code, guest.path) == (422, path)
    ((at, told),) = re.findall(r'role="alert".*?<a href="#([^"]+)">(.*?)</a>', guest.html, re.DOTALL)
    assert told.startswith(said)
    assert not field or at == field
    assert len(re.findall(rf'\bid="{at}"', guest.html)) == 1
    assert guest.html.count(told) == 2, "above, and at the field"
    chosen = re.findall(r'<input type="radio"[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"\s+checked', guest.html)
    assert dict(chosen) == kept
    if "reason" in sent:
        assert f">{sent['reason'].strip()}</textarea>" in guest.html
    assert await guest.everything() == before, "nothing was stored"
    await guest.answer()
    assert guest.path != path, "and the same page can be answered"


async def test_what_was_counted_before_a_fault_is_counted_on(guest: Guest) -> None:
    """Else whoever leaves the page and then forgets a field would look as if they had stayed."""
    await guest.to("/pairs/1")
    await guest.send(side="left", decision_ms="4000", times_away="2", pastes="x1")
    assert {name: guest.page.hidden[name] for name in ("decision_ms", "times_away", "pastes")} == {
        "decision_ms": "4000",
        "times_away": "2",
        "pastes": "",
    }
    await guest.answer()
    assert await guest.rows("SELECT decision_ms_browser, times_away, pastes FROM choice") == [(4000, 2, None)]


async def test_an_answer_that_was_not_asked_for_is_not_stored(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    async with guest_of(client, database, {}) as guest:
        await guest.to("/pairs/1")
        await guest.send(side="tie")
        assert guest.response is not None
        assert guest.response.status_code == 422
        await guest.send(side="left", confidence="3", reason="Because", belief="50")
        assert await guest.rows("SELECT side_chosen, confidence, reason FROM choice") == [("left", None, None)]


async def test_an_optional_reason_may_be_left_out_and_lines_end_as_one_character(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    async with guest_of(client, database, {"reason": "optional"}) as guest:
        await guest.to("/pairs/1")
        await guest.send(side="left", reason=" ")
        await guest.send(side="left", reason=" One line\r\n\r\nand a \x00third ")
        await guest.send(side="left", reason="a\r\n" * 999 + "ab")
        await guest.send(side="left", reason="=1+1 <b>x</b> é 🙂")
        stored = [reason for (reason,) in await guest.rows("SELECT reason FROM choice ORDER BY position")]
        assert stored == [None, "One line\n\nand a third", "a\n" * 999 + "ab", "=1+1 <b>x</b> é 🙂"]


# A tie.


async def test_a_tie_is_told_as_such_in_the_debrief(client: httpx.AsyncClient, database: AsyncSession) -> None:
    async with guest_of(client, database, {"tie": True}) as guest:
        await guest.to("/pairs/1")
        await guest.answer(side="tie")
        await guest.to("debrief")
        assert guest.html.count("You had no preference.") == 1
        assert guest.html.count("You preferred") == 7


# The reading time.


async def test_the_reading_time_is_announced(guest: Guest) -> None:
    await guest.to("instructions")
    assert "at least 5 seconds" in guest.html


async def test_no_reading_time_is_announced_where_there_is_none(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    async with guest_of(client, database, {}) as guest:
        await guest.to("instructions")
        assert "seconds" not in guest.html


async def test_an_answer_before_the_reading_time_is_not_taken_but_kept_and_can_be_sent_later(guest: Guest) -> None:
    await guest.to("/pairs/1")
    for _ in range(2):
        await guest.send(side="tie", confidence="5", reason=WHY, times_away="3")
        assert guest.response is not None
        assert guest.response.status_code == 422
        assert "Read both responses first, for at least 5 seconds" in guest.html
        for chosen in ("side-tie", "confidence-5"):
            assert re.search(rf'id="{chosen}"[^>]*\bchecked\b', guest.html), chosen
        assert f">{WHY}</textarea>" in guest.html
        assert guest.page.hidden["times_away"] == "3"
        assert await guest.rows("SELECT * FROM choice") == []
    early = "SELECT detail FROM event WHERE kind = 'answered_early'"
    assert await guest.rows(early) == [({"position": 1},)] * 2
    await guest.time_passes()
    await guest.send(side="right", confidence="1", reason="On reading it again")
    assert guest.path == "/beliefs/2"
    assert await guest.rows("SELECT side_chosen, confidence, counted, late FROM choice") == [("right", 1, True, False)]


async def test_the_reading_time_runs_from_the_first_showing_and_a_reload_does_not_begin_it_anew(guest: Guest) -> None:
    await guest.to("/pairs/1")
    await guest.time_passes()
    await guest.get("/pairs/1")
    await guest.send(**RIGHT["pairs"])
    assert guest.path == "/beliefs/2"


async def test_the_practice_pair_may_be_answered_at_once(guest: Guest) -> None:
    await guest.to("practice")
    await guest.send(side="left")
    assert guest.path == "/beliefs/1"


# Tokens, double posts, going back.

NEW_PAGES = ["background", "comprehension", "beliefs", "checks"]


@pytest.mark.parametrize("page", NEW_PAGES)
async def test_a_token_that_is_stale_or_not_this_person_s_stores_nothing(guest: Guest, page: str) -> None:
    other = await Guest(guest.client, guest.database).to(page)
    foreign = other.page.hidden["token"]
    guest.client.cookies.clear()
    await guest.enter("pid=another")
    stale = guest.page.hidden["token"]
    await guest.to(page)
    fresh = guest.page.hidden["token"]
    before, path = await guest.everything(), guest.path
    for token in (foreign, stale, "", fresh[:-1], fresh + "0", "\u0661"):
        await guest.send(**guest.answers() | {"token": token})
        assert guest.path == path
        assert await guest.everything() == before, token
    await guest.answer()
    assert guest.path != path


@pytest.mark.parametrize("page", NEW_PAGES)
async def test_a_browser_without_our_cookie_stores_nothing(guest: Guest, page: str) -> None:
    await guest.to(page)
    before, form, answers = await guest.everything(), guest.page, guest.answers()
    guest.client.cookies.clear()
    refused = await guest.client.post(form.action, data=form.hidden | answers)
    assert refused.status_code == 403
    assert await guest.everything() == before


async def test_every_form_sent_twice_is_taken_once(guest: Guest) -> None:
    """A wrong first attempt at the questions too: sent twice, it is one attempt."""
    await guest.to("comprehension")
    form = guest.page
    await guest.send(**{"question-1": "That", "question-2": "So"})
    assert "Not every answer was right" in guest.html
    before = await guest.everything()
    again = await guest.client.post(form.action, data=form.hidden | {"question-1": "That", "question-2": "So"})
    assert (again.status_code, again.headers["location"]) == (303, f"/s/{SLUG}/comprehension")
    assert await guest.everything() == before
    while guest.kind != "complete":
        form, answers = guest.page, guest.answers()
        await guest.answer()
        before = await guest.everything()
        again = await guest.client.post(form.action, data=form.hidden | answers)
        assert (again.status_code, again.headers["location"]) == (303, f"/s/{SLUG}{guest.path}")
        assert await guest.everything() == before, form.action


async def test_going_back_shows_the_current_page_and_an_old_form_changes_nothing(guest: Guest) -> None:
    await guest.enter()
    old = []
    while guest.kind != "looked-up":
        other = {"belief": "0"} if guest.kind == "beliefs" else {"side": "right"} if guest.kind == "pairs" else {}
        old.append((guest.path, guest.page, guest.answers(passing=False) | other))
        await guest.answer()
    before = await guest.everything()
    for path, form, answers in old:
        assert (await guest.get(path)).path == "/looked-up"
        sent = await guest.client.post(form.action, data=form.hidden | answers)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/s/{SLUG}/looked-up")
    assert await guest.everything() == before
    differing = "SELECT DISTINCT detail ->> 'position' FROM event WHERE kind = 'differing_choice'"
    assert len(await guest.rows(differing)) == sum(path.startswith("/pairs/") for path, _, _ in old)


async def test_a_reload_shows_the_same_page_and_other_addresses_lead_to_it(guest: Guest) -> None:
    await guest.enter()
    while guest.kind != "looked-up":
        path, html = guest.path, guest.html
        assert (await guest.get(path)).html == html
        for elsewhere in ("/background", "/comprehension", "/beliefs/9", "/checks/1", "/checks/x", "/pairs/9"):
            assert (await guest.get(elsewhere)).path == path
        await guest.answer()


# Codes, one an outcome.

ON_PROLIFIC = "PROLIFIC_PID=someone&STUDY_ID=st&SESSION_ID=se"


def assert_ends_with(guest: Guest, code: str) -> None:
    assert (guest.path, guest.page.completion_code) == ("/complete", code)
    assert f"https://app.prolific.com/submissions/complete?cc={code}" in guest.html
    assert not [other for other in CODES.values() if other != code and other in guest.html]


@pytest.fixture
async def on_prolific(client: httpx.AsyncClient, database: AsyncSession) -> AsyncIterator[Guest]:
    async with guest_of(client, database, ALL, platform="prolific") as guest:
        await guest.enter(ON_PROLIFIC)
        yield guest


async def test_who_judged_every_pair_gets_the_completion_code(on_prolific: Guest) -> None:
    assert_ends_with(await on_prolific.to("complete"), "DONE-1234")


async def test_who_failed_too_many_checks_gets_another_code_at_the_end(on_prolific: Guest) -> None:
    await on_prolific.to("complete", passing=False)
    assert_ends_with(on_prolific, "FAIL-1234")
    assert await on_prolific.rows("SELECT count(*) FROM choice WHERE counted") == [(8,)]


async def test_who_failed_one_check_of_two_gets_the_completion_code(on_prolific: Guest) -> None:
    await on_prolific.to("checks")
    await on_prolific.answer(passing=False)
    assert_ends_with(await on_prolific.to("complete"), "DONE-1234")


@pytest.mark.parametrize("how", ["background", "comprehension"])
async def test_who_is_screened_out_gets_a_code_before_any_work_and_no_explanation(on_prolific: Guest, how: str) -> None:
    await on_prolific.to(how)
    if how == "background":
        await on_prolific.answer(age="Under 18")
    else:
        await on_prolific.send(**RIGHT["comprehension"] | {"question-2": "So"})
        assert on_prolific.path == "/comprehension"
        await on_prolific.send(**RIGHT["comprehension"] | {"question-2": "So"})
    assert_ends_with(on_prolific, "SORRY-1234")
    assert "debrief" not in on_prolific.html
    assert (await on_prolific.get("/debrief")).path == "/complete"
    assert await on_prolific.rows("SELECT count(*) FROM slot WHERE state <> 'open'") == [(0,)]
    assert await on_prolific.rows("SELECT count(*) FROM choice") == [(0,)]
    await on_prolific.enter(ON_PROLIFIC)
    assert_ends_with(on_prolific, "SORRY-1234")


async def test_who_stops_gets_no_code(on_prolific: Guest) -> None:
    await on_prolific.to("checks")
    await on_prolific.get("/stop")
    await on_prolific.send()
    await on_prolific.to("complete")
    assert on_prolific.page.completion_code == ""
    assert not [code for code in CODES.values() if code in on_prolific.html]


# Answers of two lines.


async def test_an_answer_of_two_lines_is_taken_as_a_browser_sends_it(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    whole = {"key": "home", "question": "Where?", "answers": ["At home\n(mostly)", "Away"]}
    right = {"question": "What is asked?", "answers": ["This\nor that", "Neither"], "right": "This\nor that"}
    async with guest_of(client, database, {"background": [whole], "comprehension": [right]}) as guest:
        await guest.to("background")
        await guest.send(home="At home\r\n(mostly)")
        await guest.to("comprehension")
        await guest.send(**{"question-1": "This\r\nor that"})
        assert guest.path == "/practice"
        assert await guest.rows("SELECT background FROM participation") == [({"home": "At home\n(mostly)"},)]


# Withdrawing.


async def test_who_answered_only_questions_before_the_first_pair_can_withdraw_those(guest: Guest) -> None:
    await guest.to("/practice")
    await guest.get("/stop")
    await guest.send()
    assert guest.path == "/debrief"
    assert guest.page.options["data"] == ["keep", "withdraw"]
    await guest.send(data="withdraw")
    assert await guest.rows("SELECT background FROM participation") == [(None,)]
    assert await guest.rows("SELECT count(*) FROM check_answer") == [(0,)]


async def test_who_stops_before_they_answered_anything_has_nothing_to_decide(guest: Guest) -> None:
    await guest.to("background")
    await guest.get("/stop")
    await guest.send()
    assert guest.path == "/debrief"
    assert "data" not in guest.page.options


async def test_the_explanation_read_again_says_that_the_answers_were_erased(guest: Guest) -> None:
    await guest.to("debrief")
    assert "You had no preference" not in guest.html
    assert "You preferred" in guest.html
    await guest.send(data="withdraw")
    await guest.get("/debrief")
    assert "You preferred" not in guest.html
    assert "You did not choose" not in guest.html
    assert "Your answers have been erased." in guest.html


@pytest.mark.parametrize(("passing", "code"), [(True, "DONE-1234"), (False, "FAIL-1234")])
async def test_withdrawing_empties_every_answer_and_keeps_the_code(guest: Guest, passing: bool, code: str) -> None:
    await guest.to("/pairs/1")
    first = dict(guest.page.hidden)
    await guest.answer(decision_ms="900", times_away="1", pastes="1")
    await guest.client.post(f"/s/{SLUG}/pairs/1", data=first | RIGHT["pairs"] | {"side": "right"})
    await guest.to("debrief", passing=passing)
    assert await guest.rows("SELECT count(*) FROM check_answer") == [(4,)]
    await guest.send(data="withdraw")
    assert guest.page.completion_code == code
    said = "side_chosen, decision_ms_browser, decision_ms_server, confidence, reason, times_away, pastes"
    assert await guest.rows(f"SELECT DISTINCT withdrawn, counted, {said} FROM choice") == [(True, False, *[None] * 7)]
    assert await guest.rows("SELECT count(*) FROM assignment WHERE prior_belief IS NOT NULL") == [(0,)]
    assert await guest.rows("SELECT count(*) FROM check_answer") == [(0,)]
    told = {key for (key,) in await guest.rows("SELECT DISTINCT jsonb_object_keys(detail) FROM event")}
    assert told >= {"position", "number"}
    assert told.isdisjoint({"side", "passed", "answer"})
    kept = "background, looked_up, n_checked, checks_failed, next_check"
    assert await guest.rows(f"SELECT {kept} FROM participation") == [(None, None, 0, 0, None)]
    assert await guest.rows("SELECT count(*) FROM slot WHERE state <> 'open'") == [(0,)]


# Entering.


async def test_only_a_link_that_was_signed_for_this_person_opens_the_study(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    async with guest_of(client, database, {"signed_links": True}) as guest:
        ((key,),) = await guest.rows("SELECT key FROM study")
        right = entry_signature(bytes(key), "ada")
        wrong = right[:-1] + ("1" if right.endswith("0") else "0")
        for query in ("pid=ada", "pid=ada&sig=", f"pid=bo&sig={right}", f"pid=ada&sig={wrong}"):
            await guest.enter(query)
            assert guest.response is not None
            assert guest.response.status_code == 403
            assert "This link is not complete" in guest.html
            assert "someone@example.org" in guest.html
        assert await guest.rows("SELECT count(*) FROM participation") == [(0,)]
        await guest.enter(f"pid=ada&sig={right}")
        assert guest.path == "/consent"
        assert guest.response is not None
        assert right not in str(guest.response.url)


async def test_people_beyond_the_cap_on_holds_without_consent_are_asked_to_come_again(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    async with guest_of(client, database, {}, entry_holds=1) as guest:
        await guest.enter("pid=first")
        first = dict(client.cookies)
        client.cookies.clear()
        await guest.enter("pid=second")
        assert guest.response is not None
        assert guest.response.status_code == 503
        assert "There is no place right now" in guest.html
        client.cookies.update(first)
        await guest.enter("pid=first")
        await guest.answer()
        client.cookies.clear()
        await guest.enter("pid=second")
        assert guest.path == "/consent"
