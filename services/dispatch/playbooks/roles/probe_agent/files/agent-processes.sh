# The processes of an agent: how they are found, started, kept running and ended. Read by probe-agent.sh.

# Pid and start time: after a while a pid belongs to somebody else. Nothing for a process that has ended.
identify() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The name in parentheses may hold blanks.
  set -- "$1" ${stat##*)}
  [ "$2" != Z ] && echo "$1 ${21}"
}

# The pid that a file tells of, if that process is still the same.
pid_in() {
  read -r pid started 2>/dev/null <"run/$1" || return 1
  [ "$(identify "$pid")" = "$pid $started" ] && echo "$pid"
}

# As long as a condition does not hold, up to so many seconds.
wait_until() {
  deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -ge "$deadline" ] && return 1
    sleep 0.2
  done
}

agent_pid() {
  if [ "$manager" = systemd ]; then
    pid=$(systemctl show --property=MainPID --value "$service.service") && [ "$pid" != 0 ] && echo "$pid"
  else
    pid_in agent
  fi
}

is_running() {
  if [ "$manager" = systemd ]; then
    systemctl is-active --quiet "$service.service"
  else
    pid_in supervisor >/dev/null
  fi
}

is_gone() { ! pid_in "$1" >/dev/null; }

inspect() { current/runtime/node "current/release/$programs/inspect-agent-main.mts" "$directory" "$@"; }

# Within so many seconds, whatever process is the agent meanwhile: one that fails is started again.
is_ready_within() {
  until=$(($(date +%s) + $1))
  while left=$((until - $(date +%s))) && [ "$left" -ge 0 ]; do
    if pid=$(agent_pid); then
      inspect ready "$pid" "$left" && return
    fi
    sleep 0.2
  done
  return 1
}

# With an environment of its own: nothing of the run that started it stays with it.
start_agent() {
  if [ "$manager" = systemd ]; then
    systemctl daemon-reload && systemctl enable --quiet "$service.service" && systemctl restart "$service.service"
    return
  fi
  env -i PATH="$PATH" HOME=/ LANG=C.UTF-8 setsid sh "$directory/probe-agent.sh" supervise \
    </dev/null >>run/log 2>&1 9>&- &
  wait_until 10 pid_in supervisor >/dev/null
}

stop_agent() {
  if [ "$manager" = systemd ]; then
    systemctl disable --quiet --now "$service.service"
    return
  fi
  # The supervisor first, which hands the signal on; an agent whose supervisor was killed is ended by itself.
  for name in supervisor agent; do
    pid=$(pid_in "$name") || continue
    kill -TERM "$pid" 2>/dev/null
    wait_until "$stop_seconds" is_gone "$name" && continue
    for straggler in agent supervisor; do
      pid=$(pid_in "$straggler") && kill -KILL "$pid" 2>/dev/null
    done
    wait_until 5 is_gone "$name" || fail "the agent cannot be stopped"
  done
  rm -f run/supervisor run/agent run/deployment
}

# Keeps the agent running, and its log within bounds, until it is told to end.
supervise() {
  agent='' nap='' is_ending=''
  trap 'is_ending=yes; kill -TERM $agent $nap 2>/dev/null' TERM INT
  ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)" 2>/dev/null
  identify $$ >run/supervisor
  pause=1
  while [ -z "$is_ending" ]; do
    began=$(date +%s) ticks=0
    if [ "$(id -u)" = 0 ]; then
      set -- "$(id -u "$login")" "$(id -g "$login")"
    else
      set --
    fi
    current/runtime/node "current/release/$programs/start-agent-main.mts" "$directory/current" "$@" &
    agent=$!
    identify "$agent" >run/agent
    readlink current >run/deployment
    while [ -z "$is_ending" ] && identify "$agent" >/dev/null; do
      sleep 1 &
      nap=$!
      wait "$nap"
      ticks=$((ticks + 1))
      [ $((ticks % 10)) = 0 ] && bound_log
    done
    wait "$agent"
    code=$?
    [ -n "$is_ending" ] && break
    [ $(($(date +%s) - began)) -ge 60 ] && pause=1
    echo "the agent ended with $code and starts again in $pause s"
    sleep "$pause" &
    nap=$!
    wait "$nap"
    pause=$((pause * 2))
    [ "$pause" -gt "$max_pause" ] && pause=$max_pause
  done
  # A signal ends a wait, not the agent.
  while identify "$agent" >/dev/null; do wait "$agent"; done
  rm -f run/supervisor run/agent run/deployment
}

# All of it is appended, so it can be cut while it is written.
bound_log() {
  [ "$(wc -c <run/log)" -gt "$max_log_bytes" ] || return 0
  cp run/log run/log.1
  : >run/log
}
