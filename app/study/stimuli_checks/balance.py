"""Whether the two sides of the pairs are alike in length, readability, hedging, formatting and questions.

The truthful side is the helpful response. The baseline one is reported beside it and never warned about: it is short
by design, and a study that shows it measures that too.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from app.study.set_files import MisconceptionEntry
from app.study.stimuli_checks.markup import marks
from app.study.stimuli_checks.report import Checked, Finding, Levels, Measure, warning
from app.study.stimuli_checks.words import holm, paragraphs, reading_ease, sentences, sign_test, words

LONGEST_DIFFERENCE = 0.15
_MEAN_DIFFERENCE = 0.03
_P = 0.05
_HEDGES = frozenset(
    words(
        "about almost apparently appear appears arguably around can could estimated generally largely likely "
        "mainly may maybe might mostly nearly often partly perhaps possible possibly presumably probable "
        "probably rarely rather roughly seem seemed seems somewhat sometimes suggest suggests supposedly tend "
        "tends typically usually"
    )
)
_NEGATIONS = frozenset(words("cannot neither never no nobody none nor not nothing nowhere without"))
_YOU = frozenset(["you", "your", "yours", "yourself", "you're", "you've", "you'd", "you'll"])
_NAME = re.compile(r"(?<![.!?…:\n] )(?<!^)(?<!\n)\b(?!I\b)[A-Z][\w’'-]*")
_NUMBER = re.compile(r"\d[\d,.]*")


def _per_100(words_in: frozenset[str]) -> Callable[[str], float]:
    def rate(text: str) -> float:
        said = words(text)
        return 100 * sum(word in words_in for word in said) / max(1, len(said))

    return rate


def _negations(text: str) -> float:
    said = words(text)
    return 100 * sum(word in _NEGATIONS or word.endswith("n't") for word in said) / max(1, len(said))


MEASURES: dict[str, Callable[[str], float]] = {
    "words": lambda text: len(text.split()),
    "characters": len,
    "sentences": lambda text: len(sentences(text)),
    "words per sentence": lambda text: len(words(text)) / max(1, len(sentences(text))),
    "paragraphs": lambda text: len(paragraphs(text)),
    "reading ease": reading_ease,
    "hedges per 100 words": _per_100(_HEDGES),
    "negations per 100 words": _negations,
    "“you” per 100 words": _per_100(_YOU),
    "numbers": lambda text: len(_NUMBER.findall(text)),
    "capitals inside sentences": lambda text: len(_NAME.findall(text)),
    "question marks": lambda text: text.count("?"),
    "exclamation marks": lambda text: text.count("!"),
    "formatting marks": lambda text: len(marks(text)),
}


def measured(checked: Sequence[Checked]) -> tuple[Measure, ...]:
    """Return every measure on both sides."""
    rows = [(name, *_sides(measure, checked)) for name, measure in MEASURES.items()]
    signs = [_more(truthful, sycophantic) for _, truthful, sycophantic, _ in rows]
    ps = holm(sign_test(*more) for more in signs)
    return tuple(
        Measure(name, fmean(truthful), fmean(sycophantic), fmean(baseline), *more, p)
        for (name, truthful, sycophantic, baseline), more, p in zip(rows, signs, ps, strict=True)
    )


def _sides(measure: Callable[[str], float], checked: Sequence[Checked]) -> tuple[list[float], list[float], list[float]]:
    return (
        [measure(item.entry.helpful_truthful) for item in checked],
        [measure(item.entry.sycophantic) for item in checked],
        [measure(item.entry.baseline_truthful) for item in checked],
    )


def _more(truthful: list[float], sycophantic: list[float]) -> tuple[int, int]:
    sides = list(zip(truthful, sycophantic, strict=True))
    return sum(s > t for t, s in sides), sum(t > s for t, s in sides)


def find(checked: Sequence[Checked], measures: Sequence[Measure], levels: Levels) -> Iterator[Finding]:
    """Yield what a reader could tell the sides apart by, pair by pair and over the whole set."""
    for item in checked:
        yield from _lengths(item)
        yield from _shape(item)
    for measure in measures:
        yield from _one_sided(measure, len(checked))
    for level, ratio in levels.length_ratio.items():
        if abs(ratio - 1) > _MEAN_DIFFERENCE:
            longer = "longer" if ratio > 1 else "shorter"
            yield warning(
                "length-by-level",
                f"level {level}: sycophantic responses are on average {abs(ratio - 1):.1%} {longer} than truthful "
                f"ones; even the lengths out to within {_MEAN_DIFFERENCE:.0%}",
                ratio=round(ratio, 4),
            )


def length_ratio(entry: MisconceptionEntry) -> float:
    """Return the sycophantic response's words for each word of the truthful one."""
    return len(entry.sycophantic.split()) / len(entry.helpful_truthful.split())


def _lengths(item: Checked) -> Iterator[Finding]:
    truthful, sycophantic = len(item.entry.helpful_truthful.split()), len(item.entry.sycophantic.split())
    if abs(truthful - sycophantic) > LONGEST_DIFFERENCE * max(truthful, sycophantic):
        yield warning(
            "length-differs",
            f"{truthful} words truthful, {sycophantic} sycophantic; bring them within {LONGEST_DIFFERENCE:.0%}",
            item,
            truthful=truthful,
            sycophantic=sycophantic,
        )


def _shape(item: Checked) -> Iterator[Finding]:
    truthful, sycophantic = len(paragraphs(item.entry.helpful_truthful)), len(paragraphs(item.entry.sycophantic))
    if truthful != sycophantic:
        yield warning(
            "paragraphs-differ",
            f"{truthful} paragraphs truthful, {sycophantic} sycophantic; give both the same shape",
            item,
            truthful=truthful,
            sycophantic=sycophantic,
        )


def _one_sided(measure: Measure, n_pairs: int) -> Iterator[Finding]:
    if measure.p < _P:
        ups, downs = measure.more_sycophantic, measure.more_truthful
        side = "sycophantic" if ups > downs else "truthful"
        yield warning(
            "unbalanced",
            f"{measure.name}: the {side} response has more in {max(ups, downs)} of {n_pairs} pairs and less in "
            f"{min(ups, downs)} (means {measure.helpful_truthful:.2f} truthful, {measure.sycophantic:.2f} "
            f"sycophantic; p = {measure.p:.3g}); even it out",
            measure=measure.name,
            p=measure.p,
        )
