"""Secrets are found by reference and stay out of every text."""

from __future__ import annotations

import base64
import html
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import ClassVar

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.errors import KeyringLocked

from runner.adapters.ansible.events import MOST_TEXT, Shaper
from runner.adapters.ansible.redaction import HIDDEN, Redactor
from runner.adapters.ansible.secrets import SecretMissingError, Source, resolve

NAME = "wellkept.yml: secrets.vault.default"
PLANTED = 'c0rrect "horse"\\ battery'


def found(source: Source, tmp_path: Path, **environ: str) -> str:
    return resolve(NAME, source, environ={"PATH": "/usr/bin:/bin", **environ}, cwd=tmp_path)


def test_a_secret_comes_from_the_environment_a_file_or_a_command(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("from a file\n")

    values = [
        found(Source(env="VAULT"), tmp_path, VAULT="from the environment"),
        found(Source(file="vault"), tmp_path),
        found(Source(command="printf '%s\\n' 'from a command'"), tmp_path),
    ]

    assert values == ["from the environment", "from a file", "from a command"]


def test_a_command_is_started_without_a_shell(tmp_path: Path) -> None:
    value = found(Source(command="echo $HOME; touch made"), tmp_path, HOME="/root")

    assert value == "$HOME; touch made"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (Source(env="NOT_THERE"), "the environment variable NOT_THERE is not set"),
        (Source(file="not-there"), "No such file"),
        (Source(file="empty"), "the secret is empty"),
        (Source(command="false --token=hunter2"), "false ended with exit code 1"),
        (Source(command="no-such-program hunter2"), "the command cannot be started"),
        (Source(command="unbalanced '"), "the command cannot be started"),
        (Source(command="true"), "the secret is empty"),
    ],
)
def test_a_missing_secret_is_told_with_its_place_and_never_with_a_value(
    tmp_path: Path, source: Source, problem: str
) -> None:
    (tmp_path / "empty").write_text("\n")

    with pytest.raises(SecretMissingError) as caught:
        found(source, tmp_path)

    assert problem in str(caught.value)
    assert str(caught.value).startswith(NAME)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "spelled",
    [
        PLANTED,
        json.dumps({"password": PLANTED}),
        repr(PLANTED),
        json.dumps(json.dumps({"password": PLANTED})),
        base64.b64encode(PLANTED.encode()).decode(),
        base64.b64encode(f"ana:{PLANTED}:".encode()).decode(),
        base64.b64encode(f"root:{PLANTED}".encode()).decode(),
        base64.b64encode(f"admin:{PLANTED}!".encode()).decode(),
        "https://user:c0rrect%20%22horse%22%5C%20battery@host/",
        "https://host/?password=c0rrect+%22horse%22%5c+battery",
        PLANTED.encode().hex(),
        html.escape(PLANTED),
    ],
)
def test_a_secret_is_hidden_however_it_is_spelled(spelled: str) -> None:
    redactor = Redactor([PLANTED])

    text = redactor.text(f"before {spelled} after")

    assert HIDDEN in text
    assert "horse" not in text
    assert all(some not in text for some in ("aG9yc2", "hvcnNl", "ob3JzZ", b"horse".hex()))
    assert text.startswith("before ")
    assert text.endswith(" after")


def test_each_line_of_a_secret_is_hidden_on_its_own() -> None:
    redactor = Redactor(["-----BEGIN-----\nAAAAB3NzaC1\n-----END-----"])

    assert redactor.text("leaked AAAAB3NzaC1 here") == f"leaked {HIDDEN} here"


def test_a_very_short_secret_is_hidden_only_as_a_word_of_its_own() -> None:
    redactor = Redactor(["ab"])

    assert redactor.text("tab ab: lab") == f"tab {HIDDEN}: lab"


@given(secret=st.text(min_size=4, max_size=30).filter(str.strip), around=st.text(max_size=20))
def test_no_secret_survives_anywhere_in_a_text(secret: str, around: str) -> None:
    text = Redactor([secret]).text(around + secret + around)

    assert secret not in text.replace(HIDDEN, "")


def test_without_secrets_nothing_changes() -> None:
    assert Redactor([]).record({"text": "as it is", "counter": 3}) == {"text": "as it is", "counter": 3}


def test_a_secret_at_a_place_where_a_long_text_is_cut_leaves_no_beginning_behind() -> None:
    said = "x" * (MOST_TEXT - 10) + "s3cret-" + "0123456789" * 3
    redactor, shaper = Redactor([said[-37:]]), Shaper(project=PurePath("/project"))
    event = {"event": "runner_on_failed", "stdout": "", "event_data": {"host": "h1", "res": {"msg": said}}}

    (record,) = shaper.shape(redactor.event(event))

    assert str(record["text"]).startswith("xxx")
    assert "s3c" not in str(record["text"])


def test_an_event_is_redacted_in_its_depths_and_keeps_its_form() -> None:
    content = {"host": "h1", "res": {"rc": 0, "results": [{"msg": ["hunter2", 7]}], "hunter2": None}}

    event = Redactor(["hunter2"]).event({"event": "runner_on_ok", "stdout": "ok: hunter2", "event_data": content})

    assert event["stdout"] == f"ok: {HIDDEN}"
    assert event["event_data"] == {"host": "h1", "res": {"rc": 0, "results": [{"msg": [HIDDEN, 7]}], "hunter2": None}}


def test_an_event_of_ansible_without_secrets_is_left_alone() -> None:
    event = {"event": "runner_on_ok", "stdout": None}

    assert Redactor([]).event(event) is event


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]
    kept: ClassVar[dict[tuple[str, str], str]] = {("ansible/vault", "wellkept"): "from a keyring\n"}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


class Locked(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the collection with hunter2 is locked")


@pytest.fixture
def ring() -> Iterator[Callable[[KeyringBackend], None]]:
    """Puts another keyring in the place of this user's, which comes back afterwards."""
    was = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(was)


def test_a_secret_comes_from_a_keyring_by_its_service_and_user(
    tmp_path: Path, ring: Callable[[KeyringBackend], None]
) -> None:
    ring(Ring())

    assert found(Source(keyring="ansible/vault/wellkept"), tmp_path) == "from a keyring"


@pytest.mark.parametrize(
    ("backend", "problem"),
    [
        (Ring(), "the keyring has no ansible/vault. Put it there: keyring set ansible vault"),
        (Locked(), "the keyring does not answer (KeyringLocked)"),
        (FailingKeyring(), "this user has no keyring on this machine"),
    ],
)
def test_a_keyring_without_the_secret_is_told_with_the_way_out(
    tmp_path: Path, ring: Callable[[KeyringBackend], None], backend: KeyringBackend, problem: str
) -> None:
    ring(backend)

    with pytest.raises(SecretMissingError) as caught:
        found(Source(keyring="ansible/vault"), tmp_path)

    assert problem in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_the_extra_a_keyring_is_refused_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # as Python has it when the library is not there

    with pytest.raises(SecretMissingError, match=r"pip install 'wellkept\[keyring\]'"):
        found(Source(keyring="ansible/vault"), tmp_path)
