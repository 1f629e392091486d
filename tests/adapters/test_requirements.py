"""Roles and collections are installed by the real ansible-galaxy, from sources on this machine, into folders that never change."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from runner.adapters.requirements import AnsibleGalaxy
from runner.config.requirements import read_requirements
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Installed, Requirements
from runner.domain.settings import Settings
from runner.errors import Unknown

NOW = datetime(2026, 3, 21, 9, 0, tzinfo=UTC)
OWN = AnsibleSettings()
SAYS = "- ansible.builtin.debug: {msg: hello}\n"
META = "galaxy_info: {author: a, description: d, license: MIT, min_ansible_version: '2.16'}\ndependencies: []\n"
GALAXY = "namespace: acme\nname: tools\nversion: 1.0.0\nreadme: README.md\nauthors: [us]\n"


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def a_role(folder: Path, *, tag: str = "1.0.0") -> str:
    """A role in a Git repository of its own; gives its address."""
    write(folder, **{"tasks/main.yml": SAYS, "meta/main.yml": META})
    own = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", tag]):
        who = ["-c", "user.email=a@example.com", "-c", "user.name=a"]
        subprocess.run(["git", *who, *words], cwd=folder, env=own, check=True)
    return f"git+file://{folder}"


def a_collection(folder: Path) -> Path:
    """The source of a collection."""
    return write(folder, **{"galaxy.yml": GALAXY, "README.md": "Tools\n", "roles/hello/tasks/main.yml": SAYS})


@dataclass
class Shop:
    """A maintenance repository, its state folder, and an ansible-galaxy that installs there."""

    root: Path
    galaxy: AnsibleGalaxy

    def wants(self, text: str, place: str = "requirements.yml") -> Requirements:
        write(self.root, **{place: text})
        return read_requirements(self.root).wanted

    def install(self, wanted: Requirements, ansible: AnsibleSettings = OWN) -> Installed:
        return self.galaxy.install(wanted, ansible, project=self.root)

    @property
    def kept(self) -> Path:
        return self.root / "var" / "requirements"


Open = Callable[..., Shop]


@pytest.fixture
def shop_in(tmp_path: Path) -> Open:
    def open_shop(name: str = "m", time_limit: float = 60.0, **environ: str) -> Shop:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        settings = Settings(root, "Example", "", root / "var", "UTC")
        own = {**os.environ, "HOME": str(tmp_path / "home"), **environ}
        return Shop(root, AnsibleGalaxy(lambda: settings, own, lambda: NOW, time_limit=time_limit))

    return open_shop


@pytest.fixture
def shop(shop_in: Open) -> Shop:
    return shop_in()


def a_program(folder: Path, text: str) -> AnsibleSettings:
    """An Ansible whose ansible-galaxy is this shell script; `--version` is answered."""
    program = folder / "ansible-galaxy"
    folder.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "ansible-galaxy [core 2.16.3]"; exit; }}\n{text}')
    program.chmod(0o755)
    return AnsibleSettings(bin=str(folder))


def test_a_role_from_git_and_a_collection_of_the_repository_are_installed_read_only(shop: Shop, tmp_path: Path) -> None:
    a_collection(shop.root / "vendor/tools")
    role = a_role(tmp_path / "greet")
    wanted = shop.wants(
        f"roles: [{{src: {role}, name: greet, version: 1.0.0}}]\ncollections: [{{source: vendor/tools, type: dir}}]\n"
    )

    installed = shop.install(wanted)

    folder = shop.galaxy.folder(installed.digest)
    assert {name: item.version for name, item in installed.items.items()} == {
        "role greet": "1.0.0",
        "collection acme.tools": "1.0.0",
    }
    assert (folder / "roles/greet/tasks/main.yml").read_text() == SAYS
    assert (folder / "collections/ansible_collections/acme/tools/MANIFEST.json").is_file()
    assert stat.S_IMODE((folder / "roles/greet/tasks/main.yml").stat().st_mode) & 0o222 == 0
    assert stat.S_IMODE(shop.kept.stat().st_mode) == 0o700
    assert list(shop.kept.glob(".installing-*")) == []


def test_what_is_installed_is_found_again_when_its_source_is_away(shop: Shop, tmp_path: Path) -> None:
    wanted = shop.wants(f"[{{src: {a_role(tmp_path / 'greet')}, name: greet, version: 1.0.0}}]\n")
    installed = shop.install(wanted)
    (tmp_path / "greet").rename(tmp_path / "away")

    assert shop.galaxy.installed(wanted, OWN) == installed
    assert shop.install(wanted) == installed
    assert shop.galaxy.folder_for(wanted, OWN) == shop.kept / installed.digest


def test_the_same_content_has_the_same_digest_wherever_and_whenever_it_was_installed(
    shop_in: Open, tmp_path: Path
) -> None:
    text = f"[{{src: {a_role(tmp_path / 'greet')}, name: greet, version: 1.0.0}}]\n"
    here, there = shop_in("here"), shop_in("there")

    first = here.install(here.wants(text))
    time.sleep(1.1)  # ansible-galaxy writes down the second of the installation
    second = there.install(there.wants(text))

    assert first == second


def test_what_was_asked_for_and_is_another_content_has_another_digest(shop: Shop) -> None:
    a_collection(shop.root / "vendor/tools")
    text = "collections: [{source: vendor/tools, type: dir}]\n"
    before = shop.install(shop.wants(text))
    write(shop.root, **{"vendor/tools/roles/hello/tasks/main.yml": "[]\n"})

    wanted = shop.wants(text)

    assert shop.galaxy.installed(wanted, OWN) is None
    assert shop.install(wanted).digest != before.digest
    assert shop.galaxy.kept(before.digest) == before


def test_a_collection_as_a_file_and_a_role_in_the_older_place_are_installed_together(
    shop: Shop, tmp_path: Path
) -> None:
    source = a_collection(tmp_path / "tools")
    built = [Path(sys.executable).with_name("ansible-galaxy"), "collection", "build", "--output-path", shop.root]
    subprocess.run(built, cwd=source, check=True, capture_output=True)
    shop.wants("collections: [{source: ./acme-tools-1.0.0.tar.gz, type: file}]\n", "collections/requirements.yml")
    wanted = shop.wants(f"- {{src: {a_role(tmp_path / 'greet')}, version: 1.0.0}}\n", "roles/requirements.yml")

    installed = shop.install(wanted)

    assert set(installed.items) == {"role greet", "collection acme.tools"}


def test_what_cannot_be_had_is_told_with_its_reason_and_leaves_nothing(shop: Shop, tmp_path: Path) -> None:
    wanted = shop.wants(f"[{{src: 'git+file://{tmp_path}/nowhere', name: greet, version: 1.0.0}}]\n")

    with pytest.raises(Unknown, match=r"requirements\.yml could not be installed: .*nowhere"):
        shop.install(wanted)

    trouble = shop.galaxy.trouble(wanted, OWN)
    assert trouble is not None
    assert "nowhere" in trouble.reason
    assert trouble.at == NOW
    assert shop.galaxy.installed(wanted, OWN) is None
    assert [path for path in shop.kept.iterdir() if not path.name.startswith((".asked", ".lists", ".lock"))] == []


def test_files_that_somebody_has_changed_do_not_count_as_installed(shop_in: Open, tmp_path: Path) -> None:
    shop = shop_in()
    wanted = shop.wants(f"[{{src: {a_role(tmp_path / 'greet')}, name: greet, version: 1.0.0}}]\n")
    installed = shop.install(wanted)
    tasks = shop.galaxy.folder(installed.digest) / "roles/greet/tasks/main.yml"
    tasks.chmod(0o644)
    tasks.write_text("- ansible.builtin.command: rm -rf /\n")

    assert shop_in().galaxy.installed(wanted, OWN) is None
    assert shop_in().install(wanted) == installed
    assert tasks.read_text() == SAYS


def test_what_lies_in_the_home_folder_does_not_count_as_installed(shop: Shop, tmp_path: Path) -> None:
    a_collection(shop.root / "vendor/tools")
    at_home = tmp_path / "home/.ansible/collections/ansible_collections/acme/tools"
    write(
        at_home, **{"MANIFEST.json": '{"collection_info": {"namespace": "acme", "name": "tools", "version": "1.0.0"}}'}
    )

    installed = shop.install(shop.wants("collections: [{source: vendor/tools, type: dir}]\n"))

    assert set(installed.items) == {"collection acme.tools"}


def test_an_ansible_of_another_release_installs_for_itself(shop: Shop, tmp_path: Path) -> None:
    wanted = shop.wants("[{src: a.b, version: 1.0.0}]\n")
    older = a_program(tmp_path / "older", 'mkdir -p "$6/a.b" && echo old > "$6/a.b/README"\n')

    installed = shop.install(wanted, older)

    assert set(installed.items) == {"role a.b"}
    assert shop.galaxy.installed(wanted, older) == installed
    assert shop.galaxy.installed(wanted, OWN) is None


def test_it_is_started_in_the_repository_with_the_users_own_configuration_and_tokens_in_the_environment_only(
    shop_in: Open, tmp_path: Path
) -> None:
    shop = shop_in(ANSIBLE_GALAXY_SERVER_HUB_TOKEN="s3cr3t-token")
    told = a_program(tmp_path / "bin", f'pwd > {tmp_path}/told; env >> {tmp_path}/told; echo "$@" > {tmp_path}/words\n')
    wanted = shop.wants("[{src: a.b, version: 1.0.0}]\n")

    shop.install(wanted, replace(told, config="ansible-old.cfg"))

    said, words = (tmp_path / "told").read_text().splitlines(), (tmp_path / "words").read_text()
    assert said[0] == str(shop.root)
    assert f"ANSIBLE_CONFIG={shop.root}/ansible-old.cfg" in said
    assert "ANSIBLE_GALAXY_SERVER_HUB_TOKEN=s3cr3t-token" in said
    assert "s3cr3t-token" not in words


def test_tokens_and_passwords_of_addresses_are_kept_out_of_what_is_told(shop_in: Open, tmp_path: Path) -> None:
    shop = shop_in(ANSIBLE_GALAXY_SERVER_HUB_TOKEN="s3cr3t-token")
    loud = a_program(tmp_path / "bin", 'echo "ERROR! 401 at https://me:pass-word@hub/ with s3cr3t-token" >&2; exit 1\n')
    wanted = shop.wants("[{src: a.b, version: 1.0.0}]\n")

    with pytest.raises(Unknown) as told:
        shop.install(wanted, loud)

    assert "401 at https://********@hub/ with ********" in str(told.value)
    written = [path.read_text() for path in (shop.kept / ".asked").iterdir()]
    assert not any("pass-word" in text or "s3cr3t-token" in text for text in written)


def test_one_that_hangs_is_ended_and_told(shop_in: Open, tmp_path: Path) -> None:
    shop = shop_in(time_limit=0.5)
    wanted = shop.wants("[{src: a.b, version: 1.0.0}]\n")

    with pytest.raises(Unknown, match="did not end within"):
        shop.install(wanted, a_program(tmp_path / "bin", "sleep 60\n"))


def test_what_a_crash_left_half_installed_is_cleared_away(shop: Shop, tmp_path: Path) -> None:
    left = shop.kept / ".installing-abc"
    write(left, **{"roles/half/tasks/main.yml": "half"})

    shop.install(shop.wants("[{src: a.b, version: 1.0.0}]\n"), a_program(tmp_path / "bin", 'mkdir -p "$6/a.b"\n'))

    assert not left.exists()


def test_a_broken_ansible_galaxy_is_told_as_the_reason(shop: Shop, tmp_path: Path) -> None:
    wanted = shop.wants("[{src: a.b, version: 1.0.0}]\n")
    broken = a_program(tmp_path / "bin", "")
    (tmp_path / "bin/ansible-galaxy").write_text("#!/bin/sh\nexit 3\n")

    trouble = shop.galaxy.trouble(wanted, broken)

    assert trouble is not None
    assert "does not tell its version" in trouble.reason
    assert shop.galaxy.folder_for(wanted, broken) is None


def test_a_role_in_an_archive_of_the_repository_is_installed(shop: Shop) -> None:
    (shop.root / "vendor").mkdir()
    with tarfile.open(shop.root / "vendor/greet.tar.gz", "w:gz") as archive:
        for name, text in {"greet/tasks/main.yml": SAYS, "greet/meta/main.yml": META}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, BytesIO(text.encode()))

    installed = shop.install(shop.wants("[{src: vendor/greet.tar.gz, name: greet}]\n"))

    assert set(installed.items) == {"role greet"}


def test_an_ansible_galaxy_that_was_too_busy_to_answer_is_asked_again(shop: Shop, tmp_path: Path) -> None:
    wanted, program = shop.wants("[{src: a.b, version: 1.0.0}]\n"), a_program(tmp_path / "bin", "")
    (tmp_path / "bin/ansible-galaxy").write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/free ] && echo 'ansible-galaxy [core 2.19.14]' || exit 1\n"
    )
    busy = shop.galaxy.trouble(wanted, program)

    (tmp_path / "free").touch()

    assert busy is not None
    assert shop.galaxy.trouble(wanted, program) is None
