"""Which hosts an alert is about, and whether it stands in the way of a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.alerts import Alert, bare, hold_for_alerts, hosts_of
from runner.domain.execution.guards import Hold

HOSTS = {
    "web-01": {"ansible_host": "10.0.0.11"},
    "web-02": {},
    "web-02b.example.com": {},
    "v6": {"ansible_host": "fd00::11"},
    "11": {},
}


def an_alert(name: str = "HostDown", **labels: str) -> Alert:
    return Alert(name, {"alertname": name, **labels})


@pytest.mark.parametrize(
    ("label", "value", "host"),
    [
        ("instance", "web-01:9100", "web-01"),
        ("instance", "WEB-01", "web-01"),
        ("instance", "10.0.0.11:9100", "web-01"),
        ("instance", "[fd00::11]:9100", "v6"),
        ("instance", "https://web-02.example.com/health", "web-02"),
        ("instance", "web-02b:9100", "web-02b.example.com"),
        ("host", "web-02", "web-02"),
        ("hostname", "web-02.example.com", "web-02"),
        ("node", "web-02", "web-02"),
        ("nodename", "web-02", "web-02"),
    ],
)
def test_an_alert_names_a_host_by_its_name_or_its_address(label: str, value: str, host: str) -> None:
    assert hosts_of(an_alert(**{label: value}), HOSTS) == {host}


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"instance": ""},
        {"instance": "web-0:9100"},
        {"instance": "web-011"},
        {"instance": "10.0.0.110:9100"},
        {"instance": "http://[broken"},
        {"job": "web-01"},
        {"cluster": "web-02"},
    ],
)
def test_an_alert_that_names_no_host_of_ours_is_about_none(labels: dict[str, str]) -> None:
    assert hosts_of(an_alert(**labels), HOSTS) == frozenset()


def test_an_alert_for_a_host_holds_and_names_both() -> None:
    hold = hold_for_alerts([an_alert(instance="web-01:9100")], HOSTS, ignore=())

    assert hold == Hold("alerts", "alerts fire for its hosts: HostDown (web-01)")


def test_an_alert_for_other_hosts_holds_nothing() -> None:
    assert hold_for_alerts([an_alert(instance="db-01:9100")], HOSTS, ignore=()) is None


def test_an_alert_to_be_ignored_holds_nothing() -> None:
    alerts = [an_alert("Watchdog", instance="web-01")]

    assert hold_for_alerts(alerts, HOSTS, ignore=["Watchdog"]) is None


def test_many_alerts_are_told_in_short_and_always_alike() -> None:
    alerts = [an_alert(name, instance="web-01") for name in "gfedcba"]

    told = "alerts fire for its hosts: a (web-01), b (web-01), c (web-01), d (web-01), e (web-01) and 2 more"
    for shuffled in (alerts, alerts[::-1]):
        hold = hold_for_alerts(shuffled, HOSTS, ignore=())
        assert hold is not None
        assert hold.reason == told


@given(st.text())
def test_any_label_can_be_read(label: str) -> None:
    assert isinstance(bare(label), str)
    assert hosts_of(an_alert(instance=label), {"never-named": {}}) <= {"never-named"}


@given(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.integers(1, 65535))
def test_the_port_of_an_instance_is_left_out(host: str, port: int) -> None:
    assert bare(f"{host}:{port}") == host
