"""The cluster's folder: made, checked and removed."""

import os
import shutil

from app.postgres.cluster import Cluster
from app.postgres.errors import PostgresUnavailable


def prepare(cluster: Cluster) -> None:
    """Make the folder, and see that it is ours alone; what others made is never opened or given away."""
    data_dir = cluster.data_dir
    if not data_dir.exists():
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        # Root's postgres is another user, who must be able to pass through, but not to look around.
        data_dir.mkdir(mode=0o700, exist_ok=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    about = data_dir.stat()
    if about.st_uid != os.geteuid():
        raise PostgresUnavailable(
            f"{data_dir} belongs to user id {about.st_uid}: run this as that user, or let CANDOR_DATA_DIR name another"
        )
    if about.st_mode & 0o002:
        raise PostgresUnavailable(f"Everybody may write to {data_dir}: take that right away, or choose another folder")


def remove_contents(cluster: Cluster) -> None:
    """Remove the data, wherever they are, and all that the cluster keeps in its folder; the folder, if then empty."""
    for place in (cluster.pgdata, cluster.half_made):
        if (place / "PG_VERSION").exists():
            shutil.rmtree(place.resolve())
        if place.is_symlink():
            place.unlink()
    own = [cluster.stop_request, cluster.log, cluster.log.with_suffix(".log.1")]
    locks = [cluster.supervisor_lock, cluster.serving_lock, cluster.server_lock, cluster.users_lock, cluster.start_lock]
    for file in [*own, *locks]:
        file.unlink(missing_ok=True)
    if not any(cluster.data_dir.iterdir()):
        cluster.data_dir.rmdir()
