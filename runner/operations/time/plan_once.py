"""Makes one slot for a playbook, without a file: a schedule of its own, kept with the definitions, and written into the ledger."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from runner.config import read
from runner.domain.record.record import INSTALLATION, canonical
from runner.domain.settings import Definitions
from runner.domain.time.days import MONTHS
from runner.errors import Held, UsageError
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.requester import KIND
from runner.operations.execution.start_run import held_in_words
from runner.operations.site import Site
from runner.operations.time.keep_ledger import keep_schedule
from runner.operations.time.once_schedules import FURTHEST, Once, read_once
from runner.store.execution import definitions as definition_rows
from runner.store.record import log as entries
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants done once; `span` is a duration as it was typed. `whole` calls Ansible once for all hosts."""

    playbook: str
    hosts: str
    at: datetime
    span: str
    why: str
    inventory: str | None = None
    effect: str = "change"
    whole: bool = False
    emergency: bool = False


def plan_once(wanted: Wanted, *, site: Site) -> Plan:
    """Make the slot; gives what it would do as things stand. Raises FilesInvalid, UsageError, and Held when it could never run."""
    check_wanted(wanted, now=site.clock())
    once = once_for(wanted, site=site)
    schedule = read_once(once, partial(read_beside_files, site=site))
    now_with = replace(site.current(), schedules={**site.current().schedules, once.name: schedule})
    plan = plan_occurrence(once.name, Asking(wanted.at, identity=(once.day, 1)), definitions=now_with, site=site)
    if plan.opening is None or plan.opening.is_frozen or not plan.run.hosts:
        raise Held(held_in_words(plan, plan.holds))
    site.store.write(
        partial(write_once, once=replace(once, closes=plan.opening.closes), why=wanted.why, at=site.clock())
    )
    keep_schedule(schedule, now_with, site=site)
    return plan


def read_beside_files(texts: Mapping[str, str], *, site: Site) -> Definitions:
    """The files as they are now, not as they are in force, together with texts that stand in none."""
    return read(site.root, environ=site.snapshotted.environ, beside=texts, sources=site.snapshotted.sources)


def check_wanted(wanted: Wanted, *, now: datetime) -> None:
    """Refuse what can be no slot ahead."""
    if not wanted.why.strip():
        raise UsageError("Say why: --why 'the certificate expires on Friday'. It becomes part of the record.")
    if wanted.at <= now:
        raise UsageError(
            "--at is in the past. A slot is made for a time that is still ahead, such as --at 'today 22:00'."
        )
    if wanted.at > now + FURTHEST - timedelta(days=1):
        raise UsageError(
            f"--at is too far ahead: slots are written for {FURTHEST.days} days. Write a schedule instead."
        )


def once_for(wanted: Wanted, *, site: Site) -> Once:
    """The schedule for it, under a name that tells what and when; raises UsageError when there is one of that name."""
    zone = site.current().settings.timezone
    local = wanted.at.astimezone(ZoneInfo(zone))
    stem = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(wanted.playbook).stem.lower()).strip("-")
    name = f"once-{stem}-{local:%Y%m%d-%H%M}"
    if name in site.current().schedules or site.store.read(lambda c: definition_rows.last_of(c, KIND, name)):
        raise UsageError(
            f"There is {name!r} already. `wellkept plan {name}` shows it; choose another time for a second one."
        )
    text = json.dumps(text_of(wanted, name, local, zone), ensure_ascii=False, indent=1)
    return Once(name, text, local.date(), wanted.at, wanted.emergency, site.actor.name)


def text_of(wanted: Wanted, name: str, local: datetime, zone: str) -> dict[str, object]:
    """What a file would hold; JSON is YAML."""
    window = {
        "timezone": zone,
        "day": f"day {local.day}",
        "months": [MONTHS[local.month - 1]],
        "start": f"{local:%H:%M}",
        "duration": wanted.span,
    }
    text: dict[str, object] = {
        "schedule": name,
        "why": wanted.why,
        "playbook": wanted.playbook,
        "hosts": wanted.hosts,
        "window": window,
        "effect": wanted.effect,
    }
    text |= {"inventory": wanted.inventory} if wanted.inventory else {}
    return text | ({"split": "whole"} if wanted.whole else {})


def write_once(connection: Transaction, *, once: Once, why: str, at: datetime) -> None:
    """The definition and its log entry in one transaction."""
    body = once.as_json()
    digest = hashlib.sha256(canonical({"name": once.name, **body})).hexdigest()
    definition_rows.keep(connection, digest=digest, kind=KIND, name=once.name, body=body, at=at)
    entry = {"action": "once.planned", "schedule": once.name, "definition": digest, "why": why, "by": once.by}
    entries.append(connection, INSTALLATION, [{**entry, "emergency": once.emergency, "text": once.text}], at=at)
