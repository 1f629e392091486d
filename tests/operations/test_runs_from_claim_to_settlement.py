"""A run from its claim to its settlement, on real files and a real database, with a scripted Ansible behind the port."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import PieceState, RunState, Verdict
from runner.domain.record.record import run_stream
from runner.domain.tickets.ticket import TicketKind
from runner.errors import Held, NotFound, UsageError
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder, Snapshots, SnapshotTaken
from runner.store.execution import debts, outcomes, overrides, pieces, runs
from runner.store.record import log
from runner.store.tickets import tickets
from tests.operations.a_site import HOSTS, LOOK, PLAYBOOK, SCHEDULE, Bench, a_bench, all_well
from tests.operations.conftest import Lay


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = a_bench(tmp_path)
    yield made
    made.site.store.close()


def run_of(bench: Bench, run_id: str) -> runs.Run:
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def results_of(bench: Bench, run_id: str) -> dict[str, Result]:
    return {row.host: row.result.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}


def test_a_run_goes_from_the_canary_to_the_rest_and_ends_well(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.drive(run_id)

    run = run_of(bench, run_id)
    assert (run.state, run.verdict) == (RunState.SETTLED, Verdict.SUCCEEDED)
    assert bench.ansible.played() == [("web-01",), ("web-02", "web-03", "db-01", "db-02")]
    assert results_of(bench, run_id) == dict.fromkeys(sorted(HOSTS), Result.CHANGED)
    assert run.started_at is not None
    assert bench.ansible.finished == [run_id]


def test_a_run_executes_from_its_snapshot_and_an_edit_on_the_way_changes_nothing(bench: Bench) -> None:
    playbook = bench.site.root / "playbooks" / "patch.yml"
    schedule = bench.site.root / "schedules" / "patch.yml"
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    playbook.write_text("- {hosts: nobody}\n")
    schedule.write_text(SCHEDULE + "tags: [other]\n")

    bench.play_out(run_id)

    applied = [order for order in bench.ansible.orders if order.playbook.name == "patch.yml"]
    assert run_of(bench, run_id).verdict is Verdict.SUCCEEDED
    assert all("Upgrade" in order.playbook.read_text() for order in applied)
    assert all(order.tags == () for order in applied)


def test_a_failed_canary_leaves_everybody_else_untouched_and_owing(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    rows = {row.host: row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    owed = bench.site.store.read(lambda c: debts.of_schedule(c, "production", "patch"))
    assert run_of(bench, run_id).verdict is Verdict.HALTED
    assert bench.ansible.played() == [("web-01",)]
    assert rows["web-01"].cause == "package_broken"
    assert rows["db-02"].reason is NotRun.BUDGET
    assert {debt.host for debt in owed} == set(HOSTS)


def test_a_failed_host_gets_a_ticket_and_a_later_success_closes_it(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"
    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))
    opened = bench.site.store.read(tickets.live)
    bench.ansible.script = all_well
    bench.time.pass_by(timedelta(minutes=20))

    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))

    assert [ticket.hosts for ticket in opened if "web-01" in ticket.hosts]
    assert bench.site.store.read(tickets.live) == []


def test_carried_hosts_come_right_after_the_canary_of_the_next_run(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)
    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))
    bench.ansible.script = all_well
    bench.ansible.orders.clear()

    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))

    assert bench.ansible.played() == [("web-01",), ("db-02", "web-02", "web-03", "db-01")]
    assert bench.site.store.read(lambda c: debts.of_schedule(c, "production", "patch")) == []


def test_a_playbook_that_cannot_run_is_a_configuration_error_and_never_green(bench: Bench) -> None:
    bench.ansible.problem = "ERROR! the role 'nginx' was not found"
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    run = run_of(bench, run_id)
    assert run.verdict is Verdict.MISCONFIGURED
    assert "the role 'nginx' was not found" in run.reason
    rows = {row.host: row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    assert {(row.result, row.reason) for row in rows.values()} == {(Result.NOT_RUN, NotRun.CONFIGURATION)}


def test_a_check_afterwards_that_cannot_run_stops_the_run_and_fails_whom_it_should_have_checked(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "after: [playbooks/ready.yml]\n", ready=PLAYBOOK)
    bench.ansible.problem = "ERROR! the role 'smoke' was not found"
    bench.ansible.cannot_run = lambda order: order.playbook.name == "ready.yml"
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    run = run_of(bench, run_id)
    rows = {row.host: row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    (ticket,) = bench.site.store.read(tickets.live)
    assert bench.ansible.played() == [("web-01",)]
    assert (rows["web-01"].result, rows["web-01"].cause) == (Result.FAILED, "check_not_run")
    assert rows["db-02"].reason is NotRun.CONFIGURATION
    assert run.verdict is Verdict.HALTED, "a canary failed"
    assert run.reason == "the check after the playbook could not be run: the role 'smoke' was not found"
    assert (ticket.hosts, ticket.kind) == (("web-01",), TicketKind.CONFIGURATION)


def test_a_host_that_no_play_names_was_not_run(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: (
        "absent" if host == "db-01" and order.playbook != LOOK else all_well(order, host)
    )
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    rows = {row.host: row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    assert rows["db-01"].reason is NotRun.NOT_IN_PLAYBOOK
    assert run_of(bench, run_id).verdict is Verdict.DEGRADED


def test_a_closed_window_refuses_with_reason_and_next_opening(bench: Bench) -> None:
    bench.time.pass_by(timedelta(hours=12))

    with pytest.raises(Held, match=r"'saturday-night' is closed(.|\n)*Next opening: Sat 2026-03-28 22:00 UTC"):
        start_by_hand("patch", Wish(), site=bench.site)

    assert bench.site.store.read(runs.live) == []


def test_a_freeze_refuses_with_its_reason_and_its_end(tmp_path: Path) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
    bench = a_bench(
        tmp_path, windows='windows: {saturday-night: {day: saturday, start: "22:00", until: "04:00"}}\n' + freeze
    )

    with pytest.raises(Held, match=r"change freeze 'launch': the shop opens \(until 2026-03-23 00:00 UTC\)"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_an_override_goes_through_and_is_kept_with_name_reason_and_expiry(bench: Bench) -> None:
    bench.time.pass_by(timedelta(hours=12))
    until = bench.time.now + timedelta(hours=2)

    run_id = start_by_hand("patch", Wish(override="openssl is exploited", until=until), site=bench.site)
    bench.play_out(run_id)

    run = run_of(bench, run_id)
    kept = bench.site.store.read(lambda c: overrides.get(c, run.override_id or ""))
    assert run.verdict is Verdict.SUCCEEDED
    assert kept is not None
    assert (kept.by.name, kept.reason, kept.expires_at, kept.run_id) == ("ana", "openssl is exploited", until, run_id)


@pytest.mark.parametrize("wish", [Wish(override="why"), Wish(override=" ", until=None)])
def test_an_override_without_reason_or_expiry_is_refused(bench: Bench, wish: Wish) -> None:
    bench.time.pass_by(timedelta(hours=12))

    with pytest.raises(UsageError, match="needs a reason and an expiry"):
        start_by_hand("patch", wish, site=bench.site)


def test_an_override_does_not_lift_the_inventory_guard(bench: Bench) -> None:
    bench.inventory.errors = ("inventory production: the script ended with 1",)
    wish = Wish(override="why", until=bench.time.now + timedelta(hours=1))

    with pytest.raises(Held, match="cannot be trusted"):
        start_by_hand("patch", wish, site=bench.site)


def test_an_inventory_that_lost_half_its_hosts_is_a_hold_that_names_them(bench: Bench) -> None:
    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))
    bench.inventory.hosts = HOSTS[:3]

    with pytest.raises(Held, match=r"lost 2 of 5 hosts, more than max_drop 20%; missing: db-01, db-02"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_only_the_plan_that_was_looked_at_is_run(bench: Bench) -> None:
    with pytest.raises(Held, match="has changed"):
        start_by_hand("patch", Wish(digest="0123456789ab"), site=bench.site)


@dataclass
class EditedFirst:
    """The real snapshots; somebody writes a file just before the next one is taken."""

    snapshots: Snapshots
    file: Path
    text: str

    def names(self, root: Path) -> Collection[str]:
        return self.snapshots.names(root)

    def take(self, root: Path, *, besides: Collection[str] = ()) -> SnapshotTaken:
        self.file.write_text(self.text)
        return self.snapshots.take(root, besides=besides)


def planned(bench: Bench) -> str:
    return plan_occurrence("patch", Asking(bench.time.now), definitions=bench.site.current(), site=bench.site).digest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("playbooks/patch.yml", PLAYBOOK.replace("dist", "full")),
        ("schedules/patch.yml", SCHEDULE + "extra_vars: {reboot: true}\n"),
    ],
)
def test_an_edit_between_the_plan_and_the_snapshot_is_refused(bench: Bench, name: str, text: str) -> None:
    digest = planned(bench)
    edited = bench.but(snapshots=EditedFirst(bench.site.snapshots, bench.site.root / name, text))

    with pytest.raises(Held, match=f"The plan of 'patch' has changed: its digest is .* now, not {digest[:12]}"):
        start_by_hand("patch", Wish(digest=digest[:12]), site=edited.site)

    assert bench.site.store.read(runs.live) == []


def test_a_run_keeps_the_digest_of_what_it_really_executes(bench: Bench) -> None:
    edit = EditedFirst(
        bench.site.snapshots, bench.site.root / "playbooks" / "patch.yml", PLAYBOOK.replace("dist", "full")
    )

    run_id = start_by_hand("patch", Wish(), site=bench.but(snapshots=edit).site)

    assert run_of(bench, run_id).plan_digest == planned(bench)


def test_a_schedule_that_is_deleted_between_the_plan_and_the_snapshot_is_not_run(bench: Bench) -> None:
    renamed = SCHEDULE.replace("schedule: patch", "schedule: other")
    edit = EditedFirst(bench.site.snapshots, bench.site.root / "schedules" / "patch.yml", renamed)

    with pytest.raises(NotFound, match="There is no schedule 'patch'"):
        start_by_hand("patch", Wish(), site=bench.but(snapshots=edit).site)

    assert bench.site.store.read(runs.live) == []


def test_a_file_that_git_ignores_takes_no_part_in_the_digest(bench: Bench) -> None:
    make_git(bench.site.root)
    digest = planned(bench)
    ignored = bench.site.root / "group_vars" / "mine.local"
    ignored.parent.mkdir()
    ignored.write_text("a note")

    run_id = start_by_hand("patch", Wish(digest=digest), site=bench.site)

    assert run_of(bench, run_id).plan_digest == digest


def make_git(root: Path) -> None:
    (root / ".gitignore").write_text("var/\n*.local\n")
    subprocess.run(["git", "init", "--quiet", root], check=True)


def test_an_unknown_schedule_is_refused_with_the_nearest_name(bench: Bench) -> None:
    with pytest.raises(NotFound, match="Did you mean 'patch'"):
        start_by_hand("pach", Wish(), site=bench.site)


def test_a_limit_narrows_the_run(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(limit="db"), site=bench.site)

    bench.play_out(run_id)

    assert set(results_of(bench, run_id)) == {"db-01", "db-02"}


def test_a_second_run_of_the_same_schedule_is_held_while_the_first_goes(bench: Bench) -> None:
    start_by_hand("patch", Wish(), site=bench.site)

    with pytest.raises(Held, match="run 1 of 'patch' is still going"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_cancelled_run_touches_nobody_else(bench: Bench) -> None:
    def cancel_at_the_playbook(order: PieceOrder) -> None:
        if order.playbook != LOOK:
            bench.site.store.write(lambda c: runs.request_stop(c, order.run, "finish", bench.site.actor))

    bench.ansible.before_start = cancel_at_the_playbook
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    assert run_of(bench, run_id).verdict is Verdict.CANCELLED
    assert bench.ansible.played() == [("web-01",)]
    assert results_of(bench, run_id)["web-01"] is Result.CHANGED


def test_every_piece_closes_its_stream_in_its_runs_stream(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.play_out(run_id)

    ended = bench.site.store.read(lambda c: pieces.of_run(c, run_id))
    told = bench.site.store.read(lambda c: [entry.body for entry in log.entries(c, run_stream(run_id))])
    assert {piece.state for piece in ended} == {PieceState.FINISHED}
    assert all(any(f'"hash":"{piece.closing_hash}"' in body for body in told) for piece in ended)
    assert '"action":"run.claimed"' in told[0]
    assert '"action":"run.settled"' in told[-1]
