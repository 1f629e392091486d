"""Real patches through real Ansible: what is upgraded, held back, broken and mended, and a reboot that is one."""

import pytest

pytestmark = pytest.mark.lab

UPGRADE = "    - ansible.builtin.apt: {upgrade: dist, update_cache: true}\n"
REBOOT = "    - ansible.builtin.reboot: {search_paths: [/usr/local/sbin], reboot_timeout: 60}\n"


@pytest.fixture(scope="module")
def patched(lab, play):
    lab.reset()
    return play(lab.inventory, UPGRADE)


def status_of(lab, host, package):
    return lab.run(host, ["dpkg-query", "-W", "-f", "${Version} ${Status}", package]).stdout


def boot_id(lab, host):
    return lab.run(host, ["cat", "/proc/sys/kernel/random/boot_id"]).stdout


def test_an_upgrade_changes_four_hosts_and_fails_on_the_broken_one(patched):
    assert patched.ended == {
        "web-01": "changed",
        "web-02": "changed",
        "web-03": "changed",
        "db-01": "changed",
        "db-02": "failed",
    }


@pytest.mark.parametrize("host", ["web-01", "web-02", "web-03", "db-01", "db-02"])
@pytest.mark.parametrize("package", ["labapp", "labconf", "labdep", "labnewdep", "labsec", "labsvc"])
def test_an_upgrade_brings_the_new_version_to_every_host(lab, patched, host, package):
    assert status_of(lab, host, package) == "1.1 install ok installed"


def test_a_held_package_is_kept_back(lab, patched):
    assert status_of(lab, "web-01", "labheld") == "1.0 hold ok installed"


def test_a_package_whose_script_fails_is_left_half_configured(lab, patched):
    assert status_of(lab, "db-02", "labbroken") == "1.1 install ok half-configured"
    assert "labbroken" in lab.run("db-02", ["dpkg", "--audit"]).stdout


def test_only_the_host_with_the_kernel_update_asks_for_a_reboot(lab, patched):
    asking = [host for host in lab.hosts if lab.run(host, ["test", "-e", "/run/reboot-required"]).returncode == 0]

    assert asking == ["web-03"]
    assert lab.run("web-03", ["cat", "/var/run/reboot-required.pkgs"]).stdout == "labkernel\n"


def test_a_service_runs_again_after_its_update(lab, patched):
    assert lab.run("web-01", ["service", "labsvc", "status"]).returncode == 0


def test_once_a_person_has_mended_the_host_a_second_run_succeeds(lab, patched, play):
    lab.run("db-02", ["rm", "/etc/labbroken/legacy-data"])

    again = play(lab.inventory, UPGRADE, limit="db-02")

    # The apt module counts upgraded packages only: finishing the one left half-way is no change to it.
    assert again.ended == {"db-02": "ok"}
    assert status_of(lab, "db-02", "labbroken") == "1.1 install ok installed"
    assert lab.run("db-02", ["dpkg", "--audit"]).stdout == ""


def test_a_reboot_gives_a_new_boot_id_and_the_same_machine(lab, patched, play):
    booted, machine = boot_id(lab, "web-03"), lab.run("web-03", ["cat", "/etc/machine-id"]).stdout

    rebooted = play(lab.inventory, REBOOT, limit="web-03")

    assert rebooted.ended == {"web-03": "changed"}, rebooted.output
    assert boot_id(lab, "web-03") != booted
    assert lab.run("web-03", ["cat", "/etc/machine-id"]).stdout == machine
    assert lab.run("web-03", ["test", "-e", "/run/reboot-required"]).returncode == 1
    assert status_of(lab, "web-03", "labkernel") == "1.1 install ok installed"


def test_a_simulated_upgrade_names_the_suite_of_a_security_update(fresh_lab):
    fresh_lab.run("web-01", ["apt-get", "update"])

    simulated = fresh_lab.run("web-01", ["apt-get", "-s", "dist-upgrade"]).stdout

    assert "Inst labsec [1.0] (1.1 Lab-Security:1/lab-security [all])" in simulated
    assert "Inst labapp [1.0] (1.1 Lab:1/lab-main [all])" in simulated


def test_a_reset_host_is_as_new_but_still_itself(lab):
    lab.run("web-01", ["touch", "/root/mark"])
    machine = lab.run("web-01", ["cat", "/etc/machine-id"]).stdout

    lab.reset("web-01")

    assert lab.run("web-01", ["test", "-e", "/root/mark"]).returncode == 1
    assert status_of(lab, "web-01", "labapp") == "1.0 install ok installed"
    assert lab.run("web-01", ["cat", "/etc/machine-id"]).stdout == machine
