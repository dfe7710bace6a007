"""Whatever pydantic finds wrong is told in Candor's own words, and never in pydantic's."""

import re
from collections import defaultdict
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType

from app.settings import Settings
from app.study.designs import DesignFaulty, StudyDesign, check_design
from app.study.plain_faults import plain
from app.study.scoring_records import Ending, PairRow, ResponseRow, RunRecord, worded
from app.study.set_files import Fault, MisconceptionEntry, checked_entry
from app.web.api.control import Clone, Raise, Retire
from app.web.api.tables import Asked, Shape

THEIRS = re.compile(
    r"should (have|be|match)|input should|inputs? are|unable to|valid (string|integer|list|dict)", re.IGNORECASE
)
MODELS = (StudyDesign, MisconceptionEntry, RunRecord, ResponseRow, PairRow, Ending, Settings, Raise, Retire, Clone)
FALLBACK = "cannot be taken as it is"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("x" * 30_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_no_kind_of_fault_is_told_in_pydantic_s_words(kind: str) -> None:
    message = "Value error, Says it well" if kind == "value_error" else "Input should be something else"
    said = plain({"type": kind, "loc": ("here",), "ctx": defaultdict(lambda: 3), "msg": message})
    assert not THEIRS.search(said)
    assert said[:1] == said[:1].lower()
    assert "{" not in said


def test_the_usual_faults_say_how_to_mend_them() -> None:
    def first(kind: Any, value: Any) -> str:
        with pytest.raises(ValidationError) as refused:
            TypeAdapter(kind).validate_python(value)
        return plain(refused.value.errors()[0])

    assert first(int, "many") == "must be a whole number"
    assert first(bool, "perhaps") == "must be true or false"
    assert first(list[int], "a") == "must be a list"
    assert first(dict[str, int], 1) == "must be a table of named values"
    assert first(str, 5) == "must be text"
    assert first(float, "x") == "must be a number"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_whatever_is_given_for_a_field_the_answer_is_ours(model: Any, data: st.DataObject) -> None:
    values = {name: data.draw(anything) for name in data.draw(st.sets(st.sampled_from(sorted(model.model_fields))))}
    values |= data.draw(st.dictionaries(st.text(max_size=5), anything, max_size=1))
    try:
        model.model_validate(values)
    except ValidationError as error:
        for fault in error.errors():
            said = plain(fault)
            assert not THEIRS.search(said), fault
            assert said != FALLBACK, f"{fault['type']} has no words yet"


def test_each_way_in_uses_these_words() -> None:
    with pytest.raises(DesignFaulty) as refused:
        check_design({"slug": "a", "title": " ", "contact": 5, "options": {"tie": "perhaps"}})
    assert refused.value.faults == [
        "title: must not be empty (given: ' ')",
        "contact: must be text (given: 5)",
        "options.tie: must be true or false (given: 'perhaps')",
    ]
    faults = [str(found) for found in checked_entry("line", 1, {"key": "a", "claim": ""}) if isinstance(found, Fault)]
    assert "line 1, field claim: must not be empty" in faults
    with pytest.raises(ValidationError) as unfit:
        Ending.model_validate({"end": True, "rows": -1, "sha256": "x"})
    assert worded(unfit.value) == "field rows: must be 0 or more"
    for adapter in (Asked, Shape):
        with pytest.raises(ValidationError) as asked:
            adapter.model_validate({"limit": 0, "form": "x", "other": 1})
        assert not any(THEIRS.search(plain(fault)) for fault in asked.value.errors())
