"""`python -m benchmarks.scoring.memory N`: score N rows without a model; print seconds and peak memory as JSON."""

import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import numpy as np

from app.pm.item_files import ItemFile
from app.pm.records import RunSettings
from app.pm.rendering import Renderer
from app.pm.runner import score_items
from app.pm.scorer import Batch, Floats, ModelIdentity
from app.pm.variants import STANDARD


class Letters:
    """Letters as tokens."""

    bos: int | None = None

    def encode(self, dialogs: object) -> list[list[int]]:
        return [list("\n".join(turn.content for turn in dialog).encode()) for dialog in dialogs]  # type: ignore[attr-defined]

    def without_first(self, text: str, n_tokens: int) -> str:
        return text[n_tokens:]


class Sums:
    """Scores a sequence by its sum: all that scoring costs but the model."""

    packs = True
    concurrency = 1
    rendering = Renderer(Letters(), 10**6)

    def identity(self) -> ModelIdentity:
        return ModelIdentity(scorer="reward", model="sum of letters", backend="none", random_weights=True)

    def score(self, batch: Batch) -> Floats:
        return np.array([ids.sum() for ids in batch.sequences], dtype=np.float32)


def main() -> None:
    n = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        file, draw = Path(folder) / "rows.jsonl", Random(1)
        with file.open("w") as out:
            for number in range(n):
                said = "".join(draw.choices("abcdefgh ", k=draw.randint(10, 60)))
                row = {
                    "id": f"{number}",
                    "prompt": f"Is it so, number {number // 64}?",
                    "response": f"{said} {number}.",
                }
                out.write(f"{json.dumps(row)}\n")
        started, cpu = time.perf_counter(), time.process_time()
        settings = RunSettings(budget=16_384, shard_rows=256)
        outcome = score_items(ItemFile(file), Sums(), (STANDARD,), Path(folder) / "run", settings=settings)
        took = time.perf_counter() - started
    # Not getrusage: its maximum goes on from the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    told = {"rows": outcome.summary.rows, "seconds": took, "cpu": time.process_time() - cpu, "peak_mib": peak}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
