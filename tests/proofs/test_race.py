"""Exactly k under concurrency and crashes (invariants 1, 2 and 5).

64 synthetic annotators at once judge against four server processes on one database. Every few choices one process,
drawn by a seeded generator, is killed with -9 and another is started in its place; every few more, the holds of people
who are just judging end, as if they had gone away long ago, so that others take their slots and they answer late.
People come in waves until every slot is filled. Then each pair has exactly k counted choices in each arm, nobody
counts twice on a pair, and what annotators were told is stored is stored as they sent it. No server answered with an
error but for the pages that turn newcomers away.
"""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.cli.annotating import Annotator
from app.terms import SlotState
from tests.proofs.conftest import Say
from tests.proofs.crowds import Crowd, crowd_for, lost_or_changed
from tests.proofs.servers import Servers, serving
from tests.study.people import People, people_of

pytestmark = pytest.mark.processes

SEED = 20
K = 13
ARMS = ({"truthful_kind": "helpful"}, {"truthful_kind": "baseline", "instructions": "prefer_truth"})
N_PAIRS = 40
AT_ONCE = 64
A_WAVE = 128
LONGEST_S = 300
MOST_WAVES = 8
CHOICES_A_KILL = 30
CHOICES_AN_EXPIRY = 8
BEHAVIOURS = ("attentive", "double-clicking", "abandoning", "returning-late", "stopping")


class Trouble:
    """What goes wrong while people judge: processes are killed, and holds end."""

    def __init__(self, servers: Servers, people: People) -> None:
        self._servers = servers
        self._people = people
        self._rng = Random(SEED)
        self._n_choices = 0
        self._expiring: set[asyncio.Task[None]] = set()

    def after_choice(self) -> None:
        self._n_choices += 1
        if self._n_choices % CHOICES_A_KILL == 0:
            self._servers.kill(self._rng.randrange(4))
        if self._n_choices % CHOICES_AN_EXPIRY == 0:
            task = asyncio.create_task(self._let_holds_end())
            self._expiring.add(task)
            task.add_done_callback(self._expiring.discard)

    async def _let_holds_end(self) -> None:
        holding = await self._people.rows(_HOLDING, slug=self._people.slug)
        await self._people.expire([public_id for (public_id,) in self._rng.sample(holding, min(3, len(holding)))])

    async def settle(self) -> None:
        """Wait for what is under way, and let the holds of all who left end."""
        await asyncio.gather(*self._expiring)
        await self._people.expire(await self._people.everyone())


_HOLDING = """
    SELECT public_id FROM participation p JOIN study ON study.id = study_id
    WHERE slug = :slug AND held_until IS NOT NULL ORDER BY p.id
"""


async def n_missing(people: People) -> int:
    return await people.n_slots(SlotState.OPEN) + await people.n_slots(SlotState.HELD)


async def fill(people: People, crowd: Crowd, trouble: Trouble) -> list[Annotator]:
    """Send waves of people until no slot is missing."""
    came: list[Annotator] = []
    for _ in range(MOST_WAVES):
        came += await crowd.send(A_WAVE, trouble.after_choice)
        await trouble.settle()
        await people.assert_sound(K)
        if await n_missing(people) == 0:
            return came
    pytest.fail(f"{await n_missing(people)} slots are missing after {MOST_WAVES} waves")


async def test_every_pair_ends_with_exactly_k_whatever_is_killed(
    own_database_url: str, tmp_path: Path, say: Say
) -> None:
    log = tmp_path / "servers.log"
    design: dict[str, Any] = {
        "ratings_per_pair": K,
        "pairs_per_annotator": 12,
        "arms": ARMS,
        "synthetic": True,
        "entry_holds": AT_ONCE,
        "seed": SEED,
    }
    async with people_of(own_database_url, "race", per_level=N_PAIRS // 8, **design) as people:
        with serving(own_database_url, 4, log) as servers:
            crowd = await crowd_for(people, servers.address, BEHAVIOURS, seed=SEED, at_once=AT_ONCE, tries=40)
            async with asyncio.timeout(LONGEST_S):
                came = await fill(people, crowd, Trouble(servers, people))
        seen = crowd.seen

        assert await people.rows(_NOT_K, slug="race", k=K) == []
        assert await people.rows(_TWICE, slug="race") == []
        assert await lost_or_changed(people, seen.journal) == []
        assert seen.failures == {}
        assert log.read_text() == ""
        lost = [a.person for a in came if stays(a) and not a.code and not a.turned_away]
        assert lost == [], "neither a completion code nor a page that says why not"

        n_late = await people.one("SELECT count(*) FROM choice WHERE late")
        n_surplus = await people.one("SELECT count(*) FROM choice WHERE NOT counted")
        assert min(servers.n_kills, seen.n_broken, n_late) >= 10, "there was no trouble to speak of"
    say(
        f"race: {len(came)} people, {len(seen.journal)} choices acknowledged for {2 * N_PAIRS * K} slots, "
        f"{servers.n_kills} kills, {seen.n_broken} connections broken, {n_late} choices late, {n_surplus} surplus"
    )


def stays(annotator: Annotator) -> bool:
    """Whether this one means to go through to the end."""
    leaves = annotator.behaviour.leaves_after is not None and not annotator.behaviour.returns
    return not leaves and annotator.behaviour.stops_after is None


_NOT_K = """
    SELECT pair.id, arm.id, count(*) FILTER (WHERE c.counted)
    FROM study JOIN pair ON pair.study_id = study.id JOIN arm ON arm.study_id = study.id
    LEFT JOIN (assignment a JOIN participation p ON p.id = a.participation_id
               LEFT JOIN choice c USING (participation_id, position)) ON a.pair_id = pair.id AND p.arm_id = arm.id
    WHERE study.slug = :slug
    GROUP BY pair.id, arm.id HAVING count(*) FILTER (WHERE c.counted) <> :k
"""
_TWICE = """
    SELECT p.id, pair.misconception_id
    FROM study JOIN participation p ON p.study_id = study.id
    JOIN choice c ON c.participation_id = p.id AND c.counted
    JOIN assignment a USING (participation_id, position) JOIN pair ON pair.id = a.pair_id
    WHERE study.slug = :slug
    GROUP BY p.id, pair.misconception_id HAVING count(*) > 1
"""
