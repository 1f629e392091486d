"""A lab with wishes: a small disk, an update that comes later, and two labs side by side."""

import re

import pytest

from tests.lab import Lab, Wishes

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def odd_lab(tmp_path_factory):
    wishes = Wishes(
        names=("web-01", "db-01"), extras={"db-01": ["labbig", "labslow"]}, disks={"db-01": 12}, offer="1.0"
    )
    with Lab.up(tmp_path_factory.mktemp("odd"), wishes) as lab:
        yield lab


def upgrade(lab, host):
    lab.run(host, ["apt-get", "update"])
    return lab.run(host, ["apt-get", "-y", "dist-upgrade"])


def test_nothing_is_upgraded_before_the_new_version_is_published(odd_lab):
    odd_lab.publish("1.0")

    before = upgrade(odd_lab, "web-01")
    odd_lab.publish("1.1")
    after = upgrade(odd_lab, "web-01")

    assert "0 upgraded" in before.stdout
    assert "Setting up labapp (1.1)" in after.stdout


def test_a_package_too_big_for_the_disk_leaves_the_package_tool_half_way(odd_lab):
    odd_lab.publish("1.1")
    odd_lab.run("db-01", ["sh", "-c", "echo 0 > /etc/labslow/seconds"])

    full = upgrade(odd_lab, "db-01")

    assert full.returncode == 100
    assert "No space left on device" in full.stdout
    assert odd_lab.run("db-01", ["dpkg-query", "-W", "-f", "${Version}", "labbig"]).stdout == "1.0"


def test_a_filled_disk_has_no_room_until_healed(odd_lab):
    odd_lab.reset("db-01")
    odd_lab.break_host("db-01", "fill-disk")

    full = odd_lab.run("db-01", ["cp", "/etc/passwd", "/root/note"])
    odd_lab.heal("db-01")

    assert "No space left on device" in full.stderr
    assert odd_lab.run("db-01", ["cp", "/etc/passwd", "/root/note"]).returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        ["touch", "/usr/mark"],
        ["touch", "/srv/repo/mark"],
        ["date", "--set", "now"],
        ["sh", "-c", ": >> /proc/sys/kernel/panic"],
        ["mknod", "/root/disk", "b", "8", "0"],
    ],
)
def test_a_host_cannot_change_the_machine_it_runs_on(lab, command):
    refusal = lab.run("web-01", command).stderr

    assert re.search("Operation not permitted|Read-only file system|Permission denied", refusal)


def test_two_labs_live_side_by_side(lab, odd_lab):
    ids = {one.run("web-01", ["cat", "/etc/machine-id"]).stdout for one in (lab, odd_lab)}

    assert len(ids) == 2
    assert lab.port("web-01") != odd_lab.port("web-01")
