"""Keys and categories from words."""

import re
import unicodedata
from hashlib import sha256

_LONGEST = 60
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return a text as lower-case ASCII words with hyphens, the same for the same text.

    One that is cut, or that has no such letters, ends with a hash, so that different texts stay different.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("'", "")
    made = _OTHER.sub("-", plain).strip("-")
    if made and len(made) <= _LONGEST:
        return made
    digest = sha256(text.encode()).hexdigest()[:8]
    kept = made[: _LONGEST - 9].rpartition("-")[0] or made[: _LONGEST - 9]
    return f"{kept}-{digest}" if kept else f"no-{digest}"
