"""`candor platform poll`: asking, page by page and patiently, what it does with the answers, how it stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.platform import Polled, keep_asking, poll_once
from app.cli.prolific import PlatformStudyUnknown, PlatformUnreachable, ProlificApi, TokenRefused
from app.study import entering
from app.study.entering import Arrival
from app.study.platforms import Change
from app.terms import Outcome, SubmissionStatus
from tests.conftest import REPOSITORY, NewDatabase
from tests.prolific_api import TOKEN, StubApi, stub_api
from tests.prolific_messages import submission
from tests.study.people import People, people_of


@pytest.fixture
def stub() -> Iterator[StubApi]:
    with stub_api() as stub:
        yield stub


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
async def people(url: str, request: pytest.FixtureRequest) -> AsyncIterator[People]:
    slug = request.node.name.replace("_", "-").split("[")[0][-50:].strip("-")
    async with people_of(url, slug, platform="prolific") as people:
        yield people


async def arrive(people: People, number: int, platform_study: str = "study-1") -> str:
    async with people.sessions.begin() as session:
        return await entering.enter(
            session, people.slug, Arrival(f"person-{number}", platform_study, f"session-{number}")
        )


class Patience:
    """Stands for waiting: notes for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.said: list[str] = []

    async def pause(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def ask(stub: StubApi, patience: Patience | None = None, token: str = TOKEN) -> list[str]:
    patience = patience or Patience()
    async with httpx.AsyncClient(base_url=stub.url, headers={"Authorization": f"Token {token}"}) as client:
        api = ProlificApi(client, pause=patience.pause, say=patience.said.append)
        return [report.session async for report in api.of_study("study-1")]


async def poll(people: People, stub: StubApi) -> Polled:
    async with httpx.AsyncClient(base_url=stub.url, headers={"Authorization": f"Token {TOKEN}"}) as client:
        return await poll_once(people.sessions, people.slug, ProlificApi(client))


# The client.


@pytest.mark.parametrize("beyond", [200, 400, 404])
@pytest.mark.parametrize("largest_page", [100, 20, 7])
@pytest.mark.parametrize("n", [0, 1, 100, 105])
async def test_every_page_is_asked_for_whatever_the_end_looks_like(
    stub: StubApi, beyond: int, largest_page: int, n: int
) -> None:
    stub.beyond, stub.largest_page = beyond, largest_page
    stub.submissions["study-1"] = [submission(number, "ACTIVE") for number in range(n)]
    assert await ask(stub) == [f"session-{number}" for number in range(n)]
    assert [asked["page"] for asked in stub.asked] == [str(page) for page in range(1, len(stub.asked) + 1)]
    assert len(stub.asked) == -(-n // largest_page) + 1


async def test_an_api_that_gives_the_same_page_for_ever_is_asked_twice(stub: StubApi) -> None:
    stub.submissions["study-1"] = []
    stub.body = json.dumps({"results": [submission(1, "ACTIVE")]}).encode()
    assert await ask(stub) == ["session-1"]
    assert len(stub.asked) == 2


async def test_entries_that_cannot_be_understood_say_nothing(stub: StubApi) -> None:
    odd: list[Any] = [
        submission(1, "ACTIVE"),
        submission(2, "UNKNOWN"),
        submission(3, "ACTIVE") | {"id": None},
        submission(4, "ACTIVE") | {"participant_id": ""},
        {},
        submission(5, "ACTIVE") | {"status": None},
    ]
    stub.submissions["study-1"] = odd
    assert await ask(stub) == ["session-1"]


async def test_a_busy_api_is_asked_again_after_growing_pauses(stub: StubApi) -> None:
    stub.submissions["study-1"] = [submission(1, "ACTIVE")]
    stub.first = [(429, {}), (503, {}), (500, {})]
    patience = Patience()
    assert await ask(stub, patience) == ["session-1"]
    assert patience.seconds == [1, 2, 4]
    assert patience.said[0] == "Prolific is busy or away (status 429); asking again in 1 s."


async def test_the_pause_is_as_long_as_the_api_asks_within_reason(stub: StubApi) -> None:
    stub.submissions["study-1"] = []
    later = {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}
    stub.first = [
        (429, {"Retry-After": "7"}),
        (429, {"Retry-After": "86400"}),
        (429, later),
        (503, {"Retry-After": "1"}),
    ]
    patience = Patience()
    await ask(stub, patience)
    assert patience.seconds == [7, 60, 4, 8]


async def test_an_api_that_stays_away_is_a_fact(stub: StubApi) -> None:
    stub.first = [(502, {})] * 10
    patience = Patience()
    with pytest.raises(PlatformUnreachable, match=r"did not answer after 6 tries \(status 502\)"):
        await ask(stub, patience)
    assert patience.seconds == [1, 2, 4, 8, 16]
    stub.url = "http://127.0.0.1:9"
    with pytest.raises(PlatformUnreachable, match="did not answer after 6 tries"):
        await ask(stub)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"results": 7}', b'{"results": [7]}', b"\xff"])
async def test_what_is_not_prolific_s_api_is_a_fact(stub: StubApi, body: bytes) -> None:
    stub.submissions["study-1"] = []
    stub.body = body
    with pytest.raises(PlatformUnreachable, match="is not Prolific's API"):
        await ask(stub)


async def test_a_redirect_is_not_followed_so_that_the_token_stays_here(stub: StubApi) -> None:
    stub.first = [(302, {"Location": "https://elsewhere.example/"})]
    with pytest.raises(PlatformUnreachable, match=r"status 302"):
        await ask(stub)


async def test_a_wrong_token_and_an_unknown_study_are_facts(stub: StubApi) -> None:
    with pytest.raises(PlatformStudyUnknown):
        await ask(stub)
    with pytest.raises(TokenRefused):
        await ask(stub, token="wrong")


# One round.


async def test_what_is_new_is_noted_and_acted_on(people: People, stub: StubApi) -> None:
    annotators = [await arrive(people, number) for number in range(4)]
    stub.submissions["study-1"] = [
        submission(0, "RETURNED"),
        submission(1, "TIMED-OUT"),
        submission(2, "ACTIVE"),
        submission(3, "AWAITING REVIEW", person="somebody-else"),
        submission(9, "RESERVED"),
    ]
    polled = await poll(people, stub)
    assert (polled.n_submissions, polled.n_elsewhere) == (5, 1)
    assert polled.changes == [
        Change(annotators[0], None, SubmissionStatus.RETURNED, "ended"),
        Change(annotators[1], None, SubmissionStatus.TIMED_OUT, "released"),
        Change(annotators[2], None, SubmissionStatus.ACTIVE, "noted"),
    ]
    assert (await people.place(annotators[0])).outcome == Outcome.RETURNED
    assert await people.n_slots("held") == 16
    await people.assert_sound(3)
    assert (await poll(people, stub)).changes == [], "nothing is new"
    stub.submissions["study-1"][2] = submission(2, "APPROVED")
    assert [tuple(change) for change in (await poll(people, stub)).changes] == [
        (annotators[2], "active", "approved", "noted")
    ]


async def test_every_study_of_the_platform_is_asked_about_and_made_up_ones_are_passed_over(
    people: People, stub: StubApi
) -> None:
    annotators = [
        await arrive(people, 0, "made up"),
        await arrive(people, 1, "study-1"),
        await arrive(people, 2, "study-2"),
    ]
    await arrive(people, 3, "study-2")
    stub.submissions["study-1"] = [submission(1, "RETURNED")]
    stub.submissions["study-2"] = [submission(2, "RETURNED")]
    polled = await poll(people, stub)
    assert {change.annotator for change in polled.changes} == set(annotators[1:])
    assert polled.unknown == ["Prolific knows no study 'made up' that this token may see"]
    assert stub.asked[0]["study"] == "study-2", "the one with the most people first"


async def test_nobody_came_so_nobody_is_asked_about(people: People, stub: StubApi) -> None:
    assert await poll(people, stub) == Polled(people.slug)
    assert stub.asked == []


# The command, as a process.


def run(url: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "platform", "poll", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "CANDOR_DATABASE_URL": url, "COLUMNS": "200"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(REPOSITORY),
    )


async def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert "Traceback" not in out + err, err
    assert "person-" not in out + err
    assert TOKEN not in out + err
    return process.returncode, out, err


async def test_the_command_says_what_changed(people: People, stub: StubApi, url: str) -> None:
    annotator = await arrive(people, 0)
    await arrive(people, 1, "made up")
    stub.submissions["study-1"] = [submission(0, "RETURNED"), submission(7, "ACTIVE")]
    environment = {"CANDOR_PROLIFIC_TOKEN": TOKEN, "CANDOR_PROLIFIC_API": stub.url}
    code, out, err = await ended(run(url, people.slug, **environment))
    assert (code, err) == (0, "Prolific knows no study 'made up' that this token may see.\n")
    assert out == (
        f"{annotator}: nothing told -> returned; their judging has ended, and what they held is free\n"
        "2 submissions, 1 of them of people who never came here; 1 changed.\n"
    )
    code, out, _ = await ended(run(url, people.slug, "--json", **environment))
    assert json.loads(out) == {
        "study": people.slug,
        "submissions": 2,
        "elsewhere": 1,
        "changes": [],
        "unknown": ["Prolific knows no study 'made up' that this token may see"],
    }


async def test_it_asks_again_until_it_is_stopped_and_then_stops_at_once(
    people: People, stub: StubApi, url: str
) -> None:
    await arrive(people, 0)
    stub.submissions["study-1"] = [submission(0, "ACTIVE")]
    environment = {"CANDOR_PROLIFIC_TOKEN": TOKEN, "CANDOR_PROLIFIC_API": stub.url}
    process = run(url, people.slug, "--every", "1", "--json", **environment)
    assert process.stdout is not None
    lines = [json.loads(await asyncio.to_thread(process.stdout.readline)) for _ in range(3)]
    assert [len(line["changes"]) for line in lines] == [1, 0, 0]
    process.send_signal(signal.SIGINT)
    code, _, err = await ended(process)
    assert (code, err) == (0, "Stopped.\n")


async def test_a_stop_that_went_under_in_an_answer_is_remembered() -> None:
    begun = asyncio.Event()

    async def answered_all_the_same() -> Polled:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return Polled("a-study")

    reported: list[Polled] = []
    polling = asyncio.create_task(keep_asking(answered_all_the_same, 60, reported.append))
    await begun.wait()
    polling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(polling, 10)
    assert reported == [Polled("a-study")]


async def test_it_refuses_in_one_line(people: People, stub: StubApi, url: str) -> None:
    async with people_of(url, "of-nobody", platform="generic"):
        token = {"CANDOR_PROLIFIC_TOKEN": TOKEN, "CANDOR_PROLIFIC_API": stub.url}
        await arrive(people, 0)
        stub.submissions["study-1"] = []
        refusals = {
            "there is no token": (
                run(url, people.slug),
                "set CANDOR_PROLIFIC_TOKEN to a token of Prolific's API (docs/prolific.md); there is none",
            ),
            "not on Prolific": (
                run(url, "of-nobody", **token),
                "study 'of-nobody' takes people from 'generic', not from Prolific: nobody to ask about",
            ),
            "no such study": (
                run(url, "nothing", **token),
                "there is no study 'nothing'; `candor study list` shows those there are",
            ),
            "a wrong token": (
                run(url, people.slug, **token | {"CANDOR_PROLIFIC_TOKEN": "wrong"}),
                "Prolific refuses the token; put a working one into CANDOR_PROLIFIC_TOKEN",
            ),
        }
        for process, expected in refusals.values():
            assert await ended(process) == (1, "", f"Refused: {expected}\n")
