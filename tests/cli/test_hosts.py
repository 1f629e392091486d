from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.operations.describe_hosts import HostLine, HostShown
from runner.store.execution import debts, inventories
from runner.store.record import log
from tests.adapters.real_sshd import Sshd, make_key
from tests.cli import rows
from tests.cli.conftest import Repository


def names(value: type) -> set[str]:
    return {field.name for field in dataclasses.fields(value)}


@pytest.fixture
def lived_in(wellkept: Repository) -> Repository:
    rows.a_settled_run(wellkept.store)
    rows.an_ill_host(wellkept.store)
    return wellkept


def test_hosts_are_listed_with_what_became_of_them(lived_in: Repository) -> None:
    listed = {line["host"]: line for line in lived_in("hosts", "list", "--format", "json").json()["hosts"]}

    assert list(listed) == ["web1", "web2", "db1", "old1"]
    assert set(listed["web1"]) == names(HostLine)
    assert listed["web1"]["health"] == "critical"
    assert listed["web2"]["outcome"] == "failed"
    assert listed["web2"]["debts"] == 1
    assert listed["web2"]["tickets"] == 1
    assert listed["db1"]["outcome"] == "not_run (budget)"
    assert listed["old1"]["present"] is False


def test_a_pattern_is_one_of_ansible(lived_in: Repository) -> None:
    listed = lived_in("hosts", "list", "web:!web2").out

    assert "web1" in listed
    assert "web2" not in listed
    assert "old1" not in listed


def test_a_pattern_that_matches_nobody_is_an_error_in_words(wellkept: Repository) -> None:
    answered = wellkept("hosts", "list", "mail")

    assert answered.code == 2
    assert "No host of any inventory matches 'mail'." in answered.err


def test_a_host_that_was_lost_is_marked_loudly(lived_in: Repository) -> None:
    assert "MISSING" in lived_in("hosts", "list").out


def test_an_inventory_that_cannot_be_read_is_never_an_empty_one(wellkept: Repository) -> None:
    wellkept.write("hosts.ini", "[web\n")

    listed = wellkept("hosts", "list")
    shown = wellkept("hosts", "show", "web1")

    assert listed.code == 4
    assert "inventory production" in listed.err
    assert shown.code == 4
    assert "inventory production" in shown.err


def test_a_host_is_shown_with_everything_that_is_known(lived_in: Repository) -> None:
    shown = lived_in("hosts", "show", "web1").out

    assert "debian 12, kernel 6.1.0" in shown
    assert "REBOOT needed" in shown
    assert "nginx 1.22 -> 1.24" in shown
    assert "disk is 95%; it fails above 92" in shown


def test_what_a_host_owes_and_its_tickets_are_shown(lived_in: Repository) -> None:
    shown = lived_in("hosts", "show", "web2").out

    assert "It owes patch a run" in shown
    assert "web2: an update stopped half-way" in shown


def test_a_host_as_json_has_the_documented_keys(lived_in: Repository) -> None:
    shown = lived_in("hosts", "show", "web1", "--format", "json").json()["host"]

    assert set(shown) == names(HostShown)
    assert shown["look"]["packages"] == 1


def test_a_host_without_a_past_says_so(wellkept: Repository) -> None:
    answered = wellkept("hosts", "show", "db1")

    assert answered.code == 0
    assert "No run has looked at it yet." in answered.out
    assert "`wellkept health db1` asks." in answered.out


def test_a_stranger_is_an_error_in_words(wellkept: Repository) -> None:
    answered = wellkept("hosts", "show", "web9")

    assert answered.code == 2
    assert "No inventory has a host 'web9'" in answered.err


def test_a_host_of_several_inventories_must_be_named_with_one(wellkept: Repository) -> None:
    settings = (wellkept.root / "wellkept.yml").read_text()
    wellkept.write(
        "wellkept.yml", settings.replace("{source: hosts.ini}", "{source: hosts.ini}\n  lab: {source: hosts.ini}")
    )

    unclear = wellkept("hosts", "show", "web1")
    clear = wellkept("hosts", "show", "web1", "--inventory", "lab")

    assert unclear.code == 2
    assert "--inventory production or lab" in unclear.err
    assert "web1 in inventory lab" in clear.out


def test_a_lost_host_is_retired_with_a_reason_and_its_debts_are_waived(lived_in: Repository) -> None:
    store = lived_in.store
    store.write(lambda c: debts.owe(c, "production", "patch", ["old1"], run="r", at=rows.ago()))

    answered = lived_in("hosts", "retire", "old1", "--reason", "replaced by web2")

    assert answered.code == 0
    assert "1 debt waived" in answered.out
    assert store.read(lambda c: inventories.retired(c, "production")) == {"old1"}
    assert "old1" not in {debt.host for debt in store.read(debts.every)}
    entry = store.read(lambda c: list(log.entries(c, "installation")))[-1].content
    assert (entry["action"], entry["host"], entry["reason"]) == ("host.retired", "old1", "replaced by web2")
    assert "(retired)" in lived_in("hosts", "list").out


def test_a_host_that_is_still_there_cannot_be_retired(lived_in: Repository) -> None:
    answered = lived_in("hosts", "retire", "web1", "--reason", "tidying up")

    assert answered.code == 2
    assert "still in inventory 'production'" in answered.err


def test_retiring_needs_a_reason(lived_in: Repository) -> None:
    assert lived_in("hosts", "retire", "old1").code == 2
    assert lived_in("hosts", "retire", "old1", "--reason", " ").code == 2


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A host over SSH, after its reinstallation: known_hosts names another key."""
    started = Sshd(tmp_path / "sshd")
    started.trust(make_key(tmp_path / "old_key"))
    yield started
    started.stop()


@pytest.fixture
def reinstalled(wellkept: Repository, sshd: Sshd) -> Repository:
    """A repository whose inventory has that host."""
    variables = " ".join(f"{name}='{value}'" for name, value in sshd.variables().items())
    wellkept.write("hosts.ini", f"web1 {variables}\n")
    return wellkept


def shown_by(sshd: Sshd) -> str:
    printed = subprocess.run(["ssh-keygen", "-lf", f"{sshd.host_key}.pub"], check=True, capture_output=True, text=True)
    return printed.stdout.split()[1]


def told(repository: Repository) -> list[dict[str, object]]:
    return [entry.content for entry in repository.store.read(lambda c: list(log.entries(c, "installation")))]


def test_a_changed_key_is_shown_and_trusted_only_by_its_fingerprint(reinstalled: Repository, sshd: Sshd) -> None:
    key = shown_by(sshd)

    asked = reinstalled("hosts", "trust", "web1")
    trusted = reinstalled("hosts", "trust", "web1", "--fingerprint", key)
    again = reinstalled("hosts", "trust", "web1")

    assert asked.code == 2
    assert f"shows  ssh-ed25519          {key}" in asked.out
    assert "--fingerprint" in asked.err
    assert trusted.code == 0
    assert "Recorded as" in trusted.out
    assert "It is trusted already" in again.out
    (entry,) = told(reinstalled)
    assert (entry["action"], entry["host"], entry["shown"]) == (
        "host.trusted", "web1", {"kind": "ssh-ed25519", "fingerprint": key, "marker": ""},
    )  # fmt: skip


def test_a_key_that_is_not_the_expected_one_is_never_trusted(reinstalled: Repository, sshd: Sshd) -> None:
    before = (sshd.folder / "known_hosts").read_text()

    refused = reinstalled("hosts", "trust", "web1", "--fingerprint", "SHA256:something-else")

    assert refused.code == 1
    assert "nothing was changed" in refused.err
    assert (sshd.folder / "known_hosts").read_text() == before
    assert told(reinstalled) == []


def test_doctor_says_what_to_do_about_a_changed_key(reinstalled: Repository) -> None:
    answered = reinstalled("doctor", "web1")

    assert answered.code == 1
    assert "wellkept hosts trust" in answered.out
