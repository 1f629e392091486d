"""Names, groups and choices of a lab, before anything is started."""

import pytest

from tests.lab.errors import LabError
from tests.lab.machine import choose_mode, require_programs
from tests.lab.plan import LabPlan, Mode, choose_extras, default_names, group_of, plan_hosts, read_plan, write_plan


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (1, ("web-01",)),
        (2, ("web-01", "web-02")),
        (5, ("web-01", "web-02", "web-03", "db-01", "db-02")),
    ],
)
def test_three_of_five_hosts_are_web_servers(count, names):
    assert default_names(count) == names


@pytest.mark.parametrize(
    ("name", "group"), [("web-01", "web"), ("app-eu-3", "app_eu"), ("db1", "db"), ("mail", "hosts")]
)
def test_a_host_is_in_the_group_of_its_name_without_the_number(name, group):
    assert group_of(name) == group


def test_by_default_one_web_server_wants_a_reboot_and_one_database_breaks():
    extras = choose_extras(default_names(5), None)

    assert {name: packages for name, packages in extras.items() if packages} == {
        "web-03": ("labkernel",),
        "db-02": ("labbroken",),
    }


def test_choices_of_the_caller_replace_the_default_ones():
    extras = choose_extras(default_names(5), {"web-01": ["labslow"]})

    assert {name: packages for name, packages in extras.items() if packages} == {"web-01": ("labslow",)}


@pytest.mark.parametrize(
    ("extras", "disks", "names", "words"),
    [
        ({"web-09": ["labslow"]}, {}, ("web-01",), "no host 'web-09'"),
        ({"web-01": ["nginx"]}, {}, ("web-01",), "no package to choose 'nginx'; there are labbig, labbroken"),
        ({}, {"web-09": 40}, ("web-01",), "no host 'web-09'"),
        ({}, {"web-01": 1}, ("web-01",), "too small"),
        ({}, {}, ("web-01", "web-01"), "given twice"),
        ({}, {}, ("web_01",), "no host name"),
        ({}, {}, ("web", "web-01"), "a host and a group"),
        ({}, {}, (), "at least one host"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_words(extras, disks, names, words):
    with pytest.raises(LabError, match=words):
        plan_hosts(names, ports=range(len(names)), extras=extras, disks=disks, mode=Mode.ROOT)


def test_a_plan_is_kept_and_read_back_as_it_was(tmp_path):
    hosts = plan_hosts(default_names(5), ports=range(5), extras=None, disks={"db-01": 40}, mode=Mode.USER)
    plan = LabPlan(mode=Mode.USER, login="ops", hosts=hosts, made_folder=True)

    write_plan(tmp_path / "state.json", plan)

    assert read_plan(tmp_path / "state.json") == plan


def test_every_host_has_an_identity_of_its_own():
    hosts = plan_hosts(default_names(5), ports=range(5), extras=None, disks={}, mode=Mode.ROOT)

    assert len({host.machine_id for host in hosts}) == 5


def test_missing_programs_are_named_in_one_line_with_the_packages_to_install(monkeypatch):
    monkeypatch.setattr("tests.lab.machine.SEARCH", "/nowhere")

    with pytest.raises(LabError) as raised:
        require_programs(Mode.ROOT)

    assert "sshd" in str(raised.value)
    assert "apt install apt dpkg openssh-client openssh-server perl-base util-linux" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_machine_without_dpkg_gets_plain_hosts_and_is_told_why(monkeypatch):
    monkeypatch.setattr("tests.lab.machine.SEARCH", "/nowhere")

    mode, notice = choose_mode(plain=False)

    assert mode is Mode.PLAIN
    assert "neither Debian nor Ubuntu" in notice
    assert "without packages of their own, patches or reboots" in notice


def test_a_machine_that_refuses_namespaces_gets_plain_hosts_and_is_told_why(monkeypatch):
    monkeypatch.setattr("tests.lab.machine.TRIAL", "echo mount: permission denied >&2; exit 1")

    mode, notice = choose_mode(plain=False)

    assert mode is Mode.PLAIN
    assert "no namespaces (mount: permission denied)" in notice
