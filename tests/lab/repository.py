"""The lab's apt repository: two flat suites, lab-main and lab-security, in plain files."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import NEW, OLD, PACKAGES, Package, build

SUITES = {"main": "Lab", "security": "Lab-Security"}
SOURCES = "".join(f"deb [trusted=yes] file:/srv/repo/{suite} ./\n" for suite in SUITES)


def make_repository(repo: Path, names: Iterable[str], *, offer: str) -> None:
    """Build every version of the packages `names`, and of what they need, and offer those up to version `offer`."""
    for suite in SUITES:
        (repo / suite).mkdir(parents=True, exist_ok=True)
    builds = [(package, version) for package in _with_needs(names) for version in package.versions]
    with ThreadPoolExecutor(4) as pool:
        for finished in [pool.submit(build, package, version, repo / package.suite) for package, version in builds]:
            finished.result()
    publish(repo, offer)


def publish(repo: Path, version: str) -> None:
    """Offer all packages up to `version`, as a mirror does after an update of its index."""
    if version not in (OLD, NEW):
        raise LabError(f"publish: there is no version {version!r}; the lab has {OLD} and {NEW}")
    for suite in SUITES:
        _write_index(repo / suite, suite, version)


def _with_needs(names: Iterable[str]) -> list[Package]:
    wanted = dict.fromkeys(names)
    for name in tuple(wanted):
        wanted.update(dict.fromkeys(PACKAGES[name].depends.values()))
    return [PACKAGES[name] for name in wanted]


def _write_index(folder: Path, suite: str, newest: str) -> None:
    packages = "\n".join(_entries(folder, suite, newest)).encode()
    digest = hashlib.sha256(packages).hexdigest()
    release = (
        f"Origin: Lab\nLabel: {SUITES[suite]}\nSuite: lab-{suite}\nCodename: lab-{suite}\nVersion: 1\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S UTC', time.gmtime())}\n"
        f"SHA256:\n {digest} {len(packages)} Packages\n"
    )
    _replace(folder / "Packages", packages)
    _replace(folder / "Release", release.encode())


def _entries(folder: Path, suite: str, newest: str) -> Iterator[str]:
    for package in PACKAGES.values():
        for version in package.versions:
            deb = folder / package.file_name(version)
            if package.suite == suite and version <= newest and deb.exists():
                content = deb.read_bytes()
                digest = hashlib.sha256(content).hexdigest()
                yield f"{package.control(version)}\nFilename: ./{deb.name}\nSize: {len(content)}\nSHA256: {digest}\n"


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
