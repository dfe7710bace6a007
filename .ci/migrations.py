"""Hold the migrations against the models on a fresh database: up, no difference, down to nothing, and up again."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from app.postgres import Cluster, hold

STEPS = (["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"], ["check"])
LEFT = """
    SELECT 'table ' || table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL SELECT 'function ' || routine_name FROM information_schema.routines WHERE routine_schema = 'public'
"""


def run(step: list[str], url: str) -> None:
    alembic = Path(sys.executable).with_name("alembic")
    done = subprocess.run(
        [alembic, *step], env=os.environ | {"CANDOR_DATABASE_URL": url}, check=False, capture_output=True, text=True
    )
    print(f"alembic {' '.join(step)}: {'ok' if done.returncode == 0 else 'FAILED'}")
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="candor-") as folder, hold(Cluster(Path(folder) / "postgres")) as server:
        for step in STEPS:
            run(step, server.sqlalchemy_url)
            if step[0] == "downgrade":
                with psycopg.connect(server.conninfo) as connection:
                    left = [row[0] for row in connection.execute(LEFT)]
                if left:
                    sys.exit(f"the downgrade left {', '.join(left)}")


if __name__ == "__main__":
    main()
