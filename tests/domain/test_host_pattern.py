"""Host patterns mean what Ansible means by them; the referee is the real `ansible-playbook --list-hosts`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.host_pattern import match, unknown_names
from runner.errors import UsageError

GROUPS = {
    "ungrouped": ("solo", "10.0.0.5", "fe80::1", "mail.example.com"),
    "web": ("web-01", "web-02", "web-03", "web-04"),
    "db": ("db-01", "db-02"),
    "webmail": ("mx-1", "web-02"),
    "linux": ("web-01", "web-03", "db-01"),
    "empty": (),
}
HOSTS = tuple(dict.fromkeys(host for group in GROUPS.values() for host in group))
EVERYTHING = {"all": HOSTS, **GROUPS}

PATTERNS = [
    "all", "*", "web", "db", "ungrouped", "empty", "web-01", "solo", "10.0.0.5", "fe80::1", "mail.example.com", "nobody", "al*", "un*",
    "web*", "web-*", "web-0[12]", "*-01", "web-0?", "*.example.com", "10.0.0.*", "~web.*", "~(web|db)-0[12]", "~.*-01$", "~01", "~^db",
    "web:db", "web,db", "db:web", " web , db ", "web,fe80::1", "fe80::1,!web", "web:&linux", "web:!linux", "web:&linux:!web-03", "!web", "&linux",
    "!web:!db", "&linux:!db", "all:!web:!db", "all,!web,!db", "web:!web-0*", "web:!~web-0[12]", "linux:&web:&webmail", "!linux:web", "web:db:&linux",
    "web[0]", "web[1]", "web[-1]", "web[-2]", "web[0:1]", "web[0:2]", "web[1:]", "web[2:9]", "web[0:0]", "web[1:0]", "web[0-1]", "all[0]", "all[-1]",
    "web[0:1]:db[0]", "web[0],db[1]", "web:!web[0]", "web:&web[1:2]", "!web[0]", "linux[0]:!web-01", "empty[0:1]", "web:22", "web-01:22",
    "web-01:db-01", "solo:web-01", "solo web-01", "web db", "web::db", "web:", ":web", "web-0[0:2]", "WEB", "web,", "all:!fe80::1", "w?b", "[wd]*",
]  # fmt: skip


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What Ansible itself answers to each pattern."""
    folder = tmp_path_factory.mktemp("referee")
    (folder / "hosts").write_text("".join(f"[{group}]\n" + "\n".join(hosts) + "\n" for group, hosts in GROUPS.items()))
    (folder / "plays.yml").write_text("".join(f"- hosts: {pattern!r}\n" for pattern in PATTERNS))
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts", "plays.yml", "--list-hosts"]
    ran = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    plays = re.findall(
        r"^  play #(\d+) .*\n    pattern: .*\n    hosts \(\d+\):((?:\n      \S+)*)", ran.stdout, re.MULTILINE
    )
    return {PATTERNS[int(number) - 1]: set(hosts.split()) for number, hosts in plays}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_the_same_hosts_as_in_ansible(pattern: str, referee: dict[str, set[str]]) -> None:
    hosts = match(pattern, hosts=HOSTS, groups=EVERYTHING)

    assert set(hosts) == referee[pattern]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hosts_come_in_inventory_order_and_once(pattern: str) -> None:
    hosts = match(pattern, hosts=HOSTS, groups=EVERYTHING)

    assert list(hosts) == [host for host in HOSTS if host in hosts]


def test_groups_need_not_name_all() -> None:
    assert match("all:!web", hosts=["web-01", "db-01"], groups={"web": ["web-01"]}) == ("db-01",)


@pytest.mark.parametrize("pattern", ["", " ", ",", ":"])
def test_an_empty_pattern_means_nobody(pattern: str) -> None:
    assert match(pattern, hosts=HOSTS, groups=EVERYTHING) == ()


@pytest.mark.parametrize("pattern", ["web[9]", "web[-9]", "web[7:9]"])
def test_a_subscript_outside_its_group_means_nobody_and_is_reported(pattern: str) -> None:
    assert match(pattern, hosts=HOSTS, groups=EVERYTHING) == ()
    assert unknown_names(pattern, hosts=HOSTS, groups=EVERYTHING) == (pattern,)


def test_the_implicit_localhost_of_ansible_is_not_a_host_of_the_inventory() -> None:
    assert match("localhost", hosts=HOSTS, groups=EVERYTHING) == ()
    assert unknown_names("localhost", hosts=HOSTS, groups=EVERYTHING) == ("localhost",)


@pytest.mark.parametrize(
    ("pattern", "unknown"),
    [
        ("web:db", ()),
        ("all", ()),
        ("empty", ()),
        ("web:wbe", ("wbe",)),
        ("all:!web-1:&linx", ("web-1", "linx")),
        ("nope[1:]", ("nope[1:]",)),
        ("~nope.*", ("~nope.*",)),
        ("fe80::2", ("fe80::2",)),
    ],
)
def test_names_that_nobody_bears_are_reported_also_when_they_are_excluded(
    pattern: str, unknown: tuple[str, ...]
) -> None:
    assert unknown_names(pattern, hosts=HOSTS, groups=EVERYTHING) == unknown


def test_all_is_known_in_an_empty_inventory() -> None:
    assert unknown_names("all", hosts=[], groups={}) == ()


def test_a_broken_regular_expression_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"'~web\(' is not a valid regular expression .* leave out the ~"):
        match("~web(", hosts=HOSTS, groups=EVERYTHING)


@given(st.text(alphabet="ab-01*?[]:,!&~. $", max_size=20))
def test_any_text_gives_known_hosts_in_order_or_a_clear_refusal(pattern: str) -> None:
    try:
        hosts = match(pattern, hosts=HOSTS, groups=EVERYTHING)
    except UsageError:
        return

    assert list(hosts) == [host for host in HOSTS if host in set(hosts)]


@given(st.sampled_from(PATTERNS), st.sampled_from(["web", "db", "linux", "web-01", "~web.*"]))
def test_excluding_never_leaves_an_excluded_host(pattern: str, excluded: str) -> None:
    hosts = match(f"{pattern.strip(' ,:')},!{excluded}", hosts=HOSTS, groups=EVERYTHING)

    assert not set(hosts) & set(match(excluded, hosts=HOSTS, groups=EVERYTHING))
