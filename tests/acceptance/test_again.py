"""Real hosts that fail: tried again when a package lock is free, rolled back when the work went wrong."""

from __future__ import annotations

import pytest

from runner.domain.execution.run import Verdict
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import until

pytestmark = [pytest.mark.lab]

INSTALL = """\
- name: Install
  hosts: all
  gather_facts: false
  tasks:
    - name: Lay down the new version
      ansible.builtin.shell: echo new > /root/{mark}
    - name: Install something
      ansible.builtin.apt: {{upgrade: dist, lock_timeout: 1}}
"""

CHANGE = """\
- name: Change
  hosts: all
  gather_facts: false
  tasks:
    - name: Lay down the new version
      ansible.builtin.shell: echo new >> /root/{mark}
    - name: Start it
      ansible.builtin.command: /bin/false
      when: inventory_hostname == 'web-02'
"""

BACK = """\
- name: Back
  hosts: all
  gather_facts: false
  tasks:
    - name: Lay down the old version
      ansible.builtin.shell: echo old >> /root/{mark}
"""


def playbook(site: Maintenance, name: str, text: str) -> None:
    (site.root / "playbooks" / f"{name}.yml").write_text(text.format(mark=site.mark_of("work")))


def test_a_held_package_lock_is_waited_for_and_the_run_goes_well(site: Maintenance) -> None:
    site.schedule("work", "web-01", on_failure="{retry: {transient: 2, after: 2s}}")
    playbook(site, "work", INSTALL)
    site.lab.break_host("web-01", "hold-lock")
    try:
        command = site.start("run", "work")
        said = site.said_by()
        until(lambda: "web-01 failed" in said.read_text(), what="the lock was met")
    finally:
        site.lab.heal("web-01")

    assert command.wait(60) == 0, said.read_text()
    run = site.until_settled("work")
    (host,) = site.json("runs", "show", str(run.number))["run"]["hosts"]
    assert run.verdict is Verdict.SUCCEEDED
    assert host["attempts"] > 1
    assert "runs the playbook, try 2, on web-01" in said.read_text()


def test_a_failed_host_is_rolled_back_and_its_neighbour_is_left_alone(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", on_failure="{rollback: playbooks/back.yml}", failure_budget="1")
    playbook(site, "work", CHANGE)
    playbook(site, "back", BACK)

    site.run("run", "work", code=1)

    shown = site.json("runs", "show", str(site.runs("work")[0].number))["run"]
    assert site.told("work", "web-01") == ["new"]
    assert site.told("work", "web-02") == ["new", "old"]
    assert {host["host"]: (host["outcome"], host["rollback"]) for host in shown["hosts"]} == {
        "web-01": ("changed", ""),
        "web-02": ("failed", "rolled back"),
    }
    assert "We rolled back web-02." in site.run("tickets", "show", "1").stdout
    assert site.record_is_whole()


REBOOT = """\
- name: Restart
  hosts: all
  gather_facts: false
  tasks:
    - name: Lay down the new version
      ansible.builtin.shell: echo new > /root/{mark}
    - name: Break the start of a service
      ansible.builtin.shell: chmod -x /etc/init.d/labsvc
      when: inventory_hostname == 'web-02'
    - name: Restart
      ansible.builtin.reboot: {{reboot_timeout: 60, search_paths: [/usr/local/sbin, /sbin]}}
"""


def test_a_service_that_does_not_come_back_after_a_restart_is_named(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", effect="reboot", failure_budget="1")
    playbook(site, "work", REBOOT)
    try:
        site.run("run", "work", code=1)
        shown = site.json("runs", "show", str(site.runs("work")[0].number))["run"]["hosts"]
    finally:
        site.lab.reset("web-02")

    assert {host["host"]: (host["outcome"], host["cause"], host["rebooted"]) for host in shown} == {
        "web-01": ("changed", None, True),
        "web-02": ("failed", "service_did_not_start", True),
    }
    text = next(host["text"] for host in shown if host["host"] == "web-02")
    assert text == "These services ran before the restart and do not run after it: labsvc"
