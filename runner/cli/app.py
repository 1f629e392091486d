"""Hands the opened maintenance repository to a command."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

import click

from runner.wiring import App

P = ParamSpec("P")
R = TypeVar("R")


def pass_app(command: Callable[Concatenate[App, P], R]) -> Callable[P, R]:
    """Give the command the repository that -C, WELLKEPT_ROOT or the current folder names; it is opened when it is used."""

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(App(click.get_current_context().find_root().obj), *args, **kwargs)

    return update_wrapper(wrapped, command)
