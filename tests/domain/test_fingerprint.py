"""Fingerprints: the same trouble at another time is the same, and another package is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.tickets.fingerprint import NOTHING, SIGNATURE_LENGTH, fingerprint, normalise

REAL_FAULTS = json.loads((Path(__file__).parent / "real_faults.json").read_text())
names = st.from_regex(r"[a-z]{2,8}-[0-9]{2}(\.example\.com)?", fullmatch=True)
numbers = st.integers(0, 99_999)
instants = st.integers(0, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
addresses = st.ip_addresses(v=4).map(str)
versions = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 99)).map(lambda v: ".".join(map(str, v)))
packages = st.sampled_from(
    [
        "nginx",
        "nginx-core",
        "openssl",
        "libssl3",
        "libssl1.1",
        "python3.11",
        "python3.12",
        "labapp",
        "linux-image-amd64",
        "7zip",
    ]
)

SAME = [
    ("lock is held by process 1234 (apt-get)", "lock is held by process 98 (apt-get)"),
    ("connect to host 192.0.2.7 port 22: timed out", "connect to host 198.51.100.9 port 2222: timed out"),
    (
        "cannot write /root/.ansible/tmp/ansible-tmp-17953.19-12-27/A.py",
        "cannot write /home/ops/.ansible/tmp/ansible-tmp-9.1-2-3/A.py",
    ),
    ("Timeout (12s) waiting for it", "Timeout (62s) waiting for it"),
    ("needs 512 MB", "needs 2.5 GB"),
    ("openssl 3.0.11 not found", "openssl 3.0.15-1~deb12u1 not found"),
    ("linux-image-6.1.0-18-amd64 failed", "linux-image-6.1.0-20-amd64 failed"),
    ("at 2026-03-21 22:00:01,123 it broke", "at 2026-04-02 23:59:59 it broke"),
    ("fe80::1 is gone", "2001:db8::7:1 is gone"),
    ("object at 0x7f31 died", "object at 0xffff12 died"),
    ("error code (1)", "error code (100)"),
]
DIFFERENT = [
    ("No package matching 'nginx' is available", "No package matching 'httpd' is available"),
    ("Unable to start service nginx", "Unable to start service mysql"),
    ("/var is full", "/boot is full"),
    ("libssl3 is broken", "libssl1.1 is broken"),
    ("connection refused", "connection timed out"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_only_differs_by_time_and_place_is_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_names_another_thing_is_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text(), names)
def test_a_signature_of_a_signature_is_itself(text: str, host: str) -> None:
    once = normalise(text, host)

    assert normalise(once, host) == once
    assert 0 < len(once) <= SIGNATURE_LENGTH


@given(
    st.lists(st.sampled_from([*"0123456789abcdef:./-_[]<> \n%T", "web-01", "tmp/", "/tmp/", "0x"]), max_size=400).map(
        "".join
    )
)
def test_a_signature_of_a_hostile_signature_is_itself(text: str) -> None:
    once = normalise(text, "web-01")

    assert normalise(once, "web-01") == once


@given(packages, st.data())
def test_another_process_time_host_version_and_address_give_the_same_signature(
    package: str, data: st.DataObject
) -> None:
    def signature() -> str:
        at, host, pid, version, ip = (data.draw(part) for part in (instants, names, numbers, versions, addresses))
        text = f"{at} {host}: process {pid}: cannot install {package} ({version}) from {ip}:80, see /tmp/x{pid}/log"
        return normalise(text, host)

    assert signature() == signature()


@given(packages, packages, numbers)
def test_different_packages_give_different_signatures(one: str, other: str, pid: int) -> None:
    def signature(package: str) -> str:
        return normalise(f"dpkg: error processing package {package} (--configure): process {pid}", "web-01")

    assert (signature(one) == signature(other)) == (one == other)


@pytest.mark.parametrize("fault", REAL_FAULTS, ids=lambda fault: fault["task"].replace(" ", "_"))
def test_a_message_recorded_on_a_real_host_has_a_stable_signature(fault: dict[str, str]) -> None:
    host = fault["host"]
    once = normalise(fault["text"], host)
    elsewhere = normalise(fault["text"].replace(host, "db-99"), "db-99")

    assert normalise(once, host) == once == elsewhere


def test_the_signature_of_a_failed_upgrade_names_the_package_that_failed() -> None:
    texts = {fault["task"]: fault["text"] for fault in REAL_FAULTS}

    assert "labbroken" in normalise(texts["broken upgrade"], "host3")
    assert "labbig" in normalise(texts["full upgrade"], "host6")


def test_a_traceback_is_known_by_its_last_line() -> None:
    text = "Traceback (most recent call last):\n  File \"x.py\", line 3, in f\nKeyError: 'answer'"

    assert normalise(text) == "keyerror: 'answer'"


def test_an_empty_message_has_a_signature_too() -> None:
    assert normalise("  \r\n ") == NOTHING


def test_the_own_name_of_a_host_is_taken_out_and_no_other() -> None:
    assert normalise("web-1 cannot reach web-10", "web-1") == "<host> cannot reach web-10"
    assert (
        normalise("web-1.example.com asks mirror.example.com", "web-1.example.com") == "<host> asks mirror.example.com"
    )


def test_a_fingerprint_changes_with_each_of_its_parts() -> None:
    parts = {
        "inventory": "production",
        "playbook": "playbooks/patch.yml",
        "role": "base",
        "task": "Upgrade",
        "module": "apt",
        "kind": "failed",
        "signature": "it broke",
        "scope": "web-01",
    }
    whole = fingerprint(**parts)

    assert len({whole, *(fingerprint(**{**parts, name: "other"}) for name in parts)}) == 1 + len(parts)
    assert fingerprint(**parts) == whole
    assert fingerprint(**{**parts, "module": "ansible.builtin.apt"}) == whole


def test_the_first_version_of_the_fingerprint_stays_as_it_is() -> None:
    """Stored tickets are found by it: who changes the rules gives them a new version."""
    found = fingerprint(
        inventory="production",
        playbook="p.yml",
        task="Upgrade",
        module="apt",
        kind="failed",
        signature="x",
        scope="web-01",
    )

    assert found == "88c3c0dc9313fd623b5da8c02ef2e9c9"
