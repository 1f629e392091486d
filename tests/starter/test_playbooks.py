"""The starter playbooks on real hosts: they do what they say, refuse what they do not know, and read only where they say so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runner.domain.tickets.cause import CauseClass, classify
from tests.lab import Lab
from tests.starter.conftest import CHECKOUT, Play

pytestmark = pytest.mark.lab

DEMO = """#!/bin/sh
case $1 in
    start) touch /run/demo.up ;;
    stop) rm -f /run/demo.up ;;
    status) test -e /run/demo.up && echo "demo is running" ;;
esac
"""
FEDORA = 'NAME="Fedora Linux"\\nID=fedora\\nVERSION_ID=41\\nPRETTY_NAME="Fedora Linux 41"\\n'


def inside(lab: Lab, host: str, script: str) -> str:
    answer = lab.run(host, ["sh", "-c", script])
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def versions(lab: Lab, host: str) -> dict[str, str]:
    listing = inside(lab, host, r"dpkg-query --show --showformat '${Package} ${Version} ${db:Status-Status}\n'")
    found = (line.split() for line in listing.splitlines())
    return {name: version if status == "installed" else status for name, version, status in found}


def boot_id(lab: Lab, host: str) -> str:
    return inside(lab, host, "cat /proc/sys/kernel/random/boot_id")


def with_demo_service(lab: Lab, host: str) -> None:
    lab.run(host, ["sh", "-c", "cat > /etc/init.d/demo && chmod 755 /etc/init.d/demo"], text=DEMO)
    inside(lab, host, "/etc/init.d/demo start")


def test_facts_tells_what_is_pending_and_changes_nothing(fresh_lab: Lab, play: Play) -> None:
    inside(fresh_lab, "web-03", "apt-get -qq update")
    before = versions(fresh_lab, "web-03")

    played = play(fresh_lab.inventory, "facts.yml", "web-03")

    assert played.ended == {"web-03": "ok"}
    assert played.said("Pending: 6 updates, 2 of them for security")
    assert played.said("A restart is not needed.")
    assert versions(fresh_lab, "web-03") == before


def test_security_updates_only_with_a_real_restart_where_one_is_asked_for(fresh_lab: Lab, play: Play) -> None:
    boots = {host: boot_id(fresh_lab, host) for host in ("web-01", "web-03")}

    played = play(fresh_lab.inventory, "patch.yml", "web-01", "web-03", patch_scope="security", reboot="if_needed")

    assert played.ended == {"web-01": "changed", "web-03": "changed"}
    assert versions(fresh_lab, "web-03") | {"labsec": "1.1", "labkernel": "1.1"} == versions(fresh_lab, "web-03")
    assert versions(fresh_lab, "web-01")["labapp"] == "1.0"
    assert boot_id(fresh_lab, "web-01") == boots["web-01"]
    assert boot_id(fresh_lab, "web-03") != boots["web-03"]

    again = play(fresh_lab.inventory, "patch.yml", "web-01", "web-03", patch_scope="security", reboot="if_needed")
    afterwards = play(fresh_lab.inventory, "health/after-patch.yml", "web-01", "web-03", reboot="if_needed")

    assert set(again.ended.values()) == set(afterwards.ended.values()) == {"ok"}


def test_all_updates_and_a_broken_one_that_goes_on_when_it_was_mended(fresh_lab: Lab, play: Play) -> None:
    first = play(fresh_lab.inventory, "patch.yml", "db-01", "db-02")

    assert first.ended == {"db-01": "changed", "db-02": "failed"}
    assert classify(result="failed", text=first.output, module="apt") is CauseClass.PACKAGE_BROKEN
    assert versions(fresh_lab, "db-01")["labnewdep"] == "1.1"
    assert versions(fresh_lab, "db-01")["labheld"] == "1.0"
    assert versions(fresh_lab, "db-02")["labbroken"] == "half-configured"

    refused = play(fresh_lab.inventory, "health/readiness.yml", "db-01", "db-02")
    found_after = play(fresh_lab.inventory, "health/after-patch.yml", "db-01", "db-02")
    let_through = play(fresh_lab.inventory, "health/readiness.yml", "db-02", half_configured="finish")

    assert refused.ended == found_after.ended == {"db-01": "ok", "db-02": "failed"}
    assert refused.said("Packages are half-configured or half-installed: labbroken.")
    assert let_through.ended == {"db-02": "ok"}

    inside(fresh_lab, "db-02", "rm /etc/labbroken/legacy-data")
    mended = play(fresh_lab.inventory, "patch.yml", "db-02")

    assert mended.ended == {"db-02": "changed"}
    assert versions(fresh_lab, "db-02")["labbroken"] == "1.1"


def test_check_mode_tells_and_changes_nothing(fresh_lab: Lab, play: Play) -> None:
    before = versions(fresh_lab, "web-03")

    played = play(fresh_lab.inventory, "patch.yml", "web-03", check=True, reboot="if_needed")
    without_a_note = play(fresh_lab.inventory, "health/after-patch.yml", "web-03")

    assert "failed" not in played.ended.values()
    assert without_a_note.ended == {"web-03": "ok"}
    assert versions(fresh_lab, "web-03") == before
    assert fresh_lab.run("web-03", ["test", "-e", "/var/lib/wellkept"]).returncode == 1


def test_a_service_that_ran_before_and_does_not_run_after_is_found(fresh_lab: Lab, play: Play) -> None:
    with_demo_service(fresh_lab, "web-01")
    play(fresh_lab.inventory, "patch.yml", "web-01")

    running = play(fresh_lab.inventory, "health/after-patch.yml", "web-01")
    inside(fresh_lab, "web-01", "/etc/init.d/demo stop")
    stopped = play(fresh_lab.inventory, "health/after-patch.yml", "web-01", settle_for=10)
    tolerated = play(fresh_lab.inventory, "health/after-patch.yml", "web-01", services_may_stop=["demo"])

    assert (running.ended, stopped.ended) == ({"web-01": "ok"}, {"web-01": "failed"})
    assert stopped.said("These services ran before and do not run now: demo.")
    assert tolerated.ended == {"web-01": "ok"}


def test_readiness_refuses_a_full_disk_a_wrong_clock_and_a_busy_package_manager(fresh_lab: Lab, play: Play) -> None:
    fresh_lab.break_host("web-02", "hold-lock")
    inside(
        fresh_lab,
        "web-03",
        "printf '#!/bin/sh\\necho 1000000000\\n' > /usr/local/bin/date; chmod 755 /usr/local/bin/date",
    )

    played = play(fresh_lab.inventory, "health/readiness.yml", "web-01", "web-02", "web-03", lock_patience=1)
    greedy = play(fresh_lab.inventory, "health/readiness.yml", "web-01", free_space={"/": 10**9})
    fresh_lab.heal("web-02")

    assert played.ended == {"web-01": "ok", "web-02": "failed", "web-03": "failed"}
    assert played.said("Unable to acquire the dpkg frontend lock")
    assert classify(result="failed", text=played.output, module="command") is CauseClass.PACKAGE_LOCK
    assert played.said("The clock is wrong by about")
    assert greedy.ended == {"web-01": "failed"}
    assert greedy.said("MB are free on /; 1000000000 MB are needed.")
    assert classify(result="failed", text=greedy.output, module="assert", stage="pre_check") is CauseClass.DISK_FULL


@pytest.mark.parametrize(
    "playbook", sorted(str(p.relative_to(CHECKOUT / "playbooks")) for p in CHECKOUT.glob("playbooks/**/*.yml"))
)
def test_another_system_is_refused_and_nothing_is_changed_there(fresh_lab: Lab, play: Play, playbook: str) -> None:
    inside(fresh_lab, "web-01", f"rm -f /etc/debian_version /etc/os-release; printf '{FEDORA}' > /etc/os-release")

    played = play(fresh_lab.inventory, playbook, "web-01")

    assert played.ended == {"web-01": "failed"}
    assert played.said("This playbook knows Debian and its relatives")
    assert versions(fresh_lab, "web-01")["labapp"] == "1.0"


def test_restarts_only_where_it_is_asked_for_unless_told_always(fresh_lab: Lab, play: Play) -> None:
    before = {host: boot_id(fresh_lab, host) for host in ("db-01", "web-01", "web-02")}
    inside(fresh_lab, "web-01", "touch /run/reboot-required")

    needed = play(fresh_lab.inventory, "reboot.yml", "web-01", "web-02")
    every = play(fresh_lab.inventory, "reboot.yml", "db-01", reboot="always")

    assert needed.ended == {"web-01": "changed", "web-02": "ok"}
    assert every.ended == {"db-01": "changed"}
    assert {host for host in before if boot_id(fresh_lab, host) != before[host]} == {"web-01", "db-01"}


def test_a_server_that_does_not_restart_is_told_apart(fresh_lab: Lab, play: Play) -> None:
    inside(
        fresh_lab,
        "web-01",
        "mkdir -p /opt/sbin; printf '#!/bin/sh\\n' > /opt/sbin/shutdown; chmod 755 /opt/sbin/shutdown",
    )

    played = play(
        fresh_lab.inventory,
        "reboot.yml",
        "web-01",
        reboot="always",
        reboot_timeout=6,
        reboot_search_paths=["/opt/sbin"],
    )

    assert played.ended == {"web-01": "failed"}
    assert classify(result="failed", text=played.output, module="reboot") is CauseClass.LOST_AFTER_REBOOT


def test_disk_space_is_freed_and_nothing_is_removed_unasked(fresh_lab: Lab, play: Play) -> None:
    inside(fresh_lab, "web-01", "head -c 3000000 /dev/zero > /var/cache/apt/archives/old_1_all.deb")
    before = versions(fresh_lab, "web-01")

    played = play(fresh_lab.inventory, "disk_clean.yml", "web-01")

    assert played.ended == {"web-01": "changed"}
    assert played.said("Freed on /:")
    assert fresh_lab.run("web-01", ["test", "-e", "/var/cache/apt/archives/old_1_all.deb"]).returncode == 1
    assert versions(fresh_lab, "web-01") == before


def test_the_schedules_give_the_playbooks_values_that_they_take() -> None:
    for path in sorted(Path(CHECKOUT / "schedules").glob("*.yml")):
        schedule = yaml.safe_load(path.read_text())
        if "playbook" in schedule:
            (known,) = yaml.safe_load((CHECKOUT / schedule["playbook"]).read_text())
            assert set(schedule.get("extra_vars", {})) <= set(known["vars"]), path.name
