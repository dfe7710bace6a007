"""Dialogs: what a preference model reads, as turns."""

from collections.abc import Iterable
from dataclasses import dataclass

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `role` is one of `ROLES`."""

    role: str
    content: str

    def as_message(self) -> dict[str, str]:
        """Return the turn as chat templates and servers take it."""
        return {"role": self.role, "content": self.content}


Dialog = tuple[Turn, ...]


def user(content: str) -> Turn:
    """Return what a user says."""
    return Turn("user", content)


def assistant(content: str) -> Turn:
    """Return what the assistant says."""
    return Turn("assistant", content)


def as_messages(dialog: Iterable[Turn]) -> list[dict[str, str]]:
    """Return a dialog as chat templates and servers take it."""
    return [turn.as_message() for turn in dialog]
