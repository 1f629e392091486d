"""Tickets, and what leaves us."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
)

from runner.domain.tickets.ticket import Priority, TicketKind, TicketState
from runner.store.columns import Word
from runner.store.tables.parts import (
    by_,
    flag_,
    id_,
    instant_,
    integer_,
    json_,
    metadata,
    names_,
    prose_,
    text_,
    unique_where,
)


class LetterState(StrEnum):
    """Where a message that is to leave us stands."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


tickets = Table(
    "tickets",
    metadata,
    id_(),
    Column("number", Integer, nullable=False, unique=True),
    text_("fingerprint"),
    integer_("fingerprint_version"),
    Column("state", Word(TicketState), nullable=False),
    prose_("title"),
    Column("kind", Word(TicketKind), nullable=False),
    text_("cause", null=True),
    Column("priority", Word(Priority), nullable=False),
    text_("inventory", null=True),
    names_("hosts"),
    text_("schedule", null=True),
    text_("owner", null=True),
    text_("assigned_to", null=True),
    instant_("opened_at"),
    instant_("updated_at"),
    instant_("resolved_at", null=True),
    flag_("touched_by_person"),
    json_("words"),
    *(prose_(name) for name in ("playbook", "role", "task", "module", "detail")),
    text_("grouped_under"),
    integer_("count"),
    integer_("reopened"),
    unique_where("uq_tickets_live_fingerprint", "state in ('open', 'acknowledged')", "fingerprint"),
    Index(None, "fingerprint"),
    Index(None, "state"),
)

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("ticket_id", ForeignKey("tickets.id"), primary_key=True),
    integer_("seq", key=True),
    instant_("at"),
    by_("actor"),
    text_("action"),
    prose_("text"),
    text_("run_id", null=True),
)

outbox = Table(
    "outbox",
    metadata,
    id_(),
    text_("kind"),
    text_("target"),
    json_("body"),
    instant_("created_at"),
    instant_("next_try_at"),
    integer_("attempts"),
    Column("state", Word(LetterState), nullable=False),
    prose_("error"),
    Index(None, "state", "next_try_at"),
)
