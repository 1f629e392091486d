"""Causes of one's own: what is read, in which order, and what a reader is warned of."""

from collections.abc import Callable
from typing import get_args

from runner.config.models.causes import Cause
from runner.domain.settings import Definitions
from runner.domain.tickets.cause import CauseClass, classify

PROXY = """\
causes:
  - cause: repository
    match: 'proxy\\.example\\.com.*502'
    module: ansible.builtin.apt
    when: failed
    example: "Failed to fetch http://proxy.example.com:3128/x  502  Bad Gateway"
    words:
      happened: "{host} could not get the updates: our proxy is down."
      means: "{service} keeps using {host} as it is."
      needed: "The network team has to look at the proxy."
"""
SAID = "E: Failed to fetch http://proxy.example.com:3128/x  502  Bad Gateway. No space left on device"
Checked = Callable[..., tuple[Definitions | None, list[str]]]


def test_a_rule_of_ones_own_names_the_cause_of_the_hosts_that_it_is_for(checked: Checked) -> None:
    definitions, problems = checked({"schedules/causes.yml": PROXY})

    assert problems == []
    assert definitions is not None
    table = definitions.causes
    assert classify(result="failed", text=SAID, module="apt", table=table) is CauseClass.REPOSITORY
    assert classify(result="failed", text=SAID, module="ansible.builtin.uri", table=table) is CauseClass.DISK_FULL
    assert classify(result="unreachable", text=SAID, module="apt", table=table) is not CauseClass.REPOSITORY
    assert "+" in table.version


def test_rules_are_asked_in_the_order_of_files_and_lines(checked: Checked) -> None:
    definitions, _ = checked(
        {
            "schedules/b.yml": "causes: [{cause: dns, match: asleep, example: asleep}]\n",
            "schedules/a.yml": "causes: [{cause: memory, match: deep, example: deep}, {cause: time_out, match: asleep, example: asleep}]\n",
        }
    )

    assert definitions is not None
    assert [rule.cause for rule in definitions.causes.own] == ["memory", "time_out", "dns"]


def test_a_file_without_a_rule_leaves_ours_alone(checked: Checked) -> None:
    definitions, problems = checked({"schedules/causes.yml": "causes: []\n"})

    assert problems == []
    assert definitions is not None
    assert "+" not in definitions.causes.version


def test_a_rule_that_an_earlier_one_takes_everything_from_is_a_warning(checked: Checked) -> None:
    general = "  - {cause: dns, match: proxy, example: the proxy sleeps}\n"
    telling = "  - {cause: memory, match: proxy is full, module: [apt, dnf], example: the proxy is full}\n"

    wrong = checked({"schedules/causes.yml": f"causes:\n{general}{telling}"})[1]
    right = checked({"schedules/causes.yml": f"causes:\n{telling}{general}"})[1]

    assert wrong == [
        "schedules/causes.yml:3:72: warning: example: the rule in schedules/causes.yml:2 stands before and takes it. Put the more telling rule first"
    ]
    assert right == []


def test_everything_that_is_wrong_with_a_rule_is_told_at_once(checked: Checked) -> None:
    rule = "  - {cause: dns, match: a+b, example: nothing, modul: apt, words: {happened: 'A {hots}', means: A., needed: A.}}\n"

    _, problems = checked({"schedules/causes.yml": f"causes:\n{rule}"})

    assert [problem.split(": ", 1)[1].partition(". ")[0] for problem in problems] == [
        "example: the pattern does not match it",
        "modul: unknown key",
        "happened: is no whole sentence",
        "happened: there is nothing for {hots}",
    ]


def test_words_that_not_everybody_knows_are_a_warning(checked: Checked) -> None:
    definitions, problems = checked({"schedules/causes.yml": PROXY.replace("our proxy", "the dns of our SSH proxy")})

    assert definitions is not None
    assert problems == [
        "schedules/causes.yml:8:17: warning: happened: not everybody knows dns, ssh. Say it in plain words"
    ]


def test_the_classes_of_users_are_ours_but_for_those_that_only_we_can_tell() -> None:
    ours_alone = {CauseClass.CHECK_NOT_RUN, CauseClass.CANCELLED_BY_US, CauseClass.UNKNOWN}

    assert set(get_args(Cause)) == set(CauseClass) - ours_alone
