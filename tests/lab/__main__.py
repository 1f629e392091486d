"""The lab from a shell: python -m tests.lab up|down|status|run|ssh|fault|heal|reset|publish DIR."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.lab import guard
from tests.lab.errors import LabError
from tests.lab.faults import BY_SUPERVISOR, INSIDE
from tests.lab.lab import Lab
from tests.lab.packages import BY_CHOICE, NEW, OLD
from tests.lab.plan import default_names, read_plan
from tests.lab.start import Wishes


def up(options: argparse.Namespace) -> int:
    """Bring a lab up and say where its files are."""
    began = time.monotonic()
    lab = Lab.up(options.folder, wishes_from(options), owner=options.owner, detached=options.owner is None)
    if lab.notice:
        print(lab.notice)
    print(f"{len(lab.hosts)} hosts are up after {time.monotonic() - began:.1f} s: {', '.join(lab.hosts)}")
    print(f"inventory {lab.inventory}\nprivate key {lab.private_key}\nknown hosts {lab.known_hosts}")
    return 0


def wishes_from(options: argparse.Namespace) -> Wishes:
    """The wishes that the options of `up` spell."""
    names = tuple(options.hosts.split(",")) if options.hosts else default_names(options.number)
    return Wishes(
        names=names,
        extras={host: text.split(",") for host, text in _pairs(options.extras).items()} if options.extras else None,
        disks={host: _mebibytes(host, text) for host, text in _pairs(options.small).items()},
        offer=options.offer,
        plain=options.plain,
        first_port=options.port,
    )


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise LabError(f"{text!r}: write HOST=..., such as db-02=labbroken or web-01=40")
    return dict(text.split("=", 1) for text in texts)


def _mebibytes(host: str, text: str) -> int:
    if not text.isdigit():
        raise LabError(f"{host}={text}: the size of a disk is a whole number of MiB")
    return int(text)


def down(options: argparse.Namespace) -> int:
    """Take the lab down; no matter if it is down already."""
    if not guard.is_alive(options.folder):
        print(f"{options.folder}: no lab is up here")
        return 0
    Lab(options.folder, read_plan(options.folder / guard.STATE)).down()
    print(f"{options.folder}: the lab is down")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print processes and hosts as JSON."""
    print(json.dumps(Lab.open(options.folder).status(), indent=1))
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a program inside a host and end as it does."""
    answer = Lab.open(options.folder).run(options.host, options.program)
    sys.stdout.write(answer.stdout)
    sys.stderr.write(answer.stderr)
    return answer.returncode


def ssh(options: argparse.Namespace) -> int:
    """Become an ssh client of a host."""
    command = Lab.open(options.folder).ssh(options.host, *options.program)
    os.execvp(command[0], command)


def fault(options: argparse.Namespace) -> int:
    """Give a host a fault."""
    Lab.open(options.folder).break_host(options.host, options.fault)
    return 0


def heal(options: argparse.Namespace) -> int:
    """Undo the faults of the hosts named, or of all."""
    Lab.open(options.folder).heal(*options.hosts)
    return 0


def reset(options: argparse.Namespace) -> int:
    """Boot the hosts named, or all, from their templates again."""
    Lab.open(options.folder).reset(*options.hosts)
    return 0


def publish(options: argparse.Namespace) -> int:
    """Offer the packages of a version."""
    Lab.open(options.folder).publish(options.version)
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    command.__name__: command for command in (up, down, status, run, ssh, fault, heal, reset, publish)
}


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; ends the program where it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=command.__doc__) for name, command in COMMANDS.items()}
    for each in parsers.values():
        each.add_argument("folder", type=lambda text: Path(text).absolute(), metavar="DIR")
    _add_wishes(parsers["up"])
    for name in ("run", "ssh", "fault"):
        parsers[name].add_argument("host")
    meanings = "; ".join(f"{name}: {meaning}" for name, meaning in BY_SUPERVISOR.items())
    parsers["fault"].add_argument("fault", choices=[*BY_SUPERVISOR, *INSIDE], help=meanings)
    parsers["run"].add_argument("program", nargs="+", help="after --, such as -- dpkg --audit")
    parsers["ssh"].add_argument("program", nargs="*", help="after --; a shell if not given")
    for name in ("heal", "reset"):
        parsers[name].add_argument("hosts", nargs="*", metavar="HOST")
    parsers["publish"].add_argument("version", choices=[OLD, NEW])
    return parser.parse_args(arguments)


def _add_wishes(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-n", dest="number", type=int, default=5, help="how many hosts: web-01 ..., db-01 ... (5)")
    which.add_argument("--hosts", metavar="NAME,NAME", help="the hosts by name; web-01 is in group web")
    parser.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        metavar="HOST=PACKAGE,PACKAGE",
        help=f"packages beyond the usual ones: {', '.join(BY_CHOICE)} (default: web-03=labkernel, db-02=labbroken)",
    )
    parser.add_argument(
        "--small", action="append", default=[], metavar="HOST=MIB", help="a small disk, forgotten at reboot"
    )
    parser.add_argument("--offer", choices=[OLD, NEW], default=NEW, help="the newest version in the repository (1.1)")
    parser.add_argument("--port", type=int, help="the first port (free ones are found)")
    parser.add_argument("--plain", action="store_true", help="plain SSH servers without roots of their own, no patches")
    parser.add_argument("--owner", type=int, metavar="PID", help="end the lab when this process ends, however it ends")


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; a problem is one line and exit code 1."""
    if arguments[:1] == ["_guard"]:  # how `start` starts the guard; not for people
        guard.main(list(arguments[1:]))
        return 0
    options = read_arguments(arguments)
    try:
        return COMMANDS[options.command](options)
    except LabError as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
