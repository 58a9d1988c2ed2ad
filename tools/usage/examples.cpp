#include "ipnscast/tools/usage/examples.h"

#include <array>

namespace ipnscast::tools {
namespace {

struct Example {
  std::string_view command;
  std::string_view line;
};

// A name, an npub and a CID as they look, cut short: they are to be read, not to be typed.
constexpr std::array kExamples = {
    Example{"announce", "announce self bafybei... --sequence 7"},
    Example{"announce", "announce k51qzi5... --retract"},
    Example{"bench", "bench filter"},
    Example{"bench", "bench notify --samples 20 --json"},
    Example{"bench cache", "bench cache"},
    Example{"bench cache", "bench cache --json"},
    Example{"bench filter", "bench filter"},
    Example{"bench filter", "bench filter --json"},
    Example{"bench ingest", "bench ingest --events 10000 --keys 500"},
    Example{"bench ingest", "bench ingest --file events.jsonl --json"},
    Example{"bench names", "bench names"},
    Example{"bench names", "bench names --names 1000 --no-relay"},
    Example{"bench notify", "bench notify"},
    Example{"bench notify", "bench notify --samples 20"},
    Example{"bench pool", "bench pool"},
    Example{"bench pool", "bench pool --relays 50 --subscriptions 200"},
    Example{"bench publish", "bench publish"},
    Example{"bench publish", "bench publish --events 1000"},
    Example{"bench sync", "bench sync"},
    Example{"bench sync", "bench sync --names 20 --json"},
    Example{"bridge", "bridge --check-config"},
    Example{"bridge", "bridge --config /etc/ipnscast.toml --json"},
    Example{"cid", "cid bafybei..."},
    Example{"cid", "cid /ipfs/Qm... --json"},
    Example{"config", "config --defaults"},
    Example{"config", "config --explain publish.ttl"},
    Example{"demo", "demo"},
    Example{"demo", "demo --keep"},
    Example{"doctor", "doctor"},
    Example{"doctor", "doctor --json --timeout 20s"},
    Example{"event", "event verify < events.jsonl"},
    Example{"event", "event req '{\"kinds\":[30078],\"limit\":10}'"},
    Example{"event publish", "event publish < signed.jsonl"},
    Example{"event publish",
            "event publish --relay wss://relay.example --quorum all < signed.jsonl"},
    Example{"event relay-list", "event relay-list | ipnscast event publish"},
    Example{"event relay-list", "event relay-list --relay wss://relay.example"},
    Example{"event req", "event req '{\"kinds\":[30078],\"limit\":10}'"},
    Example{"event req",
            "event req '{\"authors\":[\"ab12...\"]}' --relay wss://relay.example --follow"},
    Example{"event sign", "event sign --secret-file key < event.json"},
    Example{"event sign", "event sign --secret-file key < event.json | ipnscast event publish"},
    Example{"event verify", "event verify < events.jsonl"},
    Example{"event verify", "event req '{\"kinds\":[1]}' | ipnscast event verify"},
    Example{"devices", "devices"},
    Example{"devices", "devices --json"},
    Example{"forget", "forget k51qzi5..."},
    Example{"forget", "forget self --lost"},
    Example{"gateway", "gateway probe"},
    Example{"gateway", "gateway probe http://127.0.0.1:8080"},
    Example{"gateway probe", "gateway probe http://127.0.0.1:8080 https://gateway.example"},
    Example{"gateway probe", "gateway probe https://gateway.example --cid bafybei... --read-only"},
    Example{"get", "get k51qzi5... --output site"},
    Example{"get", "get ipfs://bafybei.../photo.jpg --output - > photo.jpg"},
    Example{"help", "help publish"},
    Example{"help", "help key import"},
    Example{"history", "history k51qzi5..."},
    Example{"history", "history k51qzi5... --lost"},
    Example{"init", "init"},
    Example{"init", "init --public"},
    Example{"key", "key list"},
    Example{"key", "key generate work"},
    Example{"key derive", "key derive"},
    Example{"key derive", "key derive --secret-file key --type nostr"},
    Example{"key encrypt", "key encrypt self"},
    Example{"key encrypt", "key encrypt --secret-file key > key.encrypted"},
    Example{"key generate", "key generate work"},
    Example{"key generate", "key generate site --type ed25519 --encrypt"},
    Example{"key import", "key import old.key site"},
    Example{"key import", "key import - site < exported.key"},
    Example{"key list", "key list"},
    Example{"key list", "key list --json"},
    Example{"key show", "key show"},
    Example{"key show", "key show work --json"},
    Example{"name", "name k51qzi5..."},
    Example{"name", "name npub1... --json"},
    Example{"nip44", "nip44 encrypt --secret-file key --peer npub1... < text"},
    Example{"nip44", "nip44 decrypt --secret-file key --peer npub1... < payload"},
    Example{"nip44 decrypt", "nip44 decrypt --secret-file key --peer npub1... < payload"},
    Example{"nip44 decrypt", "nip44 decrypt --secret-file key --peer npub1... --json < payload"},
    Example{"nip44 encrypt", "nip44 encrypt --secret-file key --peer npub1... < text"},
    Example{"nip44 encrypt", "nip44 encrypt --secret-file key --peer npub1... < text > payload"},
    Example{"pack", "pack site --output site.car"},
    Example{"pack", "pack site --output site.car --profile unixfs-v1-2025 --skip-hidden"},
    Example{"publish", "publish self site"},
    Example{"publish", "publish work --cid bafybei... --lifetime 48h"},
    Example{"record", "record inspect --name k51qzi5... site.record"},
    Example{
        "record",
        "record create --secret-file key --value /ipfs/bafybei... --sequence 1 --output record"},
    Example{
        "record create",
        "record create --secret-file key --value /ipfs/bafybei... --sequence 1 --output record"},
    Example{
        "record create",
        "record create --secret-file key --type secp256k1 --value /ipfs/bafybei... --sequence 2 "
        "--lifetime 24h --output record"},
    Example{"record inspect", "record inspect --name k51qzi5... site.record"},
    Example{"record inspect", "record inspect --name k51qzi5... --json - < site.record"},
    Example{"relay", "relay serve"},
    Example{"relay", "relay probe wss://relay.example"},
    Example{"relay probe", "relay probe wss://relay.example"},
    Example{"relay probe", "relay probe --parallel 4 --markdown relays.md"},
    Example{"relay serve", "relay serve"},
    Example{"relay serve", "relay serve --listen 0.0.0.0:7777 --writers npub1..."},
    Example{"replay", "replay k51qzi5... --since 2d"},
    Example{"replay", "replay k51qzi5... --since 2026-01-31T12:00:00Z --exec ./import.sh"},
    Example{"resolve", "resolve k51qzi5..."},
    Example{"resolve", "resolve npub1... --json"},
    Example{"share", "share self"},
    Example{"share", "share k51qzi5... --json"},
    Example{"status", "status"},
    Example{"status", "status --json"},
    Example{"unpack", "unpack site.car --root bafybei... --output site"},
    Example{"unpack", "unpack site.car --root bafybei... --output site --max-bytes 500MiB"},
    Example{"up", "up"},
    Example{"up", "up --port-base 0 --dir stack --json"},
    Example{"watch", "watch k51qzi5... --mirror site"},
    Example{"watch", "watch k51qzi5... --pin --keep-alive"},
    Example{"watch", "watch npub1... --exec 'echo $IPNSCAST_CID'"},
    Example{"watch",
            "watch k51qzi5... --webhook https://site.example/hook --webhook-secret-file secret"},
};

}  // namespace

std::vector<std::string_view> examples_of(std::string_view command) {
  std::vector<std::string_view> out;
  for (const Example& example : kExamples) {
    if (example.command == command) out.push_back(example.line);
  }
  return out;
}

}  // namespace ipnscast::tools
