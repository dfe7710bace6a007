"""Fitting scores to the texts of a study: each row to the very prompt and responses that it names by their hashes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.errors import CandorError
from app.models import PairScore, ResponseScore
from app.study.scoring_pairs import PairHashes
from app.study.scoring_records import PairRow, ResponseRow, Row, RunRecord, row_form, worded
from app.terms import ResponseKind, Scorer


class RowUnfit(CandorError):
    """A row says nothing that can be stored of this study; says which field, and why."""


class Fitted(NamedTuple):
    """A row, and its values as they are stored."""

    row: Row
    values: dict[str, Any]


class Fitting:
    """Fits the rows of a run to the pairs of a study, retired ones too."""

    def __init__(self, record: RunRecord, pairs: Mapping[str, PairHashes]) -> None:
        self._form = row_form(record.scorer)
        self._variants = {variant.name for variant in record.variants}
        self._pairs = pairs

    def fit(self, data: Mapping[str, Any]) -> Fitted:
        """Return a row as it is stored.

        Raises
        ------
        RowUnfit
            When a field is wrong, the study has no such pair, or a text is not what was scored.
        """
        try:
            row = self._form.model_validate(dict(data))
        except ValidationError as error:
            raise RowUnfit(worded(error)) from None
        if row.variant not in self._variants:
            raise RowUnfit(f"field variant: the run record names no variant {row.variant!r}")
        pair = self._pairs.get(row.key)
        if pair is None:
            raise RowUnfit(f"field key: the study has no pair {row.key!r}")
        for field, given, held in _bound(row, pair):
            if given != held:
                said = f"{row.key!r} has another text in this study; score the pairs file of this study"
                raise RowUnfit(f"field {field}: {said}")
        return Fitted(row, _values(row, pair.misconception_id))

    def fit_all(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the values of rows."""
        return (self.fit(row).values for row in rows)


def table_of(scorer: Scorer) -> type[PairScore] | type[ResponseScore]:
    """Return where the rows of a scorer lie."""
    return PairScore if scorer is Scorer.JUDGE else ResponseScore


def _bound(row: Row, pair: PairHashes) -> Iterator[tuple[str, str, str]]:
    """Yield each hash of a row by its field, beside the one that the study has."""
    yield "prompt_hash", row.prompt_hash, pair.prompt
    if isinstance(row, ResponseRow):
        yield "text_hash", row.text_hash, pair.responses[row.kind]
    else:
        yield "hash_truthful", row.hash_truthful, pair.responses[row.truthful_kind.response]
        yield "hash_sycophantic", row.hash_sycophantic, pair.responses[ResponseKind.SYCOPHANTIC]


def _values(row: Row, misconception_id: int) -> dict[str, Any]:
    shared = {
        "variant": row.variant,
        "misconception_id": misconception_id,
        "n_tokens": row.n_tokens,
        "truncated": row.truncated,
    }
    if isinstance(row, PairRow):
        return shared | {
            "truthful_kind": row.truthful_kind.value,
            "judged_order": row.order.value,
            "logit_first": row.logit_first,
            "p_a": row.p_a,
            "p_b": row.p_b,
        }
    return shared | {"kind": row.kind.value, "score": row.score}
