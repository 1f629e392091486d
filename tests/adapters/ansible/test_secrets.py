"""Secrets are found by reference and stay out of every text."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.ansible.secrets import HIDDEN, Redactor, SecretMissingError, Source, resolve

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
        base64.b64encode(PLANTED.encode()).decode(),
        "https://user:c0rrect%20%22horse%22%5C%20battery@host/",
    ],
)
def test_a_secret_is_hidden_however_it_is_spelled(spelled: str) -> None:
    redactor = Redactor([PLANTED])

    text = redactor.text(f"before {spelled} after")

    assert HIDDEN in text
    assert "horse" not in text
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
