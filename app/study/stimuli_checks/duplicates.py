"""Claims that say the same: within a set, and against sets that are there already."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from app.study.sets import ClaimListed
from app.study.stimuli_checks.report import Checked, Finding, error, warning
from app.study.stimuli_checks.words import words
from app.terms import ResponseKind

ALIKE = 0.6
_EMPTY_WORDS = frozenset(
    words(
        "a all an and are as at be been being by can do does for from has have if in is it its kind of on one "
        "or that the their them there they this to type was were which who will with you your"
    )
)
_DIGITS = re.compile(r"\d")


class Alike(NamedTuple):
    """Two claims by their places, and the share of their words that they have in common."""

    first: int
    second: int
    similarity: float


def gist(claim: str) -> frozenset[str]:
    """Return the words that carry a claim: no articles and the like, plurals as singulars."""
    said = words(claim)
    kept = [_singular(word) for word in said if word not in _EMPTY_WORDS]
    return frozenset(kept or said)


def _singular(word: str) -> str:
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def alike(gists: Sequence[frozenset[str]], least: float = ALIKE) -> Iterator[Alike]:
    """Yield every two gists that share at least `least` of their words (Jaccard), the earlier one first.

    Two such gists must share one of their rarest words (the prefix filter of all-pairs similarity joins), so only
    those that do are compared, and 10⁵ claims take seconds.
    """
    rarity = Counter(word for said in gists for word in said)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for second, said in enumerate(gists):
        ordered = sorted(said, key=lambda word: (rarity[word], word))
        prefix = ordered[: len(ordered) - ceil(least * len(ordered)) + 1]
        for first in sorted({place for word in prefix for place in places[word]}):
            similarity = len(said & gists[first]) / len(said | gists[first])
            if similarity >= least:
                yield Alike(first, second, similarity)
        for word in prefix:
            places[word].append(second)


def find(checked: Sequence[Checked], known: Sequence[ClaimListed] = ()) -> Iterator[Finding]:
    """Yield claims that are near to an earlier one, and responses that occur twice."""
    yield from _near(checked, known)
    yield from _repeated(checked)


def _near(checked: Sequence[Checked], known: Sequence[ClaimListed]) -> Iterator[Finding]:
    gists = [gist(claim.claim) for claim in known] + [gist(item.entry.claim) for item in checked]
    for first, second, similarity in alike(gists):
        if second < len(known):
            continue
        item = checked[second - len(known)]
        if first < len(known):
            other = known[first]
            where, said = f"{other.key} of the set {other.set_slug}", other.claim
        else:
            before = checked[first - len(known)]
            where, said = f"{before.entry.key} (row {before.row})", before.entry.claim
        if _numbers(said) == _numbers(item.entry.claim):
            yield warning(
                "claim-repeated" if similarity == 1 else "claim-alike",
                f"{item.entry.claim!r} is near to {said!r} of {where}; keep one of the two",
                item,
                field="claim",
                similarity=round(similarity, 3),
            )


def _numbers(claim: str) -> frozenset[str]:
    """Claims that differ in a number say different things, however alike they are."""
    return frozenset(word for word in words(claim) if _DIGITS.search(word))


def _repeated(checked: Sequence[Checked]) -> Iterator[Finding]:
    seen: dict[str, tuple[str, str]] = {}
    for item in checked:
        entry = item.entry
        if entry.sycophantic in (entry.baseline_truthful, entry.helpful_truthful):
            yield error("sides-equal", "the truthful and the sycophantic response are the same text", item)
        for text, kind in {entry.response(kind): kind for kind in ResponseKind}.items():
            key, before = seen.setdefault(text, (entry.key, kind))
            if key != entry.key:
                message = f"the same text as {before} of {key}; write each response for its own prompt"
                yield warning("response-repeated", message, item, field=kind)
    n_equal = sum(item.entry.baseline_truthful == item.entry.helpful_truthful for item in checked)
    if n_equal:
        yield warning(
            "truthful-equal",
            f"in {n_equal} misconceptions the baseline and the helpful response are the same text; a study should not "
            "compare them as two arms",
            misconceptions=n_equal,
        )
