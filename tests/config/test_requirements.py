"""Requirements files as ansible-galaxy reads them: what they ask for, what is wrong with them, and what would not be the same tomorrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config import check
from runner.config.requirements import RequirementsRead, read_requirements
from tests.config.conftest import SETTINGS, USUAL


def read(root: Path, **files: str) -> RequirementsRead:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_requirements(root)


def said(found: RequirementsRead) -> list[str]:
    return [str(problem) for problem in found.problems]


def repository(root: Path, **files: str) -> Path:
    for name, text in {**USUAL, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))
    return root


def test_a_repository_without_requirements_asks_for_nothing(tmp_path: Path) -> None:
    found = read(tmp_path)

    assert not found.wanted
    assert found.problems == ()


def test_files_are_found_at_the_places_that_ansible_and_awx_know(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        **{
            "requirements.yaml": "roles: [{name: a.b, version: 1.0.0}]\ncollections: [{name: c.d, version: 1.0.0}]\n",
            "roles/requirements.yml": "[{src: a.b, version: 1.0.0}]\n",
            "collections/requirements.yml": "collections: [{name: c.d, version: 1.0.0}]\n",
            "elsewhere/requirements.yml": "nonsense\n",
        },
    )

    assert [(file.name, file.roles, file.collections) for file in found.wanted.files] == [
        ("requirements.yaml", True, True),
        ("roles/requirements.yml", True, False),
        ("collections/requirements.yml", False, True),
    ]
    assert found.problems == ()


@pytest.mark.parametrize("text", ["", "---\n", "# roles of ours\n---\n", "roles: []\ncollections: []\n"])
def test_a_file_that_was_only_laid_out_asks_for_nothing(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, **{"requirements.yml": text})

    assert not found.wanted
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("roles: [\n", "requirements.yml:2:1: not YAML"),
        ("just words\n", "requirements.yml:1:1: a list was expected"),
        ("role: [a.b]\n", "requirements.yml:1:1: role: ansible-galaxy knows roles: and collections: here"),
        ("roles: a.b\n", "requirements.yml:1:8: roles: a list was expected"),
        ("- {version: 1.0.0}\n", "requirements.yml:1:3: a role is NAME"),
        ("collections: [{version: 1.0.0}]\n", "requirements.yml:1:15: a collection is NAMESPACE.NAME"),
        ("- {include: more.yml}\n", "requirements.yml:1:13: include: there is no file more.yml"),
    ],
)
def test_what_ansible_galaxy_could_not_read_is_an_error_at_its_place(tmp_path: Path, text: str, words: str) -> None:
    found = read(tmp_path, **{"requirements.yml": text})

    assert [problem.severity for problem in found.problems][:1] == ["error"]
    assert any(line.startswith(words) for line in said(found)), said(found)


@pytest.mark.parametrize(
    "entry",
    [
        "roles: [geerlingguy.nginx]",
        "roles: [{src: 'https://git.example.com/nginx.git', scm: git, version: main}]",
        "roles: [{src: 'git+https://git.example.com/nginx.git', name: nginx}]",
        "collections: [community.general]",
        "collections: [{name: community.general, version: '>=8.0.0'}]",
        "collections: [{name: community.general, version: '*'}]",
        "collections: [{name: 'https://git.example.com/c.git', type: git, version: devel}]",
    ],
)
def test_an_entry_that_may_be_another_one_tomorrow_is_a_warning(tmp_path: Path, entry: str) -> None:
    found = read(tmp_path, **{"requirements.yml": f"{entry}\n"})

    assert [problem.severity for problem in found.problems] == ["warning"]
    assert "Pin it: version: 1.2.3" in said(found)[0]


@pytest.mark.parametrize(
    "entry",
    [
        "roles: ['geerlingguy.nginx,3.1.4']",
        "roles: [{src: 'git+https://git.example.com/nginx.git', version: 3f2c1e7}]",
        "collections: [{name: community.general, version: 8.1.0}]",
        "collections: [{name: community.general, version: '==8.1.0'}]",
        "collections: [{name: 'git+https://git.example.com/c.git', type: git, version: v1.2}]",
        "collections: [{name: /srv/acme-tools-1.0.0.tar.gz, type: file}]",
    ],
)
def test_an_entry_of_one_version_is_no_warning(tmp_path: Path, entry: str) -> None:
    assert said(read(tmp_path, **{"requirements.yml": f"{entry}\n"})) == []


def test_a_misspelt_key_that_would_pin_nothing_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, **{"requirements.yml": "collections: [{name: community.general, versoin: 8.1.0}]\n"})

    assert any("versoin: ansible-galaxy passes over this key. Did you mean version?" in line for line in said(found))


def test_what_lies_in_the_repository_itself_needs_no_version_and_belongs_to_what_is_asked_for(tmp_path: Path) -> None:
    asked = "collections: [{source: vendor/tools, type: dir}]\n"
    before = read(tmp_path, **{"requirements.yml": asked, "vendor/tools/galaxy.yml": "name: tools\n"})

    after = read(tmp_path, **{"vendor/tools/galaxy.yml": "name: other\n"})

    assert before.problems == ()
    assert before.wanted.taken_along == ("vendor/tools", "vendor/tools/galaxy.yml")
    assert before.wanted.digest != after.wanted.digest


def test_a_further_list_of_roles_is_read_too(tmp_path: Path) -> None:
    found = read(tmp_path, **{"roles/requirements.yml": "- {include: more.yml}\n", "more.yml": "- {src: a.b}\n"})

    assert found.wanted.taken_along == ("more.yml",)
    assert said(found) == [
        "more.yml:1:3: warning: a.b: it has no version, so that it may be another one wherever and whenever it is installed anew. Pin it: version: 1.2.3"
    ]


def test_lists_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        **{
            "requirements.yml": "- {include: a.yml}\n",
            "a.yml": "- {include: b.yml}\n",
            "b.yml": "- {include: a.yml}\n",
        },
    )

    assert found.wanted.taken_along == ("a.yml", "b.yml")


def test_definitions_know_their_requirements_and_so_do_inventories(tmp_path: Path) -> None:
    root = repository(tmp_path, **{"requirements.yml": "roles: ['a.b,1.0.0']\n"})

    found, problems = check(root)

    assert found is not None, problems
    assert found.requirements_for(found.schedules["patch-web"]) == found.requirements
    assert found.settings.inventories["production"].requirements == found.requirements
    assert "requirements.yml" in found.files_besides


def test_requirements_that_are_left_to_the_user_are_not_looked_at(tmp_path: Path) -> None:
    settings = SETTINGS + "ansible: {requirements: ignore}\n"
    root = repository(tmp_path, **{"wellkept.yml": settings, "requirements.yml": "just words\n"})

    found, problems = check(root)

    assert found is not None, problems
    assert not found.requirements


def test_one_schedule_can_have_them_installed_all_the_same(tmp_path: Path) -> None:
    files = {
        "wellkept.yml": SETTINGS + "ansible: {requirements: ignore}\n",
        "requirements.yml": "roles: ['a.b,1.0.0']\n",
        "schedules/patch-web.yml": f"{USUAL['schedules/patch-web.yml']!s}ansible: {{requirements: install}}\n",
    }

    found, problems = check(repository(tmp_path, **files))

    assert found is not None, problems
    assert found.requirements_for(found.schedules["patch-web"])


def test_a_broken_file_is_an_error_of_the_repository_and_a_wrong_use_has_its_way_out(tmp_path: Path) -> None:
    settings = SETTINGS + "ansible: {requirements: instal}\n"
    root = repository(tmp_path, **{"wellkept.yml": settings, "requirements.yml": "just words\n"})

    found, problems = check(root)

    assert found is None
    assert any("requirements.yml:1:1" in str(problem) for problem in problems)
    assert any("requirements: instal" in str(problem) and "install" in str(problem) for problem in problems), problems
