#!/bin/sh
# own_network.sh PROGRAM [ARGUMENT...]: runs a program in a network of its own, with nobody else in
# it, where the addresses and names of tests/integration/own_network_test.cpp exist. Ends with 77
# (skipped) where such networks cannot be made, and counts itself as one for tools/test.
if ! command -v ip >/dev/null || ! unshare -Urnm true 2>/dev/null; then
  echo "SKIPPED: no network namespaces here (unshare and iproute2 are needed)"
  [ -z "${IPNSCAST_TALLY:-}" ] || echo "integration_own_network 0 0 1" >>"$IPNSCAST_TALLY"
  exit 77
fi
exec unshare -Urnm sh -e -c '
  hosts=$(mktemp)
  cat >"$hosts" <<END
127.0.0.1 localhost
127.0.0.1 loop.evil.example
10.9.8.7 ten.evil.example
192.168.77.1 lan.evil.example
100.64.0.9 cgn.evil.example
169.254.169.254 meta.evil.example
fd00::7 ula.evil.example
8.8.4.4 good.example
127.0.0.1 both.evil.example
8.8.4.4 both.evil.example
END
  mount --bind "$hosts" /etc/hosts
  rm "$hosts"
  ip link set lo up
  for address in 10.9.8.7/32 192.168.77.1/32 100.64.0.9/32 169.254.169.254/32 8.8.4.4/32; do
    ip address add "$address" dev lo
  done
  ip -6 address add fd00::7/128 dev lo nodad
  exec "$@"
' own-network "$@"
