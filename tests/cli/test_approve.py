from __future__ import annotations

import io
import json

import pytest

from tests.cli.conftest import PLAYBOOK, SCHEDULE, SETTINGS, Repository

NORMAL = SCHEDULE + "change: {type: normal}\n"


@pytest.fixture
def normal(wellkept: Repository) -> Repository:
    """A schedule whose every run somebody has to approve; its owner is a team."""
    wellkept.write("schedules/patch.yml", NORMAL)
    return wellkept


def test_the_next_slot_is_shown_and_approved_and_the_plan_tells_it(normal: Repository) -> None:
    before = normal("plan", "patch")

    said = normal("runs", "approve", "patch", "--yes")

    assert "Approval: this normal change waits for approval by somebody other than ops" in before.out
    assert "wellkept runs approve patch --at 20" in before.out
    assert said.code == 0
    assert "Updates of all servers (patch, normal change)" in said.out
    assert "3 hosts of production: web1, web2, db1" in said.out
    assert "not signed, as wellkept.yml has no key of yours" in said.out
    assert "To take it back before it begins: wellkept runs approve 0" in said.out
    after = normal("plan", "patch")
    assert "Europe/Berlin" in after.out.split("Approval: ")[1].splitlines()[0]
    assert "is approved by " in after.out


def test_where_nobody_can_be_asked_yes_is_needed(normal: Repository) -> None:
    said = normal("runs", "approve", "patch")

    assert said.code == 2
    assert "Nobody can be asked here, so nothing was approved. Add --yes" in said.err
    assert normal("plan", "patch", "--format", "json").json()["plans"][0]["approval"]["by"] is None


def test_it_is_taken_back_by_the_slot_that_it_named(normal: Repository) -> None:
    normal("runs", "approve", "patch", "--yes")

    said = normal("runs", "approve", "patch", "--revoke")
    again = normal("runs", "approve", "patch", "--revoke")

    assert said.code == 0
    assert "The approval of patch by " in said.out
    assert again.code == 2
    assert "There is no approval to take back" in again.err
    assert "took it back" in normal("plan", "patch").out


def test_json_has_the_approval_alone_on_the_standard_output(normal: Repository) -> None:
    said = normal("runs", "approve", "patch", "--yes", "--format", "json")

    given = said.json()["approval"]
    assert (given["schedule"], given["signed"], given["hosts"]) == ("patch", False, ["db1", "web1", "web2"])
    assert json.loads(given["message"])["digest"] == given["digest"]
    assert "Updates of all servers" in said.err
    ended = normal("runs", "approve", given["slot"], "--revoke", "--format", "json").json()["revoked"]
    assert [each["id"] for each in ended] == [given["id"]]


def test_whoever_may_not_is_told_who_may(normal: Repository) -> None:
    normal.write("wellkept.yml", SETTINGS.replace("members: [ana]", "members: [ana], may: [approve]"))

    said = normal("runs", "approve", "patch", "--yes")

    assert said.code == 2
    assert "may not approve changes. Who may, by teams: in wellkept.yml: ana (ops)." in said.err


def test_what_needs_no_approval_says_so(wellkept: Repository) -> None:
    said = wellkept("runs", "approve", "patch", "--yes")

    assert said.code == 2
    assert "a standard change needs no approval here" in said.err
    assert "Approval" not in wellkept("plan", "patch").out


def test_a_run_by_hand_is_approved_by_its_digest(normal: Repository) -> None:
    normal.write("schedules/patch.yml", NORMAL.replace("saturday-night", "always"))
    digest = normal("plan", "patch", "--format", "json").json()["plans"][0]["digest"]

    without = normal("runs", "approve", "patch", "--yes")
    said = normal("runs", "approve", "patch", "--digest", digest[:12], "--limit", "web1", "--yes")

    assert without.code == 2
    assert "has no window, so it has no slots: approve a run by hand, --digest D" in without.err
    assert said.code == 0
    assert "1 host of production: web1" in said.out
    assert "It holds until " in said.out
    assert f"wellkept runs approve patch --digest {digest[:12]} --revoke" in said.out


def test_limit_goes_with_a_digest_only(normal: Repository) -> None:
    said = normal("runs", "approve", "patch", "--limit", "web1", "--yes")

    assert said.code == 2
    assert "--limit goes with --digest" in said.err


def test_status_and_why_tell_what_waits_and_an_edit_makes_it_wait_again(normal: Repository) -> None:
    normal("runs", "approve", "patch", "--revoke")
    waiting = normal("status")
    why = normal("why", "web1")
    normal("runs", "approve", "patch", "--yes")
    approved = normal("status").out
    normal.write("playbooks/patch.yml", PLAYBOOK.replace("dist", "full"))

    edited = normal("status", "--format", "json").json()["status"]["waiting"]

    assert "Waiting for approval" in waiting.out
    assert "waits for approval by somebody other than ops" in waiting.out
    assert "it has not opened yet, and this normal change waits for approval" in " ".join(why.out.split())
    assert "Waiting for approval" not in approved
    assert [slot["schedule"] for slot in edited] == ["patch"]
    assert "playbooks/patch.yml was edited" in edited[0]["why"]


@pytest.mark.parametrize(("answer", "code", "approved"), [("y\n", 0, True), ("n\n", 1, False), ("", 130, False)])
def test_on_a_terminal_a_person_is_asked(
    normal: Repository, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, approved: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    said = normal("runs", "approve", "patch")

    assert "Approve this as " in said.out
    assert said.code == code
    assert ("is approved by" in normal("plan", "patch").out) is approved


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        return True
