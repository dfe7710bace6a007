"""Prolific's webhook over HTTP: who is believed, what is taken once, and that nothing brings it down."""

import time

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.settings import Settings
from app.study import platforms
from tests import prolific_messages as messages
from tests.prolific_messages import SECRET, signed, status_change
from tests.signing_in import ATTEMPTS
from tests.studies import open_study
from tests.walker import Walker

WEBHOOK = "/platforms/prolific/webhook"


@pytest.fixture
def app_settings(own_database_url: str) -> Settings:
    return Settings(
        database_url=own_database_url, pool_size=4, login_attempts=ATTEMPTS, prolific_webhook_secret=SecretStr(SECRET)
    )


@pytest.fixture
async def walker(client: httpx.AsyncClient, database: AsyncSession) -> Walker:
    """Somebody whom Prolific sent, on the consent page."""
    await open_study(database, "pilot", platform="prolific")
    await database.commit()
    return await Walker(client, "pilot").enter(messages.link())


async def send(client: httpx.AsyncClient, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    answer = await client.post(WEBHOOK, content=body, headers=signed(body) if headers is None else headers)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Traceback" not in answer.text
    return answer


async def status(database: AsyncSession) -> str | None:
    found: str | None = await database.scalar(text("SELECT platform_status FROM platform_identity"))
    await database.rollback()
    return found


async def count(database: AsyncSession, what: str) -> int:
    n: int = await database.scalar(text(f"SELECT count(*) FROM {what}"))
    await database.rollback()
    return n


async def test_without_a_secret_there_is_no_such_address(client: httpx.AsyncClient, app_settings: Settings) -> None:
    app = client._transport.app  # type: ignore[attr-defined]
    app.state.settings = app_settings.model_copy(update={"prolific_webhook_secret": SecretStr("")})
    body = status_change("RETURNED")
    for headers in (signed(body), signed(body, secret=""), {}):
        assert (await send(client, body, headers)).status_code == 404


async def test_a_place_that_is_returned_is_free_at_once_and_the_person_is_debriefed(
    walker: Walker, database: AsyncSession
) -> None:
    assert await count(database, "slot WHERE state = 'held'") == 8
    answer = await send(walker.client, status_change("RETURNED"))
    assert (answer.status_code, answer.text) == (200, "Taken.")
    assert await status(database) == "returned"
    assert await count(database, "slot WHERE state = 'held'") == 0
    await walker.enter(messages.link())
    assert walker.path == "/debrief"
    await walker.send(data="keep")
    assert "Your place was returned" in walker.html
    assert "DONE-1234" not in walker.html


async def test_timed_out_then_coming_back_and_finishing_gives_the_code(walker: Walker, database: AsyncSession) -> None:
    await walker.to_judging(messages.link())
    await send(walker.client, status_change("TIMED-OUT"))
    assert await count(database, "slot WHERE state = 'held'") == 0
    await walker.judge_all()
    await walker.send(looked_up="no")
    await walker.send(data="keep")
    assert "DONE-1234" in walker.html
    assert await count(database, "choice WHERE counted") == 8


async def test_a_replay_is_answered_and_changes_nothing(walker: Walker, database: AsyncSession) -> None:
    body = status_change("ACTIVE")
    headers = signed(body, time.time() - 60)
    assert (await send(walker.client, body, headers)).text == "Taken."
    assert (await send(walker.client, status_change("TIMED-OUT"))).text == "Taken."
    events = await count(database, "event")
    again = await send(walker.client, body, headers)
    assert (again.status_code, again.text) == (200, "This was taken before.")
    assert (await status(database), await count(database, "event")) == ("timed_out", events)
    assert await count(database, "webhook_delivery") == 2


async def test_a_message_that_failed_here_is_taken_when_it_is_sent_again(
    walker: Walker, database: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is remembered of a delivery that was not acted on."""

    async def fail(*_: object) -> None:
        await database.execute(text("SELECT 1"))
        raise RuntimeError

    body = status_change("RETURNED")
    headers = signed(body)
    with monkeypatch.context() as broken:
        broken.setattr(platforms, "note_status", fail)
        with pytest.raises(RuntimeError):  # The transport raises what the server logs; a browser gets the page for it.
            await walker.client.post(WEBHOOK, content=body, headers=headers)
    assert (await send(walker.client, body, headers)).text == "Taken."
    assert await status(database) == "returned"


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_timestamp_far_away_is_refused(walker: Walker, database: AsyncSession, minutes: int) -> None:
    body = status_change("RETURNED")
    answer = await send(walker.client, body, signed(body, time.time() + 60 * minutes))
    assert (answer.status_code, answer.text) == (401, "The timestamp is more than five minutes away.")
    assert await status(database) is None


@pytest.mark.parametrize("minutes", [-4, 4])
async def test_a_clock_that_is_a_little_wrong_is_forgiven(walker: Walker, minutes: int) -> None:
    body = status_change("RETURNED")
    assert (await send(walker.client, body, signed(body, time.time() + 60 * minutes))).status_code == 200


async def test_only_the_secret_s_signature_over_this_body_and_time_is_believed(
    walker: Walker, database: AsyncSession
) -> None:
    body = status_change("RETURNED")
    right = signed(body)
    signature, timestamp = "X-Prolific-Request-Signature", "X-Prolific-Request-Timestamp"
    wrong = [
        {},
        signed(body, secret="another"),
        signed(body, secret=""),
        signed(body + b" "),
        {name: value for name, value in right.items() if name != signature},
        {name: value for name, value in right.items() if name != timestamp},
        right | {signature: ""},
        right | {signature: right[signature] + "="},
        right | {signature: "x" * 10_000},
        right | {timestamp: str(int(right[timestamp]) + 1)},
        right | {timestamp: "now"},
        right | {timestamp: ""},
    ]
    for headers in wrong:
        assert (await send(walker.client, body, headers)).status_code == 401, headers
    raw = {name.encode(): value.encode() for name, value in right.items()} | {signature.encode(): b"\xe9\xff"}
    assert (await walker.client.post(WEBHOOK, content=body, headers=raw)).status_code == 401
    altered = body.replace(messages.SESSION.encode(), b"another")
    assert (await send(walker.client, altered, right)).status_code == 401
    spaced = body.replace(b": ", b":")
    assert (await send(walker.client, spaced, right)).status_code == 401, "the same JSON in other bytes"
    assert (await status(database), await count(database, "webhook_delivery")) == (None, 0)


async def test_a_timestamp_that_is_none_is_refused_though_it_is_signed(walker: Walker) -> None:
    body = status_change("RETURNED")
    for timestamp in ("", "soon", "-1", "1e9", "9" * 30):
        headers = {
            "X-Prolific-Request-Timestamp": timestamp,
            "X-Prolific-Request-Signature": messages.signature(timestamp, body),
        }
        assert (await send(walker.client, body, headers)).status_code == 401


async def test_messages_that_arrive_in_the_wrong_order_are_put_in_theirs(
    walker: Walker, database: AsyncSession
) -> None:
    """A message that is sent again after a failure is signed anew; X-Timestamp says when it was first sent."""
    now = int(time.time())
    newer, older = status_change("AWAITING REVIEW"), status_change("RETURNED")
    await send(walker.client, newer, signed(newer, now - 60, **{"X-Timestamp": str(now - 60)}))
    again = signed(older, now, **{"X-Timestamp": str(now - 3600)})
    assert (await send(walker.client, older, again)).text == "Taken."
    assert await status(database) == "awaiting_review"
    assert await count(database, "slot WHERE state = 'held'") == 8


async def test_an_unsigned_header_cannot_make_a_message_newer(walker: Walker, database: AsyncSession) -> None:
    now = int(time.time())
    first, second = status_change("AWAITING REVIEW"), status_change("RETURNED")
    await send(walker.client, first, signed(first, now))
    await send(walker.client, second, signed(second, now - 60, **{"X-Timestamp": str(now + 60)}))
    assert await status(database) == "awaiting_review"


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b"[" * 90_000, b"{}", b'{"event_type": "submission.status.change"}']
)
async def test_what_cannot_be_understood_is_400(walker: Walker, database: AsyncSession, body: bytes) -> None:
    answer = await send(walker.client, body)
    assert answer.status_code == 400
    assert answer.text.startswith("This cannot be understood: ")
    assert await count(database, "webhook_delivery") == 0


@pytest.mark.parametrize(
    "body",
    [
        messages.study_change(),
        b'{"event_type": "study.has_high_return_rate", "resource_id": "x", "metadata": {}}',
        status_change("UNKNOWN"),
        status_change("A STATUS OF NEXT YEAR"),
    ],
)
async def test_what_nothing_here_depends_on_is_ignored(walker: Walker, database: AsyncSession, body: bytes) -> None:
    answer = await send(walker.client, body)
    assert (answer.status_code, answer.text.partition(":")[0]) == (200, "Ignored")
    assert await status(database) is None


async def test_a_submission_of_nobody_here_is_taken_without_effect(walker: Walker, database: AsyncSession) -> None:
    assert (await send(walker.client, status_change("RETURNED", session="another"))).status_code == 200
    assert (await send(walker.client, status_change("RETURNED", person="another"))).status_code == 200
    assert (await status(database), await count(database, "event WHERE kind = 'platform_status'")) == (None, 0)


async def test_other_sites_large_bodies_and_other_methods_are_refused(walker: Walker) -> None:
    body = status_change("RETURNED")
    foreign = await walker.client.post(WEBHOOK, content=body, headers=signed(body) | {"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    large = b" " * 1_000_001
    assert (await walker.client.post(WEBHOOK, content=large, headers=signed(large))).status_code == 413
    assert (await walker.client.get(WEBHOOK)).status_code == 405


async def test_no_cookie_is_set_and_no_id_is_in_an_event(walker: Walker, database: AsyncSession) -> None:
    answer = await send(walker.client, status_change("RETURNED"))
    assert "set-cookie" not in answer.headers
    recorded = await database.scalars(text("SELECT detail::text FROM event"))
    for detail in recorded:
        assert not [
            secret for secret in (messages.SESSION, messages.PERSON, messages.STUDY, SECRET) if secret in detail
        ]
