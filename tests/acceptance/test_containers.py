"""Whole runs whose Ansible lives in a container: hosts are patched from inside, and a kill of everything leaves neither a container nor a lie."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from runner.domain.execution.run import Verdict
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import of_pieces, of_repository, until
from tests.adapters.ansible.real_podman import NEEDS_ROOT, Podman, a_podman

pytestmark = [pytest.mark.lab, pytest.mark.container, pytest.mark.soak, NEEDS_ROOT]


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with a_podman() as engine:
        yield engine


@pytest.fixture
def contained(site: Maintenance, podman: Podman) -> Maintenance:
    """A schedule whose playbook runs in the image."""
    ansible = f"{{image: {podman.image}, mounts: [{site.lab.inventory.parent}]}}"
    site.schedule("work", "web-01:web-02", ansible=ansible)
    return site


def test_everything_is_killed_in_the_middle_and_the_next_daemon_ends_container_and_run(
    contained: Maintenance, podman: Podman
) -> None:
    site = contained
    site.work("work", seconds=6)
    command = site.start("run", "work")
    for host in ("web-01", "web-02"):
        site.until_told("work", host, "begun")
    assert len(podman.names()) == 1

    for pid in of_repository(site.root):
        os.kill(pid, signal.SIGKILL)
    command.wait(20)
    assert len(podman.names()) == 1, "nobody was left who could have ended it"
    site.serve()
    run = site.until_settled("work")

    assert run.verdict is Verdict.SUCCEEDED
    assert run.record_incomplete
    told = [site.told("work", host) for host in ("web-01", "web-02")]
    assert all("clash" not in words and words[-1] == "done" for words in told), told
    until(lambda: podman.names() == [], seconds=20, what="no container is left")
    assert not of_pieces(site.root)
    assert list((site.root / "var/containers").iterdir()) == []
    assert site.record_is_whole()
