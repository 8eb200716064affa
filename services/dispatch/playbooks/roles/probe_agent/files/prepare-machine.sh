#!/bin/sh
# Makes sure that the machine can run the release, and that login and folders are there. Says line by line what the role
# has to know: `changed`, `systemd`, `missing <archive>`. Arguments: folder, login, service, state, release, runtime.
set -eu
directory=$1 login=$2 service=$3 state=$4 release=$5 runtime=$6
umask 022

fail() {
  echo "$1" >&2
  exit 1
}

case $directory in
  /*/*) ;;
  *) fail "the folder of the agent is an absolute path below another folder, not $directory" ;;
esac
case $directory in *[!A-Za-z0-9/._-]* | */../* | */..) fail "the folder of the agent has characters that are not taken: $directory" ;; esac
case $login in '' | -* | *[!A-Za-z0-9._-]*) fail "not the name of a login: $login" ;; esac
case $service in '' | -* | *[!A-Za-z0-9._-]*) fail "not the name of a service: $service" ;; esac

case $(uname -m) in
  x86_64 | amd64) architecture=x64 ;;
  aarch64 | arm64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
system=$(uname -s | tr '[:upper:]' '[:lower:]')
case $runtime in
  *-"$system-$architecture"-*) ;;
  *) fail "this machine is $system-$architecture; the release is for another one ($runtime)" ;;
esac

# Only where an agent is there, or where nothing is.
if [ -d "$directory" ] && [ ! -f "$directory/.probe-agent" ] && [ -n "$(ls -A "$directory")" ]; then
  fail "$directory holds something else than an agent"
fi
if [ "$state" = upgraded ] && [ ! -e "$directory/current" ]; then
  fail "no agent is deployed in $directory"
fi
# Where an agent is, it says what it runs as.
if [ -f "$directory/manager" ]; then
  given_login=$login given_service=$service
  . "$directory/manager"
  if [ "$state" != upgraded ]; then
    if [ "$manager" = systemd ] && [ "$service" != "$given_service" ]; then
      fail "the agent in $directory is the service $service: remove it before it becomes another"
    fi
    login=$given_login service=$given_service
  fi
fi
if [ ! -f "$directory/.probe-agent" ]; then
  mkdir -p "$directory" || fail "$directory cannot be made by $(id -un)"
  : >"$directory/.probe-agent"
  echo changed
fi
for folder in incoming releases runtimes deployments; do
  mkdir -p "$directory/$folder"
done
(umask 077 && mkdir -p "$directory/settings" "$directory/run")

if [ "$(id -u)" != 0 ]; then
  login=$(id -un)
elif ! id "$login" >/dev/null 2>&1; then
  if command -v useradd >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$login" >&2
  else
    adduser -S -D -H -h / -s /sbin/nologin "$login" >&2
  fi
  echo changed
fi
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
  manager=systemd
  echo systemd
else
  manager=background
fi
printf 'login=%s\nmanager=%s\nservice=%s\n' "$login" "$manager" "$service" >"$directory/manager.new"
mv "$directory/manager.new" "$directory/manager"

[ -d "$directory/releases/${release%.tar.gz}" ] || echo "missing $release"
[ -d "$directory/runtimes/${runtime%.tar.gz}" ] || echo "missing $runtime"
