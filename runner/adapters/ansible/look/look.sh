# Prints what a host is and what is going on there, in sections that begin with "@@ NAME" and with "@@ end" as the last line.
# POSIX sh with awk, sed, grep and stat; changes nothing, takes no lock, needs no privileges (with less of them it sees less).
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

section() { printf '@@ %s\n' "$1"; }
command_of() { tr '\0' ' ' 2>/dev/null < "/proc/$1/cmdline" | tr -d '\r\n' | cut -c1-120; }
have() { command -v "$1" >/dev/null 2>&1; }

section machine
cat /etc/machine-id 2>/dev/null || cat /var/lib/dbus/machine-id 2>/dev/null
section boot
cat /proc/sys/kernel/random/boot_id 2>/dev/null
section system
for file in /etc/os-release /usr/lib/os-release; do
    if [ -r "$file" ]; then (ID='' VERSION_ID=''; . "$file"; printf '%s %s\n' "$ID" "$VERSION_ID"); break; fi
done
section kernel
uname -r
section uptime
cut -d' ' -f1 /proc/uptime 2>/dev/null

section reboot
if [ -e /var/run/reboot-required ] || [ -e /run/reboot-required ]; then
    echo required
elif ! have dpkg && have needs-restarting; then
    needs-restarting -r >/dev/null 2>&1 || { [ $? -eq 1 ] && echo required; }
fi
section reboot-packages
cat /var/run/reboot-required.pkgs 2>/dev/null

# one line per package: status of dpkg (three letters: wanted, present, error), name, version
section packages
if have dpkg-query; then
    dpkg-query -W -f='${db:Status-Abbrev}\t${binary:Package}\t${Version}\n' 2>/dev/null
elif have rpm; then
    rpm -qa --qf 'ii \t%{NAME}.%{ARCH}\t%{EPOCH}:%{VERSION}-%{RELEASE}\n' 2>/dev/null | sed 's/(none)://'
elif have pacman; then
    pacman -Q 2>/dev/null | sed 's/^\([^ ]*\) /ii \t\1\t/'
elif have apk; then
    apk list -I 2>/dev/null | sed -n 's/^\(.*\)-\([0-9][^ ]*-r[0-9]*\) .*/ii \t\1\t\2/p'
fi
section held
for file in /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list; do
    [ -r "$file" ] && grep -v '^[[:space:]]*\(#\|!\|$\)' "$file"
done

# services that start with the system, one a line: name, and whether it runs or is still starting
section services
if [ -d /run/systemd/system ] && have systemctl; then
    {
        systemctl list-unit-files --type=service --no-legend --no-pager 2>/dev/null |
            awk '$2 ~ /^(enabled|enabled-runtime|indirect|generated)$/ { print "atboot", $1 }'
        systemctl list-jobs --plain --no-legend --no-pager 2>/dev/null | awk '$3 == "start" { print "unit", $2, "activating", "start" }'
        systemctl list-units --type=service --all --plain --no-legend --no-pager 2>/dev/null | awk '{ print "unit", $1, $3, $4 }'
    } | awk '
        $1 == "atboot" { atboot[$2] = 1; next }
        { kind = $2; sub(/@.*\.service$/, "@.service", kind) }
        kind ~ /^(serial-|console-|container-)?getty@/ || !(kind in atboot) || ($2 in told) { next }
        $4 == "running" { told[$2] = 1; print $2 "\trunning" }
        ($3 == "activating" || $3 == "reloading") && $4 != "auto-restart" { told[$2] = 1; print $2 "\tstarting" }'
else
    for script in /etc/init.d/*; do
        [ -x "$script" ] || continue
        name=${script##*/}
        for file in "/run/$name.pid" "/run/${name}d.pid" "/run/$name/$name.pid" "/run/$name/${name}d.pid"; do
            pid=$(head -n 1 "$file" 2>/dev/null | tr -cd 0-9)
            [ -n "$pid" ] && [ -d "/proc/$pid" ] && printf '%s\trunning\n' "$name" && break
        done
    done
fi

# free kilobytes, one line per file system path
section free
for path in / /var; do
    df -kP "$path" 2>/dev/null | awk -v path="$path" 'NR == 2 { print $4 "\t" path }'
done

section busy
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock \
            /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do
    [ -e "$file" ] || continue
    inode=$(stat -c %i "$file" 2>/dev/null) || continue
    for pid in $(awk -v end=":$inode\$" '$2 != "->" && $6 ~ end { print $5 }' /proc/locks 2>/dev/null); do
        echo "lock $file pid=$pid $(command_of "$pid")"
    done
done
[ -e /var/lib/pacman/db.lck ] && echo "lock /var/lib/pacman/db.lck"
# the processes whose file $1 (comm, cmdline, environ) matches one of the patterns that follow
if printf 'a\0b\n' | grep -q b 2>/dev/null; then
    matching() { file=$1; shift; grep -ls "$@" /proc/[0-9]*/"$file" 2>/dev/null | cut -d/ -f3; }
else  # a grep that ends its lines at NUL
    matching() {
        file=$1; shift
        for path in /proc/[0-9]*/"$file"; do
            tr '\0' '\n' 2>/dev/null < "$path" | grep -q "$@" && echo "$path" | cut -d/ -f3
        done
    }
fi
marks_of() { tr '\0' '\n' 2>/dev/null < "/proc/$1/environ" | grep '^WELLKEPT_PIECE='; }
# ourselves and, over a local connection, whatever else belongs to this very look
is_own() { [ "$1" = "$$" ] || { [ -n "${WELLKEPT_PIECE:-}" ] && [ "$(marks_of "$1")" = "WELLKEPT_PIECE=$WELLKEPT_PIECE" ]; }; }
# a daemon that a playbook started carries the mark too: it is a service, or has neither a parent nor a session above it
is_daemon() {
    case $(cat "/proc/$1/cgroup" 2>/dev/null) in
        *ssh*.service*|*wellkept*.service*) ;;
        *.service*) return 0 ;;
    esac
    set -- "$1" $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)
    [ "${3:-0}" = 1 ] && { [ "${5:-0}" = "$1" ] || [ ! -d "/proc/${5:-0}" ]; }
}
for pid in $(matching comm -x -e apt -e apt-get -e aptitude -e dpkg -e unattended-upgr -e dnf -e dnf5 -e yum -e rpm -e zypper -e pacman -e apk); do
    echo "manager $(cat "/proc/$pid/comm" 2>/dev/null) pid=$pid $(command_of "$pid")"
done
for pid in $(matching cmdline -e AnsiballZ_ -e /ansible-tmp- -e async_wrapper); do
    is_own "$pid" && continue
    case $(cat "/proc/$pid/comm" 2>/dev/null) in ssh|sshpass|scp|sftp) continue ;; esac  # names the modules of another host
    words=$(command_of "$pid")
    case $words in *AnsiballZ_*|*/ansible-tmp-*|*async_wrapper*) echo "module pid=$pid $words" ;; esac
done
for pid in $(matching environ -e "WELLKEPT_PIECE=$WELLKEPT_MARKER"); do
    case $(marks_of "$pid") in "WELLKEPT_PIECE=$WELLKEPT_MARKER"*) ;; *) continue ;; esac
    is_own "$pid" || is_daemon "$pid" || echo "marked pid=$pid $(command_of "$pid")"
done
section end
