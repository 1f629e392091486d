"""One call of Ansible after another, for real, over local connections."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.domain.execution.outcome import EventKind
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.settings import Secrets, SecretSource
from runner.errors import InternalError, UsageError
from tests.adapters.ansible.pieces import (
    Workshop,
    follow,
    follow_until,
    marked,
    of_kind,
    play,
    wait_for,
    with_words,
    zombies_born_since,
)

SECRET = 'planted "s3cret" value'


def test_a_playbook_tells_each_task_of_each_host_and_the_recap(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(
        play(
            "{name: Say, command: echo hello}",
            "{name: Leave out, command: echo never, when: false}",
            "{name: Try, command: 'false', ignore_errors: true}",
        )
    )

    events, end = follow(executor.start(order))

    assert (end.how, end.gone, end.complete) == ("finished", True, True)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    said = [event for event in of_kind(events, EventKind.HOST_OK) if event.task == "Say"]
    assert {event.host: event.output for event in said} == {"h1": "hello", "h2": "hello"}
    assert all(event.changed and event.exit_code == 0 and event.module == "ansible.builtin.command" for event in said)
    assert {event.host for event in of_kind(events, EventKind.HOST_SKIPPED)} == {"h1", "h2"}
    assert all(event.ignored for event in of_kind(events, EventKind.HOST_FAILED))
    (stats,) = of_kind(events, EventKind.STATS)
    assert stats.stats["h1"] == {
        "ok": 2,
        "changed": 2,
        "failures": 0,
        "unreachable": 0,
        "skipped": 1,
        "rescued": 0,
        "ignored": 1,
        "processed": 1,
    }
    assert (events[-1].kind, events[-1].status, events[-1].exit_code) == (EventKind.END, "successful", 0)


def test_a_host_that_fails_and_one_that_cannot_be_reached(executor: AnsibleExecutor, workshop: Workshop) -> None:
    workshop.inventory = (
        str(
            workshop.write(
                "mixed",
                f"[web]\nh1 {workshop.variables}\ngone ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh\n",
            )
        ),
    )
    order = workshop.order(play("{name: Break, shell: 'echo the reason >&2; exit 3'}"))

    events, end = follow(executor.start(order))

    (failed,) = of_kind(events, EventKind.HOST_FAILED)
    (unreachable,) = of_kind(events, EventKind.HOST_UNREACHABLE)
    assert (failed.host, failed.exit_code, failed.ignored) == ("h1", 3, False)
    assert failed.text.splitlines()[-1] == "the reason"
    assert unreachable.host == "gone"
    assert "Connection refused" in unreachable.text
    assert end.complete
    assert events[-1].status == "failed"


@pytest.mark.parametrize(
    ("text", "limit", "words"),
    [
        (None, None, "could not be found"),
        ("- hosts: web\n  tsks: []\n", None, "'tsks' is not a valid attribute for a Play"),
        (play("{ping: }"), ("nobody",), "no hosts to target"),
    ],
)
def test_a_mistake_in_the_call_is_told_in_ansibles_words_and_without_stats(
    executor: AnsibleExecutor, workshop: Workshop, text: str | None, limit: tuple[str, ...] | None, words: str
) -> None:
    playbook = text if text is not None else workshop.project / "missing.yml"

    events, end = follow(executor.start(workshop.order(playbook, limit=limit)))

    assert words in "\n".join(event.text for event in of_kind(events, EventKind.NOTE))
    assert not of_kind(events, EventKind.STATS)
    assert (events[-1].kind, events[-1].status) == (EventKind.END, "failed")
    assert (end.how, end.gone, end.complete) == ("finished", True, False)


def test_a_play_that_matches_nobody_is_told(executor: AnsibleExecutor, workshop: Workshop) -> None:
    events, end = follow(executor.start(workshop.order(play("{ping: }", hosts="nosuchgroup"))))

    assert len(of_kind(events, EventKind.NO_HOSTS)) == 1
    assert end.complete


def test_a_limit_tags_and_check_mode_reach_ansible(executor: AnsibleExecutor, workshop: Workshop) -> None:
    text = play(
        "{name: First, tags: a, debug: {msg: '{{ ansible_check_mode }}'}}", "{name: Second, tags: b, debug: {msg: x}}"
    )
    order = workshop.order(text, limit=("h2",), tags=("a", "b"), skip_tags=("b",), check=True, diff=True, forks=3)

    events, _ = follow(executor.start(order))

    told = [(event.host, event.task, event.text) for event in of_kind(events, EventKind.HOST_OK)]
    assert told == [("h2", "First", "True")]
    assert (order.folder / "limit").read_text() == "h2\n"


def test_an_empty_limit_is_refused_since_ansible_would_take_all_hosts(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    with pytest.raises(InternalError, match="empty limit"):
        executor.start(workshop.order(play("{ping: }"), limit=()))


def test_a_control_path_that_is_too_long_for_sockets_is_refused_with_the_way_out(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    workshop.control_path = workshop.folder / ("x" * 90)

    with pytest.raises(UsageError, match=r"too long for ssh's sockets by \d+ bytes. Use a shorter folder"):
        executor.start(workshop.order(play("{ping: }")))


def test_a_piece_is_never_started_twice_in_one_folder(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{ping: }"))
    follow(executor.start(order))

    with pytest.raises(InternalError, match="started before"):
        executor.start(order)


def test_a_second_piece_of_a_run_has_to_wait_for_the_first(executor: AnsibleExecutor, workshop: Workshop) -> None:
    piece = executor.start(workshop.order(play("{command: sleep 306}")))

    with pytest.raises(InternalError, match="one after another"):
        executor.start(workshop.order(play("{ping: }")))

    piece.cancel()
    _, end = follow(piece)
    assert end.gone


def test_the_project_is_where_ansible_looks_for_its_own(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.write("ansible.cfg", "[defaults]\nroles_path = ours/roles\ncallback_plugins = ours/callback\n")
    workshop.write("ours/roles/greet/tasks/main.yml", "- debug: {msg: 'from the role'}\n")
    workshop.write(
        "ours/callback/own.py",
        "from ansible.plugins.callback import CallbackBase\nimport pathlib\n"
        "class CallbackModule(CallbackBase):\n    CALLBACK_VERSION = 2.0\n    CALLBACK_NAME = 'own'\n"
        "    def v2_playbook_on_stats(self, stats):\n        pathlib.Path('seen-by-own-callback').touch()\n",
    )
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    text = play("{include_role: {name: greet}}", "{command: 'date +%Z%z'}")

    events, end = follow(executor.start(workshop.order(text)))

    assert end.complete
    assert "from the role" in [event.text for event in events]
    assert {event.role for event in events if event.text == "from the role"} == {"greet"}
    assert (workshop.project / "seen-by-own-callback").exists()
    assert "+0545+0545" in [event.output for event in events]


def test_the_users_own_ansible_is_taken_from_its_folder(executor: AnsibleExecutor, workshop: Workshop) -> None:
    programs = workshop.folder / "programs"
    programs.mkdir()
    own = programs / "ansible-playbook"
    own.write_text(f'#!/bin/sh\ntouch {programs}/used\nexec {Path(sys.executable).parent}/ansible-playbook "$@"\n')
    own.chmod(0o755)

    _, end = follow(executor.start(workshop.order(play("{ping: }"), ansible=AnsibleSettings(bin=str(programs)))))

    assert end.complete
    assert (programs / "used").exists()


def test_host_key_checking_stays_on(executor: AnsibleExecutor, workshop: Workshop) -> None:
    text = play("{debug: {msg: \"{{ lookup('config', 'HOST_KEY_CHECKING') }}\"}}")

    events, _ = follow(executor.start(workshop.order(text)))

    assert {event.text for event in of_kind(events, EventKind.HOST_OK)} == {"True"}


def test_a_project_that_switches_host_key_checking_off_keeps_its_own_way(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    workshop.write("ansible.cfg", "[defaults]\nhost_key_checking = False\n")
    text = play("{debug: {msg: \"{{ lookup('config', 'HOST_KEY_CHECKING') }}\"}}")

    events, _ = follow(executor.start(workshop.order(text)))

    assert {event.text for event in of_kind(events, EventKind.HOST_OK)} == {"False"}


def vaulted(workshop: Workshop, text: str) -> str:
    password = workshop.write("vault-password", SECRET)
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-vault", "encrypt_string", "--vault-id", f"default@{password}", text],
        capture_output=True,
        check=True,
        text=True,
    )
    password.unlink()
    return done.stdout


@pytest.mark.parametrize("how", ["env", "file", "command"])
def test_secrets_open_the_vault_and_are_found_nowhere_afterwards(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    kept = workshop.folder / "kept-secret"
    kept.write_text(SECRET + "\n")
    monkeypatch.setenv("VAULT_SECRET", SECRET)
    source = {
        "env": SecretSource(env="VAULT_SECRET"),
        "file": SecretSource(file=str(kept)),
        "command": SecretSource(command=f"cat {kept}"),
    }[how]
    workshop.write("group_vars/web.yml", f"opened: {vaulted(workshop, 'out of the vault')}")
    leaks = (
        '{name: Leak, shell: "cat ' + str(kept) + "; cat " + str(kept) + ' >&2; exit 1", ignore_errors: true}',
        f"{{name: Hidden, command: cat {kept}, no_log: true}}",
        "{name: Opened, debug: {msg: '{{ opened }}'}}",
    )
    text = play(*leaks)
    order = workshop.order(text, secrets=Secrets(vault={"default": source}), extra_vars={"unused": "private extra"})

    events, end = follow(executor.start(order))
    kept.unlink()

    assert end.complete
    assert "out of the vault" in [event.text for event in events]
    assert [event.output for event in events if event.task == "Leak" and event.output] == ["********", "********"]
    left = [path for path in workshop.folder.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert left == []
    assert sorted(path.name for path in order.folder.iterdir()) == ["executor.log", "spool"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in order.folder.iterdir()} == {0o600}


def test_a_become_password_reaches_its_hosts_only(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_BECOME", SECRET)
    text = play(
        "{name: Known, debug: {msg: \"{{ (ansible_become_password | default('')) | hash('sha1') }}\"}}",
        "{name: Where, debug: {msg: '{{ groups.web | join }}'}}",
    )
    order = workshop.order(
        text, secrets=Secrets(become={"web": SecretSource(env="WEB_BECOME")}), become_hosts={"web": ("h2",)}
    )

    events, end = follow(executor.start(order))

    assert end.complete
    known = {event.host: event.text for event in of_kind(events, EventKind.HOST_OK) if event.task == "Known"}
    expected = subprocess.run(["sha1sum"], input=SECRET.encode(), capture_output=True, check=True).stdout.split()[0]
    assert known["h2"] == expected.decode()
    assert known["h1"] == "da39a3ee5e6b4b0d3255bfef95601890afd80709"  # of nothing
    assert {event.text for event in of_kind(events, EventKind.HOST_OK) if event.task == "Where"} == {"h1h2"}


def test_a_login_password_reaches_its_hosts_only_and_is_hidden_from_all(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGIN", SECRET)
    monkeypatch.setenv("OTHER", "0ther-secret")
    text = play(
        "{name: Known, debug: {msg: \"{{ (ansible_password | default('')) | length }}\"}}",
        "{name: Leak, debug: {msg: \"{{ lookup('env', 'LOGIN') }} {{ lookup('env', 'OTHER') }} hunter2\"}}",
    )
    login = {"all": SecretSource(env="OTHER"), "door": SecretSource(env="LOGIN"), "lost": SecretSource(env="NOT_SET")}
    order = workshop.order(text, secrets=Secrets(login=login), login_hosts={"door": ("h2",)})

    events, end = follow(AnsibleExecutor(home=workshop.folder, hidden=lambda: ["hunter2"]).start(order))

    told = [(event.task, event.host, event.text) for event in of_kind(events, EventKind.HOST_OK)]
    assert end.complete
    assert {(host, text) for task, host, text in told if task == "Known"} == {("h1", "0"), ("h2", str(len(SECRET)))}
    assert {text for task, _, text in told if task == "Leak"} == {"******** ******** ********"}


def test_folders_of_pieces_are_ours_alone_whatever_the_umask(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{ping: }"))
    order = replace(order, folder=workshop.folder / "runs" / "1" / order.piece)
    was = os.umask(0)
    try:
        follow(executor.start(order))
    finally:
        os.umask(was)

    made = [
        path for path in (workshop.folder / "runs", *(workshop.folder / "runs").rglob("*")) if not path.is_symlink()
    ]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_secret_that_cannot_be_found_stops_the_piece_before_ansible(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    order = workshop.order(play("{ping: }"), secrets=Secrets(vault={"lab": SecretSource(env="NOT_SET_ANYWHERE")}))

    events, end = follow(executor.start(order))

    assert [event.kind for event in events] == [EventKind.NOTE, EventKind.END]
    assert "secrets.vault.lab: the environment variable NOT_SET_ANYWHERE is not set" in events[0].text
    assert (end.how, end.complete, events[-1].status) == ("finished", False, "failed")


def test_extra_variables_and_secrets_never_stand_on_a_command_line(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_SECRET", SECRET)
    text = play("{debug: {msg: '{{ token }}'}}", "{command: sleep 2}")
    order = workshop.order(
        text, extra_vars={"token": "extra-4711"}, secrets=Secrets(vault={"default": SecretSource(env="VAULT_SECRET")})
    )
    piece = executor.start(order)

    events = follow_until(piece, lambda event: event.kind is EventKind.HOST_START and "command" in event.module)
    lines = " ".join(marked(order).values())
    follow(piece)

    assert "extra-4711" in [event.text for event in events]
    assert "ansible-playbook" in lines
    assert "extra-4711" not in lines
    assert "s3cret" not in lines


def test_what_a_task_starts_carries_the_mark_and_the_tasks_own_environment(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    text = play(
        "{command: 'printenv WELLKEPT_PIECE OWN', environment: {OWN: mapping}}",
        "{command: 'printenv WELLKEPT_PIECE OWN', environment: '{{ theirs }}', vars: {theirs: {OWN: template}}}",
        head="environment: [{OWN: play}]",
    )
    order = workshop.order(text)

    events, _ = follow(executor.start(order))

    mark = f"{order.piece}:{order.fence}"
    assert {event.output for event in of_kind(events, EventKind.HOST_OK)} == {f"{mark}\nmapping", f"{mark}\ntemplate"}


def test_a_soft_stop_lets_the_running_task_handlers_and_always_finish_and_starts_nothing_else(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    text = """
- hosts: web
  gather_facts: false
  handlers: [{name: Told, command: echo handler}]
  tasks:
    - block:
        - {name: One, command: sleep 2, notify: Told}
        - {name: Two, command: echo two}
      always:
        - {name: Clean up, command: echo always}
    - {name: Three, command: echo three}
- hosts: web
  gather_facts: false
  tasks: [{name: Four, command: echo four}]
"""
    piece = executor.start(workshop.order(text))

    follow_until(piece, lambda event: event.kind is EventKind.HOST_START and event.task == "One")
    piece.stop_softly()
    events, end = follow(piece)

    assert len(of_kind(events, EventKind.SOFT_STOP)) == 1
    assert {event.task for event in of_kind(events, EventKind.HOST_OK)} == {"One", "Told", "Clean up"}
    assert {event.task for event in of_kind(events, EventKind.HOST_SKIPPED)} == {"Two", "Three", "Four"}
    assert end.complete


def test_a_cancelled_piece_is_gone_with_its_secrets(
    executor: AnsibleExecutor, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_SECRET", SECRET)
    secrets = Secrets(vault={"default": SecretSource(env="VAULT_SECRET")})
    order = workshop.order(play("{command: sleep 307}"), secrets=secrets)
    piece = executor.start(order)

    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: len(with_words("sleep 307")) == 2)
    piece.cancel()
    _, end = follow(piece)

    assert (end.how, end.gone, end.complete) == ("cancelled", True, False)
    assert not with_words("sleep 307")
    assert not marked(order)
    assert not (order.folder / "private").exists()


def test_a_piece_is_ended_at_its_time_limit(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{command: sleep 308}"), time_limit=timedelta(seconds=4))

    _, end = follow(executor.start(order))

    assert (end.how, end.gone, end.complete) == ("timed_out", True, False)
    assert not with_words("sleep 308")


def a_package_manager(workshop: Workshop, seconds: int) -> None:
    """A module that bears the name of one, and takes its time."""
    text = f"import json, subprocess\nsubprocess.run(['sleep', '{seconds}'])\nprint(json.dumps(dict(changed=True)))\n"
    workshop.write("library/zypper.py", f"#!/usr/bin/python3\n# WANT_JSON\n{text}")


def test_the_time_limit_lets_a_package_manager_finish_and_starts_nothing_after_it(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    a_package_manager(workshop, 18)
    order = workshop.order(play("{zypper: }", "{command: touch never}"), time_limit=timedelta(seconds=16))

    events, end = follow(executor.start(order))

    assert (end.how, end.gone) == ("timed_out", True)
    assert [event.module for event in events if event.kind is EventKind.HOST_OK] == ["zypper", "zypper"]
    assert EventKind.SOFT_STOP in {event.kind for event in events}
    assert not (workshop.project / "never").exists()


def test_a_package_manager_that_hangs_is_let_go_after_the_limit_once_more(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    a_package_manager(workshop, 318)

    _, end = follow(executor.start(workshop.order(play("{zypper: }"), time_limit=timedelta(seconds=5))))

    assert (end.how, end.complete) == ("timed_out", False)


def test_a_piece_that_is_not_fed_is_ended_by_its_leash(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{command: sleep 309}"))
    piece = executor.start(order)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)

    piece.feed(2)
    while piece.end() is None:
        piece.events(wait=0.5)
    end = piece.end()

    assert end is not None
    assert (end.how, end.gone, end.complete) == ("lost", True, False)
    assert "silence" in end.note
    assert not with_words("sleep 309")


def test_pieces_of_a_run_share_one_leash_and_a_run_that_paused_gets_a_new_one(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    first = executor.start(workshop.order(play("{ping: }")))
    follow(first)
    second = executor.start(workshop.order(play("{ping: }")))
    _, end_of_second = follow(second)
    second.feed(0.1)
    time.sleep(1.0)
    third = executor.start(workshop.order(play("{ping: }")))
    _, end_of_third = follow(third)

    assert first.leash_pid == second.leash_pid != third.leash_pid
    assert end_of_second.complete
    assert end_of_third.complete


def test_a_package_manager_at_work_is_left_to_finish_and_nothing_after_it_is_started(
    executor: AnsibleExecutor, workshop: Workshop
) -> None:
    manager = workshop.folder / "apt-get"
    done, after = workshop.folder / "done", workshop.folder / "after"
    manager.write_text(f"#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10; do echo working; sleep 0.5; done\ntouch {done}\n")
    manager.chmod(0o755)
    order = workshop.order(
        play(f"{{command: {manager}, run_once: true}}", f"{{command: touch {after}, run_once: true}}")
    )
    piece = executor.start(order)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: with_words(f"sh {manager}"))

    piece.cancel()
    _, end = follow(piece)
    strays = executor.end_strays(live=list)
    wait_for(lambda: not marked(order))

    assert (end.how, end.gone) == ("cancelled", False)
    assert "a package manager is still at work" in end.note
    assert any("apt-get" in stray.title for stray in strays.left)
    assert {stray.piece for stray in strays.left} == {order.piece}
    assert done.exists()
    assert not after.exists()


@pytest.fixture
def daemon_file(tmp_path: Path) -> Iterator[Path]:
    """Where a daemon writes its pid; it is ended after the test."""
    path = tmp_path / "daemon.pid"
    yield path
    if path.exists():
        subprocess.run(["kill", path.read_text().strip()], check=False)


def test_a_daemon_that_the_playbook_started_goes_on_and_is_named(
    executor: AnsibleExecutor, workshop: Workshop, daemon_file: Path
) -> None:
    start = f"setsid sh -c 'echo $$ > {daemon_file}; exec sleep 311' > /dev/null 2>&1 < /dev/null &"
    order = workshop.order(play(f'{{shell: "{start}", run_once: true}}'))

    _, end = follow(executor.start(order))
    executor.end_strays(live=list)
    running = bool(with_words("sleep 311"))
    subprocess.run(["kill", daemon_file.read_text().strip()], check=True)
    executor.finish_run(order.run, order.control_path)

    assert end.gone
    assert "left running: sleep 311" in end.note
    assert running


def test_the_spool_can_be_drained_from_any_offset(executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{command: echo hello}"))
    events, _ = follow(executor.start(order))

    again = list(executor.drain(order.folder, offset=events[2].offset))

    assert again == events[3:]
    assert list(executor.drain(workshop.folder / "never-started", offset=0)) == []


def test_no_dead_children_are_left_unburied(began: float, executor: AnsibleExecutor, workshop: Workshop) -> None:
    order = workshop.order(play("{ping: }"))

    follow(executor.start(order))
    gone = executor.finish_run(order.run, order.control_path)

    assert gone
    assert zombies_born_since(began) == []
    assert not workshop.control_path.exists()


def test_what_is_added_can_be_told_before_it_happens(executor: AnsibleExecutor, workshop: Workshop) -> None:
    words = executor.what_is_added(project=workshop.project, ansible=AnsibleSettings(bin="/opt/ansible/bin"))

    assert any("/opt/ansible/bin" in line for line in words)
    assert json.dumps(words)
