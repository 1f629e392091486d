"""Pieces in containers: a real podman, a real Ansible inside, and whatever is killed, no container is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.adapters.ansible.containers import removal
from runner.adapters.ansible.piece import LeashedPiece
from runner.adapters.ansible.stray_containers import note_container
from runner.domain.execution.fold import PieceFold
from runner.domain.execution.look import read_look
from runner.domain.execution.outcome import EventKind
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.run import Stage
from runner.ports import PieceOrder
from tests.adapters.ansible.pieces import Workshop, follow, follow_until, marked, of_kind, owner_order, play, wait_for
from tests.adapters.ansible.real_docker import Docker, a_docker
from tests.adapters.ansible.real_podman import NEEDS_ROOT, Podman, a_podman
from tests.lab import Lab

OWNER = Path(__file__).with_name("owner.py")
pytestmark = [pytest.mark.container, NEEDS_ROOT]


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with a_podman() as engine:
        yield engine


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    with a_docker() as engine:
        yield engine


def in_a_container(workshop: Workshop, engine: Podman | Docker, playbook: str, **more: object) -> PieceOrder:
    more.setdefault("ansible", AnsibleSettings(image=engine.image))
    return workshop.order(playbook, **more)


def test_a_piece_runs_in_its_container_and_tells_everything(
    workshop: Workshop, executor: AnsibleExecutor, podman: Podman
) -> None:
    tasks = (
        "stat: {path: /run/.containerenv}\n      register: seen",
        "assert: {that: seen.stat.exists and word == 'hello'}",
    )
    order = in_a_container(workshop, podman, play(*tasks), extra_vars={"word": "hello"}, limit=("h1",))

    events, end = follow(executor.start(order))

    assert (end.how, end.gone, end.complete) == ("finished", True, True), (end, events)
    assert of_kind(events, EventKind.STATS)[0].stats["h1"]["ok"] == 2
    assert podman.names() == []


@dataclass
class Sleeping:
    """A piece in a container whose hosts sleep there."""

    order: PieceOrder
    words: str

    @property
    def seen(self) -> list[str]:
        """The command lines of everything that sleeps or runs for it, in whichever namespace."""
        lines = (commandline(folder) for folder in Path("/proc").glob("[0-9]*"))
        return [line for line in lines if self.words in line or container_name(self.order) in line]

    def pid_of(self, *words: str) -> int:
        return next(pid for pid, line in sorted(marked(self.order).items()) if all(word in line for word in words))

    def is_gone(self, engine: Podman | Docker) -> bool:
        return not self.seen and not marked(self.order) and engine.names() == []


def container_name(order: PieceOrder) -> str:
    return f"ansible_runner_{order.piece}-{order.fence}"


def commandline(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def asleep(workshop: Workshop, engine: Podman | Docker, **more: object) -> Sleeping:
    seconds = f"4{uuid.uuid4().int % 10**9}"
    playbook = play(f"{{command: sleep {seconds}}}")
    return Sleeping(in_a_container(workshop, engine, playbook, **more), f"sleep {seconds}")


def sleeping_piece(executor: AnsibleExecutor, workshop: Workshop, podman: Podman) -> tuple[Sleeping, LeashedPiece]:
    sleeping = asleep(workshop, podman)
    piece = executor.start(sleeping.order)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: sum(sleeping.words in line for line in sleeping.seen) >= 2)
    piece.feed(15)
    return sleeping, piece


def test_a_cancel_ends_the_container_too(workshop: Workshop, executor: AnsibleExecutor, podman: Podman) -> None:
    sleeping, piece = sleeping_piece(executor, workshop, podman)
    assert podman.names() == [container_name(sleeping.order)]

    piece.cancel()
    _, end = follow(piece)

    assert (end.how, end.gone) == ("cancelled", True), end
    assert sleeping.is_gone(podman)


@pytest.mark.parametrize("victim", ["runner.adapters.ansible.executor", "podman run"])
def test_a_piece_whose_executor_or_engine_is_killed_leaves_no_container(
    victim: str, workshop: Workshop, executor: AnsibleExecutor, podman: Podman
) -> None:
    sleeping, piece = sleeping_piece(executor, workshop, podman)

    os.kill(sleeping.pid_of(*victim.split()), signal.SIGKILL)
    _, end = follow(piece)

    assert end.gone, end
    assert not end.complete
    assert sleeping.is_gone(podman)


def test_a_piece_whose_leash_is_killed_leaves_no_container(
    workshop: Workshop, executor: AnsibleExecutor, podman: Podman
) -> None:
    sleeping, piece = sleeping_piece(executor, workshop, podman)

    os.kill(piece.leash_pid, signal.SIGKILL)
    _, end = follow(piece)

    assert (end.how, end.gone) == ("lost", True), end
    assert sleeping.is_gone(podman)


def test_after_a_kill_of_everything_the_container_is_found_and_removed_and_that_of_a_live_piece_is_not(
    workshop: Workshop, podman: Podman
) -> None:
    sleeping = asleep(workshop, podman)
    order = sleeping.order
    note_container(workshop.folder, piece=order.piece, fence=order.fence, argv=removal("podman", container_name(order)))
    owned = replace(order, ansible=AnsibleSettings(image=podman.image))
    path = owner_order(workshop.folder / "owner.json", owned)
    owner = subprocess.Popen([sys.executable, str(OWNER), str(path), "60"], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    leash = int(owner.stdout.readline())
    wait_for(lambda: sum(sleeping.words in line for line in sleeping.seen) >= 2)
    for pid in (owner.pid, leash, sleeping.pid_of("podman", "run")):
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    executor = AnsibleExecutor(home=workshop.folder)

    kept = executor.end_strays(live=lambda: [(order.piece, order.fence)])
    assert kept.left == ()
    assert podman.names() == [container_name(order)]
    ended = executor.end_strays(live=tuple)

    assert ended.left == ()
    assert podman.names() == []
    assert [line for line in sleeping.seen if sleeping.words in line] == []
    wait_for(lambda: sleeping.is_gone(podman), limit=10)  # the engine's own watcher leaves a moment later
    assert list((workshop.folder / "containers").iterdir()) == []


def test_docker_runs_a_piece_too_and_its_container_is_ended_when_its_client_is_killed(
    workshop: Workshop, executor: AnsibleExecutor, docker: Docker
) -> None:
    settings = AnsibleSettings(image=docker.image, engine="docker", mounts=docker.mounts)
    well = workshop.order(play("{ping: }"), ansible=settings)
    sleeping = asleep(workshop, docker, ansible=settings)

    events, first = follow(executor.start(well))
    assert (first.how, first.gone, first.complete) == ("finished", True, True), [event.text for event in events]
    piece = executor.start(sleeping.order)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: sum(sleeping.words in line for line in sleeping.seen) >= 2)
    os.kill(sleeping.pid_of("docker", "run"), signal.SIGKILL)
    _, end = follow(piece)

    assert (end.gone, end.complete) == (True, False), end
    assert sleeping.is_gone(docker)


def test_a_container_that_cannot_be_removed_is_told_with_its_piece(workshop: Workshop) -> None:
    note_container(workshop.folder, piece="p-1", fence=1, argv=["/bin/false", "ansible_runner_p-1-1"])

    left = AnsibleExecutor(home=workshop.folder).end_strays(live=tuple).left

    assert [(stray.piece, stray.title) for stray in left] == [
        ("p-1", "container ansible_runner_p-1-1: /bin/false rm ended with 1")
    ]


def test_an_image_that_is_not_on_this_machine_is_not_fetched_and_touches_no_host(
    workshop: Workshop, executor: AnsibleExecutor, podman: Podman
) -> None:
    missing = AnsibleSettings(image="localhost/nowhere:1")
    order = in_a_container(workshop, podman, play("{ping: }"), ansible=missing)
    fold = PieceFold(("h1", "h2"), Stage.APPLY)

    events, end = follow(executor.start(order))
    for event in events:
        fold.add(event)

    assert end.gone
    assert "image not known" in (fold.problem or "")
    assert of_kind(events, EventKind.HOST_START) == []


def test_a_stop_between_two_tasks_is_heard_inside(
    workshop: Workshop, executor: AnsibleExecutor, podman: Podman
) -> None:
    tasks = ("{command: sleep 3}", "{command: echo never}")
    piece = executor.start(in_a_container(workshop, podman, play(*tasks), limit=("h1",)))
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)

    piece.stop_softly()
    events, end = follow(piece)

    assert end.complete, (end, events)
    assert len(of_kind(events, EventKind.HOST_OK)) == 1


@pytest.mark.lab
def test_hosts_are_reached_by_ssh_from_inside(
    workshop: Workshop, executor: AnsibleExecutor, podman: Podman, lab: Lab
) -> None:
    workshop.inventory = (str(lab.inventory),)
    settings = AnsibleSettings(image=podman.image, mounts=(str(lab.inventory.parent),))
    playbook = play("{command: hostname}", hosts="web")

    first, end = follow(executor.start(workshop.order(playbook, ansible=settings)))
    second, again = follow(executor.start(workshop.order(executor.look_playbook, ansible=settings)))

    assert (end.complete, again.complete) == (True, True), [event.text for event in (*first, *second)]
    assert len(of_kind(first, EventKind.HOST_OK)) == 3
    assert read_look(of_kind(second, EventKind.HOST_OK)[-1].output).machine_id
    assert executor.finish_run("run-1", workshop.control_path)
    assert not workshop.control_path.exists()
