"""Prolific's API over HTTP, behind the port that `app.study.platforms` names.

Written from https://docs.prolific.com/api-reference/submissions/get-submissions and, for waiting when it is busy, from
https://docs.prolific.com/documentation/core-concepts/managing-high-loads.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from app.errors import CandorError
from app.study import prolific
from app.study.platforms import Report
from app.study.prolific import MessageFaulty

PAGE_SIZE = 100
_TRIES = 6
_LONGEST_WAIT_SECONDS = 60


class PlatformUnreachable(CandorError):
    """The platform did not answer, or not as it documents. Trying again later may help."""


class TokenRefused(CandorError):
    """The platform does not take the token."""


class PlatformStudyUnknown(CandorError):
    """The platform knows no such study, or the token may not see it. Ids in links can be made up."""


class ProlificApi:
    """What polling asks of Prolific. `pause` waits for so many seconds, `say` tells why."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._client = client
        self._pause = pause
        self._say = say

    async def of_study(self, platform_study: str) -> AsyncIterator[Report]:
        """Go through all submissions to a study of Prolific's, page by page.

        The end is the first page with nothing new: neither the number of pages nor the largest page is documented.
        """
        seen: set[str] = set()
        for page in count(1):
            # A status that is read now held no earlier than now; Prolific's own times are whole seconds.
            asked_at = datetime.now(UTC).replace(microsecond=0)
            new = [one for one in await self._page(platform_study, page) if str(one.get("id")) not in seen]
            if not new:
                return
            seen.update(str(one.get("id")) for one in new)
            for one in new:
                report = _report(one, asked_at)
                if report is not None:
                    yield report

    async def _page(self, platform_study: str, page: int) -> list[dict[str, Any]]:
        response = await self._get(
            "/api/v1/submissions/", {"study": platform_study, "page": page, "page_size": PAGE_SIZE}
        )
        if response.status_code in {400, 404}:
            if page > 1:
                return []
            raise PlatformStudyUnknown(f"Prolific knows no study {platform_study!r} that this token may see")
        if response.status_code in {401, 403}:
            raise TokenRefused("Prolific refuses the token; put a working one into CANDOR_PROLIFIC_TOKEN")
        try:
            results = response.json()["results"] if response.status_code == 200 else None
        except (ValueError, KeyError, TypeError):
            results = None
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise PlatformUnreachable(
                f"what answers at {self._client.base_url} is not Prolific's API (status {response.status_code}); "
                f"check CANDOR_PROLIFIC_API"
            )
        return results

    async def _get(self, path: str, query: dict[str, str | int]) -> httpx.Response:
        """Ask, and ask again with growing pauses where Prolific is busy, broken or away."""
        reason = ""
        for wait_seconds in (2**power for power in range(_TRIES)):
            try:
                response = await self._client.get(path, params=query)
            except httpx.HTTPError as error:
                reason, wanted = str(error) or type(error).__name__, 0.0
            else:
                if response.status_code != 429 and response.status_code < 500:
                    return response
                reason, wanted = f"status {response.status_code}", _retry_after(response)
            if wait_seconds < 2 ** (_TRIES - 1):
                pause_seconds = max(float(wait_seconds), wanted)
                self._say(f"Prolific is busy or away ({reason}); asking again in {pause_seconds:g} s.")
                await self._pause(pause_seconds)
        raise PlatformUnreachable(f"Prolific did not answer after {_TRIES} tries ({reason}); try again later")


def _retry_after(response: httpx.Response) -> float:
    """Return how many seconds the answer asks us to wait, within reason; 0 where it does not say."""
    asked = response.headers.get("Retry-After", "")
    return float(min(int(asked), _LONGEST_WAIT_SECONDS)) if asked.isascii() and asked.isdigit() else 0.0


def _report(submission: dict[str, Any], at: datetime) -> Report | None:
    """Return what one entry of the list says; one that cannot be understood says nothing."""
    try:
        return prolific.report_of(submission.get("id"), submission.get("participant_id"), submission.get("status"), at)
    except MessageFaulty:
        return None
