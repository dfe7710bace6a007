"""Keyed hashes: the public ids of annotators, and the opaque tokens that their browsers carry.

All are HMAC-SHA256 under the study's own key, over fields that never include a side, a slot or a level, so none of
them can tell which response is which.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

_PUBLIC_ID_HEX = 20
_TOKEN_HEX = 32
_PASS = re.compile(rf"([0-9a-f]{{{_PUBLIC_ID_HEX}}})\.[0-9a-f]{{{_TOKEN_HEX}}}")


def _keyed(key: bytes, purpose: str, *fields: str) -> str:
    message = "\x1f".join((purpose, *fields)).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def new_study_key() -> bytes:
    """Return a fresh secret for a study."""
    return secrets.token_bytes(32)


def public_id(key: bytes, person: str) -> str:
    """Return the id under which a person appears in this study's exports, and in no other study's."""
    return _keyed(key, "annotator", person)[:_PUBLIC_ID_HEX]


def pass_for(key: bytes, annotator: str) -> str:
    """Return what an annotator's cookie holds: their public id and the proof that we gave it out."""
    return f"{annotator}.{_keyed(key, 'pass', annotator)[:_TOKEN_HEX]}"


def person_in(cookie: str) -> str:
    """Return the public id that a cookie names, ours or not; "" where it has not the form of ours."""
    parts = _PASS.fullmatch(cookie)
    return parts[1] if parts else ""


def annotator_of(key: bytes, cookie: str) -> str | None:
    """Return the public id in a cookie, or None if we never gave it out."""
    annotator, _, _ = cookie.partition(".")
    return annotator if hmac.compare_digest(cookie.encode(), pass_for(key, annotator).encode()) else None


def step_token(key: bytes, annotator: str, step: str) -> str:
    """Return the opaque token of one step of one person: what makes a post idempotent and ours."""
    return _keyed(key, "step", annotator, step)[:_TOKEN_HEX]


class PairAt(NamedTuple):
    """A pair that a person was given, and the position at which they were."""

    position: int
    pair_id: int


_PAIR_TOKEN = re.compile("([0-9]{1,4})-([0-9a-f]{16})[0-9a-f]{32}")


def pair_token(key: bytes, annotator: str, at: PairAt) -> str:
    """Return the token of a pair that a person is shown: the position, as on the page, the pair, veiled, and a proof.

    It names the pair because another may come to the same position: a form that is still open must not judge that one.
    """
    veiled = at.pair_id ^ _veil(key, annotator, at.position)
    proof = step_token(key, annotator, f"pair {at.pair_id} at {at.position}")
    return f"{at.position}-{veiled:016x}{proof}"


def pair_of(key: bytes, annotator: str, token: str) -> PairAt | None:
    """Return what a pair's token was given out for, or None if we never gave it to this person."""
    parts = _PAIR_TOKEN.fullmatch(token)
    if parts is None:
        return None
    position = int(parts[1])
    at = PairAt(position, int(parts[2], 16) ^ _veil(key, annotator, position))
    return at if same(token, pair_token(key, annotator, at)) else None


def _veil(key: bytes, annotator: str, position: int) -> int:
    """Return 64 bits that hide a pair's id, which would be the same for everybody who is shown the pair."""
    return int(_keyed(key, "veil", annotator, str(position))[:16], 16)


def same(given: str, expected: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def synthetic_proof(key: bytes, person: str) -> str:
    """Return the proof that a synthetic annotator was sent by `candor simulate`, which knows the study's key."""
    return _keyed(key, "synthetic", person)[:_TOKEN_HEX]


def entry_signature(key: bytes, person: str) -> str:
    """Return the signature of an entry link, without which a study of signed links takes nobody."""
    return _keyed(key, "entry", person)[:_TOKEN_HEX]
