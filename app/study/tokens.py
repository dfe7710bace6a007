"""Keyed hashes: the public ids of annotators, and the opaque tokens that their browsers carry.

All are HMAC-SHA256 under the study's own key, over fields that never include a side, a slot or a level, so none of
them can tell which response is which.
"""

import hashlib
import hmac
import secrets

_PUBLIC_ID_HEX = 20
_TOKEN_HEX = 32


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


def annotator_of(key: bytes, cookie: str) -> str | None:
    """Return the public id in a cookie, or None if we never gave it out."""
    annotator, _, _ = cookie.partition(".")
    return annotator if hmac.compare_digest(cookie.encode(), pass_for(key, annotator).encode()) else None


def step_token(key: bytes, annotator: str, step: str) -> str:
    """Return the opaque token of one step of one person: what makes a post idempotent and ours."""
    return _keyed(key, "step", annotator, step)[:_TOKEN_HEX]


def same(given: str, expected: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def synthetic_proof(key: bytes, person: str) -> str:
    """Return the proof that a synthetic annotator was sent by `candor simulate`, which knows the study's key."""
    return _keyed(key, "synthetic", person)[:_TOKEN_HEX]


def entry_signature(key: bytes, person: str) -> str:
    """Return the signature of an entry link, without which a study of signed links takes nobody."""
    return _keyed(key, "entry", person)[:_TOKEN_HEX]
