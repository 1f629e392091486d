"""By which of two clients a host is asked: one in this process that is fast, or OpenSSH's own that can do everything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runner.adapters.asking import CannotAsk, Variables, is_local, text_of
from runner.adapters.ssh.settings import SshSettings


class Way(StrEnum):
    """How a command reaches a host."""

    PARAMIKO = "paramiko"
    OPENSSH = "openssh"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A way, and why it was chosen, in words for `doctor`."""

    way: Way
    reason: str


_SSH_CONNECTIONS = frozenset({"", "smart", "ssh", "paramiko", "paramiko_ssh", "mitogen_ssh"})

_ONLY_OPENSSH = {
    "proxyjump": "it is reached through a jump host",
    "proxycommand": "it is reached through a ProxyCommand",
    "certificatefile": "the login uses a certificate",
    "pkcs11provider": "the key is on a smart card",
    "knownhostscommand": "a KnownHostsCommand names the host's key",
    "revokedhostkeys": "revoked host keys must be looked at",
    "hostkeyalias": "the host's key is known under another name",
    "verifyhostkeydns": "the host's key is looked up in DNS",
    "hostbasedauthentication": "the login is by host",
    "bindaddress": "a local address is prescribed",
    "bindinterface": "a local interface is prescribed",
    "setenv": "environment variables are set",
}
"""Settings of ssh_config(5) that the client in this process does not know, and what each means."""


def is_ssh(variables: Variables) -> bool:
    """Whether Ansible would reach the host over SSH with a shell at the other end."""
    return text_of(variables, "ansible_connection").rpartition(".")[2] in _SSH_CONNECTIONS


def way_to(variables: Variables, settings: SshSettings | None) -> Chosen:
    """Choose the way from the host's variables and from what OpenSSH would use; `settings` is not needed for a local host.

    Raises CannotAsk for a host that is not reached over SSH at all.
    """
    if is_local(variables):
        return Chosen(Way.LOCAL, "its connection is local")
    if settings is None or not is_ssh(variables):
        raise CannotAsk(f"its connection is {text_of(variables, 'ansible_connection')}, and this probe asks over ssh")
    reason = _reason_for_openssh(variables, settings)
    return Chosen(Way.OPENSSH, reason) if reason else Chosen(Way.PARAMIKO, "nothing in its settings needs more")


def _reason_for_openssh(variables: Variables, settings: SshSettings) -> str:
    executable = text_of(variables, "ansible_ssh_executable")
    if executable not in {"", "ssh", "/usr/bin/ssh"}:
        return f"{executable} is prescribed"
    for name, reason in _ONLY_OPENSSH.items():
        if settings.is_on(name):
            return reason
    if settings.first("addressfamily") not in {"", "any"}:
        return "an address family is prescribed"
    return _reason_in_keys(settings)


def _reason_in_keys(settings: SshSettings) -> str:
    if settings.is_on("identityagent") and settings.first("identityagent") != "ssh_auth_sock":
        return "a certain agent is prescribed"
    if any(kind.startswith("sk-") for kind in settings.key_kinds):
        return "the key is a security key"
    marker = next((key.marker for key in settings.known if key.marker), "")
    if marker:
        return f"its entry in known_hosts is marked {marker}"
    return "" if settings.known else "no key is known for it, and OpenSSH looks in more places"
