#!/bin/sh
# Unpacks what has been copied, and has the release deploy itself. Arguments: folder, release, runtime, seconds.
set -eu
directory=$1 release=$2 runtime=$3 seconds=$4
umask 022
cd "$directory"

unpack() {
  [ -d "$1/$2" ] && return
  rm -rf "$1/.new"
  mkdir "$1/.new"
  tar -xzf "incoming/$2.tar.gz" -C "$1/.new"
  mv "$1/.new" "$1/$2"
}

unpack releases "$release"
unpack runtimes "$runtime"
PROBE_AGENT_DIRECTORY=$directory exec sh \
  "releases/$release/services/dispatch/playbooks/roles/probe_agent/files/probe-agent.sh" \
  deploy "$release" "$runtime" "$seconds"
