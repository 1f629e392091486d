"""Tickets: one per trouble, one for many, closed only by proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import Verdict
from runner.domain.tickets.cause import CauseClass
from runner.domain.tickets.ticket import (
    LIVE,
    TICKET_CHANGES,
    Closing,
    KnownTicket,
    Level,
    Move,
    Priority,
    RunFacts,
    TicketKind,
    TicketState,
    WantedTicket,
    evidence_closes,
    move_for,
    priority_of,
)
from runner.domain.tickets.ticket_wanted import ticket_for_missed_slot, tickets_for

STARTED = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
BROKEN = "dpkg: error processing package nginx (--configure):\n installed nginx package post-installation script failed"


def a_run(**changes: object) -> RunFacts:
    run = RunFacts(
        id="run-1",
        number=1,
        schedule="patch-web",
        title="Patches for the web shop",
        inventory="production",
        playbook="playbooks/patch.yml",
        verdict=Verdict.DEGRADED,
        started=STARTED,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def well(host: str) -> HostResult:
    return HostResult(host, Result.CHANGED)


def broken(host: str, **changes: object) -> HostResult:
    result = HostResult(
        host, Result.FAILED, cause="package_broken", text=BROKEN, task="Install updates", module="ansible.builtin.apt"
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def lost(host: str, text: str = "Connection refused") -> HostResult:
    return HostResult(host, Result.UNREACHABLE, touched=False, cause="unreachable", text=text, task="Look")


def outcomes(*results: HostResult, others: int = 0) -> dict[str, HostResult]:
    return {result.host: result for result in (*results, *(well(f"other-{n}") for n in range(others)))}


def one(run: RunFacts, found: Mapping[str, HostResult]) -> WantedTicket:
    (ticket,) = tickets_for(run, found)
    return ticket


def known(wanted: WantedTicket, **changes: object) -> KnownTicket:
    ticket = KnownTicket(
        id="t1",
        fingerprint=wanted.fingerprint,
        state=TicketState.OPEN,
        kind=wanted.kind,
        inventory=wanted.inventory,
        schedule=wanted.schedule,
        hosts=wanted.hosts,
        playbook=wanted.playbook,
        task=wanted.task,
    )
    return replace(ticket, **changes)  # type: ignore[arg-type]


def test_a_run_that_went_well_asks_for_nothing() -> None:
    assert (
        tickets_for(a_run(verdict=Verdict.SUCCEEDED), outcomes(well("web-01"), HostResult("web-02", Result.OK))) == ()
    )


def test_a_failed_host_gets_one_ticket_that_says_what_is_needed() -> None:
    run = a_run(services={"web-03": "the web shop"})

    ticket = one(run, outcomes(broken("web-03"), others=9))

    assert ticket.hosts == ("web-03",)
    assert ticket.title == 'The installation of "nginx" on web-03 stopped half-way'
    assert "The web shop is affected" in ticket.words.means
    assert ticket.detail == BROKEN
    assert (ticket.kind, ticket.cause) == (TicketKind.FAILED, CauseClass.PACKAGE_BROKEN)


def test_hosts_spared_by_a_stop_are_counted_and_get_no_ticket() -> None:
    spared = [HostResult(f"web-0{n}", Result.NOT_RUN, touched=False, reason=NotRun.BUDGET) for n in range(4, 9)]

    ticket = one(a_run(verdict=Verdict.HALTED), outcomes(broken("web-03"), *spared))

    assert "left 5 further servers untouched" in ticket.words.done


@pytest.mark.parametrize(
    "reason", sorted(set(NotRun) - {NotRun.PRE_CHECK, NotRun.NOT_IN_PLAYBOOK, NotRun.CONFIGURATION})
)
def test_a_host_that_only_has_to_wait_gets_no_ticket(reason: NotRun) -> None:
    waiting = HostResult("web-01", Result.NOT_RUN, touched=False, reason=reason)

    assert tickets_for(a_run(), outcomes(waiting, others=3)) == ()


def test_a_host_that_its_pre_check_refused_gets_a_ticket() -> None:
    vetoed = HostResult(
        "web-01", Result.NOT_RUN, touched=False, reason=NotRun.PRE_CHECK, cause="disk_full", text="full"
    )

    ticket = one(a_run(), outcomes(vetoed, others=9))

    assert ticket.kind is TicketKind.PRE_CHECK
    assert ticket.words.done == "We changed nothing on web-01."


def test_a_run_in_check_mode_asks_for_nothing() -> None:
    assert tickets_for(a_run(check_mode=True), outcomes(broken("web-03"))) == ()


@pytest.mark.parametrize(
    ("bad", "planned", "tickets"),
    [(1, 1, 1), (1, 2, 1), (2, 6, 1), (2, 7, 2), (4, 14, 4), (5, 14, 1), (5, 500, 1), (4, 500, 4), (300, 500, 1)],
)
def test_many_hosts_with_one_cause_share_a_ticket(bad: int, planned: int, tickets: int) -> None:
    hosts = [broken(f"web-{n:03}") for n in range(bad)]

    found = tickets_for(a_run(), outcomes(*hosts, others=planned - bad))

    assert len(found) == tickets
    assert sorted(host for ticket in found for host in ticket.hosts) == [host.host for host in hosts]


def test_two_causes_on_many_hosts_are_two_tickets() -> None:
    other = BROKEN.replace("nginx", "openssl")
    hosts = [*(broken(f"web-{n}") for n in range(5)), *(broken(f"db-{n}", text=other) for n in range(5))]

    found = tickets_for(a_run(), outcomes(*hosts))

    assert sorted(ticket.hosts[0] for ticket in found) == ["db-0", "web-0"]
    assert len({ticket.fingerprint for ticket in found}) == 2


def test_a_ticket_for_many_hosts_has_the_same_fingerprint_whichever_hosts_they_are() -> None:
    first = one(a_run(), outcomes(*(broken(f"web-{n}") for n in range(5))))
    second = one(a_run(), outcomes(*(broken(f"web-{n}") for n in range(2, 9))))

    assert first.fingerprint == second.fingerprint
    assert first.priority is Priority.HIGH


def test_a_dead_host_is_one_ticket_whichever_schedule_finds_it_and_however_it_is_dead() -> None:
    patching = one(a_run(), outcomes(lost("db-01"), others=9))
    reading = one(
        a_run(schedule="facts", playbook="playbooks/facts.yml"), outcomes(lost("db-01", "timed out"), others=9)
    )

    assert patching.fingerprint == reading.fingerprint


def test_a_package_that_is_stuck_is_one_ticket_whichever_step_stumbles_over_it() -> None:
    upgrade = broken("web-03")
    finishing = broken("web-03", task="Finish an installation", module="ansible.builtin.command")
    vetoed = replace(
        upgrade,
        result=Result.NOT_RUN,
        reason=NotRun.PRE_CHECK,
        touched=False,
        task="See that no package was left half-way",
        text="Packages are half-configured or half-installed: nginx.",
    )

    fingerprints = {one(a_run(), outcomes(outcome, others=9)).fingerprint for outcome in (upgrade, finishing, vetoed)}

    assert len(fingerprints) == 1
    assert one(a_run(), outcomes(finishing, others=9)).task == "Finish an installation"  # success there is the proof


def test_another_stuck_package_on_the_same_host_is_another_ticket() -> None:
    nginx = one(a_run(), outcomes(broken("web-03"), others=9))
    openssl = one(a_run(), outcomes(broken("web-03", text=BROKEN.replace("nginx", "openssl")), others=9))

    assert nginx.fingerprint != openssl.fingerprint


def test_the_same_host_in_another_inventory_is_another_ticket() -> None:
    here = one(a_run(), outcomes(lost("db-01")))
    there = one(a_run(inventory="test"), outcomes(lost("db-01")))

    assert here.fingerprint != there.fingerprint


def test_a_run_that_could_not_start_is_one_ticket_about_the_schedule() -> None:
    hosts = [HostResult(f"w{n}", Result.NOT_RUN, touched=False, reason=NotRun.CONFIGURATION) for n in range(9)]

    ticket = one(a_run(verdict=Verdict.MISCONFIGURED, reason="no such playbook"), outcomes(*hosts))

    assert ticket.kind is TicketKind.CONFIGURATION
    assert "None of its 9 servers" in ticket.words.means
    assert ticket.detail == "no such playbook"


def unchecked(host: str) -> HostResult:
    return HostResult(host, Result.FAILED, cause="check_not_run", text="the role was not found")


def test_hosts_that_could_not_be_checked_share_one_urgent_ticket_about_the_instructions() -> None:
    left = [HostResult(f"w{n}", Result.NOT_RUN, touched=False, reason=NotRun.CONFIGURATION) for n in range(3, 6)]
    run = a_run(verdict=Verdict.HALTED, reason="the role was not found")

    ticket = one(run, outcomes(unchecked("w1"), unchecked("w2"), *left))

    assert (ticket.kind, ticket.priority, ticket.hosts) == (TicketKind.CONFIGURATION, Priority.HIGH, ("w1", "w2"))
    assert "The work was done on 2 of the servers" in ticket.words.means
    assert ticket.detail == "the role was not found"


def test_a_run_whose_instructions_were_wrong_on_the_way_does_not_claim_that_nothing_was_done() -> None:
    left = HostResult("w1", Result.NOT_RUN, touched=False, reason=NotRun.CONFIGURATION)

    ticket = one(a_run(reason="the role was not found"), outcomes(left, others=2))

    assert (ticket.kind, ticket.hosts) == (TicketKind.CONFIGURATION, ("w1",))
    assert ticket.words.means == "The work on 1 of its servers is still to be done."


def test_hosts_that_no_play_names_and_a_hole_in_the_record_are_told() -> None:
    absent = HostResult("w1", Result.NOT_RUN, touched=False, reason=NotRun.NOT_IN_PLAYBOOK)

    kinds = {t.kind for t in tickets_for(a_run(record_incomplete=True), outcomes(absent, others=2))}

    assert kinds == {TicketKind.CONFIGURATION, TicketKind.RECORD}


def test_an_expired_run_and_its_hosts_in_doubt_are_told() -> None:
    doubt = HostResult("w1", Result.IN_DOUBT)

    found = tickets_for(a_run(verdict=Verdict.EXPIRED), outcomes(doubt, others=3))

    assert {ticket.kind for ticket in found} == {TicketKind.EXPIRED, TicketKind.IN_DOUBT}
    assert found[0].kind is TicketKind.IN_DOUBT  # the more urgent one first


results = st.builds(
    HostResult,
    host=st.sampled_from([f"web-{n:02}" for n in range(20)]),
    result=st.sampled_from(Result),
    touched=st.booleans(),
    reason=st.sampled_from([None, *NotRun]),
    cause=st.sampled_from([None, *map(str, CauseClass), "nonsense"]),
    text=st.sampled_from(["", BROKEN, "Traceback", "it is {odd}"]),
    task=st.sampled_from(["", "Install updates"]),
)


@given(st.lists(results), st.sampled_from(Verdict), st.booleans(), st.sampled_from(["low", "medium", "high", "odd"]))
def test_every_host_in_trouble_is_in_exactly_one_ticket_and_no_fingerprint_comes_twice(
    found: list[HostResult], verdict: Verdict, incomplete: bool, impact: str
) -> None:
    bad = {Result.FAILED, Result.UNREACHABLE, Result.IN_DOUBT}

    wanted = tickets_for(a_run(verdict=verdict, record_incomplete=incomplete, impact=impact), outcomes(*found))

    named = [host for ticket in wanted if ticket.cause is not None for host in ticket.hosts]
    troubled = {h for h, o in outcomes(*found).items() if o.result in bad}
    assert len(named) == len(set(named))
    assert troubled <= set(named)
    assert len({ticket.fingerprint for ticket in wanted}) == len(wanted)


def test_priority_grows_with_impact_and_with_urgency() -> None:
    order = list(Priority)
    levels = list(Level)

    table = [[order.index(priority_of(impact, urgency)) for urgency in levels] for impact in levels]

    assert all(row == sorted(row) for row in table)
    assert all(column == tuple(sorted(column)) for column in zip(*table, strict=True))
    assert priority_of("high", Level.HIGH) is Priority.CRITICAL


def test_only_the_drawn_arrows_are_allowed() -> None:
    assert set(TICKET_CHANGES) == set(TicketState)
    assert {TicketState.OPEN, TicketState.ACKNOWLEDGED} == LIVE
    assert all(TicketState.RESOLVED in TICKET_CHANGES[state] for state in LIVE)


@pytest.mark.parametrize(
    ("resolved_before_start", "move"),
    [
        (timedelta(hours=1), Move.REOPEN),
        (timedelta(0), Move.REOPEN),
        (timedelta(days=6, hours=23), Move.REOPEN),
        (timedelta(days=7), Move.OPEN),
        (timedelta(hours=-1), Move.COMMENT),
    ],
)
def test_a_trouble_comes_back_as_a_regression_within_seven_days_by_the_start_of_the_run(
    resolved_before_start: timedelta, move: Move
) -> None:
    wanted = one(a_run(), outcomes(broken("web-03")))
    ticket = known(wanted, state=TicketState.RESOLVED, resolved_at=STARTED - resolved_before_start)

    assert move_for(ticket, started=STARTED) is move


def test_a_trouble_that_is_known_is_touched_and_a_new_one_opened() -> None:
    wanted = one(a_run(), outcomes(broken("web-03")))

    assert move_for(known(wanted, state=TicketState.ACKNOWLEDGED), started=STARTED) is Move.TOUCH
    assert move_for(None, started=STARTED) is Move.OPEN


def closing(
    ticket: KnownTicket, found: Mapping[str, HostResult], run: RunFacts | None = None, **more: object
) -> Closing:
    return evidence_closes(ticket, run or a_run(), found, **more).closing  # type: ignore[arg-type]


def test_success_at_the_same_place_closes_a_ticket_that_nobody_touched() -> None:
    ticket = known(one(a_run(), outcomes(broken("web-03"))))

    assert closing(ticket, outcomes(well("web-03"))) is Closing.RESOLVE
    assert closing(ticket, outcomes(well("web-03")), succeeded={"web-03": ["Install updates"]}) is Closing.RESOLVE


def test_nothing_but_positive_evidence_closes_a_ticket() -> None:
    ticket = known(one(a_run(), outcomes(broken("web-03"))))
    absent = HostResult("web-03", Result.NOT_RUN, touched=False, reason=NotRun.CUTOFF)

    assert closing(ticket, outcomes(absent)) is Closing.NOTHING
    assert closing(ticket, outcomes(well("web-01"))) is Closing.NOTHING
    assert closing(ticket, outcomes(lost("web-03"))) is Closing.NOTHING
    assert closing(ticket, outcomes(well("web-03")), a_run(check_mode=True)) is Closing.NOTHING
    assert closing(ticket, outcomes(well("web-03")), a_run(inventory="test")) is Closing.NOTHING
    assert closing(ticket, outcomes(well("web-03")), a_run(playbook="playbooks/facts.yml")) is Closing.NOTHING
    assert closing(ticket, outcomes(well("web-03")), succeeded={"web-03": ["Look"]}) is Closing.NOTHING


def test_a_ticket_that_a_person_has_taken_up_is_only_told_of_the_success() -> None:
    ticket = known(one(a_run(), outcomes(broken("web-03"))), touched_by_person=True)

    assert closing(ticket, outcomes(well("web-03"))) is Closing.COMMENT


def test_a_ticket_that_keeps_coming_back_is_left_to_a_person() -> None:
    ticket = known(one(a_run(), outcomes(broken("web-03"))), reopened=3)

    assert closing(ticket, outcomes(well("web-03"))) is Closing.COMMENT


def test_a_ticket_for_many_hosts_closes_when_every_one_of_them_is_proved_well() -> None:
    ticket = known(one(a_run(), outcomes(*(broken(f"web-{n}") for n in range(5)))))

    assert closing(ticket, outcomes(*(well(f"web-{n}") for n in range(4)))) is Closing.COMMENT
    assert closing(ticket, outcomes(*(well(f"web-{n}") for n in range(9)))) is Closing.RESOLVE


def test_any_run_that_reaches_a_dead_host_and_ends_well_there_closes_its_ticket() -> None:
    ticket = known(one(a_run(), outcomes(lost("db-01"), others=9)))
    reading = a_run(schedule="facts", playbook="playbooks/facts.yml")

    assert closing(ticket, outcomes(HostResult("db-01", Result.OK)), reading) is Closing.RESOLVE


def test_a_resolved_ticket_is_not_closed_again_and_a_hole_in_the_record_is_for_a_person() -> None:
    hole = known(one(a_run(record_incomplete=True), outcomes(well("w1"))))
    resolved = known(one(a_run(), outcomes(broken("w1"))), state=TicketState.RESOLVED)

    assert closing(hole, outcomes(well("w1"))) is Closing.NOTHING
    assert closing(resolved, outcomes(well("w1"))) is Closing.NOTHING


def test_a_missed_slot_is_one_ticket_per_schedule_and_the_next_run_closes_it() -> None:
    missing = {
        "schedule": "patch-web",
        "title": "Patches",
        "inventory": "production",
        "reason": "the scheduler was down",
    }

    first = ticket_for_missed_slot(**missing, date="2026-03-21", hosts=["w1"])
    second = ticket_for_missed_slot(**missing, date="2026-03-28")

    assert first.fingerprint == second.fingerprint
    assert (
        first.words.happened == 'The planned work "Patches" of 2026-03-21 did not take place: the scheduler was down.'
    )
    assert closing(known(first), outcomes(well("w2"))) is Closing.RESOLVE
    assert closing(known(first), outcomes(), a_run(verdict=Verdict.MISCONFIGURED)) is Closing.NOTHING
    assert closing(known(first), outcomes(well("w1")), a_run(schedule="other")) is Closing.NOTHING


def test_the_next_good_start_of_a_schedule_closes_its_configuration_ticket() -> None:
    ticket = known(one(a_run(verdict=Verdict.MISCONFIGURED), {}))
    absent = HostResult("w1", Result.NOT_RUN, touched=False, reason=NotRun.NOT_IN_PLAYBOOK)

    assert closing(ticket, outcomes(well("w1")), a_run(verdict=Verdict.SUCCEEDED)) is Closing.RESOLVE
    assert closing(ticket, outcomes(absent)) is Closing.NOTHING
    assert closing(ticket, outcomes(unchecked("w1"), well("w2"))) is Closing.NOTHING


def test_a_ticket_for_many_hosts_tells_which_were_rolled_back() -> None:
    run = a_run(rollback=True, rollbacks={"web-1": True, "web-2": False})

    ticket = one(run, outcomes(broken("web-1"), broken("web-2"), broken("web-3"), others=3))

    assert ticket.words.done.endswith(
        "We rolled back web-1. The rollback of web-2 failed. web-3: not rolled back, or not to the end."
    )


def test_a_ticket_says_nothing_of_rollback_where_there_is_none() -> None:
    assert "roll" not in one(a_run(), outcomes(broken("web-1"), others=9)).words.done


def test_a_host_that_was_not_touched_had_nothing_to_be_rolled_back() -> None:
    assert "roll" not in one(a_run(rollback=True), outcomes(lost("web-1"), others=9)).words.done
