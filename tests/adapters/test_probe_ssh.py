"""Commands are asked of real OpenSSH servers, and never of one whose key is not known."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from runner.adapters.inventory import VAULTED
from runner.adapters.probes import Probes
from runner.adapters.ssh.asking import SshHosts
from runner.adapters.ssh.connections import Connections
from runner.adapters.ssh.way import Way
from runner.domain.health import Answer, Check, Probe
from tests.adapters.real_sshd import USER, Sshd, make_key, public

ENVIRON = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
START = Callable[..., Sshd]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[START]:
    started: list[Sshd] = []

    def begin(**options: object) -> Sshd:
        started.append(Sshd(tmp_path / f"sshd-{len(started)}", **options))
        return started[-1]

    yield begin
    for sshd in started:
        sshd.stop()


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[Probes]:
    probes = Probes(project=tmp_path, environ=ENVIRON)
    yield probes
    probes.close()


def a_check(run: str = "echo hello", *, within: float = 10) -> Check:
    return Check(
        "said", Probe.SSH, "all", timedelta(minutes=1), "production", run=run, within=timedelta(seconds=within)
    )


def ask(probes: Probes, variables: dict[str, object], run: str = "echo hello", *, within: float = 10) -> Answer:
    (answer,) = probes.ask(a_check(run, within=within), {"web-01": variables})
    return answer


def by_openssh(variables: dict[str, object]) -> dict[str, object]:
    """The same host, so that only OpenSSH's own client can be used."""
    return {**variables, "ansible_ssh_extra_args": "-o AddressFamily=inet"}


@pytest.mark.parametrize(
    "run",
    [
        "echo hello",
        "echo out; echo err >&2; exit 3",
        "echo only err >&2; exit 1",
        "exit 7",
        "printf 'a\\nb\\n'",
        "echo '$HOME'",
    ],
)
def test_both_ways_bring_back_the_same_answer(start: START, probes: Probes, run: str) -> None:
    variables = start().variables()

    fast, full = ask(probes, variables, run), ask(probes, by_openssh(variables), run)

    assert probes.way("web-01", variables).way is Way.PARAMIKO
    assert probes.way("web-01", by_openssh(variables)).way is Way.OPENSSH
    assert fast.reached
    assert (fast.text, fast.exit_code) == (full.text, full.exit_code)


def test_output_and_exit_code_come_back(start: START, probes: Probes) -> None:
    answer = ask(probes, start().variables(), "echo 93%; exit 3")

    assert (answer.host, answer.check, answer.text, answer.exit_code, answer.error) == ("web-01", "said", "93%", 3, "")


def test_many_hosts_are_asked_at_once_and_each_answers(start: START, probes: Probes) -> None:
    sshds = [start(), start()]
    hosts = {f"web-{number:02}": sshds[number % 2].variables() for number in range(40)}

    answers = list(probes.ask(a_check(), hosts))

    assert {answer.host for answer in answers} == set(hosts)
    assert [answer for answer in answers if answer.text != "hello"] == []


def test_connections_are_kept_between_questions(start: START, probes: Probes) -> None:
    variables = start().variables()

    ports = {ask(probes, variables, "echo $SSH_CONNECTION").text for _ in range(3)}

    assert len(ports) == 1


def test_idle_connections_are_closed(start: START, tmp_path: Path) -> None:
    now = [0.0]
    probes = Probes(project=tmp_path, environ=ENVIRON, monotonic=lambda: now[0])
    first, second = start(), start()
    ask(probes, first.variables())

    now[0] += 3600
    ask(probes, second.variables())

    assert probes._connections.open_count() == 1
    probes.close()
    assert probes._connections.open_count() == 0


def test_one_slow_question_does_not_cut_off_another_on_the_same_host(start: START, probes: Probes) -> None:
    variables = start().variables()
    ask(probes, variables)

    with ThreadPoolExecutor(2) as threads:
        patient = threads.submit(ask, probes, variables, "sleep 2; echo patient")
        hasty = threads.submit(ask, probes, variables, "sleep 60", within=1)

    assert hasty.result().error == "no answer within 1 s"
    assert patient.result().text == "patient"


def test_more_questions_at_once_than_one_connection_takes_are_answered(start: START, probes: Probes) -> None:
    """OpenSSH allows ten sessions on a connection unless it is told otherwise."""
    variables = start().variables()
    ask(probes, variables)

    answers = list(
        probes.ask(a_check("sleep 0.5; echo hello", within=30), {f"web-{number}": variables for number in range(18)})
    )

    assert [answer for answer in answers if answer.text != "hello"] == []


def test_a_connection_that_was_cut_is_made_anew(start: START, probes: Probes) -> None:
    sshd = start()
    before = ask(probes, sshd.variables(), "echo $SSH_CONNECTION").text

    sshd.drop_sessions()
    after = ask(probes, sshd.variables(), "echo $SSH_CONNECTION")

    assert after.reached
    assert after.text != before


def test_a_hung_host_keeps_no_other_waiting_and_answers_again_when_it_goes_on(start: START, probes: Probes) -> None:
    hung, well = start(), start()
    for sshd in (hung, well):
        assert ask(probes, sshd.variables()).reached
    hung.hang()

    answers = {
        answer.host: answer
        for answer in probes.ask(a_check(within=2), {"hung": hung.variables(), "well": well.variables()})
    }
    hung.resume()

    assert answers["well"].text == "hello"
    assert (answers["hung"].reached, answers["hung"].asked, answers["hung"].error) == (
        False,
        True,
        "no answer within 2 s",
    )
    assert ask(probes, hung.variables()).text == "hello"


@pytest.mark.parametrize("change", [lambda variables: variables, by_openssh])
def test_a_host_that_hangs_from_the_first_is_no_answer(
    start: START, probes: Probes, change: Callable[..., dict[str, object]]
) -> None:
    sshd = start()
    sshd.hang()

    answer = ask(probes, change(sshd.variables()), within=1)

    assert (answer.reached, answer.asked) == (False, True)
    assert answer.error == "no answer within 1 s"


@pytest.mark.parametrize("change", [lambda variables: variables, by_openssh])
def test_a_command_that_does_not_end_is_no_answer(
    start: START, probes: Probes, change: Callable[..., dict[str, object]]
) -> None:
    answer = ask(probes, change(start().variables()), "sleep 60", within=1)

    assert (answer.reached, answer.error) == (False, "no answer within 1 s")


@pytest.mark.parametrize("change", [lambda variables: variables, by_openssh])
def test_a_command_that_writes_without_end_is_stopped(
    start: START, probes: Probes, change: Callable[..., dict[str, object]]
) -> None:
    answer = ask(probes, change(start().variables()), "yes")

    assert (answer.reached, answer.error) == (False, "the command wrote more than 262144 bytes")


@pytest.mark.parametrize("change", [lambda variables: variables, by_openssh])
def test_a_host_with_another_key_than_the_known_one_is_not_asked(
    start: START, probes: Probes, change: Callable[..., dict[str, object]], tmp_path: Path
) -> None:
    sshd = start()
    sshd.trust(make_key(tmp_path / "another"))

    answer = ask(probes, change(sshd.variables()), f"touch {tmp_path}/asked")

    assert (answer.reached, answer.error) == (False, "its host key has changed; look at it with: wellkept hosts trust")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("careless", ["", " -o StrictHostKeyChecking=no", " -o StrictHostKeyChecking=accept-new"])
def test_a_host_whose_key_is_not_known_is_not_asked_however_careless_the_settings(
    start: START, probes: Probes, tmp_path: Path, careless: str
) -> None:
    variables = start().variables(
        ansible_ssh_common_args=f"-F none -o UserKnownHostsFile={tmp_path}/none -o GlobalKnownHostsFile=none{careless}"
    )

    answer = ask(probes, variables, f"touch {tmp_path}/asked")

    assert (answer.reached, answer.asked) == (False, False)
    assert "its host key is not known or not trusted; look at it with: wellkept hosts trust" in answer.error
    assert not (tmp_path / "asked").exists()
    assert not (tmp_path / "none").exists()


def test_a_key_of_another_kind_than_the_known_one_is_not_accepted(start: START, probes: Probes, tmp_path: Path) -> None:
    sshd = start()
    known = (sshd.folder / "known_hosts").read_text().split()
    ecdsa = Path(tmp_path / "ecdsa")
    os.spawnvp(os.P_WAIT, "ssh-keygen", ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(ecdsa)])
    (sshd.folder / "known_hosts").write_text(f"{known[0]} {public(ecdsa)}")

    assert not ask(probes, sshd.variables()).reached


@pytest.mark.parametrize(
    "broken", ["ssh-ed25519 AAAA", "sk-ssh-ed25519@openssh.com AAAA", "ssh-nonsense AAAAC3NzaC1lZDI1NTE5AAAA"]
)
def test_an_entry_of_known_hosts_that_cannot_be_read_vouches_for_nobody(
    start: START, probes: Probes, tmp_path: Path, broken: str
) -> None:
    sshd = start()
    (sshd.folder / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {broken}\n")

    answer = ask(probes, sshd.variables(), f"touch {tmp_path}/asked")

    assert not answer.reached
    assert not (tmp_path / "asked").exists()


def test_a_mended_known_hosts_is_looked_at_anew(start: START, probes: Probes, tmp_path: Path) -> None:
    sshd = start()
    sshd.trust(make_key(tmp_path / "another"))
    assert not ask(probes, sshd.variables()).reached

    sshd.trust()

    assert ask(probes, sshd.variables()).text == "hello"


def test_no_more_connections_stay_open_than_are_allowed(start: START, tmp_path: Path) -> None:
    connections = Connections(most_open=2)
    hosts = SshHosts(project=tmp_path, environ=ENVIRON, connections=connections)

    for sshd in [start() for _ in range(4)]:
        hosts.ask("web-01", sshd.variables(), "true", time_limit=10)

    assert connections.open_count() == 2
    connections.close()


def test_hashed_and_wildcard_entries_of_known_hosts_are_understood(start: START, probes: Probes) -> None:
    hashed, wild = start(), start()
    os.spawnvp(os.P_WAIT, "ssh-keygen", ["ssh-keygen", "-q", "-H", "-f", str(hashed.folder / "known_hosts")])
    wild.trust(names="[127.0.0.*]:*")

    for sshd in (hashed, wild):
        assert probes.way("web-01", sshd.variables()).way is Way.PARAMIKO
        assert ask(probes, sshd.variables()).text == "hello"


def test_a_host_certificate_is_accepted_by_its_authority(start: START, probes: Probes, tmp_path: Path) -> None:
    authority = make_key(tmp_path / "authority")
    sshd = start(certificate_of=authority)
    (sshd.folder / "known_hosts").write_text(f"@cert-authority [127.0.0.1]:* {public(authority)}")

    assert probes.way("web-01", sshd.variables()).reason == "its entry in known_hosts is marked @cert-authority"
    assert ask(probes, sshd.variables()).text == "hello"


def test_a_host_certificate_of_another_authority_is_refused(start: START, probes: Probes, tmp_path: Path) -> None:
    sshd = start(certificate_of=make_key(tmp_path / "authority"))
    (sshd.folder / "known_hosts").write_text(f"@cert-authority [127.0.0.1]:* {public(make_key(tmp_path / 'another'))}")

    answer = ask(probes, sshd.variables())

    assert (answer.reached, answer.asked) == (False, False)


def test_a_host_behind_a_jump_host_is_asked_through_it(start: START, probes: Probes, tmp_path: Path) -> None:
    gate, inner = start(), start()
    (tmp_path / "known").write_text(
        (gate.folder / "known_hosts").read_text() + (inner.folder / "known_hosts").read_text()
    )
    (tmp_path / "ssh_config").write_text(
        f"Host *\n  UserKnownHostsFile {tmp_path}/known\n  GlobalKnownHostsFile none\n  User {USER}\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n  IdentityFile {gate.login_key}\n"
        "Host 127.0.0.1\n  ProxyJump gate\n"
    )

    answer = ask(probes, inner.variables(ansible_ssh_common_args="-F ssh_config"), "echo $SSH_CONNECTION")

    assert answer.text.split()[-1] == str(inner.port)
    assert "Accepted publickey" in (gate.folder / "log").read_text()
    assert (
        probes.way("web-01", inner.variables(ansible_ssh_common_args="-F ssh_config")).reason
        == "it is reached through a jump host"
    )


def test_a_host_that_only_ssh_config_knows_is_found_by_its_name(start: START, probes: Probes, tmp_path: Path) -> None:
    sshd = start()
    (tmp_path / "ssh_config").write_text(
        f"Host web-01\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {USER}\n  IdentityFile {sshd.login_key}\n"
        f"  UserKnownHostsFile {sshd.folder}/known_hosts\n"
    )

    answer = ask(probes, {"ansible_ssh_common_args": "-F ssh_config"})

    assert answer.text == "hello"


def test_a_refused_login_is_our_side(start: START, probes: Probes, tmp_path: Path) -> None:
    variables = start().variables(ansible_ssh_private_key_file=str(make_key(tmp_path / "stranger")))

    answer = ask(probes, variables)

    assert (answer.reached, answer.asked) == (False, False)
    assert answer.error.startswith("the login was refused")


def test_a_login_that_only_openssh_can_do_is_done_by_it_and_remembered(
    start: START, probes: Probes, tmp_path: Path
) -> None:
    """A certificate beside a key that is not authorised by itself: OpenSSH offers it without being told."""
    sshd = start()
    authority, login = make_key(tmp_path / "authority"), make_key(tmp_path / "login")
    os.spawnvp(
        os.P_WAIT, "ssh-keygen", ["ssh-keygen", "-q", "-s", str(authority), "-I", "ops", "-n", USER, f"{login}.pub"]
    )
    (sshd.folder / "authorized_keys").write_text(f"cert-authority {public(authority)}")

    answer = ask(probes, sshd.variables(ansible_ssh_private_key_file=str(login)))

    assert answer.text == "hello"


def test_a_host_that_refuses_the_connection_is_no_answer(start: START, probes: Probes) -> None:
    sshd = start()
    sshd.stop()

    answer = ask(probes, sshd.variables())

    assert (answer.reached, answer.asked, answer.error) == (False, True, "connection refused")


def test_a_name_that_cannot_be_resolved_is_our_side(start: START, probes: Probes) -> None:
    answer = ask(probes, start().variables(ansible_host="nowhere.invalid"))

    assert (answer.reached, answer.asked) == (False, False)
    assert "its name cannot be resolved" in answer.error


def test_a_local_host_is_asked_here(probes: Probes, tmp_path: Path) -> None:
    answer = ask(probes, {"ansible_connection": "local"}, "pwd; exit 4")

    assert (answer.text, answer.exit_code) == (str(tmp_path), 4)


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"ansible_connection": "ansible.netcommon.network_cli"}, "its connection is ansible.netcommon.network_cli"),
        ({"ansible_user": {VAULTED: ""}}, "ansible_user is encrypted with Ansible Vault"),
        ({"ansible_host": "{{ lookup('dns', x) }}"}, "ansible_host is a template that only Ansible can fill"),
        ({"ansible_host": "-oProxyCommand=touch x"}, "is no address"),
        ({"ansible_ssh_common_args": "-o Nonsense=1"}, "ssh refuses its settings for this host"),
        ({"ansible_ssh_common_args": "-o 'unfinished"}, "its ssh arguments cannot be read"),
        ({"ansible_ssh_executable": "/nowhere/ssh"}, "/nowhere/ssh cannot be started"),
    ],
)
def test_a_host_that_cannot_be_asked_is_an_answer_too(probes: Probes, variables: dict[str, object], error: str) -> None:
    answer = ask(probes, variables)

    assert (answer.reached, answer.asked) == (False, False)
    assert error in answer.error


def test_nothing_is_left_open_on_the_machine(start: START, tmp_path: Path) -> None:
    sshd = start()
    probes = Probes(project=tmp_path, environ=ENVIRON)
    ask(probes, sshd.variables())
    ask(probes, by_openssh(sshd.variables()))

    probes.close()

    assert not [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if shlex.quote(str(sshd.login_key)).encode() in _read(path)
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_no_host_at_all_is_no_answer_at_all(probes: Probes) -> None:
    assert list(probes.ask(a_check(), {})) == []
