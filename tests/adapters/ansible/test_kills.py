"""Whatever is killed or stopped, nothing of a piece is left on this machine within seconds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.adapters.ansible.feeder import BOOT_ID, OWNER_FILE
from runner.adapters.ansible.piece import LeashedPiece
from runner.adapters.ansible.spool import SPOOL
from runner.domain.execution.outcome import EventKind
from runner.ports import PieceEnd, PieceOrder
from tests.adapters.ansible.pieces import (
    Workshop,
    follow,
    follow_until,
    marked,
    of_kind,
    owner_order,
    play,
    wait_for,
    with_words,
    zombies_born_since,
)

OWNER = Path(__file__).with_name("owner.py")


@dataclass
class Sleeping:
    """A piece whose two hosts sleep."""

    order: PieceOrder
    words: str

    @property
    def is_gone(self) -> bool:
        return not marked(self.order) and not with_words(self.words)

    def pid_of(self, *words: str) -> int:
        return next(pid for pid, line in sorted(marked(self.order).items()) if all(word in line for word in words))

    @property
    def executor(self) -> int:
        return self.pid_of("runner.adapters.ansible.executor")

    @property
    def ansible_playbook(self) -> int:
        return self.pid_of("bin/ansible-playbook")

    @property
    def fork(self) -> int:
        return max(pid for pid, line in marked(self.order).items() if "bin/ansible-playbook" in line)


def sleep_order(workshop: Workshop, **more: object) -> Sleeping:
    seconds = f"4{uuid.uuid4().int % 10**9}"
    return Sleeping(workshop.order(play(f"{{command: sleep {seconds}}}"), **more), f"sleep {seconds}")


def sleeping_piece(executor: AnsibleExecutor, workshop: Workshop, **more: object) -> tuple[Sleeping, LeashedPiece]:
    sleeping = sleep_order(workshop, **more)
    piece = executor.start(sleeping.order)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: len(with_words(sleeping.words)) >= 2)
    piece.feed(15)
    return sleeping, piece


def end_of(piece: LeashedPiece) -> PieceEnd:
    _, end = follow(piece)
    return end


@dataclass
class Owned:
    """A sleeping piece whose owner is another process."""

    sleeping: Sleeping
    owner: subprocess.Popen[str]
    leash: int


@pytest.fixture
def owned(workshop: Workshop) -> Iterator[Owned]:
    sleeping = sleep_order(workshop)
    path = owner_order(workshop.folder / "owner.json", sleeping.order)
    owner = subprocess.Popen([sys.executable, str(OWNER), str(path), "3"], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    leash = int(owner.stdout.readline())
    wait_for(lambda: len(with_words(sleeping.words)) >= 2)
    yield Owned(sleeping, owner, leash)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: sleeping.is_gone)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_owner_is_killed(owned: Owned) -> None:
    owned.owner.kill()

    wait_for(lambda: owned.sleeping.is_gone and not is_alive(owned.leash), limit=10)

    assert not (owned.sleeping.order.folder / "private").exists()


def test_the_owner_is_stopped(owned: Owned) -> None:
    owned.owner.send_signal(signal.SIGSTOP)

    wait_for(lambda: owned.sleeping.is_gone and not is_alive(owned.leash), limit=15)

    assert not (owned.sleeping.order.folder / "private").exists()


def test_the_owner_is_stopped_and_goes_on_afterwards(owned: Owned) -> None:
    owned.owner.send_signal(signal.SIGSTOP)
    wait_for(lambda: owned.sleeping.is_gone, limit=15)

    owned.owner.send_signal(signal.SIGCONT)

    assert owned.owner.wait(20) == 0


def test_owner_and_leash_are_killed_and_any_other_process_finds_what_is_left(
    owned: Owned, executor: AnsibleExecutor
) -> None:
    os.kill(owned.leash, signal.SIGSTOP)
    owned.owner.kill()
    os.kill(owned.leash, signal.SIGKILL)
    owned.owner.wait()
    left_before = with_words(owned.sleeping.words)

    strays = executor.end_strays(live=list)

    assert left_before
    assert strays.ended >= 2
    assert strays.left == ()
    assert owned.sleeping.is_gone
    assert not (owned.sleeping.order.folder / "private").exists()


def test_the_owner_is_killed_while_the_leash_is_stopped(owned: Owned, executor: AnsibleExecutor) -> None:
    os.kill(owned.leash, signal.SIGSTOP)
    owned.owner.kill()
    owned.owner.wait()

    strays = executor.end_strays(live=list)

    assert strays.left == ()
    assert owned.sleeping.is_gone
    wait_for(lambda: not is_alive(owned.leash), limit=5)


def test_pieces_that_are_live_are_no_strays(owned: Owned, executor: AnsibleExecutor) -> None:
    order = owned.sleeping.order

    strays = executor.end_strays(live=lambda: [(order.piece, order.fence)])

    assert strays.ended == 0
    assert len(with_words(owned.sleeping.words)) >= 2
    assert is_alive(owned.leash)


def test_an_older_fence_of_a_live_piece_is_a_stray(owned: Owned, executor: AnsibleExecutor) -> None:
    order = owned.sleeping.order

    strays = executor.end_strays(live=lambda: [(order.piece, order.fence + 1)])

    assert strays.left == ()
    assert owned.sleeping.is_gone


def test_pieces_of_another_installation_are_no_strays(owned: Owned, workshop: Workshop) -> None:
    elsewhere = AnsibleExecutor(home=workshop.folder / "another-installation")

    strays = elsewhere.end_strays(live=list)

    assert strays.ended == 0
    assert len(with_words(owned.sleeping.words)) >= 2


def test_a_mark_that_somebody_made_up_removes_no_folder(workshop: Workshop, executor: AnsibleExecutor) -> None:
    precious = workshop.folder / "precious"
    precious.mkdir()
    made_up = {**os.environ, "WELLKEPT_PIECE": "x:1", "WELLKEPT_PRIVATE": str(precious)}
    process = subprocess.Popen(["sleep", "60"], env=made_up)

    executor.end_strays(live=list)

    assert precious.exists()
    process.kill()
    process.wait()


@dataclass
class MadeUp:
    """A process with the marks of a piece, and the piece's private folder."""

    process: subprocess.Popen[bytes]
    private: Path

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def made_up(workshop: Workshop, piece: str, *argv: str) -> MadeUp:
    private = workshop.folder / piece / "private"
    private.mkdir(parents=True)
    (private.parent / SPOOL).touch()
    marks = {"WELLKEPT_PIECE": f"{piece}:1", "WELLKEPT_PRIVATE": str(private)}
    return MadeUp(subprocess.Popen(argv, env={**os.environ, **marks}, stdin=subprocess.PIPE), private)


def a_package_manager(workshop: Workshop, text: str) -> str:
    """A program that is never ended, for its name is a package manager's."""
    manager = workshop.folder / "apt-get"
    manager.write_text(text)
    manager.chmod(0o755)
    return str(manager)


def test_what_cannot_be_ended_is_told_with_the_piece_that_it_is_of_and_no_other_piece_is_kept_from_its_end(
    workshop: Workshop, executor: AnsibleExecutor
) -> None:
    words = f"sleep 4{uuid.uuid4().int % 10**9}"
    stuck = made_up(workshop, "stuck", a_package_manager(workshop, f"#!/bin/sh\nenv -i {words}\n"))
    other = made_up(workshop, "other", "sleep", "60")
    wait_for(lambda: with_words(words))

    strays = executor.end_strays(live=list)

    nameless = next(iter(with_words(words)))
    assert {stray.pid: stray.piece for stray in strays.left} == {stuck.process.pid: "stuck", nameless: "stuck"}
    assert not is_alive(other.process.pid)
    assert (stuck.private.exists(), other.private.exists()) == (True, False)
    os.kill(nameless, signal.SIGKILL)
    stuck.end()


def test_a_master_that_cannot_be_ended_is_told_with_its_control_path(
    workshop: Workshop, executor: AnsibleExecutor
) -> None:
    workshop.control_path.mkdir()
    (workshop.control_path / OWNER_FILE).write_text(f"{os.getpid()} 1 {BOOT_ID.read_text()}")  # it had our pid, once
    program = workshop.folder / "apt-get"
    shutil.copy("/bin/cat", program)
    title = f"ssh: {workshop.control_path}/socket [mux]"
    master = subprocess.Popen([title], executable=program, stdin=subprocess.PIPE)
    wait_for(lambda: with_words(title))

    strays = executor.end_strays(live=list)

    assert [(stray.pid, stray.piece, stray.control_path) for stray in strays.left] == [
        (master.pid, None, workshop.control_path)
    ]
    master.kill()
    master.communicate()


def test_the_leash_is_killed(began: float, executor: AnsibleExecutor, workshop: Workshop) -> None:
    sleeping, piece = sleeping_piece(executor, workshop)

    os.kill(piece.leash_pid, signal.SIGKILL)
    end = end_of(piece)

    assert (end.how, end.gone, end.complete) == ("lost", True, False)
    assert "the leash was killed" in end.note
    assert sleeping.is_gone
    assert not (sleeping.order.folder / "private").exists()
    assert zombies_born_since(began) == []


def test_the_leash_is_stopped(began: float, executor: AnsibleExecutor, workshop: Workshop) -> None:
    sleeping, piece = sleeping_piece(executor, workshop)

    os.kill(piece.leash_pid, signal.SIGSTOP)
    end = end_of(piece)

    assert (end.how, end.gone) == ("lost", True)
    assert "the leash was silent" in end.note
    assert sleeping.is_gone
    assert zombies_born_since(began) == []


def test_the_run_goes_on_with_a_new_leash_after_one_was_killed(executor: AnsibleExecutor, workshop: Workshop) -> None:
    _, piece = sleeping_piece(executor, workshop)
    os.kill(piece.leash_pid, signal.SIGKILL)
    end_of(piece)

    after = executor.start(workshop.order(play("{ping: }")))

    assert end_of(after).complete
    assert after.leash_pid != piece.leash_pid


def test_a_dead_leash_of_one_run_does_no_harm_to_another_run_or_to_other_children(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2); raise SystemExit(17)"])
    one, first = sleeping_piece(executor, workshop, run="run-1")
    other, second = sleeping_piece(executor, workshop, run="run-2", control_path=workshop.control_path.with_name("c2"))

    os.kill(first.leash_pid, signal.SIGKILL)
    end = end_of(first)
    untouched = len(with_words(other.words))
    second.cancel()
    end_of_other = end_of(second)

    assert end.gone
    assert one.is_gone
    assert untouched >= 2
    assert (end_of_other.how, end_of_other.gone) == ("cancelled", True)
    assert child.wait() == 17
    assert executor.finish_run("run-2", workshop.control_path.with_name("c2"))


@pytest.mark.parametrize("who", ["executor", "ansible_playbook", "fork"])
def test_a_process_of_the_piece_is_killed(executor: AnsibleExecutor, workshop: Workshop, who: str) -> None:
    sleeping, piece = sleeping_piece(executor, workshop)

    os.kill(getattr(sleeping, who), signal.SIGKILL)
    events, end = follow(piece)

    assert end.gone
    assert not end.complete
    assert end.how == ("lost" if who == "executor" else "finished")
    assert bool(of_kind(events, EventKind.END)) == (who != "executor")
    assert sleeping.is_gone
    assert not (sleeping.order.folder / "private").exists()


def test_the_spool_of_a_killed_executor_is_drained_to_its_last_whole_line(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    sleeping, piece = sleeping_piece(executor, workshop)
    os.kill(sleeping.executor, signal.SIGKILL)
    end_of(piece)

    kinds = [event.kind for event in executor.drain(sleeping.order.folder, offset=0)]

    assert kinds[:2] == [EventKind.PLAY, EventKind.TASK]
    assert EventKind.HOST_START in kinds
    assert EventKind.END not in kinds


def test_what_a_power_cut_left_private_is_removed_by_whoever_reads_the_spool(
    executor: AnsibleExecutor, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "1" / "piece"
    (folder / "private").mkdir(parents=True)
    (folder / "private" / "passwords.yml").write_text("all: {}")
    (folder / SPOOL).touch()

    events = list(executor.drain(folder, offset=0))

    assert events == []
    assert [path.name for path in folder.iterdir()] == [SPOOL]


def fill(pipe: int) -> None:
    while True:
        os.write(pipe, b'{"say": "beat"}\n' * 256)


def test_a_leash_that_nobody_listens_to_does_not_get_stuck(executor: AnsibleExecutor, workshop: Workshop) -> None:
    sleeping, piece = sleeping_piece(executor, workshop)
    full = Path(f"/proc/{piece.leash_pid}/fd/1")
    stuffed = os.open(full, os.O_WRONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        fill(stuffed)
    os.close(stuffed)

    piece.cancel()
    wait_for(lambda: sleeping.is_gone, limit=15)

    assert is_alive(piece.leash_pid)
