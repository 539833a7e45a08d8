#!/usr/bin/env bash
# Installs what is missing: `deps.sh build` what `make run` needs, `deps.sh test` also what `make test` needs,
# `deps.sh bench` also what `make bench` compares with.
# Says what it installs; with everything in place it only looks, in about a second.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=${1:-build}

stop() { printf '\n%s\n\n    %s\n\n' "$1" "$2" >&2; exit 1; }

# --- Rust and Node are the reader's own choice of installer: named, not installed.
toolchain=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
command -v cargo >/dev/null 2>&1 || stop "Rust is missing. Install it with:" \
  "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain $toolchain && . \"\$HOME/.cargo/env\""
[ "$(rustc --version 2>/dev/null | cut -d' ' -f2)" = "$toolchain" ] || stop "Rust $toolchain is needed ($(rustc --version 2>&1 | tail -n 1)). Install it with:" \
  "rustup toolchain install $toolchain --profile minimal --component clippy --component rustfmt"
node_command='curl -fsSL https://deb.nodesource.com/setup_20.x | sudo -E bash - && sudo apt-get install -y nodejs'
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || stop "Node.js 20.19 or newer is missing. Install it with:" "$node_command"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
  || stop "Node.js 20.19 or newer is needed ($(node --version) is here). Install it with:" "$node_command"

# --- Debian packages.
packages="build-essential pkg-config clang libclang-dev ffmpeg jq curl ca-certificates openssl
  libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libswresample-dev"
[ "$wanted" = build ] || packages="$packages chromium fonts-noto-cjk python3 python3-venv git"
missing=()
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  echo "installing from Debian: ${missing[*]}"
  if [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; then
    stop "Neither root nor sudo. As root, run:" "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# --- npm packages, as the lock files say; again only when a lock file changed.
npm_packages() {
  [ -f "$1/package-lock.json" ] || return 0
  local stamp="$1/node_modules/.installed-from"
  if ! cmp -s "$1/package-lock.json" "$stamp"; then
    echo "installing from npm: $1"
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
    cp "$1/package-lock.json" "$stamp"
  fi
}
npm_packages console
[ "$wanted" != build ] || exit 0
npm_packages tests/clients

# --- Python packages, in a folder of their own.
if ! cmp -s tests/clients/requirements.txt .tools/venv/installed-from; then
  echo "installing from PyPI: $(grep -v '^#' tests/clients/requirements.txt | tr '\n' ' ')"
  /usr/bin/python3 -m venv .tools/venv
  .tools/venv/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
  cp tests/clients/requirements.txt .tools/venv/installed-from
fi

# --- Cargo's tools, only where they are not in PATH. Unoptimised: they build in half the time and run for seconds.
cargo_tool() {
  command -v "$1" >/dev/null 2>&1 || [ -x ".tools/bin/$1" ] || {
    echo "building $1 $2"
    cargo install --quiet --locked --debug --root .tools --version "$2" "$1"
  }
}
cargo_tool cargo-nextest 0.9.143
cargo_tool cargo-deny 0.20.2

# --- nginx, unpacked and not installed: the package would start a web server on port 80.
if [ "$wanted" = bench ] && ! command -v nginx >/dev/null 2>&1 && [ ! -x .tools/nginx/usr/sbin/nginx ]; then
  echo "unpacking from Debian: nginx"
  mkdir -p .tools/nginx
  (cd .tools/nginx && apt-get -o APT::Sandbox::User="$(id -un)" download -qq nginx && dpkg-deb -x nginx_*.deb . && rm nginx_*.deb)
fi
