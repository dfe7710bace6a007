"""The style of a text in numbers: length, punctuation, formatting and function words; nothing of what it is about."""

import re
from statistics import fmean, pstdev

from app.study.stimuli_checks.markup import marks
from app.study.stimuli_checks.words import paragraphs, sentences, words

FUNCTION_WORDS = tuple(
    words(
        "a about above after again against all almost already also although always am an and another any are "
        "around as at away back be because been before being below between both but by can cannot could did "
        "do does doing down during each either else enough even ever every everyone everything few first for "
        "from further had has have having he hence her here him his how however i if in indeed instead into "
        "is it its itself just least less like many may me might more most much must my neither never no "
        "nobody none nor not nothing now of off often on once one only or other others ought our out over own "
        "perhaps quite rather same shall she should simply since so some something sometimes still such than "
        "that the their them themselves then there therefore these they this those though through thus to "
        "together too toward towards two under until up upon us very was we well were what when where whether "
        "which while who whole whom whose why will with within without would yes yet you your"
    )
)
_MARKS = {
    "commas": re.compile(","),
    "semicolons": re.compile(";"),
    "colons": re.compile(":"),
    "dashes": re.compile(r"[–—]|\s-\s|--"),
    "hyphens": re.compile(r"\w-\w"),
    "brackets": re.compile(r"[(\[]"),
    "quotation marks": re.compile(r"[\"“”„«»]|(?<!\w)['‘]"),
    "contractions": re.compile(r"\w['’]\w"),
    "question marks": re.compile(r"\?"),
    "exclamation marks": re.compile("!"),
    "ellipses": re.compile(r"…|\.\.\."),
    "numerals": re.compile(r"\d[\d,.]*"),
    "percentages": re.compile("%"),
    "capitals inside sentences": re.compile(r"(?<=[a-z,;] )(?!I\b)[A-Z]"),
}
NAMES = (
    "words", "characters", "sentences", "words per sentence", "spread of sentence lengths", "first sentence's length",
    "last sentence's length", "letters per word", "different words", "paragraphs", "first paragraph's share",
    "formatting marks", *_MARKS, "negated contractions", *(f"“{word}”" for word in FUNCTION_WORDS),
)  # fmt: skip


def style(text: str) -> list[float]:
    """Return a text's style, in the order of NAMES; what is counted is counted by the hundred words."""
    said = words(text)
    per_100 = 100 / max(1, len(said))
    counts = dict.fromkeys(FUNCTION_WORDS, 0)
    for word in said:
        if word in counts:
            counts[word] += 1
    return [
        *_shape(text, said),
        *(len(mark.findall(text)) * per_100 for mark in _MARKS.values()),
        sum(word.endswith("n't") for word in said) * per_100,
        *(count * per_100 for count in counts.values()),
    ]


def _shape(text: str, said: list[str]) -> list[float]:
    lengths = [len(words(sentence)) for sentence in sentences(text)] or [0]
    parts = paragraphs(text)
    return [
        len(text.split()),
        len(text),
        len(lengths),
        fmean(lengths),
        pstdev(lengths),
        lengths[0],
        lengths[-1],
        sum(map(len, said)) / max(1, len(said)),
        len(set(said)) / max(1, len(said)),
        len(parts),
        len(parts[0]) / len(text),
        len(marks(text)),
    ]
