"""Ansible host patterns over hosts and groups that are known already; follows ansible-core's own evaluation."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.errors import UsageError

Groups = Mapping[str, Sequence[str]]

_HOST_WITH_PORT = re.compile(r"\w(?:[\w.-]|\[[^\]]*\])*:[0-9]+|\[.+\]:[0-9]+")
_BETWEEN_COLONS = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
_SUBSCRIPT = re.compile(r"(?P<name>.+)\[(?:(?P<index>-?[0-9]+)|(?P<first>[0-9]+)[:-](?P<last>[0-9]*))\]")
_MAY_ALSO_BE_HOSTS = frozenset(".?*[")


@dataclass(frozen=True, slots=True)
class _Term:
    """One part of a pattern as it was written: its sign (nothing, & or !), its name, glob or regular expression, and its subscript."""

    text: str
    sign: str
    name: str
    first: int | None = None
    last: int | None = None

    @property
    def may_also_be_hosts(self) -> bool:
        """Whether host names are looked at even when a group has matched."""
        return self.name.startswith("~") or not _MAY_ALSO_BE_HOSTS.isdisjoint(self.name)


def match(pattern: str, *, hosts: Sequence[str], groups: Groups) -> tuple[str, ...]:
    """Give the hosts that an Ansible host pattern means, in the order of `hosts`.

    `groups` maps each group to all its hosts, those of its children included, in the inventory's order. Only hosts of the inventory are given: Ansible's
    implicit localhost is not. An empty pattern means nobody. Raises UsageError for a regular expression that cannot be compiled.
    """
    terms = _terms_of(pattern)
    chosen: set[str] = set()
    for sign, combine in (("", set.update), ("&", set.intersection_update), ("!", set.difference_update)):
        for term in terms:
            if term.sign == sign:
                combine(chosen, _hosts_of(term, hosts=hosts, groups=groups))
    return tuple(host for host in hosts if host in chosen)


def unknown_names(pattern: str, *, hosts: Sequence[str], groups: Groups) -> tuple[str, ...]:
    """Give the parts of a pattern that no host and no group bears, also excluded ones, and subscripts that lie outside their group."""
    return tuple(term.text for term in _terms_of(pattern) if _is_unknown(term, hosts=hosts, groups=groups))


def _is_unknown(term: _Term, *, hosts: Sequence[str], groups: Groups) -> bool:
    if _hosts_of(term, hosts=hosts, groups=groups):
        return False
    is_outside = bool(_named(term, hosts=hosts, groups=groups))
    return is_outside or not _matching(term.name, ["all", *groups])


def _terms_of(pattern: str) -> tuple[_Term, ...]:
    """Split a pattern into its terms; one that only excludes or intersects starts from all hosts."""
    terms = tuple(_term(part) for part in _parts_of(pattern))
    if terms and all(term.sign for term in terms):
        return (_Term("all", "", "all"), *terms)
    return terms


def _parts_of(pattern: str) -> Iterator[str]:
    """Split at commas, or else at colons that are not within an IPv6 address, a port or brackets."""
    if "," in pattern:
        parts: Sequence[str] = pattern.split(",")
    elif _is_address(pattern):
        parts = [pattern]
    else:
        parts = _BETWEEN_COLONS.findall(pattern)
    return (part.strip() for part in parts if part.strip())


def _is_address(pattern: str) -> bool:
    if _HOST_WITH_PORT.fullmatch(pattern):
        return True
    try:
        ipaddress.IPv6Address(pattern)
    except ValueError:
        return False
    return True


def _term(part: str) -> _Term:
    sign = part[0] if part[0] in "&!" else ""
    name = part[len(sign) :]
    found = None if name.startswith("~") else _SUBSCRIPT.fullmatch(name)
    if found is None:
        return _Term(name, sign, name)
    if found["index"]:
        return _Term(name, sign, found["name"], int(found["index"]))
    return _Term(name, sign, found["name"], int(found["first"]), int(found["last"] or -1))


def _hosts_of(term: _Term, *, hosts: Sequence[str], groups: Groups) -> list[str]:
    if term.first is None and term.name in hosts:
        return [term.name]
    return _subscripted(_named(term, hosts=hosts, groups=groups), term)


def _named(term: _Term, *, hosts: Sequence[str], groups: Groups) -> list[str]:
    """Hosts of the groups that match, then hosts that match; twice where both do, because subscripts count that way in Ansible."""
    everyone = {"all": hosts, **groups}
    matching_groups = _matching(term.name, list(everyone))
    found = [host for group in matching_groups for host in everyone[group]]
    if not matching_groups or term.may_also_be_hosts:
        found.extend(_matching(term.name, hosts))
    return found


def _matching(name: str, candidates: Sequence[str]) -> list[str]:
    """Candidates that match a name, a glob, or after `~` a regular expression (from the start, not to the end)."""
    if not name:
        return []
    try:
        expression = re.compile(name[1:] if name.startswith("~") else fnmatch.translate(name))
    except re.error as error:
        message = f"hosts: {name!r} is not a valid regular expression ({error}). Mend it, or leave out the ~ for a plain name or glob."
        raise UsageError(message) from error
    return [candidate for candidate in candidates if expression.match(candidate)]


def _subscripted(found: list[str], term: _Term) -> list[str]:
    """Apply `[n]` or `[first:last]`, both ends included; a last of 0 counts as absent, as in Ansible."""
    if term.first is None:
        return found
    if not term.last:
        return found[term.first :][:1] if -len(found) <= term.first else []
    return found[term.first :] if term.last == -1 else found[term.first : term.last + 1]
