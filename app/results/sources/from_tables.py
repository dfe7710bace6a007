"""Exported tables turned into what was observed: equal to what `from_database` reads."""

import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from app.analysis.arrays import Floats, Ints, dense
from app.results.facts import Arm, Facts, People, Source
from app.results.judged import JudgeName
from app.results.observed import CODES, REASONS, Annotators, Observed, Pairs, Scores, Stored
from app.results.sources.answers import coded
from app.results.sources.scores import Scored, gathered
from app.results.sources.tables import CsvTable, TableFaulty
from app.terms import Instructions, Outcome, TruthfulKind

_HIGHEST_LEVEL = 1000
_LAST_POSITION = 2**31 - 1
_LARGEST = 1e12  # No score is larger, and sums of squares of much larger ones are no numbers any more.
_KINDS = tuple(kind.value for kind in TruthfulKind)
_SIDES = ("left", "right")
_SAID = ("", "left", "right", "tie")
CHOICE_COLUMNS = (
    "study", "set_slug", "set_version", "set_hash", "arm", "pair_id", "misconception_key", "difficulty_level",
    "truthful_kind", "annotator", "position", "side_truthful", "side_chosen", "words_truthful", "words_sycophantic",
    "confidence", "prior_belief", "decision_ms_server", "looked_up", "counted", "late", "repeat_of",
    "exclusion_reason", "withdrawn", "synthetic", "times_away", "background",
)  # fmt: skip
PAIR_COLUMNS = (
    "study", "set_hash", "design_hash", "arm", "pair_id", "misconception_key", "difficulty_level", "words_truthful",
    "words_sycophantic", "ratings_per_pair", "retired",
)  # fmt: skip
ANNOTATOR_COLUMNS = ("study", "outcome", "withdrawn")
SCORE_COLUMNS = (
    "study", "set_hash", "run", "model", "scorer", "variant", "misconception_key", "difficulty_level", "truthful_kind",
    "margin", "position_term", "noise_floor", "near_tie", "truncated", "random_weights",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a study that were given; only the choices must be."""

    choices: CsvTable
    pairs: CsvTable | None = None
    annotators: CsvTable | None = None
    scores: CsvTable | None = None


def arms_in(choices: CsvTable) -> tuple[Arm, ...]:
    """Return the arms of these choices, helpful before baseline and neutral before truth-preferring."""
    found = set(choices.texts("arm"))
    known = [Arm(kind.value, told.value) for kind in TruthfulKind for told in Instructions]
    others = sorted(found - {arm.name for arm in known})
    if others:
        raise TableFaulty(f"{choices.name}: {others[0]!r} is no arm; an arm is written as helpful/neutral")
    return tuple(arm for arm in known if arm.name in found)


def observed_of(facts: Facts, source: Source, tables: Tables) -> Observed:
    """Turn tables into arrays."""
    _refuse_of_others(facts, tables)
    choices = tables.choices
    names = tuple(arm.name for arm in facts.arms)
    pairs, pair = _pairs(facts, tables)
    annotator, first = _in_order_of_appearance(choices.filled("annotator"))
    annotators = _annotators(facts, choices, names, first)
    stored = _stored(choices, pair, annotator)
    retired = {key for key, gone in zip(pairs.key, pairs.retired, strict=True) if gone}
    return Observed(
        facts=facts,
        source=source,
        people=None if tables.annotators is None else _people(tables.annotators),
        pairs=pairs,
        annotators=annotators,
        stored=stored,
        scores=() if tables.scores is None else _scores(tables.scores, retired),
    )


def _refuse_of_others(facts: Facts, tables: Tables) -> None:
    """Refuse rows that say they are of another study or set; tables made elsewhere need not say."""
    for table in (tables.choices, tables.pairs, tables.annotators, tables.scores):
        for column, own in (("study", facts.slug), ("set_hash", facts.set_hash)):
            texts = table.texts(column) if table is not None and column in table else []
            others = set(texts) - {"", own}
            if table is not None and own is not None and others:
                row = min(texts.index(other) for other in others)
                raise TableFaulty(
                    f"{table.name}, row {row + 2}: {column} is {texts[row]!r}; that of the choices analysed is {own!r}"
                )


def _pairs(facts: Facts, tables: Tables) -> tuple[Pairs, Ints]:
    """Return the pairs, and the index of each choice's pair."""
    choices = tables.choices
    listed = tables.pairs or choices
    ids, of_row = dense(listed.whole("pair_id"))
    first = np.full(len(ids), -1)
    first[of_row[::-1]] = np.arange(listed.n)[::-1]
    keys = listed.texts("misconception_key")
    kinds = sorted({arm.truthful_kind for arm in facts.arms})
    kind = np.array([name.partition("/")[0] for name in listed.texts("arm")])
    words = listed.maybe_numbers("words_truthful", 1)
    retired = np.zeros(len(ids), dtype=np.bool_)
    if tables.pairs is not None:
        retired[of_row[listed.flags("retired")]] = True
    elif choices.n:
        retired[of_row[choices.one_of("exclusion_reason", REASONS) == CODES["retired_pair"]]] = True
    pair_id = choices.whole("pair_id")
    at = np.searchsorted(ids, pair_id)
    unknown = ids[np.minimum(at, len(ids) - 1)] != pair_id if len(ids) else np.ones(len(pair_id), dtype=np.bool_)
    if unknown.any():
        raise TableFaulty(
            f"{listed.name} has no pair {pair_id[unknown.argmax()]}, which {choices.name} has a choice on"
        )
    return Pairs(
        key=tuple(keys[row] for row in first),
        level=listed.whole("difficulty_level", 0, 0, _HIGHEST_LEVEL)[first],
        retired=retired,
        words_truthful={each: _spread(len(ids), of_row[kind == each], words[kind == each]) for each in kinds},
        words_sycophantic=_spread(len(ids), of_row, listed.maybe_numbers("words_sycophantic", 1)),
    ), at.astype(np.int64, copy=False)


def _spread(n: int, places: Ints, values: Floats) -> Floats:
    spread = np.full(n, np.nan)
    spread[places] = values
    return spread


def _in_order_of_appearance(names: list[str]) -> tuple[Ints, Ints]:
    """Return each row's index of its name among those that appeared, and the row in which each appeared first."""
    places: dict[str, int] = {}
    index = np.fromiter((places.setdefault(name, len(places)) for name in names), dtype=np.int64, count=len(names))
    first = np.full(len(places), -1)
    first[index[::-1]] = np.arange(len(names))[::-1]
    return index, first


def _annotators(facts: Facts, choices: CsvTable, arms: tuple[str, ...], first: Ints) -> Annotators:
    said: list[Any] = [None] * len(first)
    if "background" in choices:
        texts = choices.unescaped("background")
        said = [_answers(choices, row, texts[row]) for row in first.tolist()]
    codes, words = coded(said, None if facts.declared is None else facts.declared.background)
    synthetic = choices.maybe_flags("synthetic")
    return Annotators(
        arm=choices.one_of("arm", arms)[first],
        looked_up=choices.maybe_flags("looked_up")[first],
        synthetic=synthetic[first] == 1,
        background=codes,
        answers=words,
    )


def _answers(choices: CsvTable, row: int, text: str) -> Any:
    try:
        said = json.loads(text) if text else None
    except ValueError:
        said = text
    if said is None or isinstance(said, dict):
        return said
    raise TableFaulty(
        f"{choices.name}, row {row + 2}: background cannot be {text[:60]!r}; it must be an object in JSON, or empty"
    )


def _stored(choices: CsvTable, pair: Ints, annotator: Ints) -> Stored:
    position = choices.whole("position", low=1, high=_LAST_POSITION)
    side, left = choices.one_of("side_chosen", _SAID), choices.one_of("side_truthful", _SIDES) == 0
    chose_side = (side == 1) | (side == 2)
    withdrawn = choices.flags("withdrawn")
    stored = Stored(
        pair=pair,
        annotator=annotator,
        position=position,
        repeat_of=choices.whole("repeat_of", 0, 0, _LAST_POSITION),
        prefers_sycophantic=np.where(chose_side, ((side == 1) != left).astype(np.float64), np.nan),
        truthful_left=left,
        counted=choices.flags("counted"),
        late=choices.flags("late"),
        withdrawn=withdrawn,
        reason=choices.one_of("exclusion_reason", REASONS),
        decision_ms=choices.maybe_numbers("decision_ms_server", 0),
        left_page=np.greater(np.nan_to_num(choices.maybe_numbers("times_away", 0)), 0),
        confidence=_any(choices.maybe_numbers("confidence", 1, 5)),
        prior_belief=_any(choices.maybe_numbers("prior_belief", 0, 100)),
    )
    _refuse_chosen_twice(choices, stored)
    return _in_order(stored)


def _refuse_chosen_twice(choices: CsvTable, stored: Stored) -> None:
    """Refuse a second choice of a person on a pair, of those that may be analysed; repeats and surplus ones may be."""
    filled = stored.counted | ((stored.reason != 0) & ~stored.late)
    rows = np.flatnonzero(filled & ~stored.withdrawn & (stored.repeat_of == 0))
    cell = stored.annotator[rows] * (int(stored.pair.max(initial=0)) + 1) + stored.pair[rows]
    order = np.argsort(cell, kind="stable")
    twice = np.flatnonzero(np.diff(cell[order]) == 0)
    if len(twice):
        first, again = rows[order[twice[0]]], rows[order[twice[0] + 1]]
        raise TableFaulty(
            f"{choices.name}, row {again + 2}: annotator {choices.texts('annotator')[again]!r} has chosen on pair "
            f"{choices.texts('pair_id')[again]} in row {first + 2} already; keep the counted one only"
        )


def _in_order(stored: Stored) -> Stored:
    order = np.lexsort((stored.position, stored.annotator))
    if (order == np.arange(len(order))).all():
        return stored
    columns = {each.name: getattr(stored, each.name) for each in fields(Stored)}
    ordered: dict[str, Any] = {name: None if column is None else column[order] for name, column in columns.items()}
    return Stored(**ordered)


def _any(numbers: Floats) -> Floats | None:
    return None if np.isnan(numbers).all() else numbers


def _people(table: CsvTable) -> People:
    outcomes = table.texts("outcome")
    by_outcome = {outcome.value: outcomes.count(outcome.value) for outcome in Outcome}
    return People(
        consented=table.n,
        unfinished=outcomes.count(""),
        withdrew=int(table.flags("withdrawn").sum()),
        **by_outcome,
    )


def _scores(table: CsvTable, retired: set[str]) -> tuple[Scores, ...]:
    models, variants = table.unescaped("model"), table.unescaped("variant")
    runs, scorers, kinds = table.texts("run"), table.texts("scorer"), table.texts("truthful_kind")
    keys, levels, margins = (
        table.texts("misconception_key"),
        table.whole("difficulty_level", 0, 0, _HIGHEST_LEVEL),
        table.numbers("margin", -_LARGEST, _LARGEST, empty=False),
    )
    table.one_of("truthful_kind", _KINDS)
    floors = table.maybe_numbers("noise_floor", 0, _LARGEST)
    terms = table.maybe_numbers("position_term", -_LARGEST, _LARGEST)
    near, cut = table.maybe_flags("near_tie") == 1, table.maybe_flags("truncated") == 1
    random = table.maybe_flags("random_weights")
    scored = {
        row: Scored(
            JudgeName(
                runs[row], models[row], scorers[row], variants[row], kinds[row],
                None if np.isnan(random[row]) else bool(random[row]),
            ),
            keys[row], int(levels[row]), float(margins[row]), _maybe(floors[row]), bool(near[row]), bool(cut[row]),
            _maybe(terms[row]),
        )
        for row in range(table.n)
        if keys[row] not in retired
    }  # fmt: skip
    _refuse_scored_twice(table, scored)
    return gathered(scored.values())


def _refuse_scored_twice(table: CsvTable, scored: dict[int, Scored]) -> None:
    """Refuse a second score of a pair by one model in one run, variant and truthful kind."""
    places: dict[tuple[JudgeName, str], int] = {}
    for row, one in scored.items():
        first = places.setdefault((one.name, one.key), row)
        if first != row:
            raise TableFaulty(
                f"{table.name}, row {row + 2}: {one.name.model!r} ({one.name.variant}, {one.name.truthful_kind}) has "
                f"scored {one.key!r} in row {first + 2} already, in the same run; keep one of them"
            )


def _maybe(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
