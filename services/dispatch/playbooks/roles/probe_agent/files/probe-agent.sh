#!/bin/sh
# Manages the agent in a folder, which has a link to this script: `sh /opt/probe-agent/probe-agent.sh status`. Prints one
# line of JSON; what failed goes to standard error, with exit code 1.
#
#   deploy RELEASE RUNTIME [SECONDS]  switches, waits for readiness, or goes back to what was there
#   start|restart [SECONDS]           waits for readiness
#   stop | status | remove
#
# A deployment is a release, the Node.js that runs it, and settings; `current` points to one, so all three change at once.
set -u
umask 022
# A release that is not deployed yet is told where.
directory=$(cd "${PROBE_AGENT_DIRECTORY:-$(dirname "$0")}" && pwd -P)
cd "$directory" || exit 1

ready_seconds=60
stop_seconds=20
max_log_bytes=$((10 * 1024 * 1024))
max_pause=30
login=root manager=background service=probe-agent
[ -f manager ] && . ./manager
# Within a release.
programs=services/dispatch/playbooks/roles/probe_agent/files

fail() {
  echo "$1" >&2
  exit 1
}

# Two at a time would undo each other's work. What is started in the background must not inherit the lock.
take_turn() {
  exec 9>run/lock
  if command -v flock >/dev/null && ! flock -w 120 9; then
    fail "another change of this agent is under way"
  fi
}

. "$(dirname "$(readlink -f "$0")")/agent-processes.sh"

target_of() { readlink "$1" 2>/dev/null; }

name_of() { basename "$(target_of "$1")"; }

settings_files() {
  echo environment.json
  grep -q '^ *"NATS_CREDS": "nats.creds"' "$1/environment.json" && echo nats.creds
  grep -q '^ *"NATS_CA": "nats-ca.pem"' "$1/environment.json" && echo nats-ca.pem
}

has_same_settings() {
  [ "$(cat current/login)" = "$login" ] || return 1
  for file in $(settings_files settings); do
    cmp -s "settings/$file" "current/settings/$file" || return 1
  done
}

is_current() {
  [ "$(target_of current/release)" = "../../releases/$1" ] &&
    [ "$(target_of current/runtime)" = "../../runtimes/$2" ] && has_same_settings
}

make_deployment() {
  rm -rf deployments/new
  mkdir -p deployments/new/settings
  ln -s "../../releases/$1" deployments/new/release
  ln -s "../../runtimes/$2" deployments/new/runtime
  echo "$login" >deployments/new/login
  chmod 700 deployments/new/settings
  for file in $(settings_files settings); do
    (umask 077 && cat "settings/$file" >"deployments/new/settings/$file")
  done
  [ "$(id -u)" = 0 ] && chown -R "$login:" deployments/new/settings
  last=$(ls deployments | grep '^[0-9]*$' | sort -n | tail -n 1)
  number=$((${last:-0} + 1))
  mv deployments/new "deployments/$number"
}

# Renaming is what makes it one step.
point_to() {
  rm -f current.new
  ln -s "$1" current.new
  mv -T current.new current
  ln -sfn "current/release/$programs/probe-agent.sh" probe-agent.sh
}

# What the agent has said since the log had so many bytes. A run keeps 8 KiB of a text: the conclusion has to fit behind it.
last_words() {
  if [ "$manager" = systemd ]; then
    journalctl --unit "$service.service" --lines 20 --no-pager --output cat
  else
    tail -c "+$(($1 + 1))" run/log | tail -n 20
  fi | cut -c 1-350
}

log_size() {
  touch run/log
  wc -c <run/log
}

expect_ready() {
  is_ready_within "$1" && return
  last_words "$2" >&2
  fail "the agent is not ready within $1 s"
}

# Keeps the present and the previous deployment, and what these consist of.
prune() {
  for number in $(ls deployments); do
    case "deployments/$number" in "$1" | "$2") ;; *) rm -rf "deployments/${number:?}" ;; esac
  done
  for kind in release runtime; do
    for name in $(ls "${kind}s"); do
      case " $(for each in deployments/*; do name_of "$each/$kind"; done | tr '\n' ' ') " in
        *" $name "*) ;;
        *) rm -rf "${kind}s/${name:?}" ;;
      esac
    done
  done
  rm -rf incoming/*
}

deploy() {
  release=$1 runtime=$2 seconds=${3:-$ready_seconds}
  previous=$(target_of current)
  # What is left of a deployment that fails can be removed.
  [ -e probe-agent.sh ] || ln -sfn "releases/$release/$programs/probe-agent.sh" probe-agent.sh
  said=$("runtimes/$runtime/node" --version 2>&1) || fail "the Node.js of the release does not run here: $said"
  for file in nats.creds nats-ca.pem; do
    settings_files settings | grep -qx "$file" || rm -f "settings/$file"
  done

  if [ -n "$previous" ] && is_current "$release" "$runtime"; then
    size=$(log_size)
    changed=false
    if ! is_running || { [ "$manager" = background ] && [ "$(cat run/deployment)" != "$previous" ]; }; then
      changed=true
      stop_agent
      start_agent
    fi
    expect_ready "$seconds" "$size"
    rm -rf incoming/*
    report "$changed"
    return
  fi

  make_deployment "$release" "$runtime"
  stop_agent
  size=$(log_size)
  point_to "deployments/$number"
  start_agent
  if is_ready_within "$seconds"; then
    prune "deployments/$number" "$previous"
    report true
    return
  fi

  last_words "$size" >&2
  stop_agent
  if [ -z "$previous" ]; then
    rm -rf current "deployments/$number"
    ln -sfn "releases/$release/$programs/probe-agent.sh" probe-agent.sh
    fail "$release did not become ready within $seconds s, and is not running"
  fi
  point_to "$previous"
  rm -rf "deployments/$number"
  # The next upgrade starts from settings that work.
  cp -p current/settings/* settings/
  start_agent
  is_ready_within "$ready_seconds" ||
    fail "$release did not become ready within $seconds s, nor did $(name_of current/release) again"
  prune "$previous" "$previous"
  fail "$release did not become ready within $seconds s: $(name_of current/release) is running again"
}

begin() {
  seconds=${2:-$ready_seconds}
  size=$(log_size)
  changed=false
  if [ "$1" = restart ] || ! is_running; then
    changed=true
    stop_agent
    start_agent
  fi
  expect_ready "$seconds" "$size"
  report "$changed"
}

end() {
  changed=false
  if is_running || agent_pid >/dev/null; then
    changed=true
    stop_agent
  fi
  report "$changed"
}

remove() {
  stop_agent
  if [ "$manager" = systemd ]; then
    rm -f "/etc/systemd/system/$service.service"
    systemctl daemon-reload
  fi
  # Only what was put here; a folder that holds something else stays.
  rm -rf current current.new deployments releases runtimes settings incoming run manager
  rm -f probe-agent.sh .probe-agent
  cd / && rmdir "$directory" 2>/dev/null
  echo '{"changed":true,"state":"absent"}'
}

# {"changed", "state": "running" | "starting" | "stopped", "release", "runtime", "agent", "place", "pid"}
report() {
  pid=$(agent_pid)
  inspect describe "$1" "$pid"
}

case ${1:-} in
  supervise) supervise ;;
  deploy) take_turn && deploy "$2" "$3" "${4:-}" ;;
  remove) take_turn && remove ;;
  start | restart | stop | status)
    if [ ! -e current ]; then
      [ "$1" != status ] && [ "$1" != stop ] && fail "no agent is deployed in $directory"
      echo '{"changed":false,"state":"absent"}'
      exit
    fi
    case $1 in
      status) report false ;;
      stop) take_turn && end ;;
      *) take_turn && begin "$1" "${2:-}" ;;
    esac
    ;;
  *) fail "expected deploy, start, restart, stop, status or remove" ;;
esac
