"""A study's life: its states, what opening makes, the hash of its design, and that a frozen study cannot change."""

import hashlib
import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.study import studies
from app.study.designs import check_design
from app.study.sets import SetUnknown, find_set, import_set
from app.study.studies import SetTooSmall, SetUnlevelled, StudyExists, StudyStateWrong, StudyUnknown
from tests.example_sets import entries, entry
from tests.studies import draft_study, open_study

VERBS = {"open": studies.open_study, "pause": studies.pause_study, "close": studies.close_study}


async def rows(session: AsyncSession, query: str, **values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await session.execute(text(query), values)]


# States.


async def test_a_study_goes_from_draft_to_live_paused_live_and_closed(session: AsyncSession) -> None:
    study = await draft_study(session, "life")
    assert (study.state, study.design_hash, study.opened_at, study.closed_at) == ("draft", None, None, None)
    for verb, state in (
        ("open", "live"),
        ("pause", "paused"),
        ("open", "live"),
        ("pause", "paused"),
        ("close", "closed"),
    ):
        assert (await VERBS[verb](session, "life")).state == state
    await session.refresh(study)
    assert study.opened_at is not None
    assert study.closed_at is not None
    kinds = await rows(session, "SELECT kind FROM event WHERE study_id = :s ORDER BY id", s=study.id)
    assert [kind for (kind,) in kinds] == [
        "study_created",
        "study_live",
        "study_paused",
        "study_live",
        "study_paused",
        "study_closed",
    ]


@pytest.mark.parametrize(
    ("before", "verb", "said"),
    [
        ((), "pause", "study 'refused' is draft, so it cannot be paused; it must be live"),
        ((), "close", "study 'refused' is draft, so it cannot be closed; it must be live or paused"),
        (("open",), "open", "study 'refused' is live, so it cannot be opened; it must be a draft or paused"),
        (("open", "pause"), "pause", "study 'refused' is paused, so it cannot be paused; it must be live"),
        (("open", "close"), "open", "study 'refused' is closed, so it cannot be opened; it must be a draft or paused"),
        (("open", "close"), "pause", "study 'refused' is closed, so it cannot be paused; it must be live"),
        (("open", "close"), "close", "study 'refused' is closed, so it cannot be closed; it must be live or paused"),
    ],
)
async def test_any_other_move_is_refused_and_changes_nothing(
    session: AsyncSession, before: tuple[str, ...], verb: str, said: str
) -> None:
    await draft_study(session, "refused")
    for earlier in before:
        await VERBS[earlier](session, "refused")
    state = (await studies.get_study(session, "refused")).state
    with pytest.raises(StudyStateWrong) as refusal:
        await VERBS[verb](session, "refused")
    assert str(refusal.value) == said
    assert await rows(session, "SELECT state FROM study WHERE slug = 'refused'") == [(state,)]


@pytest.mark.parametrize("verb", VERBS)
async def test_an_unknown_study_is_named(session: AsyncSession, verb: str) -> None:
    with pytest.raises(StudyUnknown, match="there is no study 'nothing'; `candor study list` shows those there are"):
        await VERBS[verb](session, "nothing")


async def test_a_slug_is_given_once(session: AsyncSession) -> None:
    await draft_study(session, "twice")
    with pytest.raises(StudyExists, match="there is a study 'twice' already; choose another slug"):
        await draft_study(session, "twice")


async def test_pausing_and_going_on_deals_nothing_anew(session: AsyncSession) -> None:
    study = await open_study(session, "kept")
    await session.refresh(study)
    slots = "SELECT slot.* FROM slot JOIN arm ON arm.id = arm_id WHERE study_id = :s ORDER BY slot.id"
    before = await rows(session, slots, s=study.id)
    digest, opened = study.design_hash, study.opened_at
    await studies.pause_study(session, "kept")
    await studies.open_study(session, "kept")
    await session.refresh(study)
    assert await rows(session, slots, s=study.id) == before
    assert (study.design_hash, study.opened_at) == (digest, opened)


# Opening.

HELPFUL = {"truthful_kind": "helpful", "instructions": "neutral"}
BASELINE = {"truthful_kind": "baseline", "instructions": "prefer_truth"}


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("arms", [[HELPFUL], [HELPFUL, BASELINE]], ids=["one arm", "two arms"])
async def test_opening_makes_k_slots_for_each_pair_and_arm(
    session: AsyncSession, k: int, arms: list[dict[str, str]]
) -> None:
    study = await open_study(session, "opened", per_level=3, ratings_per_pair=k, arms=arms)
    made = await rows(
        session,
        """
        SELECT pair.id, arm_id, difficulty_level, array_agg(number ORDER BY number),
               count(*) FILTER (WHERE side_truthful = 'left'), count(*) FILTER (WHERE state <> 'open')
        FROM pair JOIN slot ON slot.pair_id = pair.id WHERE study_id = :s GROUP BY pair.id, arm_id
        """,
        s=study.id,
    )
    assert len(made) == 24 * len(arms)
    for _, _, _, numbers, n_left, n_taken in made:
        assert numbers == list(range(1, k + 1))
        assert n_left in {k // 2, k - k // 2}
        assert n_taken == 0
    extra: Counter[tuple[int, int]] = Counter()
    for _, arm_id, level, _, n_left, _ in made:
        extra[arm_id, level] += 2 * n_left - k
    assert all(abs(uneven) <= 1 for uneven in extra.values()), "of three pairs a level"
    assert await rows(
        session,
        """
        SELECT count(*), sum(n_open) FROM vacancy JOIN arm ON arm.id = arm_id WHERE study_id = :s
        """,
        s=study.id,
    ) == [(24 * len(arms), 24 * len(arms) * k)]


async def test_levels_are_copied_as_they_are_in_the_set(session: AsyncSession) -> None:
    study = await open_study(session, "copied", per_level=2)
    copied = await rows(
        session,
        """
        SELECT m.key, pair.difficulty_level, m.difficulty_level, v.difficulty_level FROM pair
        JOIN misconception m ON m.id = misconception_id JOIN vacancy v ON v.pair_id = pair.id
        WHERE study_id = :s ORDER BY m.key
        """,
        s=study.id,
    )
    assert [row[1:] for row in copied] == [(1 + number % 8,) * 3 for number in range(16)]


async def test_the_seed_deals_the_sides(session: AsyncSession) -> None:
    async def sides(slug: str, seed: int) -> list[Any]:
        study = await open_study(session, slug, seed=seed)
        return await rows(
            session,
            """
            SELECT m.key, number, side_truthful FROM slot JOIN pair ON pair.id = pair_id
            JOIN misconception m ON m.id = misconception_id WHERE study_id = :s ORDER BY 1, 2
            """,
            s=study.id,
        )

    assert await sides("seed-7", 7) != await sides("seed-8", 8)


async def _draft_on(session: AsyncSession, misconceptions: list[Any], n: int) -> None:
    await import_set(session, misconceptions, slug="unfit-set", title="unfit", licence="none")
    design = check_design({"slug": "unfit", "title": "unfit", "contact": "x", "pairs_per_annotator": n})
    await studies.create_study(session, design, await find_set(session, "unfit-set"))


async def test_a_set_without_levels_is_refused_naming_the_first_key(session: AsyncSession) -> None:
    await _draft_on(session, [entry(1), entry(3, None), entry(2, None), *entries(1)[4:]], 4)
    with pytest.raises(SetUnlevelled) as refusal:
        await studies.open_study(session, "unfit")
    assert str(refusal.value) == (
        "2 misconceptions of the set 'unfit-set' have no difficulty level (the first is 'claim-002'); "
        "give each a difficulty_level from 1 to 8 in the file and import it again, or grade the set with "
        "`candor set grade unfit-set … --regroup`, and take its new version"
    )
    assert await rows(session, "SELECT state FROM study WHERE slug = 'unfit'") == [("draft",)]
    assert await rows(session, "SELECT 1 FROM pair JOIN study ON study.id = study_id WHERE slug = 'unfit'") == []


async def test_a_set_smaller_than_a_person_s_share_is_refused(session: AsyncSession) -> None:
    await _draft_on(session, entries(1), 9)
    with pytest.raises(SetTooSmall) as refusal:
        await studies.open_study(session, "unfit")
    assert str(refusal.value) == (
        "the set 'unfit-set' has 8 misconceptions, but each annotator is to judge 9; "
        "lower pairs-per-annotator to 8 or fewer"
    )


async def test_a_study_on_an_unknown_set_cannot_be_made(session: AsyncSession) -> None:
    with pytest.raises(SetUnknown, match="there is no misconception set nothing; `candor set list` shows"):
        await find_set(session, "nothing")
    await import_set(session, entries(1), slug="known", title="known", licence="none")
    with pytest.raises(SetUnknown, match="there is no misconception set known version 2"):
        await find_set(session, "known", 2)


@pytest.mark.parametrize(("slug", "version"), [("known", 0), ("known", -1), ("known", 2**31), ("kno\x00wn", None)])
async def test_a_set_that_the_database_cannot_be_asked_for_is_unknown(
    session: AsyncSession, slug: str, version: int | None
) -> None:
    with pytest.raises(SetUnknown, match=r"there is no misconception set kno(wn|\\0wn)"):
        await find_set(session, slug, version)


# The design's hash.

DESIGN: dict[str, Any] = {
    "slug": "hashed",
    "title": "A title",
    "contact": "someone@example.org",
    "ratings_per_pair": 3,
    "pairs_per_annotator": 8,
    "min_pairs": 2,
    "arms": [HELPFUL, BASELINE],
    "question": "Which one?",
    "texts": {"consent": "Do you consent?"},
    "platform": "prolific",
    "completion_code": "DONE-1234",
    "expected_minutes": 12,
    "pay": "2 pounds",
    "entry_hold_minutes": 11,
    "hold_minutes": 33,
    "seed": 7,
    "synthetic": False,
}


async def hash_of(session: AsyncSession, set_slug: str = "hashed-set", **changed: Any) -> str:
    """Open a study of this design, note its hash, and leave nothing behind."""
    async with session.begin_nested() as nested:
        await import_set(session, entries(2), slug="hashed-set", title="made up", licence="none")
        await import_set(session, [entry(0, fact="No."), *entries(2)[1:]], slug="other-set", title="x", licence="x")
        chosen = await find_set(session, set_slug)
        await studies.create_study(session, check_design(DESIGN | changed), chosen)
        digest = (await studies.open_study(session, str(changed.get("slug", "hashed")))).design_hash
        await nested.rollback()
        session.expunge_all()
    assert digest is not None
    return digest


async def test_the_hash_is_that_of_the_document_and_stays_the_same(session: AsyncSession) -> None:
    digest = await hash_of(session)
    assert await hash_of(session) == digest
    study = await open_study(session, "stable")
    document = studies.design_document(await studies.get_study(session, "stable"))
    written = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert study.design_hash == hashlib.sha256(written.encode("utf-8")).hexdigest()
    assert document["set_hash"] == (await find_set(session, "stable-set")).content_hash
    assert document["arms"] == [["helpful", "neutral"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"slug": "hashed-2"},
        {"set_slug": "other-set"},
        {"arms": [HELPFUL]},
        {"arms": [BASELINE, HELPFUL]},
        {"ratings_per_pair": 4},
        {"pairs_per_annotator": 9},
        {"min_pairs": 3},
        {"question": "Which other?"},
        {"texts": {"consent": "Do you?"}},
        {"texts": {"consent": "Do you consent?", "debrief": "It was false."}},
        {"contact": "other@example.org"},
        {"platform": "generic"},
        {"expected_minutes": 13},
        {"pay": "3 pounds"},
        {"entry_hold_minutes": 12},
        {"hold_minutes": 34},
        {"seed": 8},
        {"synthetic": True},
    ],
    ids=",".join,
)
async def test_the_hash_changes_with_everything_that_annotators_meet(
    session: AsyncSession, changed: dict[str, Any]
) -> None:
    assert await hash_of(session, **changed) != await hash_of(session)


@pytest.mark.parametrize("changed", [{"title": "Another title"}, {"completion_code": "DONE-5678"}])
async def test_the_hash_covers_neither_the_title_nor_the_code(session: AsyncSession, changed: dict[str, Any]) -> None:
    """The title is for researchers and may be mended; the code is a secret, and a hash of one can be guessed at."""
    assert await hash_of(session, **changed) == await hash_of(session)


async def test_every_field_of_the_design_is_hashed_or_left_out_on_purpose(session: AsyncSession) -> None:
    study = await open_study(session, "fields")
    document = studies.design_document(await studies.get_study(session, study.slug))
    of_design = set(check_design(DESIGN).model_dump())
    assert of_design - set(document) == {
        "title",
        "completion_code",
        "failed_checks_code",
        "screened_out_code",
    }
    assert set(document) - of_design == {"set_hash"}


# Frozen.


@pytest.fixture
async def live(session: AsyncSession) -> Study:
    return await open_study(session, "frozen")


DESIGN_COLUMNS = {
    "options": """options || '{"tie": true}'""",
    "entry_holds": "entry_holds + 1",
    "failed_checks_code": "'OTHER'",
    "screened_out_code": "'OTHER'",
    "slug": "'other'",
    "set_id": "set_id + 1",
    "ratings_per_pair": "ratings_per_pair + 1",
    "pairs_per_annotator": "pairs_per_annotator - 1",
    "min_pairs": "min_pairs + 1",
    "question": "'Other?'",
    "texts": """texts || '{"consent": "other"}'""",
    "contact": "'other'",
    "platform": "'prolific'",
    "completion_code": "'other'",
    "expected_minutes": "expected_minutes + 1",
    "pay": "'other'",
    "entry_hold_minutes": "entry_hold_minutes + 1",
    "hold_minutes": "hold_minutes + 1",
    "seed": "seed + 1",
    "key": "'other'::bytea",
    "synthetic": "NOT synthetic",
    "design_hash": "'other'",
    "created_at": "now() + interval '1 second'",
    "purpose": "'pilot'",
    "copy_of_id": "id",
}


@pytest.mark.parametrize("column", DESIGN_COLUMNS)
@pytest.mark.parametrize("state", ["live", "closed"])
async def test_the_database_refuses_to_change_a_frozen_design(
    session: AsyncSession, live: Study, column: str, state: str
) -> None:
    if state == "closed":
        await studies.close_study(session, live.slug)
    with pytest.raises(DBAPIError, match="the design of study frozen is frozen"):
        await session.execute(text(f"UPDATE study SET {column} = {DESIGN_COLUMNS[column]} WHERE id = {live.id}"))


def test_every_column_of_a_study_is_frozen_but_its_state_times_owner_and_title() -> None:
    assert set(Study.__table__.columns.keys()) - set(DESIGN_COLUMNS) == {
        "id",
        "state",
        "opened_at",
        "closed_at",
        "owner_id",
        "title",
    }


async def test_a_draft_may_change(session: AsyncSession) -> None:
    study = await draft_study(session, "still-a-draft")
    await session.execute(text("UPDATE study SET question = 'Other?' WHERE id = :id"), {"id": study.id})
    assert await rows(session, "SELECT question FROM study WHERE slug = 'still-a-draft'") == [("Other?",)]


OF_THE_SET = "misconception_id IN (SELECT id FROM misconception WHERE set_id = {set})"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE misconception SET prompt = 'other' WHERE set_id = {set}",
        "UPDATE misconception SET difficulty_level = 8 WHERE set_id = {set}",
        "UPDATE misconception SET set_id = set_id + 1 WHERE set_id = {set}",
        "DELETE FROM misconception WHERE set_id = {set}",
        f"UPDATE response SET text = 'other' WHERE {OF_THE_SET}",
        f"UPDATE response SET kind = 'sycophantic' WHERE {OF_THE_SET}",
        f"DELETE FROM response WHERE {OF_THE_SET}",
        "UPDATE misconception_set SET content_hash = 'other' WHERE id = {set}",
        "UPDATE misconception_set SET title = 'other' WHERE id = {set}",
        "DELETE FROM misconception_set WHERE id = {set}",
    ],
)
@pytest.mark.parametrize("state", ["draft", "live"])
async def test_the_database_refuses_to_change_a_set_that_a_study_uses(
    session: AsyncSession, statement: str, state: str
) -> None:
    study = await draft_study(session, "uses")
    if state == "live":
        study = await studies.open_study(session, "uses")
    with pytest.raises(DBAPIError, match=rf"misconception set {study.set_id} is used by a study and cannot change"):
        await session.execute(text(statement.format(set=study.set_id)))


async def test_a_set_that_no_study_uses_may_be_deleted(session: AsyncSession) -> None:
    await import_set(session, entries(1), slug="unused", title="x", licence="x")
    found = await find_set(session, "unused")
    for table, where in (
        ("response", "misconception_id IN (SELECT id FROM misconception WHERE set_id = :s)"),
        ("misconception", "set_id = :s"),
        ("misconception_set", "id = :s"),
    ):
        await session.execute(text(f"DELETE FROM {table} WHERE {where}"), {"s": found.id})
    assert await rows(session, "SELECT 1 FROM misconception_set WHERE slug = 'unused'") == []


@pytest.mark.parametrize("statement", ["UPDATE event SET kind = 'other'", "DELETE FROM event", "TRUNCATE event"])
async def test_events_are_append_only(session: AsyncSession, live: Study, statement: str) -> None:
    assert await rows(session, "SELECT count(*) > 0 FROM event WHERE study_id = :s", s=live.id) == [(True,)]
    with pytest.raises(DBAPIError, match="event is append-only"):
        await session.execute(text(statement))


@pytest.mark.parametrize("table", ["study", "arm", "pair"])
async def test_a_live_study_and_its_parts_cannot_be_deleted(session: AsyncSession, live: Study, table: str) -> None:
    column = "id" if table == "study" else "study_id"
    with pytest.raises(DBAPIError, match=r"violates .*foreign key constraint|append-only"):
        await session.execute(text(f"DELETE FROM {table} WHERE {column} = {live.id}"))


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE study SET state = 'draft' WHERE id = {id}", "ck_study_design_frozen"),
        ("UPDATE study SET state = 'lost' WHERE id = {id}", "ck_study_state_known"),
        ("INSERT INTO arm (study_id, truthful_kind, instructions) VALUES ({id}, 'helpful', 'neutral')", "uq_arm_"),
        (
            "INSERT INTO pair (study_id, misconception_id, difficulty_level) SELECT {id}, id, 1 FROM misconception",
            "uq_pair",
        ),
        ("UPDATE pair SET difficulty_level = 9", "pair is append-only"),
        ("UPDATE arm SET truthful_kind = 'baseline'", "arm is append-only"),
    ],
)
async def test_the_database_refuses_what_no_study_can_be(
    session: AsyncSession, live: Study, statement: str, constraint: str
) -> None:
    with pytest.raises(DBAPIError, match=constraint):
        await session.execute(text(statement.format(id=live.id)))
