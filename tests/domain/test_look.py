"""A look is read whole or not at all, and changes are told by comparing two of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.look import (
    HostLook,
    PackageChange,
    UnreadableLookError,
    not_running_again,
    packages_changed,
    read_look,
    was_rebooted,
)

TEXT = """\
@@ machine
3d1219c7c4c5404aaa1f6d2a48adfda4
@@ boot
610a07f4-739f-4c3a-b2dd-e16f58ece89a
@@ system
debian 12
@@ kernel
6.1.0-18-amd64
@@ uptime
2184.95
@@ reboot
required
@@ reboot-packages
linux-image-amd64
linux-base
@@ packages
ii \tlabapp\t1.1
hi \tlabheld\t1.0
iF \tlabbroken\t1.1
iU \tlabslow\t1.1
rc \tlabgone\t1.0
un \tlabnever\t
iiR\tlabtorn\t2.0
@@ held
@@ free
1024\t/
2048\t/var
@@ busy
lock /var/lib/dpkg/lock-frontend pid=46 apt-get -y dist-upgrade
@@ end
"""

VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "1.1", "2.0"]))


def test_a_look_tells_what_a_host_is() -> None:
    look = read_look(TEXT)

    assert look.machine_id == "3d1219c7c4c5404aaa1f6d2a48adfda4"
    assert look.boot_id == "610a07f4-739f-4c3a-b2dd-e16f58ece89a"
    assert (look.system, look.kernel, look.uptime) == ("debian 12", "6.1.0-18-amd64", 2184.95)
    assert look.reboot_required
    assert look.reboot_packages == ("linux-base", "linux-image-amd64")
    assert look.free_bytes == {"/": 1024 * 1024, "/var": 2048 * 1024}


def test_only_properly_installed_packages_count_as_installed() -> None:
    look = read_look(TEXT)

    assert look.packages == {"labapp": "1.1", "labheld": "1.0"}
    assert look.broken == ("labbroken", "labslow", "labtorn")
    assert look.held == ("labheld",)


def test_a_host_where_a_package_manager_is_at_work_is_not_quiet() -> None:
    look = read_look(TEXT)

    assert look.busy == ("lock /var/lib/dpkg/lock-frontend pid=46 apt-get -y dist-upgrade",)
    assert not look.is_quiet
    assert read_look("@@ busy\n@@ end").is_quiet


def test_a_terminals_line_ends_make_no_difference() -> None:
    assert read_look(TEXT.replace("\n", "\r\n")) == read_look(TEXT)


def test_several_versions_of_one_package_are_all_told() -> None:
    look = read_look("@@ packages\nii \tkernel.x86_64\t6.2-1\nii \tkernel.x86_64\t6.1-1\n@@ end\n")

    assert look.packages == {"kernel.x86_64": "6.1-1, 6.2-1"}


@pytest.mark.parametrize("lines", range(len(TEXT.splitlines())))
def test_a_look_that_was_cut_off_anywhere_is_refused(lines: int) -> None:
    cut = "\n".join(TEXT.splitlines()[:lines])

    with pytest.raises(UnreadableLookError, match="cut off"):
        read_look(cut)


def test_packages_changed_are_those_that_differ() -> None:
    before = HostLook(packages={"a": "1", "b": "1", "c": "1"})
    after = HostLook(packages={"a": "1", "b": "2", "d": "1"})

    changes = packages_changed(before, after)

    assert changes == (PackageChange("b", "1", "2"), PackageChange("c", "1", None), PackageChange("d", None, "1"))


@given(old=VERSIONS, new=VERSIONS)
def test_applying_the_changes_to_the_look_before_gives_the_look_after(old: dict[str, str], new: dict[str, str]) -> None:
    changes = packages_changed(HostLook(packages=old), HostLook(packages=new))

    patched = {**old, **{change.name: change.after for change in changes}}
    assert {name: version for name, version in patched.items() if version is not None} == new


def at_boot(boot: str, *services: str) -> HostLook:
    lines = "".join(f"{service}\n" for service in services)
    return read_look(f"@@ boot\n{boot}\n@@ services\n{lines}@@ end\n")


def test_services_are_read_with_whether_they_run() -> None:
    look = at_boot("one", "nginx.service\trunning", "slow.service\tstarting", "a line of something else")

    assert look.services == {"nginx.service": "running", "slow.service": "starting"}


def test_what_ran_before_a_restart_and_does_not_after_it_is_named() -> None:
    before = at_boot("one", "nginx.service\trunning", "db.service\trunning", "slow.service\tstarting")

    after = at_boot("two", "db.service\tstarting", "new.service\trunning")

    assert not_running_again(before, after) == ("nginx.service",)


def test_without_a_restart_services_may_come_and_go() -> None:
    before, after = at_boot("one", "nginx.service\trunning"), at_boot("one")

    assert not_running_again(before, after) == ()
    assert not was_rebooted(before, after)


def test_a_host_that_does_not_tell_its_boot_was_not_seen_to_restart() -> None:
    assert not was_rebooted(at_boot(""), at_boot("two"))
