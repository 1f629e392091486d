"""`wellkept status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, plain, say, table
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.cli.times import NOTHING, Clock
from runner.errors import FilesInvalid, Unknown, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.status_values import IntervalsToday, PauseSeen, Recorded, Status

MOST = 8  # lines of one part on the screen; the listings show all


@click.command("status")
@format_option
@pass_app
def command(app: App, form: str) -> None:
    r"""Show what is due, running, held, unhealthy and open.

    Exit codes: 0, or 2 while files are broken, or 4 while the database is away; what can be known is shown all the same.

    \b
    wellkept status                 one screen, with the age of each fact
    wellkept status --format json   everything, for programs
    """
    from runner.operations.execution.wait_for_approval import slots_that_wait
    from runner.operations.summarise_status import summarise_status

    status = summarise_status(
        definitions=lambda: app.definitions,
        store=lambda: app.store,
        state_dir=lambda: app.settings.state_dir,
        clock=app.clock,
        waiting=lambda defined: slots_that_wait(defined, site=app.site),
    )
    if form == "json":
        show_json({"status": plain(status)})
    else:
        show_screen(status, Clock(status.at, zone_of(app)))
    raise SystemExit(exit_code_of(status))


def zone_of(app: App) -> str:
    """The repository's zone; UTC while wellkept.yml is broken."""
    try:
        return app.settings.timezone
    except FilesInvalid:
        return "UTC"


def exit_code_of(status: Status) -> int:
    """Whether everything could be known."""
    if status.record_problem:
        return Unknown.exit_code
    return FilesInvalid.exit_code if status.broken else 0


def show_screen(status: Status, clock: Clock) -> None:
    """One screen, the most urgent first."""
    recorded = status.recorded
    show_what_stops(status, clock)
    say(f"Now        {clock.time(status.at)} ({clock.zone})")
    show_files(status)
    say(f"Database   {(status.record_problem and f'AWAY: {status.record_problem}') or 'answers'}")
    if recorded:
        say(f"Daemon     {daemon_in_words(recorded, clock)}")
        show_missed(recorded)
        show_running(recorded, clock)
        show_due(recorded, clock)
    show_waiting(status, clock)
    show_openings(status, clock)
    show_cadences(status)
    if recorded:
        show_unhealthy(recorded, clock)
        show_tickets(recorded, clock)
        show_past(recorded, clock)


def show_what_stops(status: Status, clock: Clock) -> None:
    """The pauses and the drain in force: who is asked at night why nothing happens looks here first."""
    recorded = status.recorded
    if status.pause_file:
        say(f"PAUSED     everything, {clock.age(status.pause_file.since)}: {status.pause_file.words}")
    for pause in recorded.pauses if recorded else ():
        say(f"PAUSED     {pause_in_words(pause, clock)}")
    if recorded and (drain := recorded.drain):
        say(f"DRAINED    nothing begins, by {drain.by}, {clock.age(drain.since)}: {drain.reason}")
        say("           To go on: wellkept drain --end")


def pause_in_words(pause: PauseSeen, clock: Clock) -> str:
    """What is paused by whom, since when, until when, and why; one without an end says how it is ended."""
    if pause.until:
        until = f"until {clock.both(pause.until)}"
    else:
        option = f" --hosts '{pause.hosts}'" if pause.hosts else ""
        until = f"until somebody resumes (wellkept resume{option})"
    return f"{pause.hosts or 'everything'} by {pause.by}, {clock.age(pause.since)}, {until}: {pause.reason}"


def show_files(status: Status) -> None:
    """Whether the files are whole; a broken edit is told loudly."""
    if status.broken:
        say(
            f"Files      BROKEN: {count(len(status.broken), 'problem')}. A daemon keeps the last good ones; nobody else can start."
        )
        for problem in status.broken[:MOST]:
            say(f"           {problem}")
        say("           `wellkept validate` shows all of them.")
    else:
        checks = count(status.checks or 0, "health check")
        say(f"Files      valid: {count(status.schedules or 0, 'schedule')}, {checks}")


def daemon_in_words(recorded: Recorded, clock: Clock) -> str:
    """Whether schedules run by themselves."""
    daemon = recorded.daemon
    if daemon and daemon.alive:
        others = f", and {daemon.others} more" if daemon.others else ""
        since = f"since {clock.time(daemon.started_at)}, heard {clock.age(daemon.heard_at)}"
        return f"alive (process {daemon.pid}, {since}){others}"
    last = f"; the last one was heard {clock.age(daemon.heard_at)}" if daemon else ""
    return f"NOT RUNNING, so no schedule starts by itself{last}. Start it with `wellkept serve`."


def show_missed(recorded: Recorded) -> None:
    """The health checks of which a round was missed today, and the schedules of which an interval was."""
    for each in recorded.rounds_today:
        if each.missed:
            say(f"Missed     {each.check}: {each.missed} of {count(each.expected, 'round')} today (UTC)")
    for interval in recorded.intervals_today:
        if interval.missed:
            name, expected = interval.schedule, count(interval.expected, "run")
            say(
                f"Missed     {name}: {interval.missed} of {expected} today (UTC); `wellkept plan {name}` says what holds it now"
            )


def heading(words: str) -> None:
    """The heading of a part."""
    click.echo(f"\n{click.style(words, bold=True)}")


def show_running(recorded: Recorded, clock: Clock) -> None:
    """What runs now, and how far it has come."""
    heading("Running")
    table(
        recorded.running,
        [
            Cell("RUN", lambda run: run.number),
            Cell("SCHEDULE", lambda run: run.schedule),
            Cell("DONE", lambda run: f"{run.done} of {run.hosts}"),
            Cell("NOW", lambda run: f"{run.doing}{' (NOT HEARD any more; it is looked into)' if run.silent else ''}"),
            Cell("STARTED", lambda run: clock.age(run.created)),
            Cell("LAST STEP", lambda run: clock.age(run.as_of)),
        ],
        empty="Nothing is running.",
    )


def show_due(recorded: Recorded, clock: Clock) -> None:
    """Slots whose window is open, and what holds them."""
    if recorded.due:
        heading("Due, and held")
        table(
            recorded.due[:MOST],
            [
                Cell("SCHEDULE", lambda slot: slot.schedule),
                Cell("WHY", lambda slot: "; ".join(slot.reasons)),
                Cell("UNTIL", lambda slot: clock.time(slot.until)),
                Cell("LAST START", lambda slot: clock.both(slot.last_start)),
                Cell("ASKED", lambda slot: clock.age(slot.as_of)),
            ],
            empty="",
        )


def show_waiting(status: Status, clock: Clock) -> None:
    """Slots of the next days that somebody has to approve before they can start."""
    if status.waiting:
        heading("Waiting for approval (wellkept runs approve NAME)")
        table(
            status.waiting[:MOST],
            [
                Cell("SCHEDULE", lambda slot: slot.schedule),
                Cell(clock.heading("OPENS"), lambda slot: clock.both(slot.opens)),
                Cell("LAST START", lambda slot: clock.time(slot.last_start)),
                Cell("WHY", lambda slot: slot.why),
            ],
            empty="",
        )


def show_openings(status: Status, clock: Clock) -> None:
    """When each schedule may run next."""
    heading("Next openings" + ("" if status.schedules is not None else ", as they were written ahead"))
    table(
        status.openings[:MOST],
        [
            Cell("SCHEDULE", lambda opening: opening.schedule),
            Cell(clock.heading("OPENS"), lambda opening: "open now" if opening.is_open else clock.both(opening.opens)),
            Cell("LAST START", lambda opening: clock.time(opening.last_start)),
        ],
        empty="No schedule has an opening ahead. `wellkept calendar` shows windows and freezes.",
    )


def show_cadences(status: Status) -> None:
    """The schedules that run every so often, and what became of their intervals today."""
    if status.cadences:
        counted = {each.schedule: each for each in status.recorded.intervals_today} if status.recorded else {}
        heading("Every so often")
        table(
            status.cadences[:MOST],
            [
                Cell("SCHEDULE", lambda each: each["schedule"]),
                Cell("EVERY", lambda each: each["every"]),
                Cell("TODAY (UTC)", lambda each: today_in_words(counted.get(each["schedule"]))),
            ],
            empty="",
        )


def today_in_words(today: IntervalsToday | None) -> str:
    """What became of a schedule's intervals today."""
    return f"{today.run} of {today.expected} run" if today else "none yet"


def show_unhealthy(recorded: Recorded, clock: Clock) -> None:
    """What the health checks found other than well."""
    heading("Unhealthy")
    table(
        recorded.unhealthy[:MOST],
        [
            Cell("HOST", lambda each: each.host),
            Cell("CONDITION", lambda each: each.condition),
            Cell("WHAT", lambda each: each.summary),
            Cell("SINCE", lambda each: clock.age(each.since)),
            Cell("ASKED", lambda each: clock.age(each.as_of)),
        ],
        empty=f"Nothing, as of {clock.age(recorded.checked_at)}."
        if recorded.checked_at
        else "No health check was asked yet. `wellkept health` asks all of them.",
    )
    more(len(recorded.unhealthy), "wellkept health")


def show_tickets(recorded: Recorded, clock: Clock) -> None:
    """What waits for a person."""
    heading("Open tickets")
    table(
        recorded.tickets[:MOST],
        [
            Cell("TICKET", lambda ticket: ticket.number),
            Cell("PRIORITY", lambda ticket: ticket.priority),
            Cell("STATE", lambda ticket: ticket.state),
            Cell("TITLE", lambda ticket: ticket.title),
            Cell("WHO", lambda ticket: ticket.assigned_to or NOTHING),
            Cell("CHANGED", lambda ticket: clock.age(ticket.as_of)),
        ],
        empty="None.",
    )
    more(len(recorded.tickets), "wellkept tickets list")


def show_past(recorded: Recorded, clock: Clock) -> None:
    """How the last runs ended."""
    heading("Last runs")
    table(
        recorded.last_runs,
        [
            Cell("RUN", lambda run: run.number),
            Cell("SCHEDULE", lambda run: run.schedule),
            Cell("VERDICT", lambda run: run.verdict),
            Cell("HOSTS", lambda run: f"{run.good} of {run.hosts} as planned"),
            Cell(clock.heading("ENDED"), lambda run: clock.both(run.ended)),
        ],
        empty="No run has ended yet. `wellkept run NAME` starts one by hand.",
    )


def more(number: int, shown_by: str) -> None:
    """Say that a part is longer than the screen."""
    if number > MOST:
        click.echo(f"… and {number - MOST} more: `{shown_by}`")
