"""Host keys: what a real SSH server shows, beside what is known for it, and a new key in the place of the old one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.adapters.asking import CannotAsk, NoAnswer
from runner.adapters.ssh.host_keys import SshHostKeys
from runner.ports import HostKeySeen
from tests.adapters.real_sshd import Sshd, free_port, make_key, public


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    started = Sshd(tmp_path / "host")
    yield started
    started.stop()


@pytest.fixture
def keys(tmp_path: Path) -> SshHostKeys:
    return SshHostKeys(project=tmp_path, environ=os.environ)


def fingerprint(key: Path) -> str:
    printed = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True).stdout
    return printed.split()[1]


def stranger(sshd: Sshd) -> Path:
    """known_hosts names another key for the host, as after a reinstallation."""
    old = make_key(sshd.folder / "old_key")
    sshd.trust(old)
    return old


def look(keys: SshHostKeys, sshd: Sshd, **more: object) -> HostKeySeen:
    return keys.look("web-01", sshd.variables(**more))


def test_a_key_that_is_known_is_trusted(keys: SshHostKeys, sshd: Sshd) -> None:
    seen = look(keys, sshd)

    assert seen.trusted
    assert seen.shown.fingerprint == fingerprint(sshd.host_key)
    assert [key.fingerprint for key in seen.known] == [seen.shown.fingerprint]


def test_a_key_that_has_changed_is_shown_beside_the_old_one(keys: SshHostKeys, sshd: Sshd) -> None:
    old = stranger(sshd)

    seen = look(keys, sshd)

    assert not seen.trusted
    assert [key.fingerprint for key in seen.known] == [fingerprint(old)]
    assert (seen.shown.kind, seen.shown.fingerprint) == ("ssh-ed25519", fingerprint(sshd.host_key))


def test_looking_changes_nothing_and_logs_in_nowhere(keys: SshHostKeys, sshd: Sshd) -> None:
    stranger(sshd)
    before = (sshd.folder / "known_hosts").read_bytes()

    look(keys, sshd)

    assert (sshd.folder / "known_hosts").read_bytes() == before
    assert "Accepted" not in (sshd.folder / "log").read_text()


def test_a_key_that_is_accepted_stands_in_the_place_of_the_old_one_and_of_no_other(
    keys: SshHostKeys, sshd: Sshd
) -> None:
    stranger(sshd)
    file = sshd.folder / "known_hosts"
    other = f"[127.0.0.1]:2 {public(make_key(sshd.folder / 'other_key')).strip()}"
    file.write_text(f"# ours\n{file.read_text().strip()}\n{other}")  # no line end: people edit this file
    file.chmod(0o640)

    keys.accept("web-01", sshd.variables(), look(keys, sshd))

    lines = file.read_text().splitlines()
    assert lines[:2] == ["# ours", other]
    assert [line.split()[:2] for line in lines[2:]] == [[f"[127.0.0.1]:{sshd.port}", "ssh-ed25519"]]
    assert file.stat().st_mode & 0o777 == 0o640
    assert look(keys, sshd).trusted


def test_without_a_file_one_is_made_that_only_its_owner_may_write(keys: SshHostKeys, sshd: Sshd) -> None:
    file = sshd.folder / "known_hosts"
    file.unlink()

    seen = look(keys, sshd)
    keys.accept("web-01", sshd.variables(), seen)

    assert (seen.known, seen.trusted) == ((), False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert look(keys, sshd).trusted


def test_a_link_to_the_file_stays_a_link(keys: SshHostKeys, sshd: Sshd) -> None:
    stranger(sshd)
    file = sshd.folder / "known_hosts"
    real = file.rename(sshd.folder / "elsewhere")
    file.symlink_to(real)

    keys.accept("web-01", sshd.variables(), look(keys, sshd))

    assert file.is_symlink()
    assert look(keys, sshd).trusted


def test_names_are_hidden_in_the_file_where_the_user_wants_that(keys: SshHostKeys, sshd: Sshd) -> None:
    stranger(sshd)
    hidden = {"ansible_ssh_extra_args": "-o HashKnownHosts=yes"}

    keys.accept("web-01", sshd.variables(**hidden), look(keys, sshd, **hidden))

    assert (sshd.folder / "known_hosts").read_text().startswith("|1|")
    assert look(keys, sshd, **hidden).trusted


def test_a_key_is_kept_under_the_alias_of_its_host(keys: SshHostKeys, sshd: Sshd) -> None:
    (sshd.folder / "known_hosts").unlink()
    alias = {"ansible_ssh_extra_args": "-o HostKeyAlias=web.example"}

    keys.accept("web-01", sshd.variables(**alias), look(keys, sshd, **alias))

    assert (sshd.folder / "known_hosts").read_text().startswith("web.example ")
    assert [key.fingerprint for key in look(keys, sshd, **alias).known] == [fingerprint(sshd.host_key)]


def test_a_host_behind_a_jump_host_is_looked_at_through_it(keys: SshHostKeys, sshd: Sshd, tmp_path: Path) -> None:
    jump = Sshd(tmp_path / "jump")
    try:
        proxy = f"ssh -F none -i {jump.login_key} -p {jump.port} -o UserKnownHostsFile={jump.folder}/known_hosts -o BatchMode=yes -W %h:%p 127.0.0.1"
        behind = {"ansible_ssh_extra_args": f"-o 'ProxyCommand={proxy}'"}
        stranger(sshd)

        keys.accept("web-01", sshd.variables(**behind), look(keys, sshd, **behind))

        assert look(keys, sshd, **behind).trusted
        assert "Accepted publickey" in (jump.folder / "log").read_text()
    finally:
        jump.stop()


def test_another_file_that_says_otherwise_is_told(keys: SshHostKeys, sshd: Sshd) -> None:
    stranger(sshd)
    revoked = sshd.folder / "revoked"
    revoked.write_text(f"@revoked * {public(sshd.host_key)}")
    more = {"ansible_ssh_extra_args": f"-o GlobalKnownHostsFile={revoked}"}
    variables = sshd.variables(**more)
    variables["ansible_ssh_common_args"] = f"-F none -o UserKnownHostsFile={sshd.folder}/known_hosts"

    with pytest.raises(CannotAsk, match="still not trusted"):
        keys.accept("web-01", variables, keys.look("web-01", variables))


def test_a_host_that_is_away_shows_nothing(keys: SshHostKeys, sshd: Sshd) -> None:
    with pytest.raises(NoAnswer, match=r"showed no key: .*refused"):
        look(keys, sshd, ansible_port=free_port())


def test_without_a_known_hosts_file_there_is_nowhere_to_write(keys: SshHostKeys, sshd: Sshd) -> None:
    variables = sshd.variables(ansible_ssh_common_args="-F none -o UserKnownHostsFile=/dev/null")

    with pytest.raises(CannotAsk, match="keep no known_hosts file"):
        keys.look("web-01", variables)
