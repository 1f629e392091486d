"""Login passwords reach probes by reference, and nothing that is known to be secret stays in what they answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.adapters.inventory import LOGIN
from runner.adapters.probes import Probes
from runner.adapters.secrets import Known
from runner.domain.health import Answer, Check, Probe
from runner.domain.settings import DeadManPing, Secrets, SecretSource, Settings
from tests.adapters.password_server import PasswordServer

PASSWORD = "l0gin&pass/word"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PasswordServer]:
    with PasswordServer(tmp_path / "server", PASSWORD) as server:
        yield server


class Bench:
    """Probes over a maintenance repository with one login secret in a file, and one become secret in the environment."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.now = 0.0
        self.file = root / "login"
        self.file.write_text(f"{PASSWORD}\n")
        environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "BECOME": "b3come-me"}
        secrets = Secrets(
            become={"all": SecretSource(env="BECOME"), "old": SecretSource(env="NOT_SET")},
            login={"doors": SecretSource(file="login"), "lost": SecretSource(env="NOT_SET")},
        )
        own = {"database": "sqlite:///var/x.db", "secrets": secrets, **settings}
        self.settings = Settings(root, "Example", state_dir=root / "var", timezone="UTC", **own)  # type: ignore[arg-type]
        self.known = Known(lambda: self.settings, environ=environ, cwd=root, monotonic=lambda: self.now)
        self.probes = Probes(project=root, environ=environ, known=self.known)

    def ask(self, variables: dict[str, object], run: str = "echo hello", login: str = "doors") -> Answer:
        check = Check(
            "said", Probe.SSH, "all", timedelta(minutes=1), "production", run=run, within=timedelta(seconds=10)
        )
        (answer,) = self.probes.ask(check, {"door-01": {**variables, LOGIN: login}})
        return answer


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.probes.close()


def test_a_host_that_takes_no_key_is_asked_with_its_login_password(server: PasswordServer, bench: Bench) -> None:
    answer = bench.ask(server.variables())

    assert answer.error == ""
    assert (answer.reached, answer.text, server.tried) == (True, "hello", [PASSWORD])


def test_a_changed_password_counts_from_the_next_question_on(server: PasswordServer, bench: Bench) -> None:
    server.password = "another"
    refused = bench.ask(server.variables())

    bench.file.write_text("another")
    answer = bench.ask(server.variables())

    assert "the login was refused" in refused.error
    assert "its keys and the password of secrets.login.doors were tried" in refused.error
    assert answer.text == "hello"


def test_a_host_that_only_openssh_can_reach_is_not_given_the_password(server: PasswordServer, bench: Bench) -> None:
    variables = server.variables(ansible_ssh_extra_args="-o AddressFamily=inet")

    answer = bench.ask(variables)

    assert not answer.asked
    assert "the password of secrets.login.doors cannot be given to OpenSSH" in answer.error
    assert "since an address family is prescribed; let it take a key" in answer.error
    assert server.tried == []


def test_a_login_secret_that_cannot_be_found_is_told_and_nobody_is_asked(server: PasswordServer, bench: Bench) -> None:
    answer = bench.ask(server.variables(), login="lost")

    assert not answer.asked
    assert "secrets.login.lost: the environment variable NOT_SET is not set" in answer.error
    assert server.tried == []


@pytest.mark.parametrize("said", [PASSWORD, "b3come-me", "YjNjb21lLW1l", "l0gin%26pass%2Fword"])
def test_what_a_host_says_is_answered_without_secrets(server: PasswordServer, bench: Bench, said: str) -> None:
    answer = bench.ask(server.variables(), f"echo 'it is {said}.'")

    assert answer.text == "it is ********."


def test_a_new_value_is_hidden_at_once_where_it_was_used_and_else_after_ten_minutes(bench: Bench) -> None:
    bench.known.redacted("")
    bench.file.write_text("n3w-password")
    before = bench.known.redacted("n3w-password")

    bench.now += 601
    later = bench.known.redacted("n3w-password")
    bench.file.write_text("used-password")
    bench.known.renew()
    bench.known.login_password("doors")

    assert (before, later) == ("n3w-password", "********")
    assert bench.known.redacted("used-password") == "********"


def test_passwords_in_addresses_are_secrets_too(tmp_path: Path) -> None:
    address = "https://ana:p1ng@hc.example/heartbeat/0a1b2c3d-4e5f?key=k3y-k3y-k3y"
    ping = DeadManPing(address, timedelta(minutes=5))
    bench = Bench(tmp_path, database="postgresql://wellkept:d%40tabase@db.example/wellkept", dead_man_ping=ping)

    assert set(bench.known.hidden()) == {"d%40tabase", "d@tabase", "p1ng", address, "0a1b2c3d-4e5f", "k3y-k3y-k3y"}


def test_a_repository_without_secrets_hides_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.settings = replace(bench.settings, secrets=Secrets())

    assert bench.known.hidden() == ()
    assert bench.known.redacted("as it is") == "as it is"
