"""Causes: a confusion table over the rules' own examples and over messages recorded on real hosts, and the words for each."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.tickets.cause import (
    CAUSE_RULES,
    CAUSE_RULES_VERSION,
    CauseClass,
    CauseTable,
    PlainWords,
    Rule,
    classify,
    is_transient,
    package_in,
    words,
)
from runner.domain.tickets.cause_words import WORDS
from runner.domain.tickets.plain_words import NAMES, hard_words, unknown_places

REAL_FAULTS = json.loads((Path(__file__).parent / "real_faults.json").read_text())


def classified(rule: Rule, example: str) -> CauseClass:
    return classify(
        result=(rule.results or ("failed",))[0],
        text=example,
        module=(rule.modules or ("ansible.builtin.command",))[0],
        task="Reboot" if rule.tasks else "",
        stage=(rule.stages or ("apply",))[0],
    )


def test_every_example_of_every_rule_is_told_apart() -> None:
    table = Counter((rule.cause, classified(rule, example)) for rule in CAUSE_RULES for example in rule.examples)

    assert {pair: n for pair, n in table.items() if pair[0] != pair[1]} == {}


def test_every_rule_has_an_example_and_every_class_but_unknown_a_rule() -> None:
    assert [rule.cause for rule in CAUSE_RULES if not rule.examples] == []
    assert {rule.cause for rule in CAUSE_RULES} == set(CauseClass) - {CauseClass.UNKNOWN}


@pytest.mark.parametrize("fault", REAL_FAULTS, ids=lambda fault: f"{fault['cause']}-{fault['task'].replace(' ', '_')}")
def test_a_message_recorded_on_a_real_host_is_classified(fault: dict[str, str]) -> None:
    cause = classify(
        result=fault["result"], text=fault["text"], module=fault["module"], task=fault["task"], stage="apply"
    )

    assert cause == fault["cause"]


def test_the_recorded_faults_cover_what_a_lab_can_break() -> None:
    seen = {fault["cause"] for fault in REAL_FAULTS}

    assert set(CauseClass) - seen == {
        CauseClass.POST_CHECK_FAILED,
        CauseClass.CHECK_NOT_RUN,
        CauseClass.CANCELLED_BY_US,
    }


def test_a_full_disk_is_named_before_the_broken_package_that_it_causes() -> None:
    text = "dpkg: error processing archive x.deb (--unpack):\n failed to write (No space left on device)"

    assert classify(result="failed", text=text, module="apt", task="Upgrade", stage="apply") is CauseClass.DISK_FULL


def test_the_same_message_is_a_failed_post_check_only_after_the_work() -> None:
    def cause_at(stage: str) -> CauseClass:
        return classify(
            result="failed", text="Assertion failed", module="ansible.builtin.assert", task="x", stage=stage
        )

    assert cause_at("post_check") is CauseClass.POST_CHECK_FAILED
    assert cause_at("pre_check") is CauseClass.UNKNOWN


def test_a_time_out_of_the_reboot_module_is_a_lost_host_and_of_another_module_is_not() -> None:
    text = "Timed out waiting for last boot time check (timeout=8)"

    assert classify(result="failed", text=text, module="reboot", task="Restart") is CauseClass.LOST_AFTER_REBOOT
    assert classify(result="failed", text=text, module="command", task="Restart") is CauseClass.TIME_OUT


def test_an_unreachable_host_is_unreachable_whatever_it_says() -> None:
    assert (
        classify(result="unreachable", text="strange noises", module="", task="", stage="pre_check")
        is CauseClass.UNREACHABLE
    )


def test_rules_of_ones_own_are_asked_before_ours() -> None:
    own = CauseTable((Rule(CauseClass.REPOSITORY, "satellite is asleep|no space left"),))

    assert classify(result="failed", text="The Satellite is asleep", table=own) is CauseClass.REPOSITORY
    assert classify(result="failed", text="No space left on device", table=own) is CauseClass.REPOSITORY
    assert classify(result="failed", text="fork: Cannot allocate memory", table=own) is CauseClass.MEMORY


def test_the_version_of_the_rules_tells_ones_own_from_ours_and_from_each_other() -> None:
    some = CauseTable((Rule(CauseClass.REPOSITORY, "asleep"),))
    others = CauseTable((Rule(CauseClass.REPOSITORY, "asleep", modules=("apt",)),))

    assert CauseTable().version == str(CAUSE_RULES_VERSION)
    assert re.fullmatch(rf"{CAUSE_RULES_VERSION}\+[0-9a-f]{{12}}", some.version)
    assert some.version != others.version
    assert some.version == CauseTable((Rule(CauseClass.REPOSITORY, "asleep"),)).version


@given(st.text(), st.sampled_from(["failed", "unreachable", "in_doubt", "not_run"]), st.text(max_size=20))
def test_any_message_gets_a_class(text: str, result: str, module: str) -> None:
    assert classify(result=result, text=text, module=module, task=text[:20], stage="apply") in CauseClass


def test_only_passing_troubles_are_tried_again() -> None:
    transient = {cause for cause in CauseClass if is_transient(cause)}

    assert transient == {CauseClass.UNREACHABLE, CauseClass.PACKAGE_LOCK, CauseClass.REPOSITORY}


def test_the_blamed_package_is_found_in_messages_of_dpkg() -> None:
    texts = {fault["task"]: fault["text"] for fault in REAL_FAULTS}

    assert package_in(texts["broken upgrade"]) == "labbroken"
    assert package_in(texts["full upgrade"]) == "labbig"
    assert package_in("Packages are half-configured or half-installed: nginx-core, labapp.") == "nginx-core"
    assert package_in("E: Sub-process /usr/bin/dpkg returned an error code (1)") == ""


@pytest.mark.parametrize("cause", CauseClass)
@pytest.mark.parametrize("host", ["web-03", "a group of 5 servers", "odd {name}"])
def test_every_class_says_four_things_about_a_host(cause: CauseClass, host: str) -> None:
    plain = words(cause, host=host, service="the web shop", package="nginx", untouched=4)

    assert all(
        text.endswith(".") and text[:1] != " " for text in (plain.happened, plain.means, plain.done, plain.needed)
    )
    assert host in str(plain).replace("A group", "a group").replace("Odd", "odd")
    assert "4 further servers untouched" in plain.done
    assert not re.search(rf"{{({'|'.join(NAMES)})", str(plain))


@pytest.mark.parametrize("cause", CauseClass)
def test_the_words_need_no_explanation(cause: CauseClass) -> None:
    texts = WORDS[cause].texts.values()

    assert [hard_words(text) for text in texts if hard_words(text)] == []
    assert [name for text in texts for name in unknown_places(text)] == []


def test_words_of_our_trade_are_found_but_not_in_the_places_of_names() -> None:
    assert hard_words("The DNS has no entry for {host}; reboot it, or look at the dns.") == ["dns", "reboot"]
    assert list(unknown_places("{host} and {hosts}")) == ["hosts"]


def test_words_of_ones_own_are_said_instead_of_ours_with_the_names_in_their_places() -> None:
    own = PlainWords("{host} is asleep. {service} is not.", "{service} waits.", "", "Wake {host}; {unknown} stays.")

    told = words(CauseClass.REPOSITORY, host="db-01 and 2 others", service="the web shop", own=own, touched=False)

    assert told.happened == "Db-01 and 2 others is asleep. The web shop is not."
    assert told.means == "The web shop waits."
    assert told.done == "We changed nothing on db-01 and 2 others."
    assert told.needed == "Wake db-01 and 2 others; {unknown} stays."


@given(st.text(), st.text())
def test_a_name_that_looks_like_a_place_or_a_place_that_is_none_does_no_harm(text: str, host: str) -> None:
    own = PlainWords(text + "{host.__class__}{0}{", "{host}", "", text)

    told = words(CauseClass.UNKNOWN, host=host, own=own)

    assert told.happened.endswith("{host.__class__}{0}{")
    assert told.means.endswith(host[1:])


def test_what_was_done_never_claims_more_than_is_known() -> None:
    untouched = words(CauseClass.UNREACHABLE, host="db-01", touched=False)
    touched = words(CauseClass.PACKAGE_BROKEN, host="db-01", touched=True)

    assert untouched.done == "We changed nothing on db-01."
    assert touched.done == "The work on db-01 went no further."


def test_a_sentence_begins_with_a_capital_but_a_server_keeps_its_name() -> None:
    one = words(CauseClass.PACKAGE_BROKEN, host="web-03", service="the web shop", package="nginx")
    many = words(CauseClass.UNREACHABLE, host="a group of 5 servers")

    assert one.happened == 'The installation of "nginx" on web-03 stopped half-way.'
    assert "The web shop is affected" in one.means
    assert many.happened == "A group of 5 servers could not be reached, or the connection to it broke off."
