"""Messages that platforms delivered: each is taken once, however often it is sent."""

import hashlib

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def is_first(session: AsyncSession, signature: str) -> bool:
    """Say whether a signed message has not come before, and remember it for an hour.

    A message is refused anyway when it is some minutes old, so older deliveries are forgotten. One that comes twice at
    once waits here for the first.
    """
    await session.execute(_FORGET)
    digest = hashlib.sha256(signature.encode()).hexdigest()
    return await session.scalar(_REMEMBER, {"hash": digest}) is not None


_FORGET = text("""
    DELETE FROM webhook_delivery WHERE signature_hash IN (
        SELECT signature_hash FROM webhook_delivery WHERE delivered_at < now() - interval '1 hour'
        ORDER BY delivered_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
""")
_REMEMBER = text("""
    INSERT INTO webhook_delivery (signature_hash) VALUES (:hash) ON CONFLICT DO NOTHING RETURNING signature_hash
""")
