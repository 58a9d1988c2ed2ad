#!/usr/bin/env bash
# Starts a relay that is one program with a settings file: relay.sh NAME FOLDER PORT DATA [--auth]. FOLDER is where
# tools/peers put it, DATA keeps its events, port 0 takes a free one, --auth has it ask for NIP-42.
# Prints "listening on ADDRESS" once it accepts connections.
set -euo pipefail
name="$1" folder="$2" port="$3" data="$4" auth=false
[ "${5:-}" != --auth ] || auth=true
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mkdir -p "$data"
settings="$data/settings.toml"

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the kernel hands to outgoing connections, so that nobody takes it before the relay does.
free_port() {
  local candidate
  for _ in $(seq 100); do
    candidate=$((20000 + RANDOM % 10000))
    if ! answers "$candidate"; then echo "$candidate"; return; fi
  done
  echo "no free port" >&2
  return 1
}

[ "$port" != 0 ] || port="$(free_port)"
sed -e "s|@DATA@|$data|" -e "s|@PORT@|$port|" -e "s|@AUTH@|$auth|" "$here/$name/settings.toml" >"$settings"
case "$name" in
  rnostr) run=("$folder/bin/rnostr" "$settings") ;;
  nostr-rs-relay) run=("$folder/bin/nostr-rs-relay" "$settings") ;;
  *) echo "relay.sh knows no $name" >&2; exit 2 ;;
esac

# It says nothing when it is ready, so we knock.
(
  for _ in $(seq 300); do
    if answers "$port"; then echo "listening on 127.0.0.1:$port"; exit; fi
    sleep 0.1
  done
) &
exec "${run[@]}"
