"""Maintenance repositories whose database is on PostgreSQL, made by `wellkept db upgrade` as a person would."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from tests.acceptance.maintenance import Maintenance, New
from tests.store.cluster import Cluster, program


def on_postgresql(new: New, cluster: Cluster, root: Path) -> Maintenance:
    """A maintenance repository with a database of its own in that server."""
    name = f"maintenance_{uuid.uuid4().hex}"
    command = [program("createdb"), "--host", str(cluster.folder), "--username", "wellkept", name]
    subprocess.run(command, check=True, capture_output=True)
    made = new(root)
    for path in (made.root / "var").iterdir():
        path.unlink()
    made.database = cluster.url(name)
    made.lay_out()
    made.run("db", "upgrade")
    return made
