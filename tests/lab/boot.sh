#!/bin/sh
# The first process of a lab host, in fresh mount, pid, uts and ipc namespaces: it builds the host's root from the machine's
# /usr (read-only) and the host's own folders, starts the host's service, and becomes its init.
# $1 the host's folder   $2 its name   $3 root or user   $4 size of its disk in MiB, 0 for the machine's   $5 the repository
set -eu
H=$1 NAME=$2 MODE=$3 DISK=$4 REPO=$5
R=$H/root
hostname "$NAME"

if [ "$DISK" != 0 ]; then
    mkdir -p "$H/disk"
    mount -t tmpfs -o "size=${DISK}m" disk "$H/disk"
    cp -a "$R/." "$H/disk/"
    R=$H/disk
fi
mount --bind "$R" "$R"
if [ "$MODE" = root ]; then
    # Read-only or not at all: as root, a host could write to the machine.
    mount --bind /usr "$R/usr"
    mount -o remount,bind,ro "$R/usr"
else
    mount --rbind /usr "$R/usr"
fi
mount --bind "$R/local" "$R/usr/local"
mount --bind "$H/ssh" "$R/etc/ssh"
mount --bind "$REPO" "$R/srv/repo"
# A plain user may not change the flags of some mounts; then the files' own rights must do.
mount -o remount,bind,ro "$R/srv/repo" || [ "$MODE" = user ]

mount -t proc proc "$R/proc"
mount -t tmpfs -o mode=755,size=4m run "$R/run"
mkdir "$R/run/sshd" "$R/run/lock"
chmod 1777 "$R/run/lock"
mount -t tmpfs -o mode=755,size=64k dev "$R/dev"
mkdir "$R/dev/pts" "$R/dev/shm"
for device in null zero full random urandom tty; do
    : > "$R/dev/$device"
    mount --bind "/dev/$device" "$R/dev/$device"
done
ln -s /proc/self/fd "$R/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$R/dev/${number#*:}"; done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"

cat /proc/sys/kernel/random/uuid > "$R/run/boot_id"
if [ "$MODE" = root ]; then
    # Kernel settings are the machine's: a host may read them only, and must not pull the machine's own switch.
    mount --bind "$R/proc/sys" "$R/proc/sys"
    mount -o remount,bind,ro "$R/proc/sys"
    if [ -e "$R/proc/sysrq-trigger" ]; then mount --bind "$R/dev/null" "$R/proc/sysrq-trigger"; fi
fi
mount --bind "$R/run/boot_id" "$R/proc/sys/kernel/random/boot_id"

cd "$R"
if [ -x etc/init.d/labsvc ]; then chroot . /etc/init.d/labsvc start; fi
trap '' CHLD
echo ready > "$H/ready"
exec chroot . /usr/bin/perl -e '$0 = "labinit"; $SIG{CHLD} = "IGNORE"; $SIG{TERM} = sub { exit 0 }; sleep 3600 while 1'
