"""Several promises at once: all of them or none, and no more under way than is allowed."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(promised: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return what all of them give, in order; the first that fails stops the others, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as tasks:
            begun = [tasks.create_task(one) for one in promised]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # The first stopped the others; what it says is what went wrong.
    return [task.result() for task in begun]


class Gate:
    """Lets at most so many through at once, whoever asks: one bound for all batches that are under way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._semaphore = asyncio.Semaphore(most)

    def here(self) -> asyncio.Semaphore:
        """Return the bound of the event loop that runs: each shard has a loop of its own, one after the other."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._semaphore = loop, asyncio.Semaphore(self._most)
        return self._semaphore
