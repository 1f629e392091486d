"""A change that needs somebody's word runs only with it, and only what they saw."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runner.adapters.seals import AgentSeals
from runner.domain.execution.outcome import NotRun
from runner.domain.execution.run import SlotState
from runner.domain.record.record import INSTALLATION
from runner.domain.report import Edition, Period, ReportDefinition
from runner.domain.tickets.ticket import TicketKind
from runner.domain.who import Actor
from runner.errors import Held, NotFound, UsageError, WellkeptError
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.approve_change import (
    ByHand,
    approve,
    offer_by_hand,
    offer_slot,
    revoke_by_hand,
    revoke_of_slot,
)
from runner.operations.execution.choose_slot import SlotNamed
from runner.operations.execution.follow_up import follow_up
from runner.operations.execution.list_runs import list_runs
from runner.operations.execution.show_run import show_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.explain_host import explain_host
from runner.operations.record.export_record import export_record
from runner.operations.record.write_report import write_report
from runner.operations.tickets.work_on_ticket import Deed, Work, work_on_ticket
from runner.ports import SnapshotTaken
from runner.store.execution import approvals, outcomes, runs
from runner.store.record import log as entries
from runner.store.schema import approvals as table
from runner.store.tickets import tickets
from runner.store.time import slots
from tests.operations.a_site import HOSTS, PLAYBOOK, SATURDAY_NIGHT, WINDOWS, Bench, a_bench
from tests.operations.approvals import (
    NORMAL,
    PEOPLE,
    a_key_holder,
    approved_by,
    approved_by_hand,
    as_,
    holds_now,
    plan_now,
)

BEFORE = SATURDAY_NIGHT - timedelta(hours=6)
OPENED = SATURDAY_NIGHT


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A normal change that ana answers for, six hours before its window opens."""
    return before(tmp_path, schedule=NORMAL, settings=PEOPLE)


def before(root: Path, **files: str) -> Bench:
    """A site six hours before its window opens."""
    made = a_bench(root, **files)
    made.time.now = BEFORE
    made.tick()
    return made


def the_slot(bench: Bench) -> slots.Slot:
    (slot,) = bench.site.store.read(lambda c: slots.between(c, BEFORE, OPENED + timedelta(hours=1)))
    return slot


def open_it(bench: Bench) -> None:
    bench.time.now = OPENED
    bench.tick()


def the_run(bench: Bench) -> runs.Run:
    run_id = the_slot(bench).run_id
    assert run_id, "no run was started"
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def logged(bench: Bench, action: str) -> list[dict[str, object]]:
    found = [
        json.loads(entry.body) for entry in bench.site.store.read(lambda c: list(entries.entries(c, INSTALLATION)))
    ]
    return [body for body in found if body["action"] == action]


def test_a_normal_change_that_nobody_approved_is_held_and_settles_so(bench: Bench) -> None:
    open_it(bench)
    assert the_slot(bench).state is SlotState.DUE
    for _ in range(60):
        bench.time.pass_by(timedelta(minutes=5))
        bench.tick()

    slot = the_slot(bench)

    assert (slot.outcome, slot.run_id) == ("held", None)
    assert slot.reason == "this normal change waits for approval by somebody other than ana"
    assert bench.ansible.orders == []


def test_once_somebody_else_approved_it_it_runs_by_that_approval(bench: Bench) -> None:
    approval = approved_by("bob", bench)

    open_it(bench)

    assert the_run(bench).approval_id == approval.id
    (entry,) = logged(bench, "approval.given")
    assert (entry["by"], entry["approval"], entry["hosts"]) == ("bob", approval.id, sorted(HOSTS))
    told = show_run(str(the_run(bench).number), store=bench.site.store).approval
    assert told is not None
    assert (told.by, told.signed, told.by_requester) == ("bob", False, False)
    (line,) = list_runs(store=bench.site.store, limit=5)
    assert line.approval is not None
    assert line.approval.words == "bob (not signed)"


def test_who_answers_for_a_schedule_does_not_approve_it(bench: Bench) -> None:
    with pytest.raises(UsageError, match="ana answers for 'patch', and it needs approval by somebody other than ana"):
        approved_by("ana", bench)

    assert holds_now(bench) == ["this normal change waits for approval by somebody other than ana"]


def test_a_team_is_no_person_so_that_a_member_of_it_may_approve(tmp_path: Path) -> None:
    bench = before(tmp_path, schedule=NORMAL.replace("owner: ana\n", ""), settings=PEOPLE)

    approved_by("ana", bench)

    assert holds_now(bench) == []


def test_self_lets_the_owner_approve_and_it_is_told(tmp_path: Path) -> None:
    bench = before(tmp_path, schedule=NORMAL, settings=f"{PEOPLE}boundaries: {{approval: {{normal: self}}}}\n")

    approval = approved_by("ana", bench)

    assert holds_now(bench) == []
    assert approval.by_requester


@pytest.mark.parametrize(
    ("settings", "schedule"),
    [
        (PEOPLE, NORMAL.replace("normal", "standard")),
        (PEOPLE, NORMAL.replace("normal", "emergency")),
        (f"{PEOPLE}boundaries: {{approval: {{normal: none}}}}\n", NORMAL),
        (PEOPLE, f"{NORMAL}effect: read_only\n"),
    ],
)
def test_what_needs_no_approval_is_not_held_and_there_is_nothing_to_approve(
    tmp_path: Path, settings: str, schedule: str
) -> None:
    bench = before(tmp_path, schedule=schedule, settings=settings)

    assert holds_now(bench) == []
    with pytest.raises(UsageError, match="There is nothing to approve for 'patch'"):
        approved_by("bob", bench)


def test_boundaries_may_ask_for_the_approval_of_any_change(tmp_path: Path) -> None:
    boundaries = "boundaries: {approval: {standard: other}}\n"
    bench = before(tmp_path, schedule=NORMAL.replace("normal", "standard"), settings=PEOPLE + boundaries)

    assert holds_now(bench) == ["this standard change waits for approval by somebody other than ana"]


def test_once_teams_say_may_only_their_members_approve(tmp_path: Path) -> None:
    settings = PEOPLE.replace("teams: {", "teams: {change: {members: [ana, cem], may: [approve]}, ")
    bench = before(tmp_path, schedule=NORMAL, settings=settings)

    with pytest.raises(UsageError, match=r"bob may not approve changes\. Who may, .*: ana, cem \(change\)\."):
        approved_by("bob", bench)
    assert holds_now(bench) == ["this normal change waits for approval by cem"]
    approved_by("cem", bench)

    assert holds_now(bench) == []


def test_an_approval_ends_when_its_giver_may_no_longer_approve(bench: Bench, tmp_path: Path) -> None:
    approved_by("bob", bench)

    settings = PEOPLE.replace("teams: {", "teams: {change: {members: [cem], may: [approve]}, ")
    (tmp_path / "wellkept.yml").write_text(settings)

    assert "bob may not approve, by the teams in wellkept.yml" in holds_now(bench)[0]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("playbooks/patch.yml", PLAYBOOK.replace("dist", "full"), "playbooks/patch.yml was edited"),
        ("roles/base/tasks/main.yml", "[]\n", "roles/base/tasks/main.yml was added"),
        ("schedules/patch.yml", f"{NORMAL}concurrency: 3\n", "concurrency has another value"),
        ("schedules/windows.yml", WINDOWS.replace("04:00", "05:00"), "window.until has another value"),
    ],
)  # fmt: skip
def test_an_edit_after_the_approval_holds_the_change_and_says_what_was_edited(
    bench: Bench, tmp_path: Path, file: str, text: str, told: str
) -> None:
    approved_by("bob", bench)

    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    open_it(bench)

    assert the_slot(bench).run_id is None
    (reason,) = holds_now(bench)
    assert "bob's approval does not count: changed since: " in reason
    assert told in reason


def test_an_approval_is_for_one_date_only(bench: Bench) -> None:
    approved_by("bob", bench)
    open_it(bench)

    bench.time.pass_by(timedelta(days=7))
    bench.tick()

    assert holds_now(bench) == ["this normal change waits for approval by somebody other than ana"]


def test_a_host_that_came_since_is_left_out_and_named(bench: Bench) -> None:
    approved_by("bob", bench)

    bench.inventory.hosts = (*HOSTS, "web-04")
    plan = plan_now(bench)
    open_it(bench)

    assert plan.approval.left_out == ("web-04",)
    assert the_run(bench).plan.hosts == HOSTS
    assert "web-04" not in {host for call in bench.ansible.played() for host in call}


def test_an_approved_host_that_is_gone_is_told_as_vanished(bench: Bench) -> None:
    approved_by("bob", bench)

    bench.inventory.hosts = tuple(host for host in HOSTS if host != "web-02")
    open_it(bench)
    bench.play_out(the_run(bench).id)

    ended = bench.site.store.read(lambda c: outcomes.of_run(c, the_run(bench).id))
    assert {row.host: row.result.reason for row in ended if row.result.reason} == {"web-02": NotRun.VANISHED}
    assert {row.host for row in ended} == set(HOSTS)


def test_one_call_for_all_hosts_can_leave_none_out(tmp_path: Path) -> None:
    bench = before(tmp_path, schedule=f"{NORMAL}split: whole\n", settings=PEOPLE)
    approved_by("bob", bench)

    bench.inventory.hosts = (*HOSTS, "web-04")

    assert "web-04 came since, and split: whole can leave no host out" in holds_now(bench)[0]


def test_an_approval_can_be_taken_back_until_the_run_begins(bench: Bench) -> None:
    approved_by("bob", bench)

    (ended,) = revoke_of_slot(SlotNamed("patch"), site=as_(bench, "cem").site)

    assert ended.by == Actor("bob")
    assert holds_now(bench) == [
        "this normal change waits for approval by somebody other than ana. bob's approval does not count: cem took it back"
    ]
    assert [body["by"] for body in logged(bench, "approval.revoked")] == ["cem"]
    with pytest.raises(NotFound, match="There is no approval to take back"):
        revoke_of_slot(SlotNamed("patch"), site=as_(bench, "cem").site)
    approved_by("bob", bench)
    open_it(bench)
    with pytest.raises(UsageError, match="any more: it ended as succeeded"):
        revoke_of_slot(SlotNamed(the_slot(bench).id), site=as_(bench, "cem").site)


def test_an_approval_that_is_taken_back_while_the_run_is_being_started_starts_nothing(bench: Bench) -> None:
    approved_by("bob", bench)
    bench.time.now = OPENED
    bench.but(
        snapshots=Meanwhile(bench, lambda: revoke_of_slot(SlotNamed("patch"), site=as_(bench, "bob").site))
    ).tick()

    assert the_slot(bench).run_id is None
    assert bench.ansible.orders == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("normal", f"{NORMAL}concurrency: 3\n"), ("standard", NORMAL)],
    ids=["what was approved is edited", "a standard change becomes a normal one"],
)
def test_an_edit_while_the_run_is_being_started_starts_nothing(tmp_path: Path, was: str, becomes: str) -> None:
    bench = before(tmp_path, schedule=NORMAL.replace("normal", was), settings=PEOPLE)
    if was == "normal":
        approved_by("bob", bench)

    bench.time.now = OPENED
    bench.but(snapshots=Meanwhile(bench, lambda: (tmp_path / "schedules" / "patch.yml").write_text(becomes))).tick()

    assert the_slot(bench).run_id is None
    assert bench.ansible.orders == []


@dataclass
class Meanwhile:
    """Snapshots, before which something happens."""

    bench: Bench
    happens: Callable[[], object]

    def take(self, root: Path) -> SnapshotTaken:
        self.happens()
        return self.bench.site.snapshots.take(root)

    def names(self, root: Path) -> Collection[str]:
        return self.bench.site.snapshots.names(root)


def test_a_slot_by_its_id_and_by_its_date_are_approved_alike(bench: Bench) -> None:
    site = as_(bench, "bob").site

    offer = offer_slot(SlotNamed(the_slot(bench).id), site=site)

    assert offer.slot == the_slot(bench)
    assert "saturday-night, Sat 2026-03-21 22:00 UTC until Sun 2026-03-22 04:00 UTC" in offer.window


# by hand


def test_a_run_by_hand_is_approved_by_its_digest_for_seven_days(bench: Bench) -> None:
    bench.time.now = OPENED
    with pytest.raises(
        Held, match=r"(?s)waits for approval.*To approve this run by hand: wellkept runs approve patch --digest \w{12}"
    ):
        start_by_hand("patch", Wish(), site=bench.site)
    approval = approved_by_hand("bob", bench)

    run = start_by_hand("patch", Wish(), site=bench.site)

    assert bench.site.store.read(lambda c: runs.get(c, run)).approval_id == approval.id
    assert json.loads(approval.message)["requester"] is None, "nobody knows yet who will start it"
    bench.time.now = OPENED + timedelta(days=7)
    assert f"it expired at {OPENED + timedelta(days=7):%Y-%m-%d %H:%M} UTC" in holds_now(bench, by_hand=True)[0]


def test_who_starts_a_run_by_hand_is_not_who_approved_it(bench: Bench) -> None:
    bench.time.now = OPENED
    approved_by_hand("bob", bench)

    with pytest.raises(Held, match="bob may not start what bob approved: somebody else starts it, or approves it"):
        start_by_hand("patch", Wish(), site=as_(bench, "bob").site)


def test_only_the_approved_hosts_may_be_run_by_hand(bench: Bench) -> None:
    bench.time.now = OPENED
    approved_by_hand("bob", bench, limit="web-01")

    plan = plan_now(bench, by_hand=True)

    assert plan.run.hosts == ("web-01",)
    assert plan.approval.left_out == HOSTS[1:]


def test_an_approval_by_digest_starts_no_slot(bench: Bench) -> None:
    bench.time.now = OPENED
    approved_by_hand("bob", bench)

    bench.tick()

    assert the_slot(bench).run_id is None


def test_a_digest_that_no_plan_has_is_refused_and_one_of_the_next_opening_is_found(bench: Bench) -> None:
    site = as_(bench, "bob").site
    with pytest.raises(UsageError, match="has no plan with the digest 0123456789ab"):
        offer_by_hand(ByHand("patch", "0123456789ab"), site=site)
    bench.time.now = OPENED
    digest = plan_now(bench, by_hand=True).digest
    bench.time.now = BEFORE

    approve(offer_by_hand(ByHand("patch", digest[:12]), site=site), site=site)

    bench.time.now = OPENED
    assert holds_now(bench, by_hand=True) == []
    revoke_by_hand(ByHand("patch", digest[:12]), site=site)
    assert "bob took it back" in holds_now(bench, by_hand=True)[0]


def test_check_mode_needs_no_approval(bench: Bench) -> None:
    assert start_by_hand("patch", Wish(check_mode=True), site=bench.site)


def test_only_those_who_may_override_a_guard(tmp_path: Path) -> None:
    settings = PEOPLE.replace("teams: {", "teams: {on-call: {members: [cem], may: [override]}, ")
    bench = before(tmp_path, schedule=NORMAL.replace("normal", "standard"), settings=settings)
    wish = Wish(override="hole in openssl", until=BEFORE + timedelta(hours=2))

    with pytest.raises(UsageError, match=r"ana may not override a guard\. Who may, .*: cem \(on-call\)\."):
        start_by_hand("patch", wish, site=bench.site)

    assert start_by_hand("patch", wish, site=as_(bench, "cem").site)


# signatures


def with_key(settings: str, key: str) -> str:
    return settings.replace("bob: {}", f'bob: {{keys: ["{key}"]}}')


def test_who_has_a_key_signs_with_it_and_stock_openssh_verifies_it(tmp_path: Path) -> None:
    with a_key_holder(tmp_path / "bob") as bob:
        bench = before(tmp_path / "site", schedule=NORMAL, settings=with_key(PEOPLE, bob.public_key))

        approval = approved_by("bob", bench, seals=bob.seals)

    assert holds_now(bench) == [], "an agent is needed to sign only"
    (entry,) = logged(bench, "approval.given")
    signers, signature = tmp_path / "signers", tmp_path / "signature"
    signers.write_text(f"bob {bob.public_key}\n")
    signature.write_text(str(entry["signature"]))
    verify = ["ssh-keygen", "-Y", "verify", "-n", "wellkept-approval", "-I", "bob", "-f", signers, "-s", signature]
    done = subprocess.run(verify, input=str(entry["message"]).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(str(entry["message"]))
    assert (said["approver"], said["digest"], said["hosts"]) == ("bob", approval.digest, sorted(HOSTS))
    assert (said["rule_date"], said["ordinal"], said["schedule"]) == ("2026-03-21", 1, "patch")


@pytest.mark.parametrize("agent", ["none", "without the key"])
def test_who_has_a_key_that_no_agent_holds_approves_nothing(tmp_path: Path, agent: str) -> None:
    with a_key_holder(tmp_path / "bob") as bob, a_key_holder(tmp_path / "other", name="other") as other:
        bench = before(tmp_path / "site", schedule=NORMAL, settings=with_key(PEOPLE, bob.public_key))
        nobody = AgentSeals({name: text for name, text in os.environ.items() if name != "SSH_AUTH_SOCK"})
        said = "there is no ssh-agent to ask" if agent == "none" else "ssh-agent holds none of these keys"

        with pytest.raises(UsageError, match=rf"{said}\. Add the key with `ssh-add FILE`"):
            approved_by("bob", bench, seals=nobody if agent == "none" else other.seals)

    assert holds_now(bench) == ["this normal change waits for approval by somebody other than ana"]


def test_an_approval_that_is_not_signed_does_not_count_once_there_is_a_key(bench: Bench, tmp_path: Path) -> None:
    approved_by("bob", bench)

    with a_key_holder(tmp_path / "bob") as bob:
        (tmp_path / "wellkept.yml").write_text(with_key(PEOPLE, bob.public_key))

    assert "it is not signed, though wellkept.yml has a key of bob" in holds_now(bench)[0]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hosts", (*HOSTS, "web-04")),
        ("by", Actor("cem")),
        ("digest", "f" * 64),
        ("message", "{}"),
        ("signature", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"),
        ("signature", None),
    ],
)
def test_a_signed_approval_that_was_tampered_with_does_not_count(tmp_path: Path, column: str, value: object) -> None:
    with a_key_holder(tmp_path / "bob") as bob:
        bench = before(tmp_path / "site", schedule=NORMAL, settings=with_key(PEOPLE, bob.public_key))
        approved_by("bob", bench, seals=bob.seals)
    assert holds_now(bench) == []

    bench.site.store.write(lambda c: c.execute(table.update().values({column: value})))

    assert "'s approval does not count: " in holds_now(bench)[0]


def test_a_signature_for_one_slot_is_none_for_another(bench: Bench) -> None:
    """Whoever can write the database may move a row, but not what it says."""
    approved_by("bob", bench)
    following = bench.site.store.read(lambda c: slots.between(c, OPENED, OPENED + timedelta(days=10)))[-1]

    bench.site.store.write(lambda c: c.execute(table.update().values(slot_id=following.id)))

    bench.time.now = following.opens_at
    assert "changed since: it was for 2026-03-21, this is for 2026-03-28" in holds_now(bench)[0]


def test_every_refusal_has_a_way_out_and_leaves_no_row(bench: Bench) -> None:
    with pytest.raises(WellkeptError):
        approved_by("ana", bench)

    found = bench.site.store.read(lambda c: approvals.of_slot(c, the_slot(bench).id))

    assert found == []


def test_an_exported_run_brings_what_its_approver_signed_and_stock_openssh_verifies_it(tmp_path: Path) -> None:
    with a_key_holder(tmp_path / "bob") as bob:
        bench = before(tmp_path / "site", schedule=NORMAL, settings=with_key(PEOPLE, bob.public_key))
        approval = approved_by("bob", bench, seals=bob.seals)
    open_it(bench)

    copy = export_record(bench.site.store, tmp_path / "copy", run="1").folder

    message, signature = copy / "approvals" / f"{approval.id}.json", copy / "approvals" / f"{approval.id}.json.sig"
    verify = ["ssh-keygen", "-Y", "verify", "-n", "wellkept-approval", "-I", "bob", "-f", copy / "allowed_approvers"]
    done = subprocess.run([*verify, "-s", signature], input=message.read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"  approvals/{message.name}\n" in (copy / "SHA256SUMS").read_text()
    assert json.loads(message.read_bytes())["digest"] in (copy / "entries" / "run-000001.jsonl").read_text()


def report_on(bench: Bench, folder: Path) -> dict[str, Any]:
    """The auditor's report of that week."""
    period = Period(BEFORE - timedelta(days=1), BEFORE + timedelta(days=6), "a week")
    (path,) = write_report(
        bench.site.store,
        ReportDefinition("audit", Edition.AUDITOR, "last_week", formats=("json",)),
        period=period,
        folder=folder,
        organisation="Example Ltd",
        timezone=ZoneInfo("UTC"),
        generated_at=period.ends,
        actor=Actor("ana"),
        versions={},
    )
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def test_the_auditor_reads_who_approved_which_run_and_how_often_it_was_their_own_wish(tmp_path: Path) -> None:
    bench = before(tmp_path / "site", schedule=NORMAL, settings=f"{PEOPLE}boundaries: {{approval: {{normal: self}}}}\n")
    approved_by("ana", bench)
    open_it(bench)

    report = report_on(bench, tmp_path / "reports")

    assert report["summary"]["approvals"] == {"runs": [1], "signed": [], "by_requester": [1]}
    (approval,) = report["changes"][0]["approvals"]
    assert (approval["by"], approval["signed"], approval["by_requester"], approval["taken_back"]) == (
        "ana",
        False,
        True,
        None,
    )
    assert "Run 1 was approved by the person who had asked for it." in [
        each["text"] for each in report["summary"]["findings"]
    ]


def test_the_auditor_reads_which_emergency_change_nobody_has_reviewed_and_who_reviewed_one(tmp_path: Path) -> None:
    bench = before(tmp_path / "site", schedule=NORMAL.replace("normal", "emergency"), settings=PEOPLE)
    open_it(bench)
    follow_up(site=bench.site)
    (ticket,) = [each for each in bench.site.store.read(tickets.live) if each.kind is TicketKind.REVIEW]
    not_yet = report_on(bench, tmp_path / "first")
    said = Work(Deed.RESOLVE, text="It could not wait.")
    work_on_ticket(str(ticket.number), said, by=Actor("cem"), store=bench.site.store, clock=bench.time)

    done = report_on(bench, tmp_path / "second")

    assert "Run 1 was an emergency change that nobody has reviewed yet." in [
        each["text"] for each in not_yet["summary"]["findings"]
    ]
    assert not_yet["changes"][0]["review"]["done"] is False
    review = done["changes"][0]["review"]
    assert (review["done"], review["by"]) == (True, "cem")


def why(bench: Bench, host: str) -> list[tuple[str, str | None, str]]:
    among = Inventories(bench.site.current().settings, bench.inventory)
    found = explain_host(host, inventory=None, since=BEFORE, among=among, site=bench.site)
    return [(each.outcome, each.guard, each.cause) for each in found.chances]


def test_why_tells_what_waits_what_was_held_and_what_was_left_out(bench: Bench) -> None:
    waits = "this normal change waits for approval by somebody other than ana"
    ahead = why(bench, "web-01")[0]
    approved_by("bob", bench)
    approved = why(bench, "web-01")[0]
    bench.inventory.hosts = (*HOSTS, "web-04")
    open_it(bench)

    assert ahead == ("planned", "approval", f"it has not opened yet, and {waits}")
    assert approved == ("planned", None, "it has not opened yet")
    assert why(bench, "web-04")[0] == (
        "not meant",
        "approval",
        "left out: not among the hosts that bob approved; it came since",
    )
    for span in (timedelta(days=7, hours=4, minutes=44), timedelta(minutes=2)):
        bench.time.pass_by(span)
        bench.tick()
    assert why(bench, "web-01")[1] == ("held", "approval", waits)


def test_who_became_the_owner_since_no_longer_counts_as_somebody_else(bench: Bench, tmp_path: Path) -> None:
    """The edit changes the content, too; what is told first is that the word was their own."""
    approved_by("bob", bench)

    (tmp_path / "schedules" / "patch.yml").write_text(NORMAL.replace("owner: ana", "owner: bob"))

    assert "bob answers for it, and somebody else has to approve it" in holds_now(bench)[0]
