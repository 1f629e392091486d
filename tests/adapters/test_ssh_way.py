"""By which client a host is asked, and which keys are known for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.adapters.asking import CannotAsk
from runner.adapters.ssh.known_hosts import KnownKey, known_keys
from runner.adapters.ssh.settings import SshSettings
from runner.adapters.ssh.way import Way, way_to

KNOWN = (KnownKey("ssh-ed25519", "AAAA"),)


def settings(
    *, known: tuple[KnownKey, ...] = KNOWN, key_kinds: tuple[str, ...] = ("ssh-ed25519",), **said: str
) -> SshSettings:
    plain = {"proxyjump": "none", "addressfamily": "any", "verifyhostkeydns": "false", "revokedhostkeys": "none"}
    values = {name: (value,) for name, value in {**plain, **said}.items()}
    return SshSettings(("ssh",), "10.0.0.1", 22, "ops", values, known=known, key_kinds=key_kinds)


@pytest.mark.parametrize("connection", [None, "", "ssh", "smart", "paramiko", "ansible.builtin.ssh"])
def test_a_plain_host_is_asked_in_this_process(connection: str | None) -> None:
    assert way_to({"ansible_connection": connection}, settings()).way is Way.PARAMIKO


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"proxyjump": "gate"}, "it is reached through a jump host"),
        ({"proxycommand": "ssh -W %h:%p gate"}, "it is reached through a ProxyCommand"),
        ({"certificatefile": "/home/ops/id-cert.pub"}, "the login uses a certificate"),
        ({"pkcs11provider": "/usr/lib/opensc.so"}, "the key is on a smart card"),
        ({"knownhostscommand": "/bin/keys %H"}, "a KnownHostsCommand names the host's key"),
        ({"hostkeyalias": "web"}, "the host's key is known under another name"),
        ({"revokedhostkeys": "/etc/revoked"}, "revoked host keys must be looked at"),
        ({"verifyhostkeydns": "true"}, "the host's key is looked up in DNS"),
        ({"addressfamily": "inet6"}, "an address family is prescribed"),
        ({"identityagent": "/run/agent"}, "a certain agent is prescribed"),
    ],
)
def test_what_the_client_in_this_process_cannot_do_goes_through_openssh(said: dict[str, str], reason: str) -> None:
    chosen = way_to({}, settings(**said))

    assert (chosen.way, chosen.reason) == (Way.OPENSSH, reason)


@pytest.mark.parametrize(
    ("known", "kinds", "reason"),
    [
        (
            (KnownKey("ssh-ed25519", "AAAA", "@cert-authority"),),
            (),
            "its entry in known_hosts is marked @cert-authority",
        ),
        ((*KNOWN, KnownKey("ssh-ed25519", "BBBB", "@revoked")), (), "its entry in known_hosts is marked @revoked"),
        (KNOWN, ("sk-ssh-ed25519@openssh.com",), "the key is a security key"),
        ((), (), "no key is known for it, and OpenSSH looks in more places"),
    ],
)
def test_keys_that_need_more_go_through_openssh(
    known: tuple[KnownKey, ...], kinds: tuple[str, ...], reason: str
) -> None:
    chosen = way_to({}, settings(known=known, key_kinds=kinds))

    assert (chosen.way, chosen.reason) == (Way.OPENSSH, reason)


def test_another_ssh_program_is_used_when_it_is_prescribed() -> None:
    assert way_to({"ansible_ssh_executable": "/opt/ssh/bin/ssh"}, settings()).way is Way.OPENSSH


@pytest.mark.parametrize("connection", ["local", "ansible.builtin.local"])
def test_a_local_host_is_asked_on_this_machine(connection: str) -> None:
    assert way_to({"ansible_connection": connection}, None).way is Way.LOCAL


@pytest.mark.parametrize("connection", ["ansible.netcommon.network_cli", "winrm", "community.docker.docker"])
def test_a_host_that_has_no_shell_over_ssh_cannot_be_asked(connection: str) -> None:
    with pytest.raises(CannotAsk, match=f"its connection is {connection}"):
        way_to({"ansible_connection": connection}, settings())


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9m3Tq0l0rZ3m2xX3rRk0b4yC9Wm0zqk1d2o9x7y8Zb"


@pytest.mark.parametrize(
    ("line", "host", "port"),
    [
        ("web-01", "web-01", 22),
        ("WEB-01", "web-01", 22),
        ("web-01", "Web-01", 22),
        ("web-02,web-01", "web-01", 22),
        ("web-*", "web-01", 22),
        ("web-?1", "web-01", 22),
        ("web-*,!web-01", "web-01", 22),
        ("web-*,!web-01", "web-02", 22),
        ("[web-01]:2222", "web-01", 2222),
        ("[web-01]:2222", "web-01", 22),
        ("[web-*]:2222", "web-01", 2222),
        ("10.0.0.1", "10.0.0.1", 22),
        ("fe80::1", "fe80::1", 22),
        ("[fe80::1]:2222", "fe80::1", 2222),
        ("db-01", "web-01", 22),
        ("# web-01", "web-01", 22),
        ("web[01]", "web0", 22),
    ],
)
@pytest.mark.parametrize("hashed", [False, True])
def test_known_hosts_are_read_as_ssh_keygen_reads_them(
    tmp_path: Path, line: str, host: str, port: int, hashed: bool
) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{line} {KEY}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=False, capture_output=True)
    asked = host.lower() if port == 22 else f"[{host.lower()}]:{port}"
    found = subprocess.run(["ssh-keygen", "-F", asked, "-f", str(file)], capture_output=True, text=True, check=False)

    keys = known_keys(file.read_text(), host=host, port=port)

    assert bool(keys) is (found.returncode == 0)


def test_a_key_for_the_plain_name_serves_any_port() -> None:
    assert known_keys(f"web-01 {KEY}", host="web-01", port=2222) == (KnownKey(*KEY.split()),)


def test_a_key_for_the_very_port_comes_before_the_plain_name() -> None:
    text = f"web-01 ssh-rsa BBBB\n[web-01]:2222 {KEY}"

    assert known_keys(text, host="web-01", port=2222) == (KnownKey(*KEY.split()),)


@pytest.mark.parametrize(
    "text", ["", "web-01", "web-01 ssh-ed25519", "|1|xx|yy ssh-ed25519 AAAA", "|1|| ssh-ed25519 AAAA", "\x00 \x01 \x02"]
)
def test_broken_lines_name_nobody(text: str) -> None:
    assert known_keys(text, host="web-01", port=22) == ()


def test_markers_are_kept() -> None:
    assert (
        known_keys(f"@cert-authority *.example.com {KEY}", host="a.example.com", port=22)[0].marker == "@cert-authority"
    )
