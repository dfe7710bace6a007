"""Prolific's words and signatures, by its documentation."""

from datetime import UTC, datetime

import pytest

from app.study import prolific
from app.study.platforms import Report
from app.study.prolific import MessageFaulty
from app.terms import Platform, SubmissionStatus
from tests import prolific_messages as messages

NOW = datetime.now(UTC)


def test_every_documented_status_has_its_meaning() -> None:
    assert {prolific.status_of(word) for word in messages.STATUSES} == set(SubmissionStatus)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("TIMED-OUT", SubmissionStatus.TIMED_OUT),
        ("timed_out", SubmissionStatus.TIMED_OUT),
        ("AWAITING REVIEW", SubmissionStatus.AWAITING_REVIEW),
        ("AWAITING_REVIEW", SubmissionStatus.AWAITING_REVIEW),
        ("SCREENED OUT", SubmissionStatus.SCREENED_OUT),
        ("UNKNOWN", None),
        ("PROCESSING", None),
        ("", None),
        (None, None),
        (7, None),
        (["ACTIVE"], None),
    ],
)
def test_a_status_is_known_by_its_words_however_they_are_joined(word: object, meant: SubmissionStatus | None) -> None:
    assert prolific.status_of(word) is meant


def test_a_message_is_trusted_as_the_documentation_signs_it_and_only_so() -> None:
    body = messages.status_change("RETURNED")
    headers = messages.signed(body)
    timestamp, given = headers["X-Prolific-Request-Timestamp"], headers["X-Prolific-Request-Signature"]
    assert prolific.is_signed(messages.SECRET, timestamp, body, given)
    assert not prolific.is_signed("another", timestamp, body, given)
    assert not prolific.is_signed(messages.SECRET, str(int(timestamp) + 1), body, given)
    assert not prolific.is_signed(messages.SECRET, timestamp, body + b" ", given)
    assert not prolific.is_signed(messages.SECRET, timestamp, body, given + "=")
    assert not prolific.is_signed(messages.SECRET, timestamp, body, "")
    assert not prolific.is_signed(messages.SECRET, timestamp, body, "\xe9")


def test_a_change_of_status_is_read() -> None:
    expected = Report(Platform.PROLIFIC, messages.SESSION, SubmissionStatus.TIMED_OUT, NOW, messages.PERSON)
    assert prolific.read_message(messages.status_change("TIMED-OUT"), NOW) == expected


@pytest.mark.parametrize("body", [messages.study_change(), messages.status_change("UNKNOWN"), b'{"event_type": "new"}'])
def test_what_means_nothing_here_is_no_report(body: bytes) -> None:
    assert prolific.read_message(body, NOW) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"event_type": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event_type": "submission.status.change"}',
        messages.status_change("ACTIVE", session=""),
        messages.status_change("ACTIVE", session="a" * 201),
        messages.status_change("ACTIVE", session="with a space"),
        messages.status_change("ACTIVE", session="nul\x00"),
        messages.status_change("ACTIVE", session="\ud800"),
        messages.status_change("ACTIVE", person="\x00"),
        b'{"event_type": "submission.status.change", "resource_id": ["a"], "participant_id": "b", "status": "ACTIVE"}',
    ],
)
def test_what_cannot_be_understood_is_a_fact(body: bytes) -> None:
    with pytest.raises(MessageFaulty):
        prolific.read_message(body, NOW)


@pytest.mark.parametrize("seconds", ["", "now", "1.5", "-1", "٣", "1" * 12, " 1"])
def test_a_moment_that_is_none(seconds: str) -> None:
    assert prolific.moment(seconds) is None


def test_a_moment_is_utc() -> None:
    assert prolific.moment("0") == datetime(1970, 1, 1, tzinfo=UTC)
