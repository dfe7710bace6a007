"""Passwords: argon2id with the library's defaults, computed outside the event loop."""

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.study.password_rules import refuse_weak

_HASHER = PasswordHasher()
# A hash takes 64 MiB: few at a time, so that a burst of logins cannot exhaust the memory.
_WORKERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="argon2")


def _encoded(random: bytes) -> str:
    return b64encode(random).decode().rstrip("=")


def _hash_of_nothing() -> str:
    """Return a well-formed hash that no password is known for: it costs as much to verify as a real one."""
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    salt, digest = secrets.token_bytes(_HASHER.salt_len), secrets.token_bytes(_HASHER.hash_len)
    return f"$argon2id$v=19${cost}${_encoded(salt)}${_encoded(digest)}"


_NOBODY = _hash_of_nothing()


def _bytes(password: str) -> bytes:
    """Return one form for what keyboards and systems write in several."""
    return unicodedata.normalize("NFKC", password).encode()


def _verify(password: str, stored: str) -> bool:
    try:
        return _HASHER.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


async def hashed(password: str, email: str = "") -> str:
    """Return the hash to store for a new password of an account.

    Raises
    ------
    PasswordRefused
        When it is too easy to guess.
    """
    refuse_weak(password, email)
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _HASHER.hash, _bytes(password))


async def matches(password: str, stored: str | None) -> bool:
    """Say whether a password is the stored one. Without a stored one the answer is no, after the same work."""
    right = await asyncio.get_running_loop().run_in_executor(_WORKERS, _verify, password, stored or _NOBODY)
    return right and stored is not None
