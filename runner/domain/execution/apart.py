"""Hosts that must not be changed at the same time, because they share the value of an inventory variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

Variables = Mapping[str, object]
TEMPLATE = ("{{", "{%")


def groups_of(
    names: Sequence[str], hosts: Iterable[str], variables: Mapping[str, Variables]
) -> dict[str, tuple[str, ...]]:
    """Host -> the groups that it belongs to, each `variable=value`; a list of values makes several. A host without any is left out."""
    found = {
        host: tuple(each for name in names for each in groups_by(name, variables[host].get(name))) for host in hosts
    }
    return {host: groups for host, groups in found.items() if groups}


def groups_by(name: str, value: object) -> Iterator[str]:
    """The groups that one variable's value puts a host in; nothing for a host that is not bound."""
    for each in values_in(value):
        if isinstance(each, bool | int | float) or (isinstance(each, str) and each.strip()):
            yield f"{name}={each}"


def values_in(value: object) -> Sequence[object]:
    """The values of a list, or the one value."""
    return value if isinstance(value, list | tuple) else (value,)


def is_untold(value: object) -> bool:
    """Whether only Ansible could tell the value: a template, something encrypted, or a mapping."""
    return any(
        isinstance(each, Mapping | list) or (isinstance(each, str) and any(sign in each for sign in TEMPLATE))
        for each in values_in(value)
    )


def untold(
    names: Sequence[str], hosts: Iterable[str], variables: Mapping[str, Variables]
) -> dict[str, tuple[str, ...]]:
    """Variable -> the hosts whose value of it only Ansible could tell."""
    found = {name: tuple(host for host in hosts if is_untold(variables[host].get(name))) for name in names}
    return {name: those for name, those in found.items() if those}


def nowhere(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The variables that no host has: probably misspelt."""
    known = {group.partition("=")[0] for own in groups.values() for group in own}
    return tuple(name for name in names if name not in known)


def drawn_apart(hosts: Iterable[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """The hosts that may be changed together, the first of each group in the order given."""
    taken = set[str]()
    drawn = []
    for host in hosts:
        own = groups.get(host, ())
        if taken.isdisjoint(own):
            taken.update(own)
            drawn.append(host)
    return drawn


def locks_for(hosts: Iterable[str], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """What a piece locks for its hosts: the hosts themselves, and the groups that they belong to."""
    return frozenset(name for host in hosts for name in (host, *groups.get(host, ())))
