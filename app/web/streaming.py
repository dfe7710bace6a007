"""Files that are sent while they are read; one that nobody takes to its end is closed, and so is what it reads from."""

from collections.abc import AsyncGenerator, Mapping

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Sent(StreamingResponse):
    """Chunks, closed when the last is sent or whoever asked has gone.

    What a generator reads from holds its connection: left open, the end of the request would wait for it for ever.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None] | AsyncGenerator[str, None],
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(chunks, media_type=media_type, headers=headers)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._chunks.aclose()
