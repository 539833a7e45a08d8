#!/usr/bin/env bash
# What `make run` shows: a daemon on ./data and a station whose one bay holds a simulated recorder.
# Everything lies under ./data and stays; Ctrl-C ends what was started here and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/${CARGO_TARGET_DIR:-target}/release
data=$PWD/data
demo=$data/demo
card=$demo/recorder
case_number='贵卫医罚〔2026〕12号'
export DOCKET_DATA=$data
mkdir -p "$demo"
chmod 700 "$data"

# --- End what was started here, in the order in which it came.
started=()
finish() {
  trap - EXIT INT TERM
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do
    kill -TERM "${started[$i]}" 2>/dev/null || true
    wait "${started[$i]}" 2>/dev/null || true
  done
}
trap finish EXIT
trap 'echo; echo "stopping"; exit 0' INT TERM
fail() { echo "$1" >&2; [ -z "${2:-}" ] || tail -n 20 "$2" >&2; exit 1; }

# --- Footage, once.
if [ ! -e "$card.complete" ]; then
  echo "A recorder's day, filmed by ffmpeg:"
  .ci/footage.sh "$card"
fi

# --- The daemon.
rm -f "$data/docketd.addr"
"$bin/docketd" serve 2>>"$demo/docketd.log" &
daemon=$!
started+=("$daemon")
for _ in $(seq 300); do
  [ -s "$data/docketd.addr" ] && break
  kill -0 "$daemon" 2>/dev/null || fail "docketd did not start (is another one running, or port 8600 in use?):" "$demo/docketd.log"
  sleep 0.1
done
url=http://$(cat "$data/docketd.addr")
curl -fsS --retry 20 --retry-all-errors --retry-delay 1 "$url/readyz" >/dev/null

# --- First run only: somebody to sign in as, a station, a system that ties recordings to cases.
umask 077
if [ ! -e "$demo/first-password" ]; then
  password=$(head -c 400 /dev/urandom | LC_ALL=C tr -dc 'a-hjkmnp-z2-9' | head -c 16)
  "$bin/docketd" user add --name admin --role administrator --password-stdin <<<"$password" >/dev/null
  echo "$password" >"$demo/first-password"
fi
token() { # NAME SCOPES
  if [ ! -s "$demo/$1.token" ]; then
    "$bin/docketd" token create --name "$1" --scope "$2" | tail -n 1 >"$demo/$1.token.new"
    mv "$demo/$1.token.new" "$demo/$1.token"
  fi
}
token station upload
token case-system read,link
cat >"$demo/docket-dock.toml" <<TOML
server = "$url"
state = "$demo/station"
name = "南明区卫生监督所 采集站 1"

[[bay]]
name = "1"
path = "$card"
recorder = "ZF-0042"
TOML
dock=("$bin/docket-dock" --config "$demo/docket-dock.toml")
if [ ! -e "$demo/enrolled" ]; then
  "${dock[@]}" enrol --token-file "$demo/station.token" >/dev/null
  touch "$demo/enrolled"
fi

# --- Another system ties the first recording that is sealed to a case, while the rest still comes in.
ask() { curl -fsS -H "Authorization: Bearer $(cat "$demo/case-system.token")" "$@"; }
tie() {
  local number recording
  number=$(jq -rn --arg number "$case_number" '$number | @uri')
  for _ in $(seq 600); do
    recording=$(ask "$url/v1/recordings?state=sealed&limit=1" | jq -r '.items[0].id // empty') || true
    [ -z "$recording" ] || break
    sleep 0.5
  done
  [ -n "$recording" ] || return 1
  ask -X PUT -H 'content-type: application/json' --data '{"title":"某餐厅未取得健康证明案"}' "$url/v1/cases/$number" >/dev/null
  ask -X PUT -H 'content-type: application/json' --data '{"note":"首次检查"}' "$url/v1/cases/$number/evidence/$recording" >/dev/null
  echo "$recording" >"$demo/tied"
}
tying=
if [ ! -e "$demo/tied" ]; then
  tie 2>>"$demo/tie.log" &
  tying=$!
  started+=("$tying")
fi

# --- The station takes the recorder in, with its progress bars; then it stays on, quietly.
echo "The station takes in what is on the recorder:"
"${dock[@]}" once || fail "the station could not take everything in"
"${dock[@]}" run </dev/null >>"$demo/station.log" 2>&1 &
started+=($!)
[ -z "$tying" ] || wait "$tying" || fail "no recording could be tied to the case:" "$demo/tie.log"

cat <<TEXT

  Console       $url
  Sign in       admin   first password: $(cat "$demo/first-password")
  Case          $case_number  (holds one of the recordings)
  Receipts      $demo/station
  Log           $demo/docketd.log

  Ctrl-C ends daemon and station; the data stays in ./data.
TEXT
wait "$daemon" || fail "docketd ended:" "$demo/docketd.log"
