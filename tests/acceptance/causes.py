"""Faults that real hosts are given, one each, and the class that a whole run must name for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.domain.tickets.cause import CauseClass as Cause
from tests.lab import Mode

UPGRADE = "ansible.builtin.apt: {upgrade: dist, update_cache: true, lock_timeout: 1}"
UPDATE = "ansible.builtin.apt: {update_cache: true, update_cache_retries: 1, update_cache_retry_max_delay: 1}"
AS_OPS = "vars: {ansible_user: ops}"
SLEEP = "ansible.builtin.command: sleep 30"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one host: faults of the lab, and a task (YAML, its lines) that meets them; `says` is what the message must hold."""

    host: str
    cause: Cause
    says: str
    task: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    with_packages: tuple[str, ...] = ()
    disk_mib: int = 0
    only: Mode | None = None  # needs hosts with user ids of their own
    rare: bool = False  # another message of a class that is met already; for the long run

    @property
    def tasks(self) -> str:
        """The file of tasks that this host runs."""
        lines = self.task or ("ansible.builtin.ping:",)
        name = () if lines[0].startswith("name:") else (f"name: Meet {self.host}",)
        return "- " + "\n  ".join([*name, *lines]) + "\n"


def become(method: str) -> tuple[str, ...]:
    """A task that needs an administrator's rights by one way."""
    return ("ansible.builtin.command: id", "become: true", f"become_method: {method}")


FAULTS: tuple[Fault, ...] = (
    Fault("refused", Cause.UNREACHABLE, "Connection refused", breaks=("refuse",)),
    Fault("hung", Cause.UNREACHABLE, "banner exchange", breaks=("hang",)),
    Fault(
        "power-cut",
        Cause.UNREACHABLE,
        "Failed to connect",
        ("ansible.builtin.shell: sleep 1; kill -TERM 1; sleep 30",),
        breaks=("stay-down",),
        rare=True,
    ),
    Fault("other-key", Cause.HOST_KEY_CHANGED, "Host key verification failed", breaks=("new-host-key",)),
    Fault("no-login", Cause.LOGIN_REFUSED, "Permission denied (publickey)", breaks=("refuse-login",)),
    Fault("no-sudo", Cause.PRIVILEGE, "sudo", (*become("sudo"), AS_OPS), only=Mode.ROOT),
    Fault("no-su", Cause.PRIVILEGE, "privilege", (*become("su"), AS_OPS), only=Mode.ROOT, rare=True),
    Fault(
        "no-rights",
        Cause.PRIVILEGE,
        "not writable",
        ("ansible.builtin.copy: {content: x, dest: /etc/mine}", AS_OPS),
        only=Mode.ROOT,
        rare=True,
    ),
    Fault(
        "no-apt-rights",
        Cause.PRIVILEGE,
        "ermission denied",
        ("ansible.builtin.command: apt-get -y dist-upgrade", AS_OPS),
        only=Mode.ROOT,
        rare=True,
    ),
    Fault("lock-held", Cause.PACKAGE_LOCK, "lock", (UPGRADE,), breaks=("hold-lock",)),
    Fault(
        "lock-held-b",
        Cause.PACKAGE_LOCK,
        "Could not get lock",
        ("ansible.builtin.command: apt-get -y dist-upgrade",),
        breaks=("hold-lock",),
        rare=True,
    ),
    Fault("postinst-fails", Cause.PACKAGE_BROKEN, "labbroken", (UPGRADE,), with_packages=("labbroken",)),
    Fault(
        "interrupted",
        Cause.PACKAGE_BROKEN,
        "dpkg was interrupted",
        ("ansible.builtin.shell: touch /var/lib/dpkg/updates/0001; apt-get -y dist-upgrade",),
        rare=True,
    ),
    Fault("stranger-key", Cause.PACKAGE_SIGNATURE, "is not signed", (UPDATE,), breaks=("stranger-signs",)),
    Fault("expired-key", Cause.PACKAGE_SIGNATURE, "is not signed", (UPDATE,), breaks=("expire-signature",), rare=True),
    Fault("unsigned", Cause.PACKAGE_SIGNATURE, "is not signed", (UPDATE,), breaks=("unsign-repository",), rare=True),
    Fault("repo-gone", Cause.REPOSITORY, "ailed to", (UPDATE,), breaks=("break-repository",)),
    Fault(
        "repo-silent",
        Cause.REPOSITORY,
        "Could not connect",
        ("ansible.builtin.command: apt-get update --error-on=any",),
        breaks=("silence-repository",),
        rare=True,
    ),
    Fault("repo-misspelt", Cause.REPOSITORY, "not known", (UPDATE,), breaks=("misspell-source",), rare=True),
    Fault("no-package", Cause.REPOSITORY, "No package", ("ansible.builtin.apt: {name: nosuchthing}",), rare=True),
    Fault("disk-full", Cause.DISK_FULL, "No space left", (UPGRADE,), breaks=("fill-disk",), disk_mib=30),
    Fault(
        "disk-small", Cause.DISK_FULL, "No space left", (UPGRADE,), with_packages=("labbig",), disk_mib=16, rare=True
    ),
    Fault(
        "no-memory",
        Cause.MEMORY,
        "MemoryError",
        ("ansible.builtin.shell: ulimit -v 200000; exec python3 -c 'bytes(10**9)'",),
    ),
    Fault(
        "no-memory-b",
        Cause.MEMORY,
        "Out of memory",
        ("ansible.builtin.shell: ulimit -v 100000; exec perl -e '$x = chr(97) x 1e9'",),
        rare=True,
    ),
    Fault(
        "no-names",
        Cause.DNS,
        "Temporary failure resolving",
        ("ansible.builtin.command: apt-get update --error-on=any",),
        breaks=("break-dns",),
    ),
    Fault(
        "no-names-b",
        Cause.DNS,
        "name resolution",
        ('ansible.builtin.get_url: {url: "http://mirror.example.invalid/x", dest: /root/x}',),
        breaks=("break-dns",),
        rare=True,
    ),
    # Here apt's module leaves out why, so nobody can tell more than that the mirror was not to be had.
    Fault("no-names-c", Cause.REPOSITORY, "Failed to update apt", (UPDATE,), breaks=("break-dns",), rare=True),
    Fault("too-slow", Cause.TIME_OUT, "Timed out after", (SLEEP, "timeout: 2")),
    Fault("too-slow-b", Cause.TIME_OUT, "Timeout exceeded", (SLEEP, "async: 2", "poll: 1"), rare=True),
    Fault(
        "too-slow-c", Cause.TIME_OUT, "Timeout when", ("ansible.builtin.wait_for: {port: 9, timeout: 2}",), rare=True
    ),
    Fault(
        "no-start",
        Cause.SERVICE_DID_NOT_START,
        "cannot bind",
        ("ansible.builtin.service: {name: labsvc, state: restarted}",),
        breaks=("break-service",),
    ),
    Fault(
        "no-start-b",
        Cause.SERVICE_DID_NOT_START,
        "nosuchd",
        ("ansible.builtin.service: {name: nosuchd, state: started}",),
        rare=True,
    ),
    Fault(
        "not-back",
        Cause.LOST_AFTER_REBOOT,
        "",
        ("ansible.builtin.reboot: {search_paths: [/usr/local/sbin], reboot_timeout: 6, connect_timeout: 2}",),
        breaks=("stay-down",),
    ),
    Fault("undefined", Cause.TEMPLATE_OR_VARIABLE, "is undefined", ('ansible.builtin.debug: {msg: "{{ nowhere }}"}',)),
    Fault(
        "undefined-b",
        Cause.TEMPLATE_OR_VARIABLE,
        "is undefined",
        ("ansible.builtin.ping:", "when: nowhere == 1"),
        rare=True,
    ),
    Fault(
        "undefined-c",
        Cause.TEMPLATE_OR_VARIABLE,
        "nowhere",
        ('ansible.builtin.debug: {msg: "{{ ansible_facts.nowhere.deeper }}"}',),
        rare=True,
    ),
    Fault(
        "bad-template",
        Cause.TEMPLATE_OR_VARIABLE,
        "template",
        ('ansible.builtin.debug: {msg: "{{ 1 + }}"}',),
        rare=True,
    ),
    Fault(
        "bad-filter",
        Cause.TEMPLATE_OR_VARIABLE,
        "nofilter",
        ("ansible.builtin.debug: {msg: \"{{ 'x' | nofilter }}\"}",),
        rare=True,
    ),
    Fault(
        "no-template",
        Cause.TEMPLATE_OR_VARIABLE,
        "Could not find",
        ("ansible.builtin.template: {src: nosuch.j2, dest: /root/x}",),
        rare=True,
    ),
    Fault("bad-call", Cause.MODULE_ERROR, "Unsupported parameters", ("ansible.builtin.ping: {nosuch: 1}",)),
    Fault(
        "no-python",
        Cause.MODULE_ERROR,
        "python9",
        ("ansible.builtin.ping:", "vars: {ansible_python_interpreter: /usr/bin/python9}"),
        rare=True,
    ),
    Fault("crash", Cause.MODULE_ERROR, "Module failed", ("crash:",), rare=True),
    Fault("gibberish", Cause.MODULE_ERROR, "deserialization failed", ("gibberish:",), rare=True),
    Fault("no-program", Cause.MODULE_ERROR, "executing", ("ansible.builtin.command: nosuchprogram",), rare=True),
    Fault("our-proxy", Cause.REPOSITORY, "proxy-7", ('ansible.builtin.fail: {msg: "proxy-7 says 502"}',)),
    Fault("says-no", Cause.UNKNOWN, "it is Monday", ("ansible.builtin.fail: {msg: it is Monday}",)),
    Fault("ends-badly", Cause.UNKNOWN, "non-zero", ('ansible.builtin.command: "false"',), rare=True),
    Fault("not-well", Cause.POST_CHECK_FAILED, "did not come back"),
    Fault("not-well-b", Cause.POST_CHECK_FAILED, "non-zero", rare=True),
)

# These take a run of their own: its check cannot be made, a person cancels it, its time is over.
UNCHECKED = Fault("unchecked", Cause.CHECK_NOT_RUN, "nosuchrole")
CANCELLED = Fault(
    "cancelled", Cause.CANCELLED_BY_US, "cancelled", ("ansible.builtin.shell: touch /root/begun; sleep 60",)
)
OVERTIME = Fault("overtime", Cause.TIME_OUT, "time limit", ("ansible.builtin.command: sleep 60",))
ALONE = (UNCHECKED, CANCELLED, OVERTIME)

# Modules of the user's own, with faults of their own.
MODULES: Mapping[str, str] = {
    "crash.py": "#!/usr/bin/python3\nfrom ansible.module_utils.basic import AnsibleModule\nAnsibleModule({})\n{}['x']\n",
    "gibberish.sh": "#!/bin/sh\necho this is no answer\n",
}

PLAYBOOK = """\
- name: Meet faults
  hosts: all
  strategy: free
  gather_facts: false
  tasks:
    - name: Do what this host is here for
      ansible.builtin.include_tasks: "faults/{{ inventory_hostname }}.yml"
"""

AFTER = """\
- name: Look afterwards
  hosts: not-well:not-well-b
  gather_facts: false
  tasks:
    - name: See that the shop answers
      ansible.builtin.assert: {that: inventory_hostname != "not-well", fail_msg: "labsvc did not come back"}
    - name: Ask the shop
      ansible.builtin.command: "false"
"""


# A rule of the user's own, for the host our-proxy.
OWN_RULES = "causes: [{cause: repository, match: proxy-7.*502, module: fail, example: proxy-7 says 502}]\n"

# A check that cannot even begin.
UNRUNNABLE = "- {name: Look afterwards, hosts: all, roles: [nosuchrole]}\n"


def faults_for(mode: Mode, *, rare: bool) -> tuple[Fault, ...]:
    """The faults that hosts of this kind can be given."""
    return tuple(fault for fault in FAULTS if fault.only in {None, mode} and (rare or not fault.rare))


@dataclass(frozen=True, slots=True)
class Found:
    """What the record says about one host that was given a fault."""

    fault: Fault
    outcome: str
    cause: str
    text: str

    @property
    def is_right(self) -> bool:
        """Whether the class is the one that the fault is of, and the fault is the one that was meant."""
        return self.cause == self.fault.cause and self.fault.says in self.text


def confusion(found: Sequence[Found]) -> str:
    """The table class x found with every fault by name; what is wrong is marked, with the last lines of its message."""
    lines = [f"  {'class':<22} {'found':<22} {'outcome':<16} fault"]
    for each in sorted(found, key=lambda each: [*Cause].index(each.fault.cause)):
        mark = " " if each.is_right else "!"
        lines.append(f"{mark} {each.fault.cause:<22} {each.cause:<22} {each.outcome:<16} {each.fault.host}")
        lines += [] if each.is_right else [f"    | {line}" for line in each.text.splitlines()[-12:]]
    return "\n".join(lines)
