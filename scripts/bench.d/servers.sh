# Servers for scripts/load and scripts/bench; sourced by them. Sets work (a temporary folder), bin (the built programs) and the
# keys of the servers, and stops everything that was started when the script ends.

bin=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/release
work=$(mktemp -d) pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
key() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
BOOKING_ADMIN_KEY=$(key) BOOKING_SERVICE_KEY=$(key) BOOKING_TOKEN_SECRET=$(key)
export BOOKING_ADMIN_KEY BOOKING_SERVICE_KEY BOOKING_TOKEN_SECRET


# store_flags STORE -> the flags of a server on a new store of that kind, in `stores`. Another store is one more line here.
store_flags() {
  local name=load_$RANDOM$RANDOM
  case $1 in
    memory) stores=(--store memory:) ;;
    sqlite) stores=(--store "sqlite:$work/$name.db") ;;
    pg | pg+redis)
      psql "$BOOKING_TEST_PG" -qc "create database $name"
      stores=(--store "${BOOKING_TEST_PG%/*}/$name")
      if [ "$1" = pg+redis ]; then
        # It is this run's own, and people of an earlier store would take room in its lanes.
        redis-cli -u "${BOOKING_TEST_REDIS:?scripts/with-servers started no Redis}" flushall >/dev/null
        stores+=(--queue "$BOOKING_TEST_REDIS")
      fi ;;
    *) return 1 ;;
  esac
}

# start_server FLAG... -> starts one on a free port: its address in `address`, its process in `pid`. Fails if it does not start.
start_server() {
  local log=$work/server${#pids[@]}.log
  "$bin/booking-server" --listen 127.0.0.1:0 "$@" >"$log" 2>&1 &
  pid=$!
  pids+=("$pid")
  for _ in $(seq 300); do
    address=$(grep -ao '127\.0\.0\.1:[0-9]*' "$log" | tail -1) && [ -n "$address" ] && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  return 1
}
