"""Installs ahead what requirements files name: for the definitions in force, and for each Ansible that will play them.

Nothing is fetched when a run begins: by then it is there, or the run is held.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Requirements
from runner.domain.settings import Definitions
from runner.errors import Unknown
from runner.operations.site import Site

log = logging.getLogger(__name__)
AGAIN = timedelta(minutes=10)  # after an attempt that failed, when nobody asks for another one


def install_requirements(
    *, site: Site, again_after: timedelta = AGAIN, tell: Callable[[str], object] = log.info
) -> None:
    """Install what is missing. An attempt that fails is noted, and holds the runs that need it; after `again_after` it is made anew."""
    definitions = site.current()
    missing = [
        ansible for ansible in ansibles_of(definitions) if is_missing(definitions, ansible, again_after, site=site)
    ]
    if not missing:
        return
    taken = site.snapshotted.readable(site.snapshots.take(site.root, besides=definitions.files_besides))
    wanted = site.snapshotted.of(taken.digest).requirements
    for ansible in missing if wanted else ():
        tell(f"Installing the {wanted.words}, with {ansible.bin or 'the ansible-galaxy on your PATH'} …")
        install(wanted, ansible, taken.path, site=site)


def ansibles_of(definitions: Definitions) -> Iterator[AnsibleSettings]:
    """Each Ansible, once, that plays something for which requirements are installed."""
    wanted = (each.ansible for each in definitions.schedules.values() if definitions.requirements_for(each))
    yield from dict.fromkeys(wanted)


def is_missing(definitions: Definitions, ansible: AnsibleSettings, again_after: timedelta, *, site: Site) -> bool:
    """Whether something is not installed, and it is time to try."""
    wanted = definitions.requirements
    try:
        if site.galaxy.installed(wanted, ansible):
            return False
    except Unknown as error:
        log.warning("%s", error, extra={"action": "requirements.failed"})
        return False
    trouble = site.galaxy.trouble(wanted, ansible)
    return trouble is None or site.clock() >= trouble.at + again_after


def install(wanted: Requirements, ansible: AnsibleSettings, project: Path, *, site: Site) -> None:
    """Install for one Ansible; why it could not be done is noted by the adapter, and told here."""
    try:
        found = site.galaxy.install(wanted, ansible, project=project)
    except Unknown as error:
        log.warning("%s", error, extra={"action": "requirements.failed"})
    else:
        log.info("Installed: %s", found.words, extra={"action": "requirements.installed", "digest": found.digest})
