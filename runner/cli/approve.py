"""`wellkept runs approve`."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from runner.cli.answers import plain, printable, say
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.cli.times import Clock
from runner.errors import BadResult, UsageError, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.domain.execution.approval import Approval
    from runner.operations.execution.approve_change import Offer
    from runner.operations.time.waive_slot import Asked

NAMED = 12  # hosts that are named


@click.command("approve")
@click.argument("name")
@click.option(
    "--at", "at_text", metavar="T", help="The slot that opens then, a date or date and time, not the next one."
)
@click.option("--digest", metavar="D", help="A run by hand of the plan with this digest (from `wellkept plan`).")
@click.option("--limit", metavar="PATTERN", help="With --digest: only these of the schedule's hosts.")
@click.option("--revoke", is_flag=True, help="Take the approval back, before the run has begun.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@format_option
@pass_app
def command(
    app: App, name: str, at_text: str | None, digest: str | None, limit: str | None, revoke: bool, yes: bool, form: str
) -> None:
    r"""Allow a change to run: what it would do is shown, and confirmed.

    NAME is a schedule, or a slot's id. An approval holds for as long as files, schedule and date are the same, and for no host beyond those shown. It is signed
    with your own SSH key by ssh-agent where wellkept.yml has your key.

    \b
    wellkept runs approve patch-web                      its next slot
    wellkept runs approve patch-web --at 2026-03-28      the slot of that date
    wellkept runs approve patch-web --digest 0a1b2c3d4e5f    a run by hand, within 7 days
    wellkept runs approve patch-web --revoke             take it back
    """
    if revoke:
        show_revoked(app, revoked(app, name, at_text, digest), form)
        return
    offer = offer_of(app, name, at_text, digest, limit)
    confirm(app, offer, yes=yes, form=form)
    show_given(app, offer, form)


def offer_of(app: App, name: str, at_text: str | None, digest: str | None, limit: str | None) -> Offer:
    """What is asked to be approved: a slot, or a run by hand."""
    from runner.operations.execution.approve_change import ByHand, offer_by_hand, offer_slot
    from runner.operations.execution.choose_slot import SlotNamed

    if digest:
        return offer_by_hand(ByHand(name, digest, limit, instant_of(app, at_text)), site=app.site)
    if limit:
        raise UsageError("--limit goes with --digest: a slot is approved as a whole.")
    return offer_slot(SlotNamed(name, date_of(app, name, at_text)), site=app.site)


def revoked(app: App, name: str, at_text: str | None, digest: str | None) -> list[Approval]:
    """Take back what was given."""
    from runner.operations.execution.approve_change import ByHand, revoke_by_hand, revoke_of_slot
    from runner.operations.execution.choose_slot import SlotNamed

    if digest:
        return revoke_by_hand(ByHand(name, digest), site=app.site)
    return revoke_of_slot(SlotNamed(name, date_of(app, name, at_text)), site=app.site)


def instant_of(app: App, text: str | None) -> datetime | None:
    """The time that a plan is for."""
    from runner.cli.instants import parse_instant

    return parse_instant(text, now=app.clock(), zone=app.settings.timezone) if text else None


def date_of(app: App, name: str, text: str | None) -> Asked | None:
    """The slot of a date; None for the next one."""
    from runner.cli.slot_meant import slot_asked_for

    return slot_asked_for(app, name, text) if text else None


def confirm(app: App, offer: Offer, *, yes: bool, form: str) -> None:
    """Show what is about to be approved, and ask; raises UsageError where nobody can be asked, BadResult for a no."""
    for line in summary(offer):
        click.echo(printable(line), err=form == "json")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here, so nothing was approved. Add --yes to approve what is shown above.")
    if not click.confirm(f"Approve this as {app.actor}?", err=form == "json"):
        raise BadResult("Nothing was approved.")


def summary(offer: Offer) -> list[str]:
    """What would run, where, and when."""
    plan, hosts = offer.plan, offer.hosts
    schedule = plan.schedule
    named = ", ".join([*hosts[:NAMED], *(["…"] if len(hosts) > NAMED else [])])
    lines = [f"{schedule.title} ({schedule.name}, {schedule.change.type} change)"]
    lines += [f"  Why       {schedule.why}"] if schedule.why else []
    lines += [
        f"  Playbook  {schedule.playbook}",
        f"  Hosts     {count(len(hosts), 'host')} of {schedule.inventory}: {named}",
        f"  Window    {offer.window}",
        f"  Digest    {digest_of(offer)[:12]}",
    ]
    standing = plan.approval
    lines += [f"  Approved  by {standing.counts.by} already"] if standing.counts else []
    return lines + (
        [f"  Before    {standing.refused.by}'s approval does not count: {standing.why}"] if standing.refused else []
    )


def digest_of(offer: Offer) -> str:
    """The digest that is approved."""
    return offer.plan.occasion.digest if offer.plan.occasion else offer.plan.digest


def show_given(app: App, offer: Offer, form: str) -> None:
    """Approve, and say so."""
    from runner.operations.execution.approve_change import approve

    given = approve(offer, site=app.site)
    if form == "json":
        show_json({"approval": as_row(given)})
        return
    clock = Clock(app.clock(), app.settings.timezone)
    until = f" It holds until {clock.both(given.expires_at)}." if given.expires_at else ""
    signed = "signed with your SSH key" if given.signature else "not signed, as wellkept.yml has no key of yours"
    say(f"Approved by {given.by}, {signed}.{until}")
    option = "" if given.slot_id else f" --digest {given.digest[:12]}"
    say(
        f"To take it back before it begins: wellkept runs approve {offer.slot.id if offer.slot else given.schedule}{option} --revoke"
    )


def show_revoked(app: App, ended: list[Approval], form: str) -> None:
    """Say what was taken back."""
    if form == "json":
        show_json({"revoked": [as_row(each) for each in ended]})
        return
    for each in ended:
        say(f"The approval of {each.schedule} by {each.by} is taken back. Recorded as {app.actor}.")


def as_row(approval: Approval) -> object:
    """An approval for JSON; what its digest was made from stays in the record."""
    from runner.operations.execution.approval_shown import shown

    return plain(shown(approval))
