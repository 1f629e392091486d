from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from runner.domain.tickets.cause import CauseClass, PlainWords
from runner.domain.tickets.ticket import Priority, TicketKind, TicketState, WantedTicket
from runner.domain.who import SYSTEM
from runner.errors import NotFound
from runner.store.database import Store
from runner.store.tickets import tickets
from runner.store.tickets.tickets import Filed, Ticket
from tests.store.making import ANA, NOON

DAY = timedelta(days=1)
WORDS = PlainWords("It broke.", "The shop is slow.", "We stopped.", "A decision.")


def a_wish(**more: object) -> WantedTicket:
    values = {
        "fingerprint": "f1",
        "kind": TicketKind.FAILED,
        "cause": CauseClass.DISK_FULL,
        "priority": Priority.HIGH,
        "title": "web1: the disk is full",
        "inventory": "production",
        "schedule": "patch-web",
        "hosts": ("web1",),
        "words": WORDS,
        "task": "upgrade",
        "detail": "No space left on device",
    }
    return WantedTicket(**{**values, **more})


def file(store: Store, at_day: int = 0, **more: object) -> Filed:
    return store.write(lambda c: tickets.open_or_touch(c, a_wish(**more), at=NOON + at_day * DAY, run_id="r1"))


def resolve(store: Store, ticket: Ticket, **more: object) -> bool:
    end = {"at": NOON + DAY, "actor": SYSTEM, "text": "it succeeded", **more}
    return store.write(lambda c: tickets.resolve(c, ticket.id, **end))


def again(store: Store, ticket: Ticket) -> Ticket:
    return store.read(lambda c: tickets.get(c, ticket.id))


def actions(store: Store, ticket: Ticket) -> list[str]:
    return [event.action for event in store.read(lambda c: tickets.events(c, ticket.id))]


def test_a_wish_opens_a_ticket_with_all_that_it_says(store: Store) -> None:
    filed = file(store)

    ticket = filed.ticket
    assert filed.opened
    assert (ticket.number, ticket.state, ticket.count, ticket.touched_by_person) == (1, TicketState.OPEN, 1, False)
    assert (ticket.cause, ticket.priority, ticket.task) == ("disk_full", Priority.HIGH, "upgrade")
    assert ticket.plain_words == WORDS
    assert (ticket.known.fingerprint, ticket.known.hosts, ticket.known.reopened) == ("f1", ("web1",), 0)
    assert actions(store, ticket) == ["opened"]


def test_the_same_trouble_again_touches_the_live_ticket_and_adds_its_hosts(store: Store) -> None:
    first = file(store).ticket

    second = file(store, 1, hosts=("web2", "web1"))

    assert not second.opened
    assert (second.ticket.id, second.ticket.count, second.ticket.hosts) == (first.id, 2, ("web1", "web2"))
    assert second.ticket.updated_at == NOON + DAY
    assert actions(store, first) == ["opened", "seen_again"]


def test_of_many_threads_one_opens_the_ticket_and_the_others_touch_it(store: Store) -> None:
    filed: list[Filed] = []
    threads = [threading.Thread(target=lambda n=n: filed.append(file(store, hosts=(f"web{n}",)))) for n in range(6)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (ticket,) = store.read(tickets.live)
    assert sum(each.opened for each in filed) == 1
    assert (ticket.count, len(ticket.hosts)) == (6, 6)
    assert [event.seq for event in store.read(lambda c: tickets.events(c, ticket.id))] == list(range(1, 7))


def test_after_it_was_resolved_the_same_trouble_opens_another_ticket(store: Store) -> None:
    first = file(store).ticket
    resolve(store, first)

    second = file(store, 30)

    assert second.opened
    assert second.ticket.number == 2
    assert store.read(lambda c: tickets.last_of(c, "f1")).id == second.ticket.id


def test_a_ticket_is_resolved_once(store: Store) -> None:
    ticket = file(store).ticket

    assert [resolve(store, ticket), resolve(store, ticket)] == [True, False]
    assert (again(store, ticket).state, again(store, ticket).resolved_at) == (TicketState.RESOLVED, NOON + DAY)
    assert store.read(tickets.live) == []


def test_what_a_person_has_touched_is_not_resolved_without_a_person(store: Store) -> None:
    ticket = file(store).ticket
    store.write(lambda c: tickets.add_event(c, ticket.id, action="noted", text="I look at it", at=NOON, actor=ANA))

    assert not resolve(store, ticket, untouched_only=True)
    assert again(store, ticket).touched_by_person
    assert resolve(store, ticket, actor=ANA)


def test_a_resolved_ticket_can_be_reopened_once(store: Store) -> None:
    ticket = file(store).ticket
    resolve(store, ticket)
    reopen = {"at": NOON + 2 * DAY, "actor": SYSTEM, "text": "it is back", "hosts": ("web3",)}

    done = [store.write(lambda c: tickets.reopen(c, ticket.id, **reopen)) for _ in range(2)]

    assert done == [True, False]
    assert (again(store, ticket).state, again(store, ticket).resolved_at) == (TicketState.OPEN, None)
    assert (again(store, ticket).reopened, again(store, ticket).hosts) == (1, ("web1", "web3"))


def test_a_ticket_is_not_reopened_beside_a_live_one_with_its_fingerprint(store: Store) -> None:
    old = file(store).ticket
    resolve(store, old)
    file(store, 9)

    reopened = store.write(lambda c: tickets.reopen(c, old.id, at=NOON + 9 * DAY, actor=ANA, text=""))

    assert not reopened
    assert len(store.read(tickets.live)) == 1


def test_acknowledging_and_assigning_are_kept_and_need_a_live_ticket(store: Store) -> None:
    ticket = file(store).ticket

    acknowledged = [store.write(lambda c: tickets.acknowledge(c, ticket.id, at=NOON, actor=ANA)) for _ in range(2)]
    assigned = store.write(lambda c: tickets.assign(c, ticket.id, "team-web", at=NOON, actor=ANA))
    resolve(store, ticket)
    too_late = store.write(lambda c: tickets.assign(c, ticket.id, "bob", at=NOON, actor=ANA))

    assert (acknowledged, assigned, too_late) == ([True, False], True, False)
    assert again(store, ticket).assigned_to == "team-web"
    assert actions(store, ticket) == ["opened", "acknowledged", "assigned", "resolved"]


def test_a_ticket_is_found_by_number_and_by_id(store: Store) -> None:
    ticket = file(store).ticket

    found = [store.read(lambda c, text=text: tickets.find(c, text)).id for text in ("1", "#1", ticket.id)]

    assert found == [ticket.id] * 3


@pytest.mark.parametrize("text", ["9", "", "x", "99999999999999999999"])
def test_a_name_that_no_ticket_bears_is_not_found(store: Store, text: str) -> None:
    with pytest.raises(NotFound, match="tickets list"):
        store.read(lambda c: tickets.find(c, text))


def test_tickets_are_listed_by_state_and_by_the_time_in_which_they_lived(store: Store) -> None:
    first, second = file(store).ticket, file(store, 5, fingerprint="f2").ticket
    resolve(store, first)

    def alive(from_: int, to: int) -> list[int]:
        return [each.number for each in store.read(lambda c: tickets.between(c, NOON + from_ * DAY, NOON + to * DAY))]

    assert [each.id for each in store.read(lambda c: tickets.every(c, [TicketState.RESOLVED]))] == [first.id]
    assert [each.id for each in store.read(tickets.live)] == [second.id]
    assert (alive(0, 1), alive(2, 4), alive(2, 9), alive(0, 9)) == ([1], [], [2], [1, 2])
