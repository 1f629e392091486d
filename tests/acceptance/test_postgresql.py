"""The same on PostgreSQL: a schedule that runs by itself, and a record that is whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.execution.run import Verdict
from tests.acceptance.maintenance import Maintenance, New
from tests.acceptance.on_postgresql import on_postgresql
from tests.acceptance.planted import Planted, files
from tests.acceptance.processes import end_all
from tests.store.cluster import Cluster, running_cluster

pytestmark = [pytest.mark.lab, pytest.mark.postgresql]

CARELESS = """\
- name: Careless
  hosts: all
  gather_facts: false
  tasks:
    - name: Print the password of the database
      ansible.builtin.debug: {msg: "{{ lookup('env', 'DATABASE_PASSWORD') }}"}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def site(new: New, cluster: Cluster, tmp_path: Path) -> Iterator[Maintenance]:
    """A maintenance repository whose database is on PostgreSQL, made by `wellkept db upgrade`."""
    made = on_postgresql(new, cluster, tmp_path / "maintenance")
    yield made
    end_all(made.root)
    for process in made.started:
        process.wait(10)
    made.store.close()


def test_a_schedule_runs_by_itself_on_postgresql(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", opened=timedelta(minutes=5))
    site.work("work", seconds=1)
    site.ledger_as_of(timedelta(minutes=10))

    daemon = site.serve()
    run = site.until_settled("work")
    site.run("run", "work")
    code = site.stop(daemon)

    assert code == 0
    assert (run.verdict, run.record_incomplete) == (Verdict.SUCCEEDED, False)
    assert [slot.outcome for slot in site.slots("work")] == ["succeeded"]
    assert len(site.runs("work")) == 2
    assert [site.told("work", host) for host in ("web-01", "web-02")] == [["begun", "done"] * 2] * 2
    assert site.record_is_whole()
    assert site.left() == {}


def test_the_password_of_the_database_is_found_nowhere(
    site: Maintenance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = Planted("database")
    monkeypatch.setenv("DATABASE_PASSWORD", planted.middle("database"))
    settings = (site.root / "wellkept.yml").read_text()
    (site.root / "wellkept.yml").write_text(settings.replace("//wellkept@", "//wellkept:${DATABASE_PASSWORD}@"))
    site.schedule("careless", "web-01", effect="read_only")
    (site.root / "playbooks" / "careless.yml").write_text(CARELESS)

    said = [
        site.run("run", "careless"),
        site.run("runs", "show", "1", "--format", "json"),
        site.run("doctor", code=None),
        site.run("record", "export", str(tmp_path / "copy")),
    ]

    assert any(b"********" in path.read_bytes() for path in files(tmp_path / "copy"))
    assert [each.args for each in said if planted.in_bytes((each.stdout + each.stderr).encode())] == []
    assert planted.in_files(site.root / "var", tmp_path / "copy") == []
