#!/usr/bin/env bash
# A burst against the stack that `make up` runs here: 75,000 transactions and 1,000 mine
# requests, then the wait until all are in blocks, then the check of the whole chain.
#   tests/demo/burst.sh            nothing dies
#   tests/demo/burst.sh workers    SIGKILL of every worker process, five times on the way
#   tests/demo/burst.sh server     SIGKILL of the server, five times on the way
# ab repeats nothing: while the server is away it waits, as long as the web tier holds its requests.
# Needs ab (Debian: apache2-utils) and curl.
set -euo pipefail
cd "$(dirname "$0")/../.."
victim=${1:-nobody}
url=${MINEQUEUE_URL:-http://127.0.0.1:3000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo '{"sender": "alice", "recipient": "bob", "amount": 5}' >"$scratch/tx.json"

strike() { # SIGKILL to the victim's processes of this stack, named one by one
  local pattern pids
  case $victim in
    workers) pattern="^$PWD/.venv/bin/python.* -m minequeue worker" ;;
    server) pattern="valkey-server .*$PWD/.minequeue/" ;;
    *) return 0 ;;
  esac
  # after the last strike it may not be back yet
  until pids=$(pgrep -f "$pattern" | tr '\n' ' ') && [ -n "$pids" ]; do sleep 0.05; done
  echo "$(date +%T) SIGKILL $victim: $pids"
  # shellcheck disable=SC2086  # one word for each process
  kill -KILL $pids
}
depth() { curl -s "$url/queue" | grep -oE '"depth":[0-9]+' | cut -d: -f2 || echo unknown; }
show() { grep -E '^(Complete requests|Failed requests|Non-2xx|Requests per second)|^ +(50|99|100)%' "$1"; }

echo "$(date +%T) ab -n 75000 -c 100 -p tx.json -T application/json $url/chain/new"
ab -q -n 75000 -c 100 -p "$scratch/tx.json" -T application/json "$url/chain/new" >"$scratch/new" &
load=$!
for _ in 1 2 3; do sleep 4; strike; done
wait $load
show "$scratch/new"

echo "$(date +%T) ab -n 1000 -c 20 $url/chain/mine"
ab -q -n 1000 -c 20 "$url/chain/mine" >"$scratch/mine" &
load=$!
sleep 0.1
strike
wait $load
show "$scratch/mine"

strike
echo "$(date +%T) depth $(depth)"
until [ "$(depth)" = 0 ]; do sleep 1; done
echo "$(date +%T) depth 0"
.venv/bin/minequeue check "$url"
