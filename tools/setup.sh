# Sourced by tools/run, tools/test and tools/check: Debian packages, configuring and building. Everything is said on
# standard error, so that the output of the program that runs in the end stays clean.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$@"; exit 2; }

# What a machine needs: the Debian package, and how we see that it is there already (c: command, p: pkg-config module,
# h: header), however it came.
needed="
  g++ c:c++
  cmake c:cmake
  ninja-build c:ninja
  ccache c:ccache
  pkg-config c:pkg-config
  libwebsockets-dev p:libwebsockets
  libsecp256k1-dev p:libsecp256k1
  libssl-dev p:libcrypto
  libsqlite3-dev p:sqlite3
  zlib1g-dev p:zlib
  libcurl4-openssl-dev p:libcurl
  libsodium-dev p:libsodium
  libutf8proc-dev p:libutf8proc
  prometheus-cpp-dev p:prometheus-cpp-core
  libsimdjson-dev p:simdjson
  nlohmann-json3-dev p:nlohmann_json
  libcli11-dev h:CLI/CLI.hpp
  libexpected-dev h:tl/expected.hpp
  libprotozero-dev h:protozero/pbf_reader.hpp
  libspdlog-dev p:spdlog
  libtomlplusplus-dev p:tomlplusplus
  catch2 p:catch2"

# What some tests need besides; without it they are skipped.
needed_by_tests="
  faketime c:faketime
  iproute2 c:ip"

is_there() {  # c:COMMAND, p:MODULE or h:HEADER
  local what="${1#?:}" folder
  case "$1" in
    c:*) command -v "$what" >/dev/null ;;
    p:*) pkg-config --exists "$what" 2>/dev/null ;;
    h:*)
      for folder in /usr/include /usr/local/include /usr/include/"$(uname -m)"-linux-gnu; do
        [ ! -e "$folder/$what" ] || return 0
      done
      return 1
      ;;
  esac
}

missing_packages() {  # the list
  local package probe
  echo "$1" | while read -r package probe; do
    [ -z "$package" ] || is_there "$probe" || echo "$package"
  done | paste -sd' '
}

install() {  # packages; fails when they cannot be had
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "not root and no sudo"; return 1; }
    as_root=(sudo)
  fi
  say "installing Debian packages: $*"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
  if ! "${install[@]}" >/dev/null 2>&1; then
    say "updating the package lists first"
    "${as_root[@]}" apt-get update -qq >&2 && "${install[@]}" >&2
  fi
}

install_packages() {
  local missing
  missing="$(missing_packages "$needed")"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here; please install what Debian calls: $missing"
  # shellcheck disable=SC2086 # a list of words
  install $missing || die "could not install; please install: $missing"
  missing="$(missing_packages "$needed")"
  [ -z "$missing" ] || die "installed, but still not usable: $missing"
}

install_packages_for_tests() {
  local missing
  missing="$(missing_packages "$needed_by_tests")"
  # shellcheck disable=SC2086 # a list of words
  [ -z "$missing" ] || install $missing || say "could not install $missing; the tests that need it are skipped"
}

# As many compilers as cores, but no more than memory bears at 1.5 GB each.
jobs() {
  local cores fitting
  cores="$(nproc)"
  fitting="$(awk '/^MemAvailable:/ {print int($2 / 1500000)}' /proc/meminfo)"
  [ "$fitting" -ge 1 ] || fitting=1
  echo $((cores < fitting ? cores : fitting))
}

# configure PRESET: only when there is no build there, or one of a tree that has moved.
configure() {
  local build="$root/build/$1"
  if [ -f "$build/build.ninja" ] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    return 0
  fi
  rm -rf "$build"
  say "configuring build/$1"
  local log
  mkdir -p "$build"
  log="$build/configure.log"
  (cd "$root" && cmake --preset "$1") >"$log" 2>&1 || { cat "$log" >&2; die "cmake --preset $1 failed"; }
}

# build PRESET [TARGET...]: silent when there is nothing to do.
build() {
  local folder="$root/build/$1"
  shift
  if ninja -C "$folder" -n "$@" 2>/dev/null | grep -q 'no work to do'; then return 0; fi
  ninja -C "$folder" -j "$(jobs)" "$@" >&2 || { say "the build failed"; return 1; }
}
