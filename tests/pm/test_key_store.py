"""Keys that come twice are found among any number of them, in memory that does not grow."""

import sqlite3
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.pm.key_store import KeysUnkept, Twice, key_store

# Few letters, so that keys come twice; whatever JSON may hold: capitals, accents, NUL, half of a surrogate pair.
KEYS = st.lists(st.text(st.sampled_from(["a", "A", "é", "\u0301", "\x00", " ", "\ud800"]), max_size=3), max_size=40)


def first_twice(keys: list[str]) -> Twice | None:
    """The same by hand: of the keys that come twice, the one that began first, and where it came again."""
    for place, key in enumerate(keys):
        if key in keys[place + 1 :]:
            return Twice(key, keys.index(key, place + 1) + 1)
    return None


@given(KEYS)
@example(["1", "01", "1.0", "1"])
@example([])
def test_the_first_key_that_comes_twice_is_found(keys: list[str]) -> None:
    with key_store() as store:
        for key in keys:
            store.add(key)
        assert len(store) == len(keys)
        assert store.first_twice() == first_twice(keys)


def test_many_keys_take_no_memory_and_one_twice_is_still_found() -> None:
    n = 100_000
    with key_store() as store:
        tracemalloc.start()
        try:
            for number in range(n):
                store.add(f"a key of some length, number {number}")
            store.add("a key of some length, number 77")
            assert store.first_twice() == Twice("a key of some length, number 77", n + 1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 512 * 1024, "a thousand keys wait at most, whatever their number"


def test_no_room_is_said_in_one_line() -> None:
    said = r"temporary file \(database or disk is full\); make room there, or .*TMPDIR"
    with pytest.raises(KeysUnkept, match=said), key_store():
        raise sqlite3.OperationalError("database or disk is full")
