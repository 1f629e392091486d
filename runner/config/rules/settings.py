"""wellkept.yml: references, secrets, the database and what must be there on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from runner.config.declared import Declared
from runner.config.environment import missing
from runner.config.ground import Ground
from runner.config.models.settings import SettingsFile
from runner.config.names import INVENTORY, OWNER, PERSON
from runner.domain.settings import HORIZON
from runner.domain.time.duration import describe
from runner.errors import Problem

_DATABASE = re.compile(r"(sqlite:///[^?]|postgresql(\+psycopg)?://)")
_PASSWORD = re.compile(r"://[^/@:]+:[^@$]+@")
_SOURCES = ("env", "file", "command", "keyring")
SHORTEST_HORIZON, LONGEST_HORIZON = timedelta(days=7), timedelta(days=366)


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong in wellkept.yml beyond its shape."""
    settings = ground.declared.settings
    if settings is None:
        return
    yield from ground.ansible.problems
    yield from _references(settings, ground)
    yield from _owners(settings)
    yield from _secrets(settings)
    yield from _database(settings, ground.environ)
    yield from _environment(settings, ground.environ)
    yield from _files(settings, ground)
    yield from _horizon(settings)


def _horizon(settings: Declared[SettingsFile]) -> Iterator[Problem]:
    """A ledger that reaches over the next opening of most windows, and not over so many that nobody could look through them."""
    horizon = settings.model.horizon if settings.model else HORIZON
    if not SHORTEST_HORIZON <= horizon <= LONGEST_HORIZON:
        says = f"horizon: slots are written between {describe(SHORTEST_HORIZON)} and {describe(LONGEST_HORIZON)} ahead. Write horizon: 90d"
        yield settings.problem("horizon", says=says)


def _references(settings: Declared[SettingsFile], ground: Ground) -> Iterator[Problem]:
    """Names of wellkept.yml that wellkept.yml itself does not declare."""
    names = ground.names
    yield from names.check(settings, INVENTORY, "defaults", "inventory")
    yield from names.check(settings, OWNER, "defaults", "owner")
    for team in _mapping(settings, "teams"):
        yield from names.check(settings, PERSON, "teams", team, "members")
    for service in _mapping(settings, "services"):
        yield from names.check(settings, INVENTORY, "services", service, "inventory")
        yield from names.check(settings, OWNER, "services", service, "owner")


def _owners(settings: Declared[SettingsFile]) -> Iterator[Problem]:
    """An owner is one name, so a person and a team cannot share it."""
    for name in _mapping(settings, "teams").keys() & _mapping(settings, "people").keys():
        person = settings.source.place(("people", name))
        says = f"{name}: a person bears this name too ({person}), so that an owner would not be clear. Rename one"
        yield settings.problem("teams", name, says=says, at_key=True)


def _secrets(settings: Declared[SettingsFile]) -> Iterator[Problem]:
    """A secret has exactly one source."""
    for kind, secrets in _mapping(settings, "secrets").items():
        for name in secrets if isinstance(secrets, dict) else ():
            yield from _secret(settings, "secrets", kind, name)
    yield from _secret(settings, "alerts", "alertmanager", "bearer")


def _secret(settings: Declared[SettingsFile], *keys: str) -> Iterator[Problem]:
    """One secret by reference."""
    secret = settings.source.at(keys)
    if not isinstance(secret, dict):
        return
    sources = [key for key in secret if key in _SOURCES]
    if len(sources) > 1:
        says = f"{keys[-1]}: has {len(sources)} sources ({', '.join(sources)}). Keep one"
        yield settings.problem(*keys, says=says, at_key=True)
    if not sources:
        says = f"{keys[-1]}: names no source. Write {{env: NAME}}, {{file: PATH}}, {{command: LINE}} or {{keyring: SERVICE/USER}}"
        yield settings.problem(*keys, says=says, at_key=True)
    yield from _keyring(settings, *keys, entry=secret.get("keyring"))


def _keyring(settings: Declared[SettingsFile], *keys: str, entry: object) -> Iterator[Problem]:
    """An entry of a keyring has a service and a user."""
    if isinstance(entry, str) and not all(entry.rpartition("/")[::2]):
        says = f"keyring: {entry!r} names no service and user. Write keyring: SERVICE/USER"
        yield settings.problem(*keys, "keyring", says=says)


def _database(settings: Declared[SettingsFile], environ: Mapping[str, str]) -> Iterator[Problem]:
    """The database is a file of SQLite or a server of PostgreSQL, and its password is not written down."""
    url = settings.raw.get("database")
    if not isinstance(url, str):
        return
    for name in missing(url, environ):
        says = f"database: {name} is not set in the environment. Set it, or write the address without ${{{name}}}"
        yield settings.problem("database", says=says)
    if not url.startswith("${") and not _DATABASE.match(url):
        says = "database: not known. Write sqlite:///var/wellkept.db, or postgresql://HOST/NAME"
        yield settings.problem("database", says=says)
    if _PASSWORD.search(url):
        says = "database: a password stands here itself. Take it from the environment: postgresql://wellkept:${NAME}@…"
        yield settings.problem("database", says=says, severity="warning")


def _environment(settings: Declared[SettingsFile], environ: Mapping[str, str]) -> Iterator[Problem]:
    """Other settings that name variables which are not set."""
    for _, text in settings.texts("state_dir"):
        for name in missing(text, environ):
            yield settings.problem("state_dir", says=f"state_dir: {name} is not set in the environment. Set it")
    for path, text in settings.texts("dead_man_ping", "url"):
        for name in missing(text, environ):
            says = f"url: {name} is not set in the environment; nobody is told that the scheduler lives. Set it"
            yield settings.source.problem(path, says, severity="warning")
    for path, text in settings.texts("signing", "key"):
        for name in missing(text, environ):
            says = f"key: {name} is not set in the environment; the default key in state_dir is used. Set it to the key's path"
            yield settings.source.problem(path, says, severity="warning")


def _files(settings: Declared[SettingsFile], ground: Ground) -> Iterator[Problem]:
    """Inventories that are not there; a source with a comma is a list of hosts."""
    for name in _mapping(settings, "inventories"):
        for path, source in settings.texts("inventories", name, "source"):
            if "," not in source and not ground.has(source):
                says = f"source: there is no inventory {source}. Paths are relative to the folder of wellkept.yml"
                yield settings.source.problem(path, says)


def _mapping(settings: Declared[SettingsFile], key: str) -> Mapping[str, object]:
    found = settings.raw.get(key)
    return found if isinstance(found, dict) else {}
