"""What was acknowledged is stored, whatever is killed (invariant 2).

40 synthetic annotators judge on two server processes and an embedded Postgres of this test's own. Every few choices,
in the very moment in which an annotator is told that theirs is stored, something is killed with -9: the servers, the
postmaster, every process of Postgres, these together, or its supervisor too. All of it comes back and the annotators
go on, trying again what had failed. In the end the journal of acknowledged choices is compared with the table: nothing
is lost, nothing is changed, and nobody was asked twice for the same choice.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import migrating
from app.postgres import Cluster, hold
from app.postgres.cluster import DATABASE
from app.postgres.creation import SUPERUSER
from tests.postgres.clusters import cleared, open_folder
from tests.postgres.processes import kill_hard, postmaster_pid, server_processes, supervisor_pid
from tests.proofs.conftest import Say
from tests.proofs.crowds import crowd_for, lost_or_changed
from tests.proofs.servers import Servers, serving
from tests.study.people import people_of, people_with

pytestmark = pytest.mark.processes

SEED = 21
K = 17
N_PEOPLE = 56
N_EACH = 16
AT_ONCE = 40
DESIGN: dict[str, Any] = {
    "ratings_per_pair": K,
    "pairs_per_annotator": N_EACH,
    "synthetic": True,
    "entry_holds": AT_ONCE,
    "seed": SEED,
}
LONGEST_S = 240
CHOICES_A_FAULT = 70
BEHAVIOURS = ("attentive", "double-clicking", "returning-late")


class Machine:
    """A cluster that is held, and comes back even when its supervisor was killed.

    Its disk is slow: a commit waits 100 ms before it is flushed, so that an answer which does not wait is caught.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._held = ExitStack()
        server = self._held.enter_context(hold(cluster))
        self.url = server.sqlalchemy_url
        with psycopg.connect(server.conninfo, user=SUPERUSER, autocommit=True) as connection:
            for setting in ("commit_delay = 100000", "commit_siblings = 0"):
                connection.execute(f"ALTER DATABASE {DATABASE} SET {setting}")

    def kill_postmaster(self) -> None:
        kill_hard(postmaster_pid(self._cluster))

    def kill_postgres(self) -> None:
        supervisor = supervisor_pid(self._cluster)
        kill_hard(*(pid for pid in server_processes(self._cluster) if pid != supervisor))

    def kill_everything(self) -> None:
        kill_hard(*server_processes(self._cluster))

    async def come_back(self) -> None:
        """Hold the cluster once more: this starts it where nobody else does."""
        await asyncio.to_thread(self._held.enter_context, hold(self._cluster))

    def leave(self) -> None:
        self._held.close()


@contextmanager
def machine() -> Iterator[Machine]:
    with open_folder() as folder, cleared(Cluster(folder / "data")) as cluster:
        made = Machine(cluster)
        try:
            yield made
        finally:
            made.leave()


class Faults:
    """Kills the next thing of a list after so many choices, in the moment of an acknowledgement."""

    def __init__(self, machine: Machine, servers: Servers) -> None:
        self._machine = machine
        both = (machine.kill_postgres, servers.kill_all)
        self._to_come: list[tuple[Callable[[], None], ...]] = [
            *[(servers.kill_all,)] * 3,
            (machine.kill_postmaster,),
            *[(machine.kill_postgres,)] * 3,
            both,
            (machine.kill_everything,),
            both,
        ]
        self._n_choices = 0
        self._coming_back: list[asyncio.Task[None]] = []

    @property
    def n_done(self) -> int:
        return len(self._coming_back)

    @property
    def n_to_come(self) -> int:
        return len(self._to_come)

    def after_choice(self) -> None:
        self._n_choices += 1
        if self._n_choices % CHOICES_A_FAULT == 0 and self._to_come:
            for kill in self._to_come.pop(0):
                kill()
            self._coming_back.append(asyncio.create_task(self._machine.come_back()))

    async def settle(self) -> None:
        await asyncio.gather(*self._coming_back)


async def test_no_acknowledged_choice_is_lost_or_changed(tmp_path: Path, say: Say) -> None:
    with machine() as postgres:
        migrating.upgrade(postgres.url)
        design: dict[str, Any] = {
            "ratings_per_pair": K,
            "pairs_per_annotator": N_EACH,
            "synthetic": True,
            "entry_holds": AT_ONCE,
        }
        async with people_of(postgres.url, "durable", per_level=8, **design) as people:
            with serving(postgres.url, 2, tmp_path / "servers.log") as servers:
                crowd = await crowd_for(people, servers.address, BEHAVIOURS, seed=SEED, at_once=AT_ONCE, tries=60)
                faults = Faults(postgres, servers)
                async with asyncio.timeout(LONGEST_S):
                    await crowd.send(N_PEOPLE, faults.after_choice)
                    await faults.settle()
            journal = crowd.seen.journal

        # Connections that were open when Postgres was killed are of no more use.
        async with people_with(postgres.url, "durable") as people:
            assert await lost_or_changed(people, journal) == []
            await people.assert_sound(K)
            n_stored = await people.one("SELECT count(*) FROM choice")
    assert faults.n_to_come == 0, "the load ended before every fault had come"
    assert n_stored == len(journal) == N_PEOPLE * N_EACH
    say(
        f"durability: {n_stored} choices acknowledged and stored, {faults.n_done} times something was killed, "
        f"{crowd.seen.n_broken} connections broken, pages of failure: {dict(crowd.seen.failures)}"
    )
