"""Pieces in threads of this process: each once, whatever fails, until it is drained."""

from __future__ import annotations

import logging
import threading

import pytest

from runner.adapters.dispatch.inline import Inline


def test_a_piece_that_is_being_done_is_not_begun_again() -> None:
    may_end, done = threading.Event(), list[str]()

    def work(piece: str) -> None:
        done.append(piece)
        may_end.wait(10)

    inline = Inline(work)
    for _ in range(3):
        inline.dispatch("a")
    may_end.set()

    assert inline.drain(wait=10)
    assert done == ["a"]


def test_a_piece_may_be_done_again_once_it_has_ended() -> None:
    done: list[str] = []
    inline = Inline(done.append)

    for _ in range(2):
        inline.dispatch("a")
        while inline.busy():
            inline.wait_for_change(wait=0.05)

    assert done == ["a", "a"]


def test_a_piece_that_fails_is_logged_and_holds_no_place(caplog: pytest.LogCaptureFixture) -> None:
    def fails(piece: str) -> None:
        raise OSError("no")

    inline = Inline(fails)
    with caplog.at_level(logging.ERROR):
        inline.dispatch("a")
        assert inline.drain(wait=10)

    assert not inline.busy()
    assert "Piece a could not be done" in caplog.text


def test_a_drained_dispatcher_takes_nothing_new() -> None:
    done: list[str] = []
    inline = Inline(done.append)

    inline.drain(wait=0)
    inline.dispatch("a")

    assert inline.drain(wait=10)
    assert done == []


def test_draining_waits_only_as_long_as_it_may() -> None:
    may_end = threading.Event()
    inline = Inline(lambda _: may_end.wait(10))
    inline.dispatch("a")

    left = inline.drain(wait=0.01)
    may_end.set()

    assert not left
    assert inline.drain(wait=10)
