#!/usr/bin/env bash
# File sizes, and the arrows between rooms: which crate may name which.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# --- No source file over 600 lines.
while IFS= read -r line; do
  echo "over 600 lines: $line"; failed=1
done < <(git ls-files -z '*.rs' '*.ts' '*.svelte' | xargs -0 -r wc -l | awk '$2 != "total" && $1 > 600 {print $2 " (" $1 ")"}')

# --- Arrows. One line a room: what it may name besides docket-base. `vault`, `catalog`, `ledger` and
# `playback` never name each other; `ingest` joins them; dock and cli never name a server's room.
allowed() {
  case "$1" in
    base | tus | vault | catalog | ledger | playback | client | container) echo "" ;;
    media) echo "playback container" ;;
    ingest) echo "vault catalog ledger playback tus" ;;
    http) echo "ingest catalog ledger vault playback tus" ;;
    dock) echo "client container ledger" ;;
    cli) echo "client ledger" ;;
    docketd) echo "tus vault catalog ledger playback ingest http" ;;
    bench) echo "client ledger catalog" ;;
    # What must hold of every parser; nothing ships it.
    fuzz) echo "tus vault catalog ledger playback container media ingest http client dock" ;;
    *) echo "?" ;;
  esac
}
for manifest in Cargo.toml crates/*/Cargo.toml benches/Cargo.toml; do
  room=$(sed -n 's/^name = "\(docket-\)\{0,1\}\([a-z]*\)"/\2/p' "$manifest" | head -n 1)
  may=$(allowed "$room")
  if [ "$may" = "?" ]; then echo "$manifest: room $room has no line in .ci/rooms.sh"; failed=1; continue; fi
  # Tests of the whole system and of a room's own double may reach further; what is shipped may not.
  named=$(awk '
    /^\[/ { shipped = ($0 ~ /^\[(target\..*\.)?(build-)?dependencies(\.|\])/) }
    shipped && match($0, /^docket-[a-z]+/) { print substr($0, 8, RLENGTH - 7) }
    /^\[(target\..*\.)?(build-)?dependencies\.docket-/ { sub(/.*docket-/, ""); sub(/\].*/, ""); print }
  ' "$manifest" | sort -u)
  for other in $named; do
    case " base $may " in
      *" $other "*) ;;
      *) echo "$manifest: $room must not name $other"; failed=1 ;;
    esac
  done
done
exit $failed
