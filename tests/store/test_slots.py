from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.domain.execution.run import SlotState, Trigger
from runner.domain.time.window import Opening
from runner.errors import NotFound
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.time import ledger, slots
from runner.store.time.ledger import LedgerChange
from runner.store.time.slots import Slot
from tests.store.making import NOON, a_run, an_opening


def write_ahead(store: Store, *openings: Opening, now: datetime = NOON, definition: str = "d1") -> LedgerChange:
    return store.write(lambda c: ledger.write_ahead(c, "patch-web", openings, definition=definition, now=now))


def all_of(store: Store) -> list[Slot]:
    return store.read(lambda c: slots.between(c, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)))


def a_due_slot(store: Store, day: int = 10) -> Slot:
    write_ahead(store, an_opening(day))
    (slot,) = store.write(lambda c: slots.mark_due(c, now=an_opening(day).opens))
    return slot


def test_every_opening_ahead_becomes_a_planned_slot(store: Store) -> None:
    change = write_ahead(store, an_opening(10), an_opening(17))

    assert [slot.rule_date for slot in change.added] == [date(2026, 3, 10), date(2026, 3, 17)]
    assert all_of(store) == list(change.added)
    assert {slot.state for slot in change.added} == {SlotState.PLANNED}
    assert change.added[0].last_start_at == an_opening(10).last_start


def test_writing_the_same_openings_again_changes_nothing(store: Store) -> None:
    write_ahead(store, an_opening(10), an_opening(17))
    before = all_of(store)

    again = write_ahead(store, an_opening(10), an_opening(17))

    assert not again
    assert all_of(store) == before


def test_an_opening_in_the_past_gets_no_slot(store: Store) -> None:
    change = write_ahead(store, an_opening(10), now=an_opening(10).opens)

    assert not change


def test_a_moved_opening_moves_its_slot_and_tells_from_where(store: Store) -> None:
    (slot,) = write_ahead(store, an_opening(10)).added

    change = write_ahead(store, an_opening(10, hour=23))

    assert [moved.id for moved in change.moved] == [slot.id]
    assert change.before == (slot,)
    assert all_of(store)[0].opens_at == an_opening(10, hour=23).opens


def test_a_new_definition_alone_is_kept_and_is_no_move(store: Store) -> None:
    write_ahead(store, an_opening(10), definition="d1")

    change = write_ahead(store, an_opening(10), definition="d2")

    assert not change
    assert all_of(store)[0].definition == "d2"


def test_a_slot_whose_opening_is_gone_is_withdrawn_and_comes_back_with_it(store: Store) -> None:
    (slot,) = write_ahead(store, an_opening(10)).added

    gone = write_ahead(store)
    hidden = all_of(store)
    back = write_ahead(store, an_opening(10, hour=21))

    assert [withdrawn.id for withdrawn in gone.withdrawn] == [slot.id]
    assert hidden == []
    assert [added.id for added in back.added] == [slot.id]
    assert all_of(store)[0].opens_at == an_opening(10, hour=21).opens


def test_two_slots_may_swap_their_instants(store: Store) -> None:
    first, second = an_opening(10), an_opening(17)
    write_ahead(store, first, second)

    change = write_ahead(store, replace(second, rule_date=first.rule_date), replace(first, rule_date=second.rule_date))

    assert len(change.moved) == 2
    assert {slot.rule_date: slot.opens_at for slot in all_of(store)} == {
        first.rule_date: second.opens,
        second.rule_date: first.opens,
    }


def test_another_rule_date_may_take_the_instant_of_a_withdrawn_slot(store: Store) -> None:
    write_ahead(store, an_opening(10))

    change = write_ahead(store, an_opening(10, rule_date=date(2026, 3, 9)))

    assert len(change.withdrawn) == len(change.added) == 1
    assert [slot.rule_date for slot in all_of(store)] == [date(2026, 3, 9)]


def test_a_slot_that_is_due_or_settled_is_never_rewritten_also_when_the_clock_stepped_back(store: Store) -> None:
    slot = a_due_slot(store)

    moved = write_ahead(store, an_opening(10, hour=23), now=NOON)
    other_date = write_ahead(store, an_opening(10, rule_date=date(2026, 3, 9)), now=NOON)
    gone = write_ahead(store, now=NOON)

    assert not moved
    assert not other_date
    assert not gone
    assert all_of(store) == [slot]


def test_a_slot_whose_time_has_come_is_left_to_become_due(store: Store) -> None:
    (slot,) = write_ahead(store, an_opening(10)).added

    change = write_ahead(store, an_opening(10, hour=23), now=an_opening(10).opens + timedelta(minutes=5))

    assert not change
    assert all_of(store) == [slot]


def test_withdrawing_a_schedule_leaves_other_schedules_alone(store: Store) -> None:
    write_ahead(store, an_opening(10), an_opening(17))
    store.write(lambda c: ledger.write_ahead(c, "patch-db", [an_opening(10)], definition="d", now=NOON))

    gone = store.write(lambda c: ledger.withdraw_all(c, "patch-web", now=NOON))

    assert len(gone) == 2
    assert [slot.schedule for slot in all_of(store)] == ["patch-db"]
    assert store.read(lambda c: ledger.planned_beside(c, ["patch-web"])) == ["patch-db"]
    assert store.read(lambda c: ledger.planned_beside(c, ["patch-db"])) == []


def test_a_slot_becomes_due_once_when_it_opens(store: Store) -> None:
    write_ahead(store, an_opening(10), an_opening(17))

    too_early = store.write(lambda c: slots.mark_due(c, now=an_opening(10).opens - timedelta(microseconds=1)))
    turned = store.write(lambda c: slots.mark_due(c, now=an_opening(10).opens))
    again = store.write(lambda c: slots.mark_due(c, now=an_opening(10).opens))

    assert too_early == again == []
    assert turned == store.read(slots.due)
    assert [slot.state for slot in turned] == [SlotState.DUE]


def test_claiming_a_due_slot_makes_its_run(store: Store) -> None:
    slot = a_due_slot(store)

    run = store.write(lambda c: slots.claim(c, slot.id, a_run(trigger=Trigger.SLOT)))

    claimed = store.read(lambda c: slots.get(c, slot.id))
    assert claimed.state is SlotState.CLAIMED
    assert claimed.run_id == run
    assert claimed.hosts == ("web1", "web2", "web3")
    assert store.read(lambda c: runs.get(c, run)).slot_id == slot.id


def test_a_slot_is_claimed_once(store: Store) -> None:
    slot = a_due_slot(store)
    store.write(lambda c: slots.claim(c, slot.id, a_run(trigger=Trigger.SLOT)))

    second = store.write(lambda c: slots.claim(c, slot.id, a_run(trigger=Trigger.SLOT)))

    assert second is None
    assert len(store.read(runs.live)) == 1


def test_a_slot_that_is_not_due_cannot_be_claimed(store: Store) -> None:
    (slot,) = write_ahead(store, an_opening(10)).added

    assert store.write(lambda c: slots.claim(c, slot.id, a_run())) is None
    assert store.read(runs.live) == []


def test_a_slot_is_settled_once_from_the_state_that_the_settler_saw(store: Store) -> None:
    slot = a_due_slot(store)
    settle = {"outcome": "missed", "reason": "down", "at": NOON}

    wrong = store.write(lambda c: slots.settle(c, slot.id, was=SlotState.CLAIMED, **settle))
    first = store.write(lambda c: slots.settle(c, slot.id, was=SlotState.DUE, **settle))
    second = store.write(lambda c: slots.settle(c, slot.id, was=SlotState.DUE, **settle))

    settled = store.read(lambda c: slots.get(c, slot.id))
    assert (wrong, first, second) == (False, True, False)
    assert (settled.state, settled.outcome, settled.reason, settled.settled_at) == (
        SlotState.SETTLED,
        "missed",
        "down",
        NOON,
    )


@pytest.mark.parametrize("was", [SlotState.SETTLED, SlotState.WITHDRAWN])
def test_a_change_that_may_never_be_is_refused(store: Store, was: SlotState) -> None:
    slot = a_due_slot(store)

    with pytest.raises(ValueError, match="cannot be settled"):
        store.write(lambda c: slots.settle(c, slot.id, outcome="missed", reason="", was=was, at=NOON))


def test_a_waived_slot_stays_waived_whatever_is_written_ahead(store: Store) -> None:
    (slot,) = write_ahead(store, an_opening(10)).added
    store.write(lambda c: slots.settle(c, slot.id, outcome="waived", reason="fair", was=SlotState.PLANNED, at=NOON))

    change = write_ahead(store, an_opening(10, hour=23))

    assert not change
    assert [found.outcome for found in all_of(store)] == ["waived"]


def test_only_a_waived_slot_that_is_still_ahead_is_taken_back(store: Store) -> None:
    waived, missed = write_ahead(store, an_opening(10), an_opening(17)).added
    for slot, outcome in ((waived, "waived"), (missed, "missed")):
        store.write(lambda c, s=slot, o=outcome: slots.settle(c, s.id, outcome=o, reason="", was=SlotState.PLANNED, at=NOON))  # fmt: skip

    late = store.write(lambda c: slots.take_back(c, waived.id, now=waived.opens_at))
    other = store.write(lambda c: slots.take_back(c, missed.id, now=NOON))
    taken = store.write(lambda c: slots.take_back(c, waived.id, now=NOON))

    assert (late, other, taken) == (False, False, True)
    assert store.read(lambda c: slots.get(c, waived.id)) == waived


def test_the_slots_of_a_rule_date_are_found_wherever_they_open(store: Store) -> None:
    (slot, _) = write_ahead(store, an_opening(10), an_opening(17)).added

    assert store.read(lambda c: slots.of_date(c, "patch-web", slot.rule_date)) == [slot]


def test_slots_are_listed_by_opening_from_the_first_instant_up_to_the_last(store: Store) -> None:
    write_ahead(store, an_opening(10), an_opening(17), an_opening(24))

    found = store.read(lambda c: slots.between(c, an_opening(10).opens, an_opening(24).opens, ["patch-web"]))
    others = store.read(lambda c: slots.between(c, NOON, an_opening(24).closes, ["patch-db"]))

    assert [slot.rule_date.day for slot in found] == [10, 17]
    assert others == []


def test_the_hosts_that_a_slot_meant_are_kept(store: Store) -> None:
    slot = a_due_slot(store)

    store.write(lambda c: slots.keep_hosts(c, slot.id, ["web2", "web1"]))

    assert store.read(lambda c: slots.get(c, slot.id)).hosts == ("web2", "web1")


def test_an_unknown_slot_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read(lambda c: slots.get(c, "nothing"))


ledgers = st.lists(
    st.builds(
        lambda rule, at: an_opening(at, rule_date=date(2026, 3, rule)),
        rule=st.integers(1, 28),
        at=st.integers(2, 28),
    ),
    max_size=6,
    unique_by=lambda opening: opening.rule_date,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.tuples(ledgers, st.integers(1, 28)), min_size=1, max_size=5))
def test_whatever_is_written_ahead_an_identity_and_an_instant_have_one_slot_and_the_past_stays(
    store: Store, rounds: list[tuple[list[Opening], int]]
) -> None:
    store.write(lambda c: ledger.withdraw_all(c, "patch-web", now=datetime(2020, 1, 1, tzinfo=UTC)))
    for openings, day in rounds:
        now = datetime(2026, 3, day, tzinfo=UTC)
        store.write(lambda c, now=now: slots.mark_due(c, now=now))
        fixed = [slot for slot in all_of(store) if slot.state is not SlotState.PLANNED]

        write_ahead(store, *openings, now=now)
        after = all_of(store)

        taken = {slot.opens_at for slot in fixed} | {slot.rule_date for slot in fixed}
        wanted = {o.opens for o in openings if o.opens > now and not {o.opens, o.rule_date} & taken}
        assert {slot.opens_at for slot in after if slot.state is SlotState.PLANNED} == wanted
        assert [slot for slot in after if slot.state is not SlotState.PLANNED] == fixed
        assert len({slot.opens_at for slot in after}) == len(after)


def test_slots_that_reach_into_a_span_are_found_and_withdrawn_ones_are_not(store: Store) -> None:
    write_ahead(store, an_opening(10), an_opening(17), an_opening(24))
    write_ahead(store, an_opening(10), an_opening(17))  # the third is withdrawn
    first, second = an_opening(10), an_opening(17)

    def found(from_: datetime, to: datetime) -> list[date]:
        return [slot.rule_date for slot in store.read(lambda c: slots.overlapping(c, from_, to))]

    assert found(NOON, NOON + timedelta(days=60)) == [first.rule_date, second.rule_date]
    assert found(first.closes - timedelta(minutes=1), second.opens) == [first.rule_date]
    assert found(first.closes, second.opens + timedelta(minutes=1)) == [second.rule_date]
