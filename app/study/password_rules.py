"""What a new password must be: long, and not one that is guessed first. No rules on kinds of characters."""

import re
import unicodedata

from app.errors import CandorError

SHORTEST = 12
LONGEST = 500
# So many characters have to be left when all that is guessed first is taken out.
_FEWEST_LEFT = 6
# Shorter parts of a name are found in passwords by chance.
_SHORTEST_NAME = 3

_COMMON_WORDS = """
    password passwort passwd passphrase passw0rd p@ssw0rd p@ssword secret changeme changethis default letmein welcome
    hello login signin sesame opensesame admin administrator guest master testing trustno1 iloveyou loveyou princess
    sunshine dragon monkey shadow superman batman football baseball basketball starwars whatever freedom michael
    jordan ninja azerty 1q2w3e4r5t6y 1q2w3e4r5t 1q2w3e4r 1qaz2wsx3edc 1qaz2wsx qazwsx qazwsxedc zaq12wsx q1w2e3r4t5
    q1w2e3r4 abc123 candor nothing
"""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "abcdefghijklmnopqrstuvwxyz", "01234567890")
_RUN = 3
_LETTER = re.compile(r"[^\W\d_]")


class PasswordRefused(CandorError):
    """A new password that would not protect the account."""


class PasswordTooShort(PasswordRefused):
    """A password that is too easy to guess."""

    def __init__(self) -> None:
        super().__init__(f"the password is too short; give at least {SHORTEST} characters")


class PasswordTooLong(PasswordRefused):
    """A password that is longer than anybody's."""

    def __init__(self) -> None:
        super().__init__(f"the password is too long; give at most {LONGEST} characters")


class PasswordCommon(PasswordRefused):
    """A password of words, digits and rows of keys that are tried first."""

    def __init__(self) -> None:
        super().__init__("the password is one that is guessed early; choose some words that few would put together")


class PasswordPersonal(PasswordRefused):
    """A password made of the email address."""

    def __init__(self) -> None:
        super().__init__("the password is made of the email address; choose words that have nothing to do with it")


class PasswordUnchanged(PasswordRefused):
    """The new password is the old one."""

    def __init__(self) -> None:
        super().__init__("this is the password that you have; choose another one")


def _runs() -> list[str]:
    """Return every row of keys and of letters that is long enough to be seen as one, forwards and backwards."""
    rows = [row[::step] for row in _ROWS for step in (1, -1)]
    return [row[start : start + _RUN] for row in rows for start in range(len(row) - _RUN + 1)]


def _pattern(words: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))


_COMMON = _pattern(_COMMON_WORDS.split())
_ROWS_OF_KEYS = re.compile("|".join(_runs()))


def refuse_weak(password: str, email: str = "") -> None:
    """Refuse a new password that is short, or made of what is guessed first.

    Raises
    ------
    PasswordRefused
        Saying what to choose instead.
    """
    if len(password) < SHORTEST:
        raise PasswordTooShort
    if len(password) > LONGEST:
        raise PasswordTooLong
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _left(plain) < _FEWEST_LEFT:
        raise PasswordCommon
    names = _names(email)
    without_names = _pattern(names).sub(" ", plain) if names else plain
    if without_names != plain and _letters_left(without_names) < _FEWEST_LEFT:
        raise PasswordPersonal


def _left(plain: str) -> int:
    """Return how many different characters are left without common words and rows of keys.

    Beside a common word only letters count: everybody adds digits and an exclamation mark.
    """
    if _COMMON.search(plain):
        return _letters_left(plain)
    return len(set("".join(_ROWS_OF_KEYS.sub(" ", plain).split())))


def _letters_left(plain: str) -> int:
    without_words = _COMMON.sub(" ", plain)
    return len(set(_LETTER.findall(_ROWS_OF_KEYS.sub(" ", without_words))))


def _names(email: str) -> list[str]:
    """Return an email address and its parts, whole and in pieces: ada.lovelace, ada, lovelace, example.org, example."""
    address = email.casefold()
    local, _, domain = address.partition("@")
    pieces = [address, domain, local, *re.split(r"[\W_]+", local), *domain.split(".")[:-1]]
    return [piece for piece in pieces if len(piece) >= _SHORTEST_NAME]
