# ruff: noqa: E501  one case, one line; messages are asserted word for word
"""Every malformed file is told with its place, the problem and the way out; the messages are asserted word for word."""

from collections.abc import Callable

import pytest

from runner.errors import Problem

WINDOWS = "schedules/windows.yml"
PATCH = "schedules/patch-web.yml"
OTHER = "schedules/other.yml"
HEALTH = "schedules/health.yml"
REPORT = "reports/audit.yml"
CAUSES = "schedules/causes.yml"
SETTINGS = "wellkept.yml"
HEAD = "format: 1\norganisation: Example Ltd\ndefaults: {inventory: production, owner: ana, timezone: Europe/Berlin}\n"
TAIL = "inventories: {production: {source: inventories/production.yml}}\npeople: {ana: {}}\nservices: {web-shop: {title: shop, hosts: web}}\n"


def window(inside: str) -> str:
    return f"windows:\n  prod-patch:\n    {inside}\n"


def cause(inside: str) -> str:
    return f"causes:\n  - {{{inside}}}\n"


def told(words: str) -> str:
    """A rule whose words are these; each of them is right but for what the case changes."""
    return f"causes:\n  - cause: dns\n    match: a\n    example: a\n    words: {{{words}}}\n"


def schedule(more: str) -> str:
    return f"playbook: playbooks/patch.yml\nwhy: It is needed.\nhosts: web\n{more}\n"


CASES: dict[str, tuple[str, str | bytes, str]] = {
    # YAML and its surprises
    "a tab": (PATCH, "playbook: x\n\thosts: web\n", "2:1: not YAML: a tab stands where YAML wants spaces. Replace it"),
    "an open quote": (PATCH, "playbook: 'x\n", "2:1: not YAML: found unexpected end of stream. A quote is never closed"),
    "an open list": (PATCH, "tags: [a, b\nhosts: web\n", "2:6: not YAML: did not find expected ',' or ']'. A list is never closed with ], or lacks a comma"),
    "a bare colon": (PATCH, "why: this: that\n", "1:10: not YAML: mapping values are not allowed in this context. A value that contains a colon needs quotes, or this line is indented too far"),
    "an at sign": (PATCH, "why: @home\n", "1:6: not YAML: found character that cannot start any token. A value that begins with @, % or ` needs quotes"),
    "two documents": (PATCH, "playbook: x\n---\nhosts: y\n", "2:1: not YAML: but found another document. One file holds one document. Remove the line ---"),
    "not UTF-8": (PATCH, "why: schön\n".encode("latin-1"), "1:9: is not UTF-8 (byte 0xf6 here). Save the file as UTF-8"),
    "UTF-16": (PATCH, "why: x\n".encode("utf-16"), "1:1: is not UTF-8 (byte 0xff here). Save the file as UTF-8"),
    "a NUL": (PATCH, b"why: a\0b\n", "1:7: a control character stands here, which YAML does not allow. Remove it"),
    "an empty file": (PATCH, "\n# nothing\n", "1:1: is empty. Write a definition, or remove the file"),
    "a list at the top": (PATCH, "- playbook: x\n", "1:1: this file: a list stands where a mapping is wanted"),
    "text at the top": (PATCH, "hello\n", "1:1: this file: text stands where a mapping is wanted"),
    "an anchor bomb": (PATCH, "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)), "1:1: unfolds to more than 200000 values; an anchor may contain itself. Write it plainly"),
    "an anchor in itself": (PATCH, "tags: &t [*t]\n", "1:1: unfolds to more than 60 levels; an anchor may contain itself. Write it plainly"),
    "a deep file": (PATCH, "[" * 5000, "1:1: unfolds to more than 60 levels; an anchor may contain itself. Write it plainly"),
    "an unknown alias": (PATCH, "hosts: *web\n", "1:8: not YAML: found undefined alias. No value above bears this anchor"),
    "a Python tag": (PATCH, schedule("title: !!python/object/apply:os.system [id]\nwindow: prod-patch"), "4:8: title: the tag !!python/object/apply:os.system has no meaning here. Remove it"),
    "a vault tag": (PATCH, schedule("title: !vault x\nwindow: prod-patch"), "4:8: title: the tag !vault has no meaning here. Remove it"),
    "a duplicate key": (PATCH, schedule("window: prod-patch\nhosts: db"), "5:1: duplicate key 'hosts', which stands in line 3 already. Remove one"),
    "the key on": (PATCH, schedule("window: prod-patch\non: 5"), '5:1: YAML takes the key on for yes or no. Quote it: "on":'),
    "a number as key": (WINDOWS, 'windows:\n  2026: {day: daily, start: "22:00", duration: 4h}\n', '2:3: YAML takes the key 2026 for a number. Quote it: "2026":'),
    "a list as key": (PATCH, "{[a]: b}", "1:2: a list or mapping stands where a key belongs. Check the brackets and the indentation"),
    "an empty value": (PATCH, schedule("window: prod-patch\nowner:"), "5:1: owner: has no value. Give it one, or remove the line"),
    "an empty item": (PATCH, schedule("window: prod-patch\ntags:\n  -"), "6:4: an item of this list has no value. Give it one, or remove the line"),
    "the word no": (PATCH, schedule("window: prod-patch\ntitle: no"), '5:8: title: YAML reads an unquoted no as false. Quote it: title: "no"'),
    "a number for text": (SETTINGS, f"format: 1\norganisation: 42\n{TAIL}", '2:15: organisation: 42 is a number. Quote it: organisation: "42"'),
    "an unquoted start": (WINDOWS, window("day: daily\n    start: 22:00\n    duration: 4h"), '4:12: start: 1320 is a number; YAML reads an unquoted 22:00 that way. Quote it: start: "22:00"'),
    "an unquoted early start": (WINDOWS, window("day: daily\n    start: 9:30\n    duration: 4h"), '4:12: start: 570 is a number; YAML reads an unquoted 9:30 that way. Quote it: start: "09:30"'),
    "a clock in extra_vars": (PATCH, schedule("window: prod-patch\nextra_vars: {at: 1:30}"), '5:18: at: 90 is a number; YAML reads an unquoted 1:30 that way. Quote it: at: "1:30"'),
    # keys
    "an unknown key": (PATCH, schedule("window: prod-patch\nconcurency: 3"), "5:1: concurency: unknown key. Did you mean concurrency?"),
    "a key from elsewhere": (SETTINGS, f"{HEAD}{TAIL}windows: {{}}\n", "7:1: windows: does not belong here. Put it into a file of windows, such as schedules/windows.yml"),
    "a missing key": (PATCH, "playbook: playbooks/patch.yml\nwhy: x\nwindow: prod-patch\n", "1:1: hosts: is missing. Add it, such as hosts: web"),
    "a key that is not built": (PATCH, schedule("window: prod-patch\nmute: {in: [x]}"), "5:1: mute: is not supported yet by this version. Remove it, or wait for a version that has it"),
    "neither window nor cadence": (PATCH, schedule("effect: read_only"), "1:1: window: is missing. Add it, such as window: prod-patch"),
    "window and cadence": (PATCH, schedule("window: prod-patch\neffect: read_only\nevery: 1h"), "6:1: every: a schedule has either window or every. Remove one"),
    "a change on a cadence": (PATCH, schedule("every: 1h"), "4:1: every: only work that changes nothing may run without a window. Write window: NAME instead, or add effect: read_only if the playbook changes nothing"),
    "a restart on a cadence": (PATCH, schedule("every: 1h\neffect: reboot"), "4:1: every: only work that changes nothing may run without a window. Write window: NAME instead, or add effect: read_only if the playbook changes nothing"),
    "a cadence of seconds": (PATCH, schedule("every: 30s\neffect: read_only"), "4:8: every: 30s is too short. Write at least 1m"),
    "a cadence of no length": (PATCH, schedule("every: 0m\neffect: read_only"), "4:8: every: zero is too short. Write a length, such as 10s"),
    "a cadence that is a number": (PATCH, schedule("every: 5\neffect: read_only"), "4:8: every: 5 is a number. A duration needs its unit: every: 5m"),
    "a late start on a cadence": (PATCH, schedule("every: 1h\neffect: read_only\nlate_start: never"), "6:1: late_start: has no effect with every, as work on a cadence has no slots, and what it misses is not caught up. Remove it"),
    "a catch-up on a cadence": (PATCH, schedule("every: 1h\neffect: read_only\ncatch_up: next_window"), "6:1: catch_up: has no effect with every, as work on a cadence has no slots, and what it misses is not caught up. Remove it"),
    "an overlap on a cadence": (PATCH, schedule("every: 1h\neffect: read_only\noverlap: queue"), "6:1: overlap: has no effect with every, as work on a cadence has no slots, and what it misses is not caught up. Remove it"),
    "a duty on a cadence": (PATCH, "schedule: drill\ntitle: Drill\nkind: manual\nwhy: x\nwindow: prod-patch\nevery: 1d\n", "6:1: every: a manual duty runs no playbook. Remove it"),
    "a duty without a window": (PATCH, "schedule: drill\ntitle: Drill\nkind: manual\nwhy: x\n", "1:1: window: is missing. Add it, such as window: prod-patch"),
    "a boundary during an unknown window": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{never: [{{hosts: web, during: prod-pach}}]}}\n", "7:43: during: there is no window 'prod-pach'. Did you mean 'prod-patch' (schedules/windows.yml:2)?"),
    "a boundary of no host at all": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{max_concurrent_hosts: 0}}\n", "7:36: max_concurrent_hosts: 0 is out of range. Write at least 1"),
    "a boundary of a share": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{max_concurrent_hosts: 10%}}\n", "7:36: max_concurrent_hosts: text stands here. Write a whole number, such as max_concurrent_hosts: 50"),
    "an Alertmanager without an address": (SETTINGS, f"{HEAD}{TAIL}alerts: {{alertmanager: {{ignore: [Watchdog]}}}}\n", '7:10: url: is missing. Add it, such as url: http://127.0.0.1:9093'),
    "an Alertmanager somewhere": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "monitoring:9093"}}}}\n', "7:30: url: this is no address of a server. Write it such as http://127.0.0.1:9093"),
    "an Alertmanager with a bad port": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "http://monitoring:90930"}}}}\n', "7:30: url: this is no address of a server. Write it such as http://127.0.0.1:9093"),
    "an Alertmanager with a password": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "http://ana:s3cret@monitoring:9093"}}}}\n', "7:30: url: a name or password stands here itself. Take it out; a token is given as bearer: {env: NAME}"),
    "an Alertmanager with a question": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "http://monitoring:9093/?token=s3cret"}}}}\n', "7:30: url: an address of a server has no ? and no #. Write it such as http://127.0.0.1:9093"),
    "a token itself": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "http://monitoring:9093", bearer: s3cret}}}}\n', "7:64: bearer: secrets are given by reference, never written down. Write {env: NAME}, {file: PATH}, {command: LINE} or {keyring: SERVICE/USER}"),
    "a token from nowhere": (SETTINGS, f'{HEAD}{TAIL}alerts: {{alertmanager: {{url: "http://monitoring:9093", bearer: {{}}}}}}\n', "7:56: bearer: names no source. Write {env: NAME}, {file: PATH}, {command: LINE} or {keyring: SERVICE/USER}"),
    "alerts that nobody tells": (PATCH, schedule("window: prod-patch\nhold_on: [alerts]"), '5:1: hold_on: nobody is named who could be asked for alerts. Add to wellkept.yml: alerts: {alertmanager: {url: "http://127.0.0.1:9093"}}'),
    "something else to wait for": (PATCH, schedule("window: prod-patch\nhold_on: [tickets]"), "5:11: hold_on: tickets is not known here. Write alerts"),
    "a boundary without hosts": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{never: [{{during: always}}]}}\n", "7:22: hosts: is missing. Add it, such as hosts: erp-db"),
    "a boundary that is no list": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{never: web}}\n", "7:21: never: text stands where a list is wanted. Write never: [web]"),
    "a retry without a number": (PATCH, schedule("window: prod-patch\non_failure: {retry: {after: 2m}}"), "5:14: transient: is missing. Add it, such as transient: 1"),
    "a retry of no length": (PATCH, schedule("window: prod-patch\non_failure: {retry: {transient: 1, after: 0m}}"), "5:43: after: zero is too short. Write a length, such as 10s"),
    "a retry for ever": (PATCH, schedule("window: prod-patch\non_failure: {retry: {transient: 99}}"), "5:33: transient: 99 is out of range. Write at most 5"),
    "a retry of one call for all": (PATCH, schedule("window: prod-patch\nsplit: whole\non_failure: {retry: {transient: 1}}"), "6:14: retry: split: whole calls Ansible once for all hosts, and cannot call it again for some. Remove it, or write split: hosts"),
    "a rollback of nothing": (PATCH, schedule("window: prod-patch\neffect: read_only\non_failure: {rollback: playbooks/patch.yml}"), "6:14: rollback: read-only work changes nothing that could be rolled back. Remove it"),
    "a rollback that is not there": (PATCH, schedule("window: prod-patch\non_failure: {rollback: playbooks/back.yml}"), "5:24: rollback: there is no playbook playbooks/back.yml. Paths are relative to the folder of wellkept.yml"),
    "apart by no variable": (PATCH, schedule("window: prod-patch\napart: [redundancy group]"), "5:9: apart: 'redundancy group' is no name of a variable. Write letters, digits and _, such as redundancy_group"),
    "apart as a word": (PATCH, schedule("window: prod-patch\napart: rack"), "5:8: apart: text stands where a list is wanted. Write apart: [rack]"),
    "apart with split: whole": (PATCH, schedule("window: prod-patch\nsplit: whole\napart: [rack]"), "6:1: apart: has no effect with split: whole, which calls Ansible once for all hosts. Remove it, or write split: hosts"),
    "a ledger that reaches nowhere": (SETTINGS, f"{HEAD}{TAIL}horizon: 1d\n", "7:10: horizon: slots are written between 7d and 366d ahead. Write horizon: 90d"),
    "a value that is not built": (SETTINGS, f"{HEAD}{TAIL}tickets: {{desk: gitlab}}\n", "7:17: desk: gitlab is not supported yet by this version. Write local"),
    "an unknown type of change": (PATCH, schedule("window: prod-patch\nchange: {type: norml}"), "5:16: type: norml is not known here. Did you mean normal?"),
    "an approval by nobody known": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{approval: {{normal: two}}}}\n", "7:33: normal: two is not known here. Write none, other, self"),
    "an approval of what is no change": (SETTINGS, f"{HEAD}{TAIL}boundaries: {{approval: {{norml: other}}}}\n", "7:25: norml: unknown key. Did you mean normal?"),
    "a right that there is not": (SETTINGS, f"{HEAD}{TAIL}teams: {{web: {{members: [ana], may: [aprove]}}}}\n", "7:37: may: aprove is not known here. Did you mean approve?"),
    "half a public key": (SETTINGS, HEAD + TAIL.replace("ana: {}", 'ana: {keys: ["ssh-ed25519 AAAA"]}'), "5:23: keys: is no whole public key of type ssh-ed25519. Copy the whole line from the .pub file, or from ssh-add -L"),
    "a public key of another type": (SETTINGS, HEAD + TAIL.replace("ana: {}", 'ana: {keys: ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHMQDW3QYYeUUGHfd3RduXkBOGNVMrLmSVYAzCQrfcaM"]}'), "5:23: keys: is no whole public key of type ssh-rsa. Copy the whole line from the .pub file, or from ssh-add -L"),
    "a public key that signs nothing": (SETTINGS, HEAD + TAIL.replace("ana: {}", 'ana: {keys: ["ssh-dss AAAAB3NzaC1kc3M= ana"]}'), "5:23: keys: a key of type ssh-dss signs no approvals. Write one of type Ed25519, ECDSA, RSA or a security key's"),
    "no playbook": (PATCH, "hosts: web\nwhy: x\nwindow: prod-patch\n", "1:1: playbook: is missing. Add it, such as playbook: playbooks/patch.yml"),
    "a duty with a playbook": (PATCH, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nplaybook: playbooks/patch.yml\nwindow: prod-patch\n", "5:1: playbook: a manual duty runs no playbook. Remove it"),
    "a duty with hosts": (PATCH, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nhosts: web\nwindow: prod-patch\n", "5:1: hosts: a manual duty runs no playbook. Remove it"),
    "a duty with waves": (PATCH, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nwindow: prod-patch\nwaves: [{name: a}]\n", "6:1: waves: a manual duty runs no playbook. Remove it"),
    "a duty with a late start": (PATCH, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nwindow: prod-patch\nlate_start: never\n", "6:1: late_start: a manual duty runs no playbook. Remove it"),
    "a duty without a title": (PATCH, "schedule: drill\nkind: manual\nwhy: x\nwindow: prod-patch\n", "1:1: title: is missing. Say what is to be done, such as title: Restore rehearsal"),
    "a duty that never comes due": (PATCH, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nwindow: always\n", "5:9: window: always never opens, so a manual duty would never come due in it. Name a window that opens and closes"),
    # windows and freezes
    "a duration without unit": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 240'), "5:15: duration: 240 is a number. A duration needs its unit: duration: 240m"),
    "a duration as a clock": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 4h\n    cutoff: 1:30'), "6:13: cutoff: 90 is a number; YAML reads an unquoted 1:30 that way. A duration needs its unit: cutoff: 1h30m"),
    "a duration in words": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 4 hours'), "5:15: duration: '4 hours' is not a duration. Write 4h"),
    "duration and until": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 4h\n    until: "04:00"'), "6:5: duration and until both say when it closes. Keep one of them"),
    "neither duration nor until": (WINDOWS, window('day: daily\n    start: "22:00"'), '2:3: prod-patch: does not say when it closes. Add duration: 4h or until: "04:00"'),
    "a cutoff too long": (WINDOWS, window('day: daily\n    start: "22:00"\n    until: "04:00"\n    cutoff: 6h'), "6:13: cutoff: 6h leaves nothing of a window of 6h. Make it shorter"),
    "a day that never comes": (WINDOWS, window('day: day 31\n    months: [feb]\n    start: "22:00"\n    duration: 4h'), "3:10: day: day 31 never occurs in feb. Change the day or the months"),
    "a bad day": (WINDOWS, window('day: satruday\n    start: "22:00"\n    duration: 4h'), "3:10: day: 'satruday' names no day. Write a weekday (saturday), a list ([sat, sun]), weekdays, daily, first to fifth or last with a weekday (second tuesday), first workday, last workday, day 15, or last day"),
    "a day as a number": (WINDOWS, window('day: 15\n    start: "22:00"\n    duration: 4h'), "3:10: day: 15 is a number. Write day: day 15"),
    "an abbreviated zone": (WINDOWS, window('timezone: CET\n    day: daily\n    start: "22:00"\n    duration: 4h'), "3:15: timezone: CET is an abbreviation, not a place. Write Europe/Berlin, or the place you mean"),
    "an offset as zone": (WINDOWS, window('timezone: "+01:00"\n    day: daily\n    start: "22:00"\n    duration: 4h'), "3:15: timezone: +01:00 is an offset, which knows no summer time. Name a place, such as Europe/Berlin, or UTC"),
    "a zone misspelt": (WINDOWS, window('timezone: Europe/Berlni\n    day: daily\n    start: "22:00"\n    duration: 4h'), "3:15: timezone: there is no zone 'Europe/Berlni'. Did you mean Europe/Berlin?"),
    "a naive freeze": ("schedules/freezes.yml", 'freezes:\n  - {name: x, from: 2026-11-27 18:00, to: "2026-11-28T18:00+01:00"}\n', "2:21: from: '2026-11-27 18:00' does not say in which zone. Add the offset: \"2026-11-27 18:00+01:00\""),
    "a freeze that ends early": ("schedules/freezes.yml", 'freezes:\n  - {name: x, from: "2026-11-27T18:00+01:00", to: "2026-11-27T17:00Z"}\n', "2:51: to: the freeze ends before it begins. Write the later instant here"),
    "a bad yearly span": ("schedules/freezes.yml", "freezes:\n  - {name: x, every_year: 12-20..13-06}\n", "2:27: every_year: 13-06 is no day of the year. Write month and day, such as 12-20"),
    "two kinds of freeze": ("schedules/freezes.yml", 'freezes:\n  - {name: x, every_year: 12-20..01-06, from: "2026-11-27T18:00+01:00"}\n', "2:41: from: a freeze has either every_year, or from and to. Remove one"),
    "the name always": (WINDOWS, 'windows:\n  prod-patch: {day: daily, start: "22:00", duration: 4h}\n  always: {day: daily, start: "22:00", duration: 4h}\n', "3:3: always: this name is built in. Choose another"),
    # the rest of the window language
    "an interval without since": (WINDOWS, window('day: saturday\n    interval: 2\n    start: "22:00"\n    duration: 4h'), "4:5: interval: it counts from a first date. Add since: 2026-01-03"),
    "a roll without a calendar": (WINDOWS, window('day: day 1\n    roll: next_workday\n    start: "22:00"\n    duration: 4h'), "4:11: roll: next_workday needs to know which days are worked. Add calendar: NAME, and declare it below calendars:"),
    "an unknown roll": (WINDOWS, window('day: day 1\n    roll: next_workdy\n    start: "22:00"\n    duration: 4h'), "4:11: roll: next_workdy is not known here. Did you mean next_workday?"),
    "an unknown calendar": (WINDOWS, "calendars: {berlin: {}}\n" + window('day: day 1\n    calendar: berln\n    roll: skip\n    start: "22:00"\n    duration: 4h'), "5:15: calendar: there is no calendar 'berln'. Did you mean 'berlin' (schedules/windows.yml:1)?"),
    "an unknown country": (WINDOWS, "calendars:\n  berlin: {holidays: {country: GB2}}\n" + window('day: day 1\n    calendar: berlin\n    start: "22:00"\n    duration: 4h'), "2:22: holidays: the package holidays knows no country 'GB2'. Did you mean GB?"),
    "an unknown part of a country": (WINDOWS, "calendars:\n  berlin: {holidays: {country: DE, subdivision: be}}\n" + window('day: day 1\n    start: "22:00"\n    duration: 4h'), "2:22: holidays: the package holidays knows no part 'be' of DE. Did you mean BE?"),
    "a country that YAML takes for no": (WINDOWS, "calendars:\n  oslo: {holidays: {country: NO}}\n" + window('day: day 1\n    start: "22:00"\n    duration: 4h'), '2:30: country: YAML reads an unquoted NO as false. Quote it: country: "NO"'),
    "no workdays": (WINDOWS, "calendars:\n  berlin: {workdays: []}\n" + window('day: day 1\n    start: "22:00"\n    duration: 4h'), "2:22: workdays: is empty. Give it a value, or remove the line, such as workdays: [mon, tue, wed, thu]"),
    "an unknown workday": (WINDOWS, "calendars:\n  berlin: {workdays: [mon, tus]}\n" + window('day: day 1\n    start: "22:00"\n    duration: 4h'), "2:28: workdays: 'tus' is not a weekday. Weekdays are monday, tuesday, wednesday, thursday, friday, saturday, sunday, also short"),
    "a date that is none": (WINDOWS, window('day: day 1\n    exdate: [2026-02-30]\n    start: "22:00"\n    duration: 4h'), "4:14: exdate: '2026-02-30' is no date. Write year, month and day, such as 2026-12-31"),
    "an offset too far": (WINDOWS, window('day: day 1\n    offset_days: 400\n    start: "22:00"\n    duration: 4h'), "4:18: offset_days: 400 is out of range. Write at most 366"),
    "an interval of nothing": (WINDOWS, window('day: daily\n    interval: 0\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), "4:15: interval: 0 is out of range. Write at least 1"),
    "a least part too long": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 4h\n    min_usable: 5h'), "6:17: min_usable: 5h is longer than the window, which has 4h. Make it shorter"),
    "a splay past the last start": (WINDOWS, window('day: daily\n    start: "22:00"\n    duration: 4h\n    cutoff: 1h\n    splay: 3h'), "7:12: splay: 3h reaches past the last start, 3h after the opening. Make it shorter"),
    "never but for exdate": (WINDOWS, window('day: day 29\n    months: [feb]\n    start: "22:00"\n    duration: 4h\n    exdate: [' + ", ".join(f"{year}-02-29" for year in range(2028, 2080, 4)) + "]"), "2:3: prod-patch: it never opens; every date that it names is left out by exdate. Change one of them"),
    "never but for roll": (WINDOWS, "calendars: {week: {}}\n" + window('day: saturday\n    calendar: week\n    roll: skip\n    start: "22:00"\n    duration: 4h'), "3:3: prod-patch: it never opens; every date that it names is left out by roll. Change one of them"),
    "no day at all": (WINDOWS, window('start: "22:00"\n    duration: 4h'), "2:3: day: is missing. Add it, such as day: saturday, or give an rrule, cron or ics"),
    "no start": (WINDOWS, window("day: daily\n    duration: 4h"), '2:3: start: is missing. Add it, such as start: "22:00"'),
    "two rules": (WINDOWS, window('day: daily\n    cron: "0 22 * * *"\n    duration: 4h'), "4:5: day and cron both say on which days it opens. Keep one of them"),
    "a cron with a start": (WINDOWS, window('cron: "0 22 * * *"\n    start: "22:00"\n    duration: 4h'), "4:5: start: the cron expression says when it opens. Remove one of them"),
    "a cron with an until": (WINDOWS, window('cron: "0 22 * * *"\n    until: "04:00"'), "4:5: until: a cron expression may open several times a day. Write duration in its place"),
    "a cron with an interval": (WINDOWS, window('cron: "0 22 * * *"\n    interval: 2\n    duration: 1h'), "4:5: interval: a cron expression has none. Write day or rrule in its place"),
    "a cron with an added date": (WINDOWS, window('cron: "0 22 * * *"\n    rdate: [2026-12-30]\n    duration: 1h'), "4:5: rdate: a cron expression names times of day, and an added date has none. Write it into a window of its own"),
    "a cron of four fields": (WINDOWS, window('cron: "0 22 * *"\n    duration: 4h'), "3:11: cron: '0 22 * *' has 4 fields. Write five: minute, hour, day, month and weekday, such as \"30 2 * * 6\""),
    "a cron out of range": (WINDOWS, window('cron: "0 25 * * *"\n    duration: 4h'), "3:11: cron: '0 25 * * *' cannot be read: Bad hour. Write it such as \"30 2 * * 6\""),
    "a cron in short form": (WINDOWS, window('cron: "@daily"\n    duration: 4h'), '3:11: cron: @daily is a short form. Write it out: "0 0 * * *"'),
    "a cron that opens all the time": (WINDOWS, window('cron: "*/5 * * * *"\n    duration: 4m'), "3:11: cron: it opens more than 1000 times a year. Choose fewer times"),
    "a cron that never comes": (WINDOWS, window('cron: "0 22 30 2 *"\n    duration: 4h'), "3:11: cron: '0 22 30 2 *' cannot be read: Bad day-of-month. Write it such as \"30 2 * * 6\""),
    "an rrule without since": (WINDOWS, window('rrule: FREQ=DAILY\n    start: "22:00"\n    duration: 4h'), "3:5: rrule: it counts from a first date, its DTSTART. Add since: 2026-01-03"),
    "an rrule with a time of day": (WINDOWS, window('rrule: FREQ=DAILY;BYHOUR=22\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), '3:12: rrule: BYHOUR names a time of day, which stands in start. Remove it, and write start: "22:00"'),
    "an rrule within the day": (WINDOWS, window('rrule: FREQ=SECONDLY\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), "3:12: rrule: FREQ=SECONDLY opens within the day, and start names one time of day. Write FREQ=DAILY, or use cron"),
    "an rrule with an interval beside it": (WINDOWS, window('rrule: FREQ=DAILY\n    since: 2026-01-03\n    interval: 2\n    start: "22:00"\n    duration: 4h'), "5:5: interval: an rrule has its own. Write INTERVAL=2 into it"),
    "an rrule that ends at an instant": (WINDOWS, window('rrule: FREQ=DAILY;UNTIL=20301231T220000Z\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), "3:12: rrule: UNTIL=20301231T220000Z is an instant, but since names a date, and they must be alike. Write UNTIL=20301231"),
    "an rrule that never comes": (WINDOWS, window('rrule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n    since: 2025-01-03\n    start: "22:00"\n    duration: 4h'), "3:12: rrule: it never occurs. Change it, or the months"),
    "an rrule with a part misspelt": (WINDOWS, window('rrule: FREQ=DAILY;INTERVALL=2\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), "3:12: rrule: INTERVALL is not known here. Known: FREQ, INTERVAL, COUNT, UNTIL, BYDAY, WKST, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYSETPOS"),
    "an rrule whose number is ignored": (WINDOWS, window('rrule: FREQ=WEEKLY;BYDAY=2TU\n    since: 2026-01-03\n    start: "22:00"\n    duration: 4h'), "3:12: rrule: BYDAY=2TU counts within a month or year. Write FREQ=MONTHLY, or BYDAY=TU"),
    "a calendar file that is not there": (WINDOWS, window("ics: [nights.ics]"), "3:11: ics: there is no calendar file nights.ics. Paths are relative to the folder of wellkept.yml"),
    "a calendar file that is none": (WINDOWS, window("ics: wellkept.yml"), "3:10: ics: wellkept.yml cannot be read as an iCalendar file. Export it anew, or name another file"),
    "a calendar file and a start": (WINDOWS, window('ics: inventories/production.yml\n    start: "22:00"'), "4:5: start: the events of the calendar file say when it opens. Remove it"),
    "a summary without a file": (WINDOWS, window('day: daily\n    summary: Patch\n    start: "22:00"\n    duration: 4h'), "4:5: summary: chooses among the events of a calendar file. Add ics: FILE, or remove it"),
    "a freeze on the holidays of nobody": ("schedules/freezes.yml", "calendars: {berlin: {dates: [2026-12-24]}}\nfreezes:\n  - {name: x, holidays: berln}\n", "3:25: holidays: there is no calendar 'berln'. Did you mean 'berlin' (schedules/freezes.yml:1)?"),
    "a freeze on holidays that are none": ("schedules/freezes.yml", "calendars: {berlin: {workdays: [mon]}}\nfreezes:\n  - {name: x, holidays: berlin}\n", "3:25: holidays: calendar 'berlin' has none. Add holidays:, dates: or file: to it"),
    "a freeze on the holidays of a list": ("schedules/freezes.yml", "calendars: {berlin: {dates: [2026-12-24]}}\nfreezes:\n  - {name: x, holidays: [berlin]}\n", "3:25: holidays: a list stands here. Write text, such as holidays: berlin"),
    "a freeze on holidays and of every year": ("schedules/freezes.yml", "calendars: {berlin: {dates: [2026-12-24]}}\nfreezes:\n  - {name: x, every_year: 12-20..01-06, holidays: berlin}\n", "3:41: holidays: a freeze has either every_year or holidays. Remove one"),
    "a freeze on holidays and by a file": ("schedules/freezes.yml", "calendars: {berlin: {dates: [2026-12-24]}}\nfreezes:\n  - {name: x, ics: inventories/production.yml, holidays: berlin}\n", "3:48: holidays: a freeze has either ics or holidays. Remove one"),
    "a freeze on holidays from an instant": ("schedules/freezes.yml", 'calendars: {berlin: {dates: [2026-12-24]}}\nfreezes:\n  - {name: x, holidays: berlin, from: "2026-11-27T18:00+01:00"}\n', "3:33: from: a freeze has either holidays, or from and to. Remove one"),
    "a freeze by a file from an instant": ("schedules/freezes.yml", 'freezes:\n  - {name: x, ics: inventories/production.yml, from: "2026-11-27T18:00+01:00"}\n', "2:48: from: a freeze has either ics, or from and to. Remove one"),
    "a freeze by a file that is not there": ("schedules/freezes.yml", "freezes:\n  - {name: x, ics: board.ics}\n", "2:20: ics: there is no calendar file board.ics. Paths are relative to the folder of wellkept.yml"),
    "a freeze by a file and instants": ("schedules/freezes.yml", 'freezes:\n  - {name: x, ics: board.ics, to: "2026-11-27T18:00+01:00"}\n', "2:31: to: a freeze has either ics, or from and to. Remove one"),
    "a calendar by a file that is not there": (WINDOWS, "calendars: {berlin: {file: berlin.ics}}\n" + window('day: day 1\n    start: "22:00"\n    duration: 4h'), "1:28: file: there is no calendar file berlin.ics. Paths are relative to the folder of wellkept.yml"),
    # schedules
    "an unknown window": (PATCH, schedule("window: prod-pach"), "4:9: window: there is no window 'prod-pach'. Did you mean 'prod-patch' (schedules/windows.yml:2)?"),
    "an unknown ring": (PATCH, schedule("window: prod-patch\nrequires: [{schedule: patch-wbe}]"), "5:23: schedule: there is no schedule 'patch-wbe'. Did you mean 'patch-web' (schedules/patch-web.yml:1)?"),
    "a ring before itself": (PATCH, schedule("window: prod-patch\nrequires: [{schedule: patch-web}]"), "5:23: schedule: 'patch-web' would wait for itself. Name another schedule, or remove it"),
    "a ring without a name": (PATCH, schedule("window: prod-patch\nrequires: [{within: 10d}]"), "5:12: schedule: is missing. Add it, such as schedule: patch-test"),
    "a ring that is no mapping": (PATCH, schedule("window: prod-patch\nrequires: [patch-test]"), "5:12: requires: text stands where a mapping is wanted, such as requires: [{schedule: patch-test, within: 10d, at_least: 3d}]"),
    "a ring with another verdict": (OTHER, schedule("window: prod-patch\nrequires: [{schedule: patch-web, verdict: halted}]"), "5:43: verdict: halted is not known here. Write degraded, succeeded"),
    "a ring with an age that is none": (OTHER, schedule("window: prod-patch\nrequires: [{schedule: patch-web, within: 10}]"), "5:42: within: 10 is a number. A duration needs its unit: within: 10m"),
    "a ring too old once it is old enough": (OTHER, schedule("window: prod-patch\nrequires: [{schedule: patch-web, within: 3d, at_least: 3d}]"), "5:56: at_least: a run that has been over for 3d is not within 3d, so that nothing would ever do. Make it shorter, or within longer"),
    "a duty that waits for a ring": (OTHER, "schedule: drill\nkind: manual\ntitle: Drill\nwhy: x\nwindow: prod-patch\nrequires: [{schedule: patch-web}]\n", "6:1: requires: a manual duty runs no playbook. Remove it"),
    "an unknown inventory": (PATCH, schedule("window: prod-patch\ninventory: prodution"), "5:12: inventory: there is no inventory 'prodution'. Did you mean 'production' (wellkept.yml:5)?"),
    "an unknown owner": (PATCH, schedule("window: prod-patch\nowner: anna"), "5:8: owner: there is no person or team 'anna'. Did you mean 'ana' (wellkept.yml:7)?"),
    "an unknown check": (PATCH, schedule("window: prod-patch\nbefore: [\"health:disk\"]"), "5:10: before: there is no health check 'disk'. Declare it below health: in schedules/health.yml"),
    "a missing playbook": (PATCH, "playbook: playbooks/pach.yml\nwhy: x\nhosts: web\nwindow: prod-patch\n", "1:11: playbook: there is no playbook playbooks/pach.yml. Paths are relative to the folder of wellkept.yml"),
    "a playbook outside": (PATCH, "playbook: ../patch.yml\nwhy: x\nhosts: web\nwindow: prod-patch\n", "1:11: playbook: ../patch.yml lies outside of the maintenance repository, of which runs take a copy. Move it inside"),
    "a budget over all": (PATCH, schedule("window: prod-patch\nfailure_budget: 110%"), "5:17: failure_budget: 110% is more than all hosts. Write at most 100%"),
    "a wave of nobody": (PATCH, schedule("window: prod-patch\nwaves: [{name: a, size: 0}]"), "5:25: size: 0 is too few. Write at least 1, or a percentage such as 25%"),
    "a rest that is not last": (PATCH, schedule("window: prod-patch\nwaves: [{name: rest}, {name: late, size: 1}]"), "5:9: waves: 'rest' has no size, so it takes whatever is left, and nothing remains for later waves. Give it a size, or put it last"),
    "two waves of one name": (PATCH, schedule("window: prod-patch\nwaves: [{name: a, size: 1}, {name: a}]"), "5:36: name: there are two waves 'a'. Rename one"),
    "waves without a split": (PATCH, schedule("window: prod-patch\nsplit: whole\nwaves: [{name: a}]"), "6:1: waves: has no effect with split: whole, which calls Ansible once for all hosts. Remove it, or write split: hosts"),
    "an unknown effect": (PATCH, schedule("window: prod-patch\neffect: rebot"), "5:9: effect: rebot is not known here. Did you mean reboot?"),
    "text for a list": (PATCH, schedule("window: prod-patch\ntags: web"), "5:7: tags: text stands where a list is wanted. Write tags: [web]"),
    "quoted truth": (PATCH, schedule('window: prod-patch\nenabled: "no"'), "5:10: enabled: text stands here. Write true or false, without quotes"),
    "no concurrency": (PATCH, schedule("window: prod-patch\nconcurrency: 0"), "5:14: concurrency: 0 is out of range. Write at least 1"),
    # health checks
    "an unknown probe": (HEALTH, "health:\n  a: {probe: htpt}\n", "2:6: a: probe: htpt is not known. Did you mean http?"),
    "a probe that is not built": (HEALTH, "health:\n  a: {probe: tls}\n", "2:6: a: probe: tls is not supported yet by this version. Write http, ssh, tcp"),
    "a bad expression": (HEALTH, "health:\n  a: {probe: ssh, run: x, hosts: all, every: 1m, number: '(\\d+'}\n", "2:58: number: '(\\\\d+' is no regular expression: missing ), unterminated subpattern at position 0. In YAML, put it in single quotes"),
    "an expression without a number": (HEALTH, "health:\n  a: {probe: ssh, run: x, hosts: all, every: 1m, number: 'x'}\n", "2:58: number: 'x' captures nothing. Put the number in brackets, such as '(\\d+)%'"),
    "a bad threshold": (HEALTH, "health:\n  a: {probe: ssh, run: x, hosts: all, every: 1m, number: '(x)', warn: 80}\n", '2:71: warn: 80 is a number. Write warn: "> 80"'),
    "a threshold without number": (HEALTH, 'health:\n  a: {probe: ssh, run: x, hosts: all, every: 1m, warn: "> 80"}\n', "2:50: warn: there is no number to compare. Add number: '(\\d+)', which finds it in the answer"),
    "a port too far": (HEALTH, "health:\n  a: {probe: tcp, port: 70000, hosts: all, every: 1m}\n", "2:25: port: 70000 is out of range. Write at most 65535"),
    "an address without scheme": (HEALTH, "health:\n  a: {probe: http, url: example.com, hosts: all, every: 1m}\n", "2:25: url: example.com is no address. Begin it with https:// or http://"),
    # causes
    "an unknown class": (CAUSES, cause("cause: repositry, match: a, example: a"), "2:13: cause: repositry is not known here. Did you mean repository?"),
    "a class that is ours": (CAUSES, cause("cause: check_not_run, match: a, example: a"), "2:13: cause: check_not_run is not known here. Write disk_full, dns, host_key_changed, login_refused, lost_after_reboot, memory, module_error, package_broken …"),
    "a rule without an example": (CAUSES, cause("cause: dns, match: a"), "2:5: example: is missing. Add it, such as example: Failed to fetch http://proxy.example.com:3128/x  502  Bad Gateway"),
    "an example that does not match": (CAUSES, cause("cause: dns, match: proxy.*502, example: [proxy says 502, proxy says 503]"), "2:63: example: the pattern does not match it. Correct match or example; * and + reach up to 100 characters"),
    "a pattern that is none": (CAUSES, cause("cause: dns, match: 'a(', example: a"), "2:25: match: 'a(' is no regular expression: missing ), unterminated subpattern at position 1. In YAML, put it in single quotes"),
    "a pattern of nothing": (CAUSES, cause("cause: dns, match: ' ', example: a"), "2:25: match: is empty. Write a few telling words of the message"),
    "a pattern that may take for ever": (CAUSES, cause("cause: dns, match: '(a+)+$', example: a"), "2:25: match: a group is repeated by +, which may take for ever. Repeat a single character or a [set], or write the group out"),
    "a pattern with too many ways": (CAUSES, cause("cause: dns, match: a.*b.*c.*d, example: abcd"), r"2:25: match: could match in too many ways. At most two of * and +, each up to 100 characters; say of others how often, such as .{0,20} or \d{1,5}"),
    "a pattern with a look ahead": (CAUSES, cause("cause: dns, match: '(?=a)', example: a"), "2:25: match: (?= is not supported here. Use plain groups: (…) or (?:…)"),
    "an unknown end of a host": (CAUSES, cause("cause: dns, match: a, example: a, when: fialed"), "2:46: when: fialed is not known here. Did you mean failed?"),
    "an unknown key of a rule": (CAUSES, cause("cause: dns, match: a, example: a, modul: apt"), "2:40: modul: unknown key. Did you mean module?"),
    "words with a place for nothing": (CAUSES, told("happened: '{hst} is ill.', means: A., needed: A."), "5:23: happened: there is nothing for {hst}. Did you mean {host}?"),
    "words that are no sentence": (CAUSES, told("happened: A., means: so what, needed: A."), "5:34: means: is no whole sentence. End it with a full stop"),
    "words without one of the four": (CAUSES, told("happened: A., means: A."), "5:5: needed: is missing. Add it, such as needed: The network team has to look at it."),
    "causes that are no list": (CAUSES, "causes: {cause: dns}\n", "1:9: causes: a mapping stands here. A list is wanted"),
    "causes in the settings": (SETTINGS, f"{HEAD}{TAIL}causes: []\n", "7:1: causes: does not belong here. Put it into a file of causes, such as schedules/causes.yml"),
    # reports
    "a bad period": (REPORT, "report: audit\nedition: auditor\nperiod: lst_month\n", "3:9: period: 'lst_month' is not a period. Write last_week, last_month, last_quarter, 2026-Q3, 2026-10 or 2026-10-01..2026-10-15"),
    "a period backwards": (REPORT, "report: audit\nedition: auditor\nperiod: 2026-10-15..2026-10-01\n", "3:9: period: 2026-10-15..2026-10-01 ends before it begins. Write 2026-10-01..2026-10-15"),
    "an unknown service": (REPORT, "report: audit\nedition: auditor\nperiod: last_month\nscope: {services: [web-sohp]}\n", "4:20: services: there is no service 'web-sohp'. Did you mean 'web-shop' (wellkept.yml:9)?"),
    # settings
    "a secret itself": (SETTINGS, f"{HEAD}{TAIL}secrets: {{vault: {{default: hunter2}}}}\n", "7:28: default: secrets are given by reference, never written down. Write {env: NAME}, {file: PATH}, {command: LINE} or {keyring: SERVICE/USER}"),
    "a secret from two places": (SETTINGS, f"{HEAD}{TAIL}secrets: {{vault: {{default: {{env: A, file: b}}}}}}\n", "7:19: default: has 2 sources (env, file). Keep one"),
    "a secret from nowhere": (SETTINGS, f"{HEAD}{TAIL}secrets: {{become: {{web: {{}}}}}}\n", "7:20: web: names no source. Write {env: NAME}, {file: PATH}, {command: LINE} or {keyring: SERVICE/USER}"),
    "an entry of a keyring without a user": (SETTINGS, f"{HEAD}{TAIL}secrets: {{login: {{network: {{keyring: switches/}}}}}}\n", "7:38: keyring: 'switches/' names no service and user. Write keyring: SERVICE/USER"),
    "a private key": (SETTINGS, f'{HEAD}{TAIL}signing: {{key: "-----BEGIN OPENSSH PRIVATE KEY-----"}}\n', "7:16: key: a private key stands here itself. Secrets are given by reference: write the key file's path"),
    "a database of another kind": (SETTINGS, f"{HEAD}{TAIL}database: mysql://db/wellkept\n", "7:11: database: not known. Write sqlite:///var/wellkept.db, or postgresql://HOST/NAME"),
    "a variable that is not set": (SETTINGS, f'{HEAD}{TAIL}database: "${{DB_URL}}"\n', "7:11: database: DB_URL is not set in the environment. Set it, or write the address without ${DB_URL}"),
    "an unknown member": (SETTINGS, f"{HEAD}{TAIL}teams: {{web: {{members: [anna]}}}}\n", "7:25: members: there is no person 'anna'. Did you mean 'ana' (wellkept.yml:5)?"),
    "an inventory that is not there": (SETTINGS, f"{HEAD}{TAIL.replace('production.yml', 'prod.yml')}", "4:36: source: there is no inventory inventories/prod.yml. Paths are relative to the folder of wellkept.yml"),
    "another format": (SETTINGS, f"format: 2\norganisation: x\n{TAIL}", "1:9: format: 2 is not known here. Write 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_malformed_file_is_told_with_place_problem_and_way_out(
    case: str, found: Callable[..., list[Problem]]
) -> None:
    file, content, expected = CASES[case]

    problems = found({file: content})

    assert f"{file}:{expected}" in map(str, problems)
    assert not any("hunter2" in problem.message for problem in problems)


@pytest.mark.parametrize("case", CASES)
def test_one_mistake_is_told_once(case: str, found: Callable[..., list[Problem]]) -> None:
    file, content, _ = CASES[case]
    expected = EXTRA.get(case, 1)

    errors = [problem for problem in found({file: content}) if problem.severity == "error"]

    assert len(errors) == expected, [str(problem) for problem in errors]


# Mistakes that are told at more than one place, because more than one thing is wrong.
EXTRA = {"a number as key": 2, "a list as key": 4}


def test_all_mistakes_are_told_at_once_in_order(found: Callable[..., list[Problem]]) -> None:
    files = {
        WINDOWS: "windows:\n  prod-patch: {day: daily, start: 22:00, cutoff: 5}\n",
        PATCH: schedule("window: prod-pach\nefect: change\nconcurrency: 0"),
        REPORT: "report: audit\nedition: audito\nperiod: 2026-10\n",
    }

    problems = found(files)

    assert [f"{problem.file}:{problem.line}:{problem.column}" for problem in problems] == [
        "reports/audit.yml:2:10",
        "schedules/patch-web.yml:4:9",
        "schedules/patch-web.yml:5:1",
        "schedules/patch-web.yml:6:14",
        "schedules/windows.yml:2:3",
        "schedules/windows.yml:2:35",
        "schedules/windows.yml:2:50",
    ]
