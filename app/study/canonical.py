"""One way to write data down, so that another program can recompute a hash."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces, and characters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """Return the SHA-256, in hex, of the canonical JSON's UTF-8 bytes."""
    return text_hash(canonical_json(value))


def text_hash(text: str) -> str:
    """Return the SHA-256, in hex, of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()
