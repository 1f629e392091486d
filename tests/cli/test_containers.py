"""Containers as a person meets them without an engine at hand: what is refused, what is told, and what `doctor` finds."""

from __future__ import annotations

import pytest

from tests.cli.conftest import SCHEDULE, Repository

IMAGE = "localhost/nowhere:1"
ALWAYS = SCHEDULE.replace("window: saturday-night", "window: always")
REMOTE = "web1 ansible_host=192.0.2.1\n"


@pytest.fixture
def contained(wellkept: Repository) -> Repository:
    """A repository whose playbooks run in an image that is nowhere."""
    wellkept.write("schedules/patch.yml", f"{ALWAYS}ansible: {{image: {IMAGE}}}\n")
    return wellkept


def test_a_host_that_means_this_machine_is_refused_before_its_container_is_changed_instead(
    contained: Repository,
) -> None:
    refused, told = contained("run", "patch"), contained("validate")

    assert refused.code == 3
    assert f"the connection of web1, web2, db1 is local, and playbooks run in the image {IMAGE}" in refused.err
    assert told.code == 2
    assert "schedules/patch.yml:1:1: hosts: the connection of web1, web2, db1 is local" in told.err


def test_the_plan_says_whose_ansible_it_is(contained: Repository) -> None:
    contained.write("hosts.ini", REMOTE)

    planned = contained("plan", "patch").out

    assert f"ansible-playbook is that of the image {IMAGE}; its container has this machine's network" in planned
    assert "ansible-playbook is taken from" not in planned
    assert f"container: the image {IMAGE} cannot be run" in planned or "podman, which is to run" in planned


def test_an_image_that_is_not_there_is_a_problem_with_its_way_out(contained: Repository) -> None:
    found = contained("doctor", "--format", "json").json()["examined"]

    image = next(each for each in found if each["what"] == "image")
    assert image["standing"] == "problem"
    assert f"podman pull {IMAGE}" in image["way_out"]
