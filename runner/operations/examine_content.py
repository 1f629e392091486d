"""Examines what runs need beside the machine's own programs: the roles and collections of requirements files, and container images."""

from __future__ import annotations

from collections.abc import Iterator

from runner.domain.execution.own_ansible import PODMAN
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid
from runner.operations.examined import Examined, Patient, Standing
from runner.operations.execution.install_requirements import ansibles_of


def valid_definitions(patient: Patient) -> Definitions | None:
    """The definitions; None while files are broken, of which the look at the files tells."""
    try:
        return patient.definitions()
    except FilesInvalid:
        return None


def requirements(patient: Patient) -> Iterator[Examined]:
    """Whether the roles and collections that requirements files name are installed, for each Ansible that plays something."""
    definitions = valid_definitions(patient)
    if definitions is None:
        return
    wanted = definitions.requirements
    for ansible in ansibles_of(definitions):
        what = f"requirements, {ansible.bin}" if ansible.bin else "requirements"
        if installed := patient.galaxy.installed(wanted, ansible):
            yield Examined(what, Standing.OK, f"installed: {installed.words}")
        elif trouble := patient.galaxy.trouble(wanted, ansible):
            way_out = "Runs are held until they can be installed. `wellkept plan` tries again. Or leave it to yourself: ansible: {requirements: ignore}"
            yield Examined(what, Standing.PROBLEM, trouble.reason, way_out)
        else:
            way_out = "`wellkept plan` installs them, and so does the daemon."
            yield Examined(
                what,
                Standing.WARNING,
                f"the {wanted.words} are not installed yet; runs are held until they are",
                way_out,
            )


def images(patient: Patient) -> Iterator[Examined]:
    """Whether the images that playbooks run in are on this machine."""
    definitions = valid_definitions(patient)
    schedules = definitions.schedules.values() if definitions else ()
    settings = dict.fromkeys(each.ansible for each in schedules if each.ansible.image)
    for ansible in settings:
        if wrong := patient.machine.in_the_way(ansible):
            way_out = f"Runs fetch nothing, and are held. As this user: {ansible.engine or PODMAN} pull {ansible.image}"
            yield Examined("image", Standing.PROBLEM, wrong, way_out)
        else:
            yield Examined("image", Standing.OK, f"{ansible.image}, by {ansible.engine or PODMAN}")
