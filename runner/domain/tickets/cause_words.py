"""Each cause class in plain words: what happened, what it means, what was done, and what is needed."""

from __future__ import annotations

from collections.abc import Mapping

from runner.domain.tickets.cause_rules import CauseClass
from runner.domain.tickets.plain_words import PlainWords

AS_IT_IS = "{service} keeps using {host} as it is; the planned work there is still to be done."

WORDS: Mapping[CauseClass, PlainWords] = {
    CauseClass.UNREACHABLE: PlainWords(
        "{host} could not be reached, or the connection to it broke off.",
        (
            "It may be switched off, overloaded or cut off from the network. Whatever {service} needs from "
            "{host} may be down as well."
        ),
        "",
        "Somebody has to look at {host} itself: its power, its network, and whether it is still in use at all.",
    ),
    CauseClass.LOGIN_REFUSED: PlainWords(
        "{host} answered, but did not let us log in.",
        AS_IT_IS,
        "",
        "Somebody has to check the account that maintenance uses on {host}, and how it proves who it is.",
    ),
    CauseClass.HOST_KEY_CHANGED: PlainWords(
        "{host} could not prove that it is the machine we know: its identity is new or has changed.",
        (
            "Either {host} was installed anew, or another machine answers in its place. Until that is clear, "
            "nothing about {host} can be trusted, nor what {service} gets from it."
        ),
        "We refused the connection; a changed identity is never accepted without a person's word.",
        "Somebody who knows why the identity changed has to confirm it, or raise the alarm.",
    ),
    CauseClass.PRIVILEGE: PlainWords(
        "We could log in to {host}, but were not allowed to do the work there.",
        AS_IT_IS,
        "",
        "Somebody has to give the maintenance account the administrator's rights that the work on {host} needs.",
    ),
    CauseClass.PACKAGE_LOCK: PlainWords(
        "Software was being installed on {host} already, and only one program at a time may do that.",
        AS_IT_IS,
        "We did not interrupt what was going on there.",
        (
            "If this comes again, somebody has to find out which program installs software on {host} during the "
            "maintenance time, and move it."
        ),
    ),
    CauseClass.PACKAGE_BROKEN: PlainWords(
        "The installation of {package} on {host} stopped half-way.",
        (
            "Until this is put right, no further update can be installed on {host}, and what was to be renewed there "
            "may not work. {service} is affected as far as it needs that."
        ),
        "",
        "Somebody has to decide whether to repair the installation of {package} or to go back to its old version.",
    ),
    CauseClass.PACKAGE_SIGNATURE: PlainWords(
        (
            "{host} refused new software because nobody known has vouched for it: its seal is missing, "
            "unknown or out of date."
        ),
        AS_IT_IS,
        "We did not install anything that was not vouched for.",
        (
            "Somebody has to find out from the supplier whether the seal was changed, and bring the new one to {host} "
            "by a safe way. Until then that software should not be trusted."
        ),
    ),
    CauseClass.REPOSITORY: PlainWords(
        (
            "{host} could not get the updates: the place that offers them could not be reached, or did not have "
            "what was asked for."
        ),
        AS_IT_IS,
        "",
        "Somebody has to check the place from which {host} gets its updates, its address, and the network in between.",
    ),
    CauseClass.DISK_FULL: PlainWords(
        "There is too little free disk space on {host}.",
        (
            "Updates can't be installed there, and programs that have to store something may fail. "
            "{service} may be affected at any time."
        ),
        "",
        "Somebody has to free space on {host} or give it a larger disk.",
    ),
    CauseClass.MEMORY: PlainWords(
        "A step of the work on {host} could not get the memory that it needed.",
        "{host} may be too small for what it has to do; {service} may become slow or fail there.",
        "",
        "Somebody has to find out what uses the memory on {host}, or give it more.",
    ),
    CauseClass.DNS: PlainWords(
        (
            "An address that was needed for the work on {host} could not be found: the directory that turns "
            "names into addresses did not know the name, or gave no answer."
        ),
        (
            "The planned work on {host} is still to be done. Other programs that look up the same name, also "
            "those of {service}, may fail too."
        ),
        "",
        "Somebody has to check whether the name is spelt correctly, and whether the directory of names answers.",
    ),
    CauseClass.TIME_OUT: PlainWords(
        "A step of the work on {host} took longer than it is allowed to, and was given up.",
        ("It is not certain how far the step came. {service} should be watched on {host} until somebody has looked."),
        "",
        "Somebody has to find out why the step takes so long, and mend that or allow it more time.",
    ),
    CauseClass.SERVICE_DID_NOT_START: PlainWords(
        "A program that has to run on {host} did not start.",
        "{service} is affected as far as it needs that program on {host}.",
        "",
        "Somebody has to find out why the program does not start, and start it.",
    ),
    CauseClass.POST_CHECK_FAILED: PlainWords(
        "The work on {host} was done, but the check afterwards did not end well.",
        (
            "Either something on {host} is not as it has to be after the work, or the check itself has a fault. Until "
            "somebody has looked, {service} may be affected there."
        ),
        "",
        "Somebody has to read what the check found, and put it right.",
    ),
    CauseClass.CHECK_NOT_RUN: PlainWords(
        (
            "The work on {host} was done, but the check afterwards could not be made: its instructions are wrong or "
            "incomplete."
        ),
        "Nobody has looked yet whether everything on {host} is as it should be, also what {service} needs from it.",
        "",
        "Somebody has to look at {host}, and the team that writes the instructions has to correct the check.",
    ),
    CauseClass.LOST_AFTER_REBOOT: PlainWords(
        "{host} was told to restart and did not come back as it should.",
        "{host} may be down, or still be starting. {service} may have to do without it.",
        "We did not restart it a second time.",
        "Somebody has to look at {host} itself now: at its own screen, not over the network.",
    ),
    CauseClass.TEMPLATE_OR_VARIABLE: PlainWords(
        "Our own instructions for {host} are incomplete: a value or a file that they refer to is missing or wrong.",
        AS_IT_IS,
        "",
        "The team that writes the instructions has to correct them; nothing points to a fault of {host} itself.",
    ),
    CauseClass.MODULE_ERROR: PlainWords(
        "A tool that does one step of the work on {host} failed by a fault of its own, or was used wrongly.",
        ("The work on {host} is not complete. {service} keeps using {host} in the state that the step before left."),
        "",
        "The team that writes the instructions has to look at the step that failed.",
    ),
    CauseClass.CANCELLED_BY_US: PlainWords(
        "The work on {host} was stopped from our side before it was complete.",
        "The work on {host} is not complete; {service} should be watched there until somebody has looked.",
        (
            "We ended everything that we had started from here; what was already at work on {host} itself may have "
            "gone on to its end."
        ),
        "Somebody has to check in which state {host} was left, and plan the rest of the work.",
    ),
    CauseClass.UNKNOWN: PlainWords(
        "A step of the work on {host} failed, for a reason that we could not recognise.",
        "The work on {host} is not complete. What this means for {service} is not known.",
        "",
        "Somebody has to read the message of the step that failed.",
    ),
}
