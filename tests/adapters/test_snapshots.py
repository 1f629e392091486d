"""A run executes from a copy that nobody edits; Git is the real one."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.adapters.snapshots import FileSnapshots
from runner.errors import Unknown

NOON = datetime(2026, 3, 21, 12, tzinfo=UTC)


class Repository:
    """A maintenance repository in a folder, with Git when asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.write("wellkept.yml", "format: 1\n")
        self.write("playbooks/patch.yml", "- hosts: all\n")

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def git(self, *arguments: str) -> str:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root.parent), "GIT_CONFIG_NOSYSTEM": "1"}
        names = [
            "-c",
            "user.name=Ana",
            "-c",
            "user.email=ana@example.com",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "protocol.file.allow=always",
        ]
        argv = ["git", *names, "-c", "safe.directory=*", *arguments]
        return subprocess.run(
            argv, cwd=self.root, env=environ, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self) -> str:
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "home" / "maintenance")


def snapshots_of(
    repository: Repository, *, now: datetime = NOON, environ: dict[str, str] | None = None, **options
) -> FileSnapshots:
    plain = {"PATH": os.environ["PATH"], "HOME": str(repository.root.parent)}
    return FileSnapshots(
        state_dir=repository.root / "var", environ={**plain, **(environ or {})}, clock=lambda: now, **options
    )


def files_in(path: Path) -> set[str]:
    return {str(found.relative_to(path)) for found in path.rglob("*") if found.is_symlink() or not found.is_dir()}


def test_the_same_content_gives_the_same_digest_and_path(repository: Repository) -> None:
    snapshots = snapshots_of(repository)

    first, second = snapshots.take(repository.root), snapshots.take(repository.root)

    assert first == second
    assert first.path == repository.root / "var" / "snapshots" / first.digest
    assert (first.path / "playbooks/patch.yml").read_text() == "- hosts: all\n"


def test_other_content_gives_another_digest_and_leaves_the_first_copy_alone(repository: Repository) -> None:
    snapshots = snapshots_of(repository)
    first = snapshots.take(repository.root)

    repository.write("playbooks/patch.yml", "- hosts: web\n")
    second = snapshots.take(repository.root)

    assert first.digest != second.digest
    assert (first.path / "playbooks/patch.yml").read_text() == "- hosts: all\n"
    assert (second.path / "playbooks/patch.yml").read_text() == "- hosts: web\n"


def test_editing_a_file_in_place_never_reaches_a_copy(repository: Repository) -> None:
    taken = snapshots_of(repository).take(repository.root)

    with (repository.root / "playbooks/patch.yml").open("r+") as file:
        file.write("- hosts: nobody\n")

    assert (taken.path / "playbooks/patch.yml").read_text() == "- hosts: all\n"


def test_two_copies_share_the_files_that_are_the_same(repository: Repository) -> None:
    snapshots = snapshots_of(repository)
    first = snapshots.take(repository.root)

    repository.write("new.yml", "x: 1\n")
    second = snapshots.take(repository.root)

    assert (first.path / "wellkept.yml").samefile(second.path / "wellkept.yml")
    assert not (first.path / "wellkept.yml").samefile(repository.root / "wellkept.yml")


def test_files_and_folders_of_a_copy_are_read_only_and_programs_stay_programs(repository: Repository) -> None:
    repository.write("inventories/cloud.sh", "#!/bin/sh\n").chmod(0o755)

    taken = snapshots_of(repository).take(repository.root)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in [taken.path, *taken.path.rglob("*")]]
    assert not any(mode & 0o222 for mode in modes)
    assert os.access(taken.path / "inventories/cloud.sh", os.X_OK)


def test_making_a_file_a_program_changes_the_digest(repository: Repository) -> None:
    snapshots = snapshots_of(repository)
    script = repository.write("inventories/cloud.sh", "#!/bin/sh\n")
    before = snapshots.take(repository.root)

    script.chmod(0o755)

    assert snapshots.take(repository.root).digest != before.digest


def test_without_git_everything_comes_along_but_state_environments_and_output(repository: Repository) -> None:
    for path in [
        "var/wellkept.db",
        ".venv/bin/python",
        "reports/output/a.html",
        "roles/__pycache__/x.pyc",
        "reports/monthly.yml",
        "old.db",
    ]:
        repository.write(path, "x")

    taken = snapshots_of(repository, leave_out=[repository.root / "old.db"]).take(repository.root)

    assert files_in(taken.path) == {"wellkept.yml", "playbooks/patch.yml", "reports/monthly.yml"}
    assert (taken.commit, taken.dirty) == (None, False)


def test_a_clean_tree_has_its_commit(repository: Repository) -> None:
    repository.write(".gitignore", "var/\n")
    commit = repository.commit()

    taken = snapshots_of(repository).take(repository.root)

    assert (taken.commit, taken.dirty) == (commit, False)
    assert files_in(taken.path) == {".gitignore", "wellkept.yml", "playbooks/patch.yml"}


def test_the_state_folder_makes_no_tree_dirty_also_when_it_is_not_ignored(repository: Repository) -> None:
    repository.commit()
    snapshots = snapshots_of(repository)

    snapshots.take(repository.root)

    assert not snapshots.take(repository.root).dirty


@pytest.mark.parametrize("change", ["edited", "new", "staged", "deleted"])
def test_any_change_makes_the_tree_dirty_and_is_in_the_copy(repository: Repository, change: str) -> None:
    commit = repository.commit()
    match change:
        case "edited":
            repository.write("playbooks/patch.yml", "- hosts: db\n")
        case "new" | "staged":
            repository.write("playbooks/new.yml", "- hosts: db\n")
        case "deleted":
            (repository.root / "playbooks/patch.yml").unlink()
    if change == "staged":
        repository.git("add", "playbooks/new.yml")

    taken = snapshots_of(repository).take(repository.root)

    assert (taken.commit, taken.dirty) == (commit, True)
    assert files_in(taken.path / "playbooks") == {"edited": {"patch.yml"}, "deleted": set()}.get(
        change, {"patch.yml", "new.yml"}
    )


def test_ignored_files_stay_out_but_installed_roles_and_collections_come_along(repository: Repository) -> None:
    repository.write(".gitignore", "secret.txt\nroles/*\n/collections\nvendor/\n__pycache__\n")
    repository.write("ansible.cfg", "[defaults]\nroles_path = roles:vendor/roles\n")
    installed = {
        "roles/web/tasks/main.yml",
        "collections/ansible_collections/a/b/MANIFEST.json",
        "vendor/roles/db/tasks/main.yml",
    }
    for path in [*installed, "vendor/big.iso", "secret.txt"]:
        repository.write(path, "x")
    repository.commit()

    taken = snapshots_of(repository).take(repository.root)

    assert files_in(taken.path) - {".gitignore", "ansible.cfg", "wellkept.yml", "playbooks/patch.yml"} == installed


@pytest.mark.parametrize("path", ["calendars/night.ics", "var/night.ics"])
def test_a_file_that_is_asked_for_comes_along_also_from_where_nothing_else_does(
    repository: Repository, path: str
) -> None:
    repository.write(".gitignore", "calendars/\nvar/\n")
    file = repository.write(path, "one")
    repository.write("calendars/other.ics", "x")
    repository.commit()
    snapshots = snapshots_of(repository)

    first = snapshots.take(repository.root, besides=[f"./{path}", "not/there.ics"])
    file.write_text("another")
    second = snapshots.take(repository.root, besides=[path])

    assert files_in(first.path) == {".gitignore", "wellkept.yml", "playbooks/patch.yml", path}
    assert (first.path / path).read_text() == "one"
    assert first.digest != second.digest


def test_an_ignored_password_file_that_ansible_needs_is_led_to_and_not_copied(repository: Repository) -> None:
    repository.write(".gitignore", ".vault_pass\nvar\n")
    repository.write("ansible.cfg", "[defaults]\nvault_password_file = .vault_pass\n")
    repository.write(".vault_pass", "open sesame")
    repository.commit()

    taken = snapshots_of(repository).take(repository.root)

    assert (taken.path / ".vault_pass").readlink() == repository.root / ".vault_pass"
    kept = [path for path in (repository.root / "var").rglob("*") if path.is_file() and not path.is_symlink()]
    assert kept
    assert not any(b"open sesame" in path.read_bytes() for path in kept)


def test_a_file_of_a_secret_is_led_to_and_not_copied_though_git_tracks_it(repository: Repository) -> None:
    repository.write(".gitignore", "var\n")
    repository.write("secrets/login", "open sesame")
    repository.commit()
    snapshots = snapshots_of(repository, secret=[repository.root / "secrets" / "login", Path("/elsewhere/login")])

    taken = snapshots.take(repository.root)

    assert (taken.path / "secrets/login").readlink() == repository.root / "secrets/login"
    kept = [path for path in (repository.root / "var").rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(b"open sesame" in path.read_bytes() for path in kept)
    assert not taken.dirty


def test_submodules_and_repositories_within_the_repository_come_along(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.commit()
    repository.commit()
    repository.git("submodule", "--quiet", "add", str(other.root), "roles/shared")
    repository.git("clone", "--quiet", str(other.root), "roles/cloned")

    taken = snapshots_of(repository).take(repository.root)

    assert {"roles/shared/wellkept.yml", "roles/cloned/wellkept.yml"} <= files_in(taken.path)
    assert not any(".git" in Path(path).parts for path in files_in(taken.path))


def test_a_folder_within_a_larger_git_tree_is_copied_alone(repository: Repository) -> None:
    whole = Repository(repository.root.parent / "whole")
    part = Repository(whole.root / "maintenance")
    commit = whole.commit()
    whole.write("elsewhere.txt", "dirty, but not ours")

    taken = snapshots_of(part).take(part.root)

    assert files_in(taken.path) == {"wellkept.yml", "playbooks/patch.yml"}
    assert (taken.commit, taken.dirty) == (commit, False)


def test_a_folder_that_a_surrounding_git_tree_ignores_is_copied_as_one_without_git(repository: Repository) -> None:
    repository.write(".gitignore", "demo/\n")
    repository.commit()
    demo = Repository(repository.root / "demo")

    taken = snapshots_of(demo).take(demo.root)

    assert files_in(taken.path) == {"wellkept.yml", "playbooks/patch.yml"}
    assert taken.commit is None


def test_a_tree_of_another_user_is_read_all_the_same(repository: Repository) -> None:
    commit = repository.commit()
    as_another_users = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}  # Git's own way where nobody may give files away
    if os.geteuid() == 0:
        for path in [repository.root, *repository.root.rglob("*")]:
            os.chown(path, 65534, 65534)

    assert snapshots_of(repository, environ=as_another_users).take(repository.root).commit == commit


def test_reading_a_tree_starts_none_of_its_programs(repository: Repository) -> None:
    repository.commit()
    monitor = repository.write(".git/monitor", "#!/bin/sh\ntouch started\n")
    monitor.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(monitor))

    snapshots_of(repository).take(repository.root)

    assert not list(repository.root.rglob("started"))


def test_without_git_on_this_machine_there_is_no_commit(repository: Repository) -> None:
    repository.commit()

    taken = snapshots_of(repository, environ={"PATH": "/nowhere"}).take(repository.root)

    assert taken.commit is None
    assert files_in(taken.path) == {"wellkept.yml", "playbooks/patch.yml"}


def test_links_within_the_repository_lead_to_the_copy(repository: Repository) -> None:
    (repository.root / "current.yml").symlink_to("playbooks/patch.yml")
    (repository.root / "absolute").symlink_to(repository.root / "playbooks")

    taken = snapshots_of(repository).take(repository.root)

    assert (taken.path / "current.yml").resolve() == taken.path / "playbooks/patch.yml"
    assert (taken.path / "absolute").resolve() == taken.path / "playbooks"


def test_links_out_of_the_repository_are_kept_as_links_and_not_followed(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "home" / "outside"
    outside.mkdir()
    (outside / "private.txt").write_text("private")
    (repository.root / "outside").symlink_to("../outside")

    taken = snapshots_of(repository).take(repository.root)

    assert (taken.path / "outside").readlink() == outside
    assert "outside/private.txt" not in files_in(taken.path)


def test_names_that_are_not_utf_8_are_copied(repository: Repository) -> None:
    (Path(os.fsdecode(os.fsencode(repository.root) + b"/caf\xe9.yml"))).write_text("x")
    repository.commit()

    taken = snapshots_of(repository).take(repository.root)

    assert os.fsdecode(b"caf\xe9.yml") in files_in(taken.path)


def test_pipes_and_sockets_are_left_out(repository: Repository) -> None:
    os.mkfifo(repository.root / "pipe")

    assert "pipe" not in files_in(snapshots_of(repository).take(repository.root).path)


def test_a_copy_that_somebody_has_changed_is_made_anew(repository: Repository) -> None:
    snapshots = snapshots_of(repository)
    taken = snapshots.take(repository.root)
    spoiled = taken.path / "playbooks/patch.yml"
    spoiled.chmod(0o644)
    spoiled.write_text("- hosts: evl\n")
    spoiled.chmod(0o444)

    again = snapshots.take(repository.root)

    assert again == taken
    assert spoiled.read_text() == "- hosts: all\n"


def test_a_repository_that_keeps_changing_is_refused(repository: Repository) -> None:
    for number in range(200):
        repository.write(f"group_vars/{number}.yml", "x" * 1000)
    over = threading.Event()

    def keep_writing() -> None:
        number = 0
        while not over.is_set():
            number += 1
            repository.write("group_vars/0.yml", f"number: {number}\n")

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        with pytest.raises(Unknown, match="files keep changing"):
            snapshots_of(repository).take(repository.root)
    finally:
        over.set()
        writer.join()

    assert not [path for path in (repository.root / "var/snapshots").iterdir() if not path.name.startswith(".")]


def test_old_copies_are_forgotten_but_not_those_in_use_or_just_taken(repository: Repository) -> None:
    old, used, new = (
        snapshots_of(repository, now=at).take(repository.write("playbooks/patch.yml", name).parent.parent)
        for name, at in [("old", NOON), ("used", NOON), ("new", NOON + timedelta(hours=3))]
    )

    removed = snapshots_of(repository, now=NOON + timedelta(hours=3)).forget([used.digest])

    assert removed == 1
    assert [taken.path.exists() for taken in (old, used, new)] == [False, True, True]
    stored = [path.read_text() for path in (repository.root / "var/snapshots/.files").iterdir()]
    assert sorted(stored) == ["format: 1\n", "new", "used"]


def test_what_a_crash_left_half_made_is_cleared_away(repository: Repository) -> None:
    snapshots = snapshots_of(repository)
    snapshots.take(repository.root)
    half = repository.root / "var/snapshots/.taking-half"
    (half / "a").mkdir(parents=True)
    (half / "a").chmod(0o555)

    snapshots.take(repository.root)

    assert not half.exists()


def test_two_takers_at_once_get_the_same_whole_copy(repository: Repository) -> None:
    taken: list[object] = []
    takers = [
        threading.Thread(target=lambda: taken.append(snapshots_of(repository).take(repository.root))) for _ in range(4)
    ]

    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert len(taken) == 4
    assert len(set(map(repr, taken))) == 1


@pytest.fixture
def settled(repository: Repository) -> Repository:
    """A repository that nobody has touched for a moment: a further change bears another time."""
    repository.commit()
    time.sleep(1.2)
    return repository


def test_a_tree_that_nobody_has_touched_is_not_read_again(settled: Repository) -> None:
    snapshots = snapshots_of(settled)
    first, store = snapshots.take(settled.root), settled.root / "var/snapshots/.files"
    for path in store.iterdir():
        path.unlink()

    second = snapshots.take(settled.root)

    assert second == first
    assert not list(store.iterdir()), "nothing was copied"


def test_an_edit_that_keeps_size_and_time_of_a_file_is_seen(settled: Repository) -> None:
    snapshots = snapshots_of(settled)
    first, edited = snapshots.take(settled.root), settled.root / "playbooks/patch.yml"
    was = edited.stat()

    edited.write_text("- hosts: web\n")
    os.utime(edited, ns=(was.st_atime_ns, was.st_mtime_ns))
    second = snapshots.take(settled.root)

    assert edited.stat().st_size == was.st_size
    assert second.digest != first.digest
    assert (second.path / "playbooks/patch.yml").read_text() == "- hosts: web\n"
    assert second.dirty


@pytest.mark.parametrize("times", range(3))
def test_edits_within_one_tick_of_the_clock_are_all_seen(repository: Repository, times: int) -> None:
    snapshots = snapshots_of(repository)

    for number in range(20):
        text = f"- hosts: web{number:02}{times}\n"
        repository.write("playbooks/patch.yml", text)
        assert (snapshots.take(repository.root).path / "playbooks/patch.yml").read_text() == text


def test_a_commit_without_any_edit_is_told(settled: Repository) -> None:
    snapshots = snapshots_of(settled)
    first = snapshots.take(settled.root)

    settled.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    second = snapshots.take(settled.root)

    assert second.digest == first.digest
    assert second.commit == settled.git("rev-parse", "HEAD") != first.commit


def test_a_secret_that_came_since_is_led_to(settled: Repository) -> None:
    snapshots = snapshots_of(settled, environ={"ANSIBLE_VAULT_PASSWORD_FILE": "vault.pass"})
    settled.write(".gitignore", "vault.pass\nvar\n")
    time.sleep(1.2)
    first = snapshots.take(settled.root)

    settled.write("vault.pass", "secret")
    second = snapshots.take(settled.root)

    assert not (first.path / "vault.pass").is_symlink()
    assert (second.path / "vault.pass").is_symlink()


@pytest.mark.parametrize("harm", ["edited", "removed", "list gone"])
def test_a_copy_that_was_harmed_is_made_anew_though_the_tree_is_as_before(settled: Repository, harm: str) -> None:
    snapshots = snapshots_of(settled)
    first = snapshots.take(settled.root)

    HARMS[harm](first.path)
    second = snapshots.take(settled.root)

    assert second.digest == first.digest
    assert (second.path / "wellkept.yml").read_text() == "format: 1\n"


def edit(copy: Path) -> None:
    (copy / "wellkept.yml").chmod(0o600)
    (copy / "wellkept.yml").write_text("format: 2\n")


def remove(copy: Path) -> None:
    copy.chmod(0o700)
    (copy / "wellkept.yml").unlink()


HARMS = {"edited": edit, "removed": remove, "list gone": lambda copy: (copy.parent / ".lists" / copy.name).unlink()}


def test_a_copy_that_is_taken_again_counts_as_taken_now(settled: Repository) -> None:
    times = iter([NOON, NOON + timedelta(hours=3), NOON + timedelta(hours=3)])
    plain = {"PATH": os.environ["PATH"], "HOME": str(settled.root.parent)}
    snapshots = FileSnapshots(settled.root / "var", plain, lambda: next(times))
    snapshots.take(settled.root)
    snapshots.take(settled.root)

    assert snapshots.forget(()) == 0
