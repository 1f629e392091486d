"""Proves whether pipelining works on one host, by the user's own Ansible, and keeps what came of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from runner.domain.execution.fold import PieceFold
from runner.domain.execution.own_ansible import NEVER
from runner.domain.execution.pipelining import FRESH, Way
from runner.domain.execution.run import Stage
from runner.domain.settings import Inventory
from runner.operations.examined import Examined, Standing
from runner.operations.execution.choose_pipelining import KIND, as_value, left_open, way_by
from runner.operations.execution.execute_playbook import source_of
from runner.operations.execution.heartbeat import FEED_FOR
from runner.operations.execution.match_hosts import matching
from runner.operations.site import Site
from runner.ports import InventoryAnswer, PieceOrder
from runner.store.record import observations

TIME_LIMIT = timedelta(minutes=1)
LISTEN = 0.5  # seconds
WHAT = "pipelining"


def prove_pipelining(
    inventory: str, host: str, machine_id: str | None, answer: InventoryAnswer, *, site: Site
) -> Iterator[Examined]:
    """Try it, keep the proof with the machine's id, and say whether runs will use it."""
    named = site.current().settings.inventories[inventory]
    way = way_by(named.ansible, None, project=site.root, site=site)
    if way is None or not left_open((host,), answer):
        off = named.ansible.pipelining == NEVER
        why = "switched off in wellkept.yml" if off else "your own configuration says whether it is used"
        yield Examined(WHAT, Standing.OK, f"not tried: {why}; nothing is added")
        return
    problem = attempt(named, host, answer, site=site)
    value = as_value(works=not problem, why=problem, way=way)
    keep = partial(observations.add, inventory=inventory, host=host, kind=KIND, value=value, machine_id=machine_id)
    site.store.write(partial(keep, at=site.clock()))
    yield in_words(problem, machine_id, way)


def in_words(problem: str, machine_id: str | None, way: Way) -> Examined:
    """What came of it; that it does not work is no trouble, as runs do without it then."""
    if problem:
        return Examined(WHAT, Standing.OK, f"does not work, so runs do without it: {problem}")
    if not machine_id:
        return Examined(WHAT, Standing.OK, "works, but the host has no machine-id to know it by, so runs do without it")
    return Examined(WHAT, Standing.OK, f"works by ansible-core {way.version}; runs use it for {FRESH.days} days")


def attempt(inventory: Inventory, host: str, answer: InventoryAnswer, *, site: Site) -> str:
    """What was in the way; nothing when a module ran as the login user and as root, without a terminal and without a file."""
    order = order_for(inventory, host, answer, site=site)
    fold = PieceFold((host,), Stage.PRE_CHECK)
    try:
        running = site.executor.start(order)
        while (end := running.end()) is None:
            running.feed(FEED_FOR)
            for event in running.events(wait=LISTEN):
                fold.add(event)
    finally:
        site.executor.finish_run(order.run, order.control_path)
        shutil.rmtree(order.folder, ignore_errors=True)
    result = fold.results().get(host)
    if end.complete and result is not None and result.result.is_good:
        return ""
    told = fold.problem or (result.text if result else "")
    return (told.strip().splitlines() or [f"the try ended without a word ({end.how})"])[0]


def order_for(inventory: Inventory, host: str, answer: InventoryAnswer, *, site: Site) -> PieceOrder:
    """One call of Ansible for this host alone, with the secrets that it needs."""
    run, secrets = str(uuid.uuid4()), site.current().settings.secrets
    return PieceOrder(
        run=run,
        piece=str(uuid.uuid4()),
        fence=1,
        folder=site.state_dir / "proofs" / run,
        control_path=site.control_path(run),
        project=site.root,
        playbook=prove_playbook(site),
        inventory=(source_of(inventory.source, site.root),),
        limit=(host,),
        forks=1,
        ansible=inventory.ansible,
        secrets=secrets,
        become_hosts={pattern: (host,) for pattern in secrets.become if host in matching(pattern, answer)},
        login_hosts={pattern: (host,) for pattern in secrets.login if host in matching(pattern, answer)},
        time_limit=TIME_LIMIT,
        pipelined=(host,),
    )


def prove_playbook(site: Site) -> Path:
    """The built-in playbook that proves it."""
    return site.executor.look_playbook.with_name("prove.yml")
