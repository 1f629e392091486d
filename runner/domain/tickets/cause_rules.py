"""Which message means which cause: a versioned table of rules, each with real messages as examples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runner.domain.tickets.plain_words import PlainWords

CAUSE_RULES_VERSION = 3


class CauseClass(StrEnum):
    """What kind of thing went wrong on a host."""

    UNREACHABLE = "unreachable"
    LOGIN_REFUSED = "login_refused"
    HOST_KEY_CHANGED = "host_key_changed"
    PRIVILEGE = "privilege"
    PACKAGE_LOCK = "package_lock"
    PACKAGE_BROKEN = "package_broken"
    PACKAGE_SIGNATURE = "package_signature"
    REPOSITORY = "repository"
    DISK_FULL = "disk_full"
    MEMORY = "memory"
    DNS = "dns"
    TIME_OUT = "time_out"
    SERVICE_DID_NOT_START = "service_did_not_start"
    POST_CHECK_FAILED = "post_check_failed"
    CHECK_NOT_RUN = "check_not_run"
    LOST_AFTER_REBOOT = "lost_after_reboot"
    TEMPLATE_OR_VARIABLE = "template_or_variable"
    MODULE_ERROR = "module_error"
    CANCELLED_BY_US = "cancelled_by_us"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the regular expression is searched in the message, whatever its case.

    `modules` (short names), `results`, `stages` and `tasks` (a regular expression over the task's name) narrow the rule; empty means any. The first rule that
    matches wins, so the more telling ones stand first. `examples` are messages as seen on real hosts. `words`, which only a user's rule has, are said instead
    of ours.
    """

    cause: CauseClass
    pattern: str = ""
    modules: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    tasks: str = ""
    examples: tuple[str, ...] = ()
    words: PlainWords | None = None


SERVICE_MODULES = ("service", "systemd", "systemd_service", "sysvinit")

CAUSE_RULES: tuple[Rule, ...] = (
    Rule(
        CauseClass.CANCELLED_BY_US,
        r"\bcancelled by (us|wellkept|[\w.@-]+)\b|\bstopped by wellkept\b",
        examples=("Cancelled by ana before it was done.", "stopped by Wellkept: the window has closed"),
    ),
    Rule(
        CauseClass.CHECK_NOT_RUN,  # our own words before Ansible's, which may name anything
        r"\Athe check after the playbook could not be run\b",
        stages=("post_check",),
        examples=(
            "the check after the playbook could not be run: ERROR! the role 'smoke-test' was not found in /srv/roles",
        ),
    ),
    Rule(
        CauseClass.POST_CHECK_FAILED,  # what a post-check says itself outranks the words that it uses for it
        modules=("assert", "fail"),
        stages=("post_check",),
        examples=("These services ran before and do not run now: labsvc.", "Assertion failed"),
    ),
    Rule(
        CauseClass.DISK_FULL,  # before everything that breaks because of it: packages, copies, temporary folders
        r"no space left on device|disk quota exceeded|errno 28\b|not enough free space"
        r"|don't have enough free space|more space needed on the|are free on \S+; \d+",
        examples=(
            (
                "cannot copy extracted data for './opt/labbig/blob' to '/opt/labbig/blob.dpkg-new': failed to "
                "write (No space left on device)"
            ),
            "dd: error writing '/fill': No space left on device",
            "E: You don't have enough free space in /var/cache/apt/archives/.",
            "Only 112 MB are free on /; 500 MB are needed.",
            "At least 12MB more space needed on the / filesystem.",
        ),
    ),
    Rule(
        CauseClass.MEMORY,
        r"cannot allocate memory|\bmemoryerror\b|out of memory|oom-?kill|std::bad_alloc"
        r"|virtual memory exhausted|failed to map segment from shared object",
        examples=(
            'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\nMemoryError',
            "ls: error while loading shared libraries: libc.so.6: failed to map segment from shared object",
            "fork: Cannot allocate memory",
        ),
    ),
    Rule(
        CauseClass.HOST_KEY_CHANGED,
        r"remote host identification has changed|host key verification failed|no \S+ host key is known"
        r"|host key .{0,80}does not match|host key mismatch",
        examples=(
            "Failed to connect to the host via ssh: @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
            (
                "No ED25519 host key is known for [127.0.0.1]:22401 and you have requested strict "
                "checking.\r\nHost key verification failed."
            ),
            "Host key for server '127.0.0.1' does not match: got 'AAAA', expected 'BBBB'",
        ),
    ),
    Rule(
        CauseClass.PRIVILEGE,  # `su` says "Authentication failure", so this stands before the refused login
        r"a password is required|(missing|incorrect) (sudo|su|become) password|not in the sudoers"
        r"|sudo: not found|sudo: no tty|su: authentication failure"
        r"|no valid sudoers sources|waiting for privilege escalation|are you root\?|must be (run as )?root|requires superuser"
        r"|superuser privilege|interactive authentication required",
        examples=(
            "Missing sudo password",
            "sudo: no valid sudoers sources found, quitting",
            "/bin/sh: 1: sudo: not found",
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?",
            "Timeout (12s) waiting for privilege escalation prompt: ",
        ),
    ),
    Rule(
        CauseClass.LOGIN_REFUSED,
        r"permission denied \((publickey|password|keyboard|gssapi|hostbased)|invalid/incorrect password"
        r"|authentication failed|too many authentication failures"
        r"|account (has expired|is locked|is currently not available)|no matching host key type"
        r"|no supported authentication methods",
        examples=(
            "Task failed: Failed to connect to the host via ssh: root@127.0.0.1: Permission denied (publickey).",
            "Received disconnect from 192.0.2.7 port 22:2: Too many authentication failures",
        ),
    ),
    Rule(
        CauseClass.PACKAGE_SIGNATURE,  # before unknown names and sources: apt tells both in one message
        r"\bis not signed\b|\bno_pubkey\b|\b(exp|rev)keysig\b|\bbadsig\b"
        r"|signatures (couldn't be verified|were invalid)|cannot be authenticated|unauthenticated packages"
        r"|needed to verify signature|gpg (check|key|error)|public key for .{1,80} is not installed|signature verification failed",
        examples=(
            "Failed to update apt cache after 1 retries: E:The repository 'file:/srv/repo ./ Release' is not signed.",
            "E: There were unauthenticated packages and -y was used without --allow-unauthenticated",
            (
                "W:GPG error: file:/srv/repo ./ InRelease: The following signatures couldn't be verified: "
                "NO_PUBKEY 6150F4E064A51F2A"
            ),
            "Public key for nginx-1.26.rpm is not installed",
            (
                "Sub-process /usr/bin/sqv returned an error code (1), error message is: Missing key "
                "6150F4E064A51F2A, which is needed to verify signature."
            ),
        ),
    ),
    Rule(
        CauseClass.DNS,
        r"could not resolve host|temporary failure (resolving|in name)|name or service not known"
        r"|nodename nor servname|getaddrinfo failed|no address associated",
        examples=(
            "ssh: Could not resolve hostname no-such-host.example.invalid: Name or service not known",
            (
                "E: Failed to fetch http://mirror.example.invalid/debian/dists/bookworm/InRelease  Temporary "
                "failure resolving 'mirror.example.invalid'"
            ),
            "Request failed: <urlopen error [Errno -3] Temporary failure in name resolution>",
        ),
    ),
    Rule(
        CauseClass.LOST_AFTER_REBOOT,  # the module's own words for "it went down and did not come back in time"
        r"timed out waiting for|unreachable|failed to connect|connection (refused|timed out)|no route to host"
        r"|boot id|did not come back",
        modules=("reboot",),
        examples=(
            "Timed out waiting for last boot time check (timeout=8)",
            "Timed out waiting for post-reboot test command (timeout=600)",
        ),
    ),
    Rule(
        CauseClass.LOST_AFTER_REBOOT,
        r"timed out waiting|failed to connect|unreachable|boot id",
        tasks=r"reboot|restart the (server|host|machine)|come back",
        modules=("wait_for_connection", "wait_for", "assert"),
        examples=("timed out waiting for ping module test: Failed to connect to the host via ssh: Connection refused",),
    ),
    Rule(
        CauseClass.UNREACHABLE,
        r"failed to connect to the host|connection timed out during banner exchange|no route to host"
        r"|network is unreachable|connection closed by remote host"
        r"|shared connection to \S+ closed\.?$|timed out waiting for ping module test|kex_exchange_identification",
        results=("unreachable", "in_doubt", "not_run"),
        examples=(
            (
                "Task failed: Failed to connect to the host via ssh: ssh: connect to host 127.0.0.1 port 22999: "
                "Connection refused"
            ),
            (
                "Task failed: Failed to connect to the host via ssh: Connection timed out during banner "
                "exchange\r\nConnection to 127.0.0.1 port 22402 timed out"
            ),
        ),
    ),
    Rule(
        CauseClass.UNREACHABLE,
        r"timed out waiting for ping module test",
        modules=("wait_for_connection",),
        examples=("timed out waiting for ping module test: Failed to connect to the host via ssh: Connection refused",),
    ),
    Rule(
        CauseClass.PRIVILEGE,
        r"failed to create temporary directory|permission denied|operation not permitted|not writable"
        r"|authentication or permission failure",
        examples=(
            (
                "Task failed: Failed to create temporary directory. In some cases, you may have been able to "
                "authenticate and did not have permissions"
            ),
            "touch: cannot touch '/etc/xx': Permission denied",
            "Destination /usr/share not writable",
        ),
    ),
    Rule(
        CauseClass.UNREACHABLE,
        results=("unreachable",),
        examples=("Invalid SSH host: it answered with nothing that can be read.",),
    ),
    Rule(
        CauseClass.PACKAGE_LOCK,
        r"could not get lock|unable to acquire the dpkg frontend lock|lock was locked by another process"
        r"|unable to lock (the administration|directory)|failed to lock (apt|directory)"
        r"|another (copy|app) is (running|currently holding)|rpm database.{0,30}lock"
        r"|package manager is (already )?at work",
        examples=(
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1244 (python3)",
            (
                "'/usr/bin/apt-get dist-upgrade ' failed: E: Unable to acquire the dpkg frontend lock "
                "(/var/lib/dpkg/lock-frontend), is another process using it?"
            ),
            "dpkg: error: dpkg frontend lock was locked by another process with pid 1244",
            "A package manager is at work here already: apt-get.",
        ),
    ),
    Rule(
        CauseClass.PACKAGE_BROKEN,
        r"dpkg: error processing|(pre|post)-(installation|removal) script|dependency problems"
        r"|unmet dependencies|held broken packages|dpkg was interrupted"
        r"|half-(configured|installed)|/dpkg returned an error code|dpkg: unrecoverable|scriptlet failed"
        r"|error unpacking rpm|not fully installed",
        examples=(
            (
                "dpkg: error processing package labbroken (--configure):\n installed labbroken package "
                "post-installation script subprocess returned error exit status 1"
            ),
            "'/usr/bin/apt-get dist-upgrade ' failed: E: Sub-process /usr/bin/dpkg returned an error code (1)",
            "Packages are half-configured or half-installed: labbroken.",
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
        ),
    ),
    Rule(
        CauseClass.REPOSITORY,
        r"failed to (fetch|update apt cache|download (metadata|packages))"
        r"|(does not|no longer) ha(ve|s) a release file|hash sum mismatch|file has unexpected size"
        r"|list of sources could not be read|no package matching|no available installation candidate"
        r"|unable to locate package|release file .{1,80}(expired|not valid yet)"
        r"|cannot (retrieve|download) (repo|metadata)|no more mirrors to try|cannot find a valid baseurl",
        examples=(
            "Failed to update apt cache after 1 retries: ",
            (
                "E:Failed to fetch file:/srv/norepo/./Packages  File not found - /srv/norepo/./Packages (2: No "
                "such file or directory)"
            ),
            (
                "E: Failed to fetch http://127.0.0.1:22997/debian/dists/bookworm/InRelease  Could not connect to "
                "127.0.0.1:22997 (127.0.0.1). - connect (111: Connection refused)"
            ),
            (
                "E:Type 'dob' is not known on line 1 in source list /etc/apt/sources.list, E:The list of sources "
                "could not be read."
            ),
            "No package matching 'nosuchpkg' is available",
        ),
    ),
    Rule(
        CauseClass.TEMPLATE_OR_VARIABLE,
        r"is undefined\b|syntax error in template|has no attribute|error while resolving value"
        r"|error while evaluating conditional|finalization of task args"
        r"|could not find or access '|no filter named|template error|vault secrets? found|decryption failed",
        examples=(
            (
                "Task failed: Finalization of task args for 'ansible.builtin.debug' failed: Error while "
                "resolving value for 'msg': 'nope' is undefined"
            ),
            "Task failed: Error while evaluating conditional: 'foo' is undefined",
            "Could not find or access 'none.j2'\nSearched in:\n\t/srv/templates/none.j2",
        ),
    ),
    Rule(
        CauseClass.SERVICE_DID_NOT_START,
        r"unable to (start|restart|reload|enable) service|job for \S+ failed|failed to (start|restart|reload) "
        r"|control process exited",
        examples=(
            (
                "Unable to start service nginx: Job for nginx.service failed because the control process exited "
                "with error code."
            ),
            "Failed to restart apache2.service: Unit apache2.service is masked.",
        ),
    ),
    Rule(
        CauseClass.MODULE_ERROR,
        r"unsupported parameters|missing required arguments|value of \S+ must be one of|module failure"
        r"|module result deserialization failed|module interpreter .{1,80}was not found"
        r"|couldn't resolve module/action|unable to find command|no module named|module failed:"
        r"|failed to import the required|error executing command",
        examples=(
            (
                "Unsupported parameters for (ansible.builtin.file) module: stat. Supported parameters include: "
                "access_time"
            ),
            "The module interpreter '/usr/bin/python9' was not found.",
            "Module result deserialization failed: No start of json char found",
            "Task failed: Unable to find command \"shutdown\" in search paths: ['/tmp']",
            "Error executing command.",
        ),
    ),
    Rule(
        CauseClass.SERVICE_DID_NOT_START,
        modules=SERVICE_MODULES,
        results=("failed",),
        examples=(
            "Starting badsvc: bind() to 0.0.0.0:80 failed (98: Address already in use)",
            "Service is in unknown state",
        ),
    ),
    Rule(
        CauseClass.TIME_OUT,
        r"timed out\b|timeout when waiting|timeout (was )?exceeded|did not complete within the requested time"
        r"|etimedout|time limit",
        examples=(
            "Task failed: Timed out after 2 second(s).",
            "Timeout when waiting for 127.0.0.1:22998",
            "async task did not complete within the requested time - 2s",
            "Timeout exceeded",
        ),
    ),
    Rule(
        CauseClass.POST_CHECK_FAILED,
        results=("failed",),
        stages=("post_check",),
        examples=("Status code was 503 and not [200]: HTTP Error 503: Service Unavailable",),
    ),
    Rule(
        CauseClass.MODULE_ERROR,
        r"traceback \(most recent call last\)|unexpected \w+ ?error|segmentation fault",
        examples=("Traceback (most recent call last):\r\nKeyError: 'x'", "Segmentation fault"),
    ),
)
