"""What is shown while a run is under way: the time left from what was computed now, and a line at each tenth."""

from pathlib import Path

import pytest
import typer

from app.cli.pm_progress import INTERRUPTED, Tally, shown, stopping
from app.pm.progress import Step
from app.pm.shards import RunDirectory, Told


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test moves."""
    now = [1000.0]
    monkeypatch.setattr("app.cli.pm_progress.time.monotonic", lambda: now[0])
    return now


def test_the_time_left_counts_batches_and_leaves_out_what_was_there(seconds: list[float]) -> None:
    tally = Tally()
    with shown(1000, tally) as told:
        told(Step(400, kept=400))
        assert tally.seconds_left(1000) is None
        assert not tally.told(1000)
        seconds[0] += 60
        told(Step(0, within=30))
        assert tally.seconds_left(1000) == pytest.approx(60 / 30 * 570)
        assert tally.told(1000) == "about 19 min left"
        seconds[0] += 60
        told(Step(60, tokens=12_000, seconds=110, within=-30))
        assert tally.told(1000) == "100 tokens/s, about 18 min left"
        seconds[0] += 12_000
        assert tally.told(1000).endswith("about 30 h 18 min left")


def test_without_a_terminal_each_tenth_is_a_line(seconds: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with shown(200, Tally()) as told:
        for _ in range(40):
            seconds[0] += 2
            told(Step(0, within=5))
            told(Step(5, tokens=100, within=-5))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 9
    assert lines[0] == "20 of 200 rows; 50 tokens/s, about 72 s left"
    assert lines[-1].startswith("180 of 200 rows")


def test_who_stops_a_run_is_told_what_is_on_the_disk_and_how_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of shards 0 and 2, that another process of the run finished; a half-written one never counts."""
    folder = RunDirectory(tmp_path)
    with folder.alone():
        for index, n in ((0, 40), (2, 24)):
            folder.finish(index, "f" * 64, "a" * 64, [{"row": number} for number in range(n)], Told())
    (tmp_path / "shards" / "shard-00003.jsonl.part").write_bytes(b'{"candor_sha')
    with pytest.raises(typer.Exit) as left, stopping(tmp_path):
        raise KeyboardInterrupt
    assert left.value.exit_code == INTERRUPTED
    said = f"Stopped: 64 rows are finished in {tmp_path}; go on with the same command: candor"
    assert said in capsys.readouterr().err
