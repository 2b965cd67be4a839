#!/usr/bin/env bash
# Records the logs in this folder anew with strace, from real programs: gcc, python3, bash, make, redis. Run it anywhere; the
# logs land beside it. Paths that belong to one machine are made neutral; nothing else is changed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=/tmp/w
# What still runs when a step fails.
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
home=$HOME
rm -rf "$work"
mkdir -p "$work"
cd "$work"
# Neutral surroundings: the distribution's own programs, no settings of whoever records.
export LC_ALL=C HOME="$work" PATH=/usr/bin:/bin
unset OLDPWD LD_LIBRARY_PATH PYTHONPATH

record() { # name, program...
  local name=$1
  shift
  strace -f -ttt -T -s 8 -o "$work/$name.raw" "$@" </dev/null >/dev/null 2>&1 &
  tracer=$!
}

finish() { # name
  wait "$tracer" || true
  sed -e "s#$home/#/home/user/#g" -e 's/nodename="[^"]*"/nodename="host"/' "$work/$1.raw" >"$here/$1.strace"
}

# The program that strace traces, once it waits in the call named.
waits_in() { # program, call
  for _ in $(seq 1 200); do
    traced=$(pgrep -n -P "$tracer" || true)
    if [ -n "$traced" ] && grep -q "$2" "$work/$1.raw" 2>/dev/null; then return; fi
    sleep 0.05
  done
  echo "$1 never waited in $2" >&2
  exit 1
}

for program in read-sigint faults; do gcc -O1 -w -o "$program" "$here/$program.c"; done
gcc -O1 -w -pthread -o threads-itimer "$here/threads-itimer.c"

record read-sigint ./read-sigint
waits_in read-sigint 'read(3, *$'
sleep 0.2
kill -INT "$traced"
finish read-sigint

record threads-itimer ./threads-itimer
finish threads-itimer

record faults ./faults
finish faults

cat >sleep-alarm.py <<'PY'
import signal, time
def ring(number, frame):
    raise TimeoutError
signal.signal(signal.SIGALRM, ring)
signal.alarm(1)
try:
    time.sleep(5)
except TimeoutError:
    pass
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
end = time.monotonic() + 0.3
rings = 0
while time.monotonic() < end:
    try:
        time.sleep(0.2)
    except TimeoutError:
        rings += 1
signal.setitimer(signal.ITIMER_REAL, 0)
PY
record sleep-alarm python3 -I -S -E sleep-alarm.py
finish sleep-alarm

cat >jobs.sh <<'SH'
trap 'echo usr1' USR1
trap 'echo child' CHLD
trap 'echo bye' EXIT
sleep 0.2 &
first=$!
(sleep 0.1; kill -USR1 $$) &
wait $first
wait
sleep 5 &
kill -TERM $!
wait $!
SH
record bash-jobs bash jobs.sh
finish bash-jobs

cat >Makefile <<'MAKE'
all: a b c d
a b:
	@sleep 0.05; true $@
c: a
	@echo $@ | cat
d: b
	@for i in 1 2; do sleep 0.02; done
MAKE
record make-j2 make -j2
finish make-j2

cat >redis.conf <<'CONF'
port 0
unixsocket /tmp/w/redis.sock
save ""
appendonly no
daemonize no
loglevel warning
CONF
record redis redis-server redis.conf
waits_in redis 'epoll_wait('
sleep 0.3
redis-benchmark -s /tmp/w/redis.sock -n 200 -c 4 -t set,get -q >/dev/null 2>&1
kill -TERM "$traced"
finish redis

wc -c "$here"/*.strace
