"""What every probe needs to know about a host, and the two ways in which a question can stay without an answer."""

from __future__ import annotations

from collections.abc import Mapping

from runner.adapters.inventory import VAULTED
from runner.errors import BadResult, Unknown

Variables = Mapping[str, object]


class CannotAsk(Unknown):
    """The question cannot be put, for a reason on our side: a key, a name, a setting; it says nothing about the host."""


class NoAnswer(BadResult):
    """The host was asked and gave no answer."""


def text_of(variables: Variables, name: str) -> str:
    """A connection variable as text, empty when it is not set.

    Raises CannotAsk for one that only Ansible can read: still encrypted, or a template that needs Ansible's own filters or lookups.
    """
    value = variables.get(name)
    if isinstance(value, Mapping) and VAULTED in value:
        raise CannotAsk(f"{name} is encrypted with Ansible Vault; probes need it in plain text")
    text = "" if value is None else str(value)
    if "{{" in text:
        raise CannotAsk(f"{name} is a template that only Ansible can fill: {text}")
    return text.strip()


def is_local(variables: Variables) -> bool:
    """Whether Ansible would work on this very machine for that host."""
    return text_of(variables, "ansible_connection").rpartition(".")[2] == "local"


def address_of(host: str, variables: Variables) -> str:
    """Where the host is, as the inventory says."""
    address = text_of(variables, "ansible_host") or ("127.0.0.1" if is_local(variables) else host)
    if address.startswith("-"):
        raise CannotAsk(f"{address!r} is no address")
    return address.strip("[]")
