"""Whether every fact can be looked up: who published it, a link that can be one, and no source twice."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.study.set_files import SourceEntry
from app.study.stimuli_checks.report import Checked, Finding, SourceFigures, error, warning

_NOBODY = frozenset(
    ["", "-", "?", "n/a", "na", "none", "null", "unknown", "tbd", "todo", "source", "publisher", "anonymous"]
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_MADE_UP = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|[^.]+\.(?:example|invalid|test|localhost))$")


def figures(checked: Sequence[Checked]) -> SourceFigures:
    """Return how well a set is sourced."""
    every = [source for item in checked for source in item.entry.sources]
    return SourceFigures(
        sources=len(every),
        with_link=sum(source.url is not None for source in every),
        misconceptions_with_link=sum(any(source.url for source in item.entry.sources) for item in checked),
        publishers=len({source.publisher.casefold() for source in every}),
    )


def find(checked: Sequence[Checked]) -> Iterator[Finding]:
    """Yield what is wrong with each source."""
    for item in checked:
        seen: dict[str, int] = {}
        for index, source in enumerate(item.entry.sources):
            place = f"sources.{index}"
            yield from _faults(item, place, source)
            for name in _names(source):
                first = seen.setdefault(name, index)
                if first != index:
                    message = f"the same as sources.{first}; remove one of them"
                    yield warning("source-repeated", message, item, field=place)
                    break


def _names(source: SourceEntry) -> list[str]:
    named = [f"{source.publisher.casefold()}\n{source.title.casefold()}\n{source.url or ''}"]
    return named + ([source.url] if source.url else [])


def _faults(item: Checked, place: str, source: SourceEntry) -> Iterator[Finding]:
    for part in ("publisher", "title"):
        value: str = getattr(source, part)
        if value.strip().casefold() in _NOBODY:
            said = f"{value!r} names no {part}; say who published it under which title"
            yield error("source-unnamed", said, item, field=f"{place}.{part}")
    if source.url is not None:
        fault = link_fault(source.url)
        if fault:
            yield error("source-link", f"{source.url!r} {fault}", item, field=f"{place}.url")


def link_fault(url: str) -> str | None:
    """Say why an address cannot be a link to a published page, or return None. Nothing is fetched."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError as fault:
        return f"is no web address ({fault})"
    if parts.username is not None:
        return "holds a user name; give the page's public address"
    if _MADE_UP.search(host):
        return "is a made-up address; give the page that was read, or null"
    if not _is_host(host):
        return "names no host that can be on the web; check its spelling"
    return None


def _is_host(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        labels = _ascii(host).split(".")
        return len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""
