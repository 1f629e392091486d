"""What changes in the files while a run goes on changes nothing in it; what changes in the inventory before a run holds it."""

from __future__ import annotations

import subprocess

import pytest

from runner.domain.execution.run import Verdict
from tests.acceptance.maintenance import Maintenance

pytestmark = [pytest.mark.lab]


def commit(site: Maintenance, message: str) -> str:
    """Commit everything; gives the commit's id."""
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    for words in (("init", "--quiet"), ("add", "--all"), (*who, "commit", "--quiet", "--message", message)):
        subprocess.run(["git", *words], cwd=site.root, check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=site.root, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def test_an_edit_and_a_commit_in_the_middle_of_a_run_change_nothing_in_it(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", concurrency=1)
    site.work("work", seconds=2, word="old")
    before = commit(site, "as it was")
    command = site.start("run", "work")
    site.until_told("work", "web-01", "begun")

    site.work("work", seconds=0, word="new")
    site.schedule("work", "db", concurrency=2)
    commit(site, "something else")
    code = command.wait(120)

    shown = site.json("runs", "show", "1")["run"]
    assert code == 0, site.said_by(0).read_text()
    assert (shown["verdict"], shown["commit"], shown["dirty"]) == ("succeeded", before, False)
    assert [site.told("work", host) for host in ("web-01", "web-02", "db-01")] == [
        ["begun", "old"],
        ["begun", "old"],
        [],
    ]


def test_an_inventory_that_lost_half_its_hosts_is_a_hold_that_names_them(site: Maintenance) -> None:
    inventory = site.root / "inventories" / "lab.yml"
    text = site.lab.inventory.read_text()
    inventory.write_text(text)
    site.lay_out("inventories/lab.yml")
    site.schedule("work", "web-01")
    site.work("work", seconds=0)
    site.run("run", "work")

    inventory.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "web-02:" not in line and "db-01:" not in line)
    )
    refused = site.run("run", "work", code=3)

    assert "missing: web-02, db-01" in refused.stderr
    assert [run.verdict for run in site.runs("work")] == [Verdict.SUCCEEDED]
    assert site.told("work", "web-01") == ["begun", "done"]
