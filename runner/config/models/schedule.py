"""A schedule: what is done, to which hosts, in which window, in which waves."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag
from pydantic.config import JsonDict

from runner.config.fields import Budget, Count, FreeForm, Name, Size, SomeSpan, Span, Text, Variable
from runner.config.models.own_ansible import Ansible
from runner.config.models.shape import Shape
from runner.config.models.windows import Window
from runner.domain.execution import schedule as domain
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.time.window import MaintenanceWindow


class Change(Shape):
    """The change record that a run belongs to."""

    type: Literal["standard", "normal", "emergency"] = Field(
        default="standard",
        description="`standard`: authorised in advance; `normal`: each time, before it runs; `emergency`: reviewed afterwards",
    )
    model: Text | None = Field(default=None, description="the number of the change model", examples=["CHG-014"])
    owner: Name | None = Field(default=None, description="the person or team that answers for the change")

    def to_domain(self, owner: str | None) -> domain.Change:
        """The change as the rest of the program knows it; `owner` is for one that names none."""
        return domain.Change(domain.ChangeType(self.type), self.model, self.owner or owner)


class Requirement(Shape):
    """A ring before this ring: another schedule, whose last whole run must have ended well."""

    schedule: Name = Field(description="the schedule that must have been through before", examples=["patch-test"])
    verdict: Literal["succeeded", "degraded"] = Field(
        default="succeeded", description="how well it must have ended; `degraded` is content with `succeeded`, too"
    )
    within: SomeSpan | None = Field(
        default=None, description="how long ago it may have ended; however long when missing", examples=["10d"]
    )
    at_least: Span = Field(
        default=timedelta(0),
        description="how long it must have been over, so that what it broke had time to show",
        examples=["3d"],
    )

    def to_domain(self) -> domain.Requirement:
        """The requirement as the rest of the program knows it."""
        return domain.Requirement(self.schedule, domain.WantedVerdict(self.verdict), self.within, self.at_least)


class Wave(Shape):
    """A group of hosts that is done, and watched, before the next group starts."""

    name: Name = Field(description="its name", examples=["canary"])
    size: Size | None = Field(
        default=None,
        description="a number of hosts, or a percentage of all planned; whatever is left when missing",
        examples=[1, "25%"],
    )
    hosts: Text | None = Field(
        default=None, description="an Ansible host pattern: the wave takes from these hosts", examples=["canaries"]
    )
    soak: Span = Field(default=timedelta(0), description="how long to watch before the next wave", examples=["10m"])
    tolerates: Annotated[int, Field(ge=0)] = Field(default=0, description="how many failures a canary wave may have")

    def to_domain(self) -> domain.Wave:
        """The wave as the rest of the program knows it."""
        return domain.Wave(self.name, self.size, self.hosts, self.soak, self.tolerates)


class Retry(Shape):
    """Another attempt at hosts that failed for a cause which may pass by itself: not reached, a package lock, a mirror that did not answer."""

    transient: Annotated[int, Field(ge=1, le=5)] = Field(description="how often a host is tried again", examples=[1])
    after: SomeSpan = Field(
        default=timedelta(minutes=2), description="how long after it failed the host is tried again", examples=["2m"]
    )


class OnFailure(Shape):
    """What is done with hosts that fail."""

    rollback: Text | None = Field(
        default=None,
        description="a playbook for hosts that the work had touched and that did not end well, after their post-checks",
        examples=["playbooks/rollback.yml"],
    )
    retry: Retry | None = Field(default=None, description="whether a host is tried again first; otherwise it is not")

    def to_domain(self) -> domain.OnFailure:
        """What is done on failure as the rest of the program knows it."""
        if self.retry is None:
            return domain.OnFailure(rollback=self.rollback)
        return domain.OnFailure(self.retry.transient, self.retry.after, self.rollback)


class Readiness(Shape):
    """A look ahead of each slot at whether its hosts are fit; it changes nothing."""

    before: SomeSpan = Field(description="how long before the slot opens, at most `30d`", examples=["1d"])
    checks: list[Text] | None = Field(
        default=None,
        description="playbooks, or `health:NAME`, beside the built-in look; those of `before` when missing",
        examples=[["playbooks/health/readiness.yml", "health:disk"]],
    )

    def to_domain(self, before: list[str]) -> domain.Readiness:
        """The readiness as the rest of the program knows it; `before` are the schedule's own pre-checks."""
        return domain.Readiness(self.before, tuple(before if self.checks is None else self.checks))


def window_kind(value: object) -> str:
    """Tell a window's name from a window written in place."""
    return "<inline>" if isinstance(value, dict) else "<name>"


WindowOrName = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[Window, Tag("<inline>")],
    Discriminator(window_kind),
]


OF_A_PLAYBOOK = ("playbook", "hosts")  # what a schedule that runs a playbook cannot do without
OF_A_SLOT = ("late_start", "catch_up", "overlap")  # what says something of slots only, and work on a cadence has none
MANUAL: JsonDict = {"properties": {"kind": {"const": "manual"}}, "required": ["kind"]}
NO_PLAYBOOK: JsonDict = {
    "not": {"anyOf": [{"required": [key]} for key in (*OF_A_PLAYBOOK, "every")]},
    "required": ["title", "window"],
}
WHEN: JsonDict = {
    "oneOf": [
        {"required": ["window"]},
        {
            "required": ["every", "effect"],
            "properties": {"effect": {"const": "read_only"}},
            "not": {"anyOf": [{"required": [key]} for key in (*OF_A_SLOT, "reserve", "readiness")]},
        },
    ]
}


class ScheduleFile(Shape):
    """What is done, to which hosts, in which window, in which waves, within which budget; or, with `kind: manual`, what a person does in which window."""

    model_config = ConfigDict(
        json_schema_extra={"if": MANUAL, "then": NO_PLAYBOOK, "else": {"required": list(OF_A_PLAYBOOK), **WHEN}}
    )

    schedule: Name | None = Field(default=None, description="its name; otherwise the file's", examples=["patch-web"])
    title: Text | None = Field(
        default=None, description="what people call it; otherwise the first play's name; a manual duty needs one"
    )
    why: Text | None = Field(default=None, description="what it is good for, in plain words; reports print it")
    owner: Name | None = Field(
        default=None,
        description="the person or team that answers for it; otherwise the change's owner, then the default one",
    )
    kind: Literal["playbook", "manual"] = Field(
        default="playbook",
        description="what is done at its slot: a playbook is run, or a person has a duty, which needs `title` and `window` "
        "and may have `why`, `owner`, `change` and `enabled`",
    )
    playbook: Text | None = Field(
        default=None,
        description="the playbook, below the root; needed, but for `kind: manual`",
        examples=["playbooks/patch.yml"],
    )
    inventory: Name | None = Field(
        default=None, description="an inventory of wellkept.yml; otherwise the default one", examples=["production"]
    )
    hosts: Text | None = Field(
        default=None, description="an Ansible host pattern; needed, but for `kind: manual`", examples=["web"]
    )
    window: WindowOrName | None = Field(
        default=None,
        description="a window's name, a window written in place, or `always`; needed, but for work that has `every` instead",
        examples=["prod-patch"],
    )
    every: SomeSpan | None = Field(
        default=None,
        description="how often read-only work runs by itself, at least `1m`, instead of a window; intervals are counted from midnight UTC "
        "on 1970-01-01, a run begins in each unless the one before is still going on, and what is missed is not caught up",
        examples=["1h"],
    )
    effect: Literal["read_only", "change", "reboot", "network", "firmware"] = Field(
        default="change", description="what the playbook does to a host; read-only work needs no window"
    )
    enabled: bool = Field(default=True, description="false: no slots, no runs")
    change: Change = Field(default_factory=Change, description="the change record")
    requires: list[Requirement] = Field(
        default_factory=list,
        description="rings before this ring: schedules that must have been through, and be over for a while",
        examples=[[{"schedule": "patch-test", "within": "10d", "at_least": "3d"}]],
    )
    split: Literal["hosts", "whole"] = Field(
        default="hosts",
        description="`hosts`: Ansible is called once per batch of hosts; `whole`: once, without a limit",
    )
    split_is_safe: bool = Field(
        default=False, description="you know that this playbook may be called per batch, whatever it looks like"
    )
    waves: list[Wave] = Field(
        default_factory=list,
        description="groups of hosts, one after the other; otherwise a canary of 1 from five hosts up, then the rest",
    )
    concurrency: Count = Field(default=10, description="how many hosts are changed at the same time")
    apart: list[Variable] = Field(
        default_factory=list,
        description="inventory variables: hosts that share the value of one are never changed at the same time, "
        "nor by another schedule that names it",
        examples=[["redundancy_group"]],
    )
    failure_budget: Budget = Field(
        default=domain.Amount(0),
        description="how many hosts may fail and the run still go on: a number, or a percentage of all planned",
        examples=["10%"],
    )
    before: list[Text] = Field(
        default_factory=list, description="pre-checks: playbooks, or `health:NAME`", examples=[["health:disk"]]
    )
    readiness: Readiness | None = Field(
        default=None,
        description="a look at the hosts ahead of each slot; if none of them is ready, the slot is held",
        examples=[{"before": "1d"}],
    )
    after: list[Text] = Field(
        default_factory=list, description="post-checks: playbooks, or `health:NAME`", examples=[["health:web-answers"]]
    )
    hold_on: list[Literal["alerts"]] = Field(
        default_factory=list,
        description="what outside keeps it from changing further hosts: alerts that fire for them",
        examples=[["alerts"]],
    )
    on_failure: OnFailure = Field(default_factory=OnFailure, description="what is done with hosts that fail")
    time_limit: SomeSpan | None = Field(
        default=None, description="how long one call of Ansible may take", examples=["2h"]
    )
    reserve: SomeSpan | None = Field(
        default=None,
        description="how long a host is expected to take while it has no past in this schedule; otherwise the default one. "
        "No host is begun that would not be through before the window ends",
        examples=["10m"],
    )
    late_start: Literal["until_cutoff", "never"] = Field(
        default="until_cutoff", description="what happens when the scheduler was down at the opening"
    )
    catch_up: Literal["none", "next_window"] = Field(
        default="none",
        description="what becomes of the hosts of a slot that was missed as a whole: nothing, or they come first in the next window",
    )
    overlap: Literal["forbid", "queue"] = Field(
        default="forbid",
        description=(
            "a slot waits for the schedule's last run, and starts if that ends before its last start; otherwise it is skipped, "
            "or with `queue` missed, with a ticket and `catch_up`"
        ),
    )
    extra_vars: FreeForm = Field(
        default_factory=dict, description="variables for Ansible", examples=[{"patch_scope": "security"}]
    )
    ansible: Ansible = Field(
        default_factory=Ansible, description="the Ansible for this playbook; otherwise that of its inventory"
    )
    tags: list[Text] = Field(default_factory=list, description="only tasks with these tags")
    skip_tags: list[Text] = Field(default_factory=list, description="no tasks with these tags")

    def to_domain(
        self,
        name: str,
        *,
        title: str,
        inventory: str,
        ansible: AnsibleSettings,
        reserve: timedelta,
        window: MaintenanceWindow,
        owner: str | None,
        source: str,
        defaults_used: tuple[str, ...],
    ) -> domain.Schedule:
        """The schedule as the rest of the program knows it, with what it left out filled in; `ansible` is that of its inventory."""
        return domain.Schedule(
            name=name,
            title=title,
            kind=domain.Kind(self.kind),
            playbook=self.playbook or "",
            inventory=inventory,
            hosts=self.hosts or "",
            window=window,
            why=self.why or "",
            owner=owner,
            effect=domain.Effect(self.effect),
            every=self.every,
            enabled=self.enabled,
            change=self.change.to_domain(owner),
            requires=tuple(each.to_domain() for each in self.requires),
            split=domain.Split(self.split),
            split_is_safe=self.split_is_safe,
            waves=tuple(wave.to_domain() for wave in self.waves),
            concurrency=self.concurrency,
            apart=tuple(self.apart),
            failure_budget=self.failure_budget,
            before=tuple(self.before),
            after=tuple(self.after),
            hold_on=tuple(self.hold_on),
            on_failure=self.on_failure.to_domain(),
            time_limit=self.time_limit,
            reserve=reserve,
            readiness=self.readiness.to_domain(self.before) if self.readiness else None,
            overlap=domain.Overlap(self.overlap),
            late_start=self.late_start,
            catch_up=domain.CatchUp(self.catch_up),
            extra_vars=self.extra_vars,
            ansible=self.ansible.to_domain().over(ansible),
            tags=tuple(self.tags),
            skip_tags=tuple(self.skip_tags),
            source=source,
            defaults_used=defaults_used,
        )
