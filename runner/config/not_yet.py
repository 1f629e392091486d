"""What the language has and this version has not: known keys and values that are refused as "not supported yet".

Whoever builds one of them takes it out of here.
"""

from __future__ import annotations

# The class of the model -> keys that are known there.
KEYS: dict[str, tuple[str, ...]] = {
    "SettingsFile": ("notify",),
    "Boundaries": ("patch_within",),
    "Tickets": ("escalation",),
    "ScheduleFile": (
        "mute",
        "announce",
    ),
    "TcpCheck": ("fix",),
    "SshCheck": ("fix",),
    "HttpCheck": ("fix",),
    "HealthFile": ("depends",),
    "ReportFile": ("at", "send_to"),
}

# (class of the model, key) -> values that are known there.
VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("Tickets", "desk"): (
        "request-tracker",
        "redmine",
        "roundup",
        "github",
        "gitlab",
        "jira",
        "servicenow",
        "zammad",
        "webhook",
    ),
    ("ReportFile", "edition"): ("executive", "manager", "technician"),
    ("ReportFile", "formats"): ("pdf", "csv"),
    ("HealthFile", "probe"): ("tls", "plugin", "network", "playbook"),
}
