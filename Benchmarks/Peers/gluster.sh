#!/usr/bin/env bash
# GlusterFS as a peer of ./harness bench cluster: three bricks on this host, replica 3, in a network namespace of its own, since it refuses loopback.
#   gluster.sh up DIR MOUNTPOINT     starts it, with everything it keeps below DIR, and mounts it
#   gluster.sh down DIR MOUNTPOINT   unmounts it, ends its processes, and removes DIR and the namespace
# Needs root and Debian's glusterfs-server (apt-get install -y glusterfs-server).
set -euo pipefail

namespace=harness-gluster
address=10.254.77.1
volume=bench

fail() { printf 'gluster.sh: %s\n' "$1" >&2; exit 1; }

# Only the network is another one: what is mounted here is seen by everybody.
inside() { nsenter --net="/run/netns/$namespace" "$@"; }

# Processes that live in the namespace, and no others: they are all ours.
pids() { ip netns pids "$namespace" 2>/dev/null || true; }

up() {
    local dir=$1 mountpoint=$2
    command -v glusterd >/dev/null || fail 'glusterd is missing: apt-get install -y glusterfs-server'
    [[ ! -e /run/netns/$namespace ]] || fail "it is up already; first: $0 down DIR MOUNTPOINT"
    mkdir -p "$dir"/{glusterd,run,brick1,brick2,brick3} "$mountpoint"
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
    ip -n "$namespace" link add brick0 type veth peer name brick1
    ip -n "$namespace" addr add "$address/24" dev brick0
    ip -n "$namespace" link set brick0 up
    ip -n "$namespace" link set brick1 up
    cat >"$dir/glusterd.vol" <<EOF
volume management
    type mgmt/glusterd
    option working-directory $dir/glusterd
    option run-directory $dir/run
    option transport-type socket
    option transport.socket.listen-port 24007
    option max-port 60999
end-volume
EOF
    inside glusterd --volfile="$dir/glusterd.vol" --pid-file="$dir/glusterd.pid" --log-file="$dir/glusterd.log"
    local try
    for try in $(seq 50); do
        if inside gluster --mode=script volume info >/dev/null 2>&1; then break; fi
        sleep 0.2
    done
    inside gluster --mode=script volume create "$volume" replica 3 "$address:$dir/brick1" "$address:$dir/brick2" "$address:$dir/brick3" force
    inside gluster --mode=script volume start "$volume"
    inside glusterfs --volfile-server="$address" --volfile-id="$volume" --log-file="$dir/client.log" "$mountpoint"
    for try in $(seq 50); do
        if mountpoint -q "$mountpoint" && touch "$mountpoint/.up" 2>/dev/null; then
            rm -f "$mountpoint/.up"
            return
        fi
        sleep 0.2
    done
    fail "it was not mounted within 10 s; see $dir/client.log and $dir/glusterd.log, then: $0 down $dir $mountpoint"
}

down() {
    local dir=$1 mountpoint=$2 pid try
    if mountpoint -q "$mountpoint"; then umount "$mountpoint" || umount -l "$mountpoint"; fi
    for try in $(seq 25); do
        [[ -n $(pids) ]] || break
        for pid in $(pids); do kill "$( ((try < 20)) && echo -TERM || echo -KILL)" "$pid" 2>/dev/null || true; done
        sleep 0.2
    done
    [[ ! -e /run/netns/$namespace ]] || ip netns del "$namespace"
    rm -rf "$dir"
}

case ${1-}:$# in
    up:3) up "$2" "$3" ;;
    down:3) down "$2" "$3" ;;
    *) fail "usage: $0 up|down DIR MOUNTPOINT" ;;
esac
