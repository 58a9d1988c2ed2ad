// A hundred things that people type wrongly: each is answered in one line that shows what they
// typed and says what to do, in words of ours. Over 400 lines: most are one table.
#include <algorithm>
#include <fstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr std::chrono::seconds kSoon(120);
const std::string kName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";
const std::string kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const std::string kPath = "/ipfs/" + kCid;

struct WrongInput {
  Words typed;
  int exit = 2;
  std::string shown;  // of what was typed
  std::string advice;
};

// A `record create` that lacks nothing but what is added.
Words record(Words more) {
  Words out = {"record", "create", "--secret-file", "key", "-o", "record"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}
Words publish(Words more) {
  Words out = {"publish", "self", "file"};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

const std::vector<WrongInput>& wrong_inputs() {
  static const std::vector<WrongInput> kAll = {
      // commands and options that do not exist
      {{}, 2, "", "see ipnscast help"},
      {{"wach"}, 2, "wach", "did you mean \"ipnscast watch\""},
      {{"wacth"}, 2, "wacth", "did you mean \"ipnscast watch\""},
      {{"Publish"}, 2, "Publish", "did you mean \"ipnscast publish\""},
      {{"nonsense", "--help"}, 2, "nonsense", "see ipnscast help"},
      {{"key", "shw"}, 2, "shw", "did you mean \"ipnscast key show\""},
      {{"key", "nonsense", "--help"}, 2, "nonsense", "see ipnscast help key"},
      {{"key"}, 2, "ipnscast key", "generate, show"},
      {{"record"}, 2, "ipnscast record", "create, inspect"},
      {{"relay"}, 2, "ipnscast relay", "serve, probe"},
      {{"gateway"}, 2, "ipnscast gateway", "probe"},
      {{"event", "prove"}, 2, "prove", "see ipnscast help event"},
      {{"nip44", "crypt"}, 2, "crypt", "see ipnscast help nip44"},
      {{"bench", "everything"}, 2, "everything", "see ipnscast help bench"},
      {{"help", "wach"}, 2, "wach", "did you mean \"ipnscast watch\""},
      {{"help", "key", "shw"}, 2, "shw", "did you mean \"ipnscast key show\""},
      {{"help", "status", "more"}, 2, "status", "no commands below it"},
      {{"--jsn", "status"}, 2, "--jsn", "did you mean --json"},
      {{"status", "--jason"}, 2, "--jason", "did you mean --json"},
      {{"resolve", "--derive", kName}, 2, "--derive", "did you mean --derived"},
      {{"watch", kName, "--miror=x"}, 2, "--miror", "did you mean --mirror"},
      {{"status", "--frobnicate"}, 2, "--frobnicate", "\"--frobnicate\": see ipnscast help status"},
      {{"frobnicate"}, 2, "frobnicate", "\"frobnicate\": see ipnscast help"},
      {{"status", "-x"}, 2, "-x", "see ipnscast help status"},
      // too few and too many
      {{"resolve"}, 2, "ipnscast resolve", "wants TARGET"},
      {{"resolve", kName, "more"}, 2, "more", "takes TARGET"},
      {{"status", "more"}, 2, "more", "takes no argument"},
      {{"demo", "more"}, 2, "more", "see ipnscast help demo"},
      {{"watch"}, 2, "ipnscast watch", "wants TARGET"},
      {{"get", kCid}, 2, "ipnscast get", "wants --output OUT"},
      {{"pack", "file"}, 2, "ipnscast pack", "--output"},
      {{"unpack", "file", "-o", "x"}, 2, "ipnscast unpack", "--root CID"},
      {{"watch", kName, "--mirror"}, 2, "--mirror", "wants a value (DIR)"},
      {{"status", "--config"}, 2, "--config", "wants a value (FILE)"},
      {{"--config", "a", "--config", "b", "status"}, 2, "--config", "give it once"},
      {{"--json=loud", "status"}, 2, "--json=loud", "takes no value"},
      // values of the options that stand everywhere
      {{"--timeout", "abc", "status"}, 2, "abc", "want a time such as"},
      {{"--timeout", "-5s", "status"}, 2, "-5s", "want a time such as"},
      {{"--timeout", "5", "status"}, 2, "\"5\"", "want a time such as"},
      {{"--timeout", "", "status"}, 2, "--timeout: \"\"", "want a time such as"},
      {{"--config", "none.toml", "status"}, 2, "none.toml", "ipnscast config --defaults"},
      {{"--config", "", "status"}, 2, "--config: \"\"", "give it a value"},
      {{"--config", ".", "status"}, 2, "\".\"", "want a configuration file"},
      {{"--state", "none", "status"}, 1, "\"none\"", "name the directory"},
      {{"--state", "none", "history", kName}, 1, "\"none\"", "name the directory"},
      {{"--state", "file", "status"}, 1, "\"file\"", "not a directory"},
      {{"--state", "", "status"}, 2, "--state: \"\"", "give it a value"},
      {{"--proxy", "ftp://x", "status"}, 2, "--proxy: \"ftp://x\"", "socks5://HOST:PORT"},
      {{"--proxy", "socks5://h", "status"}, 2, "socks5://h", "the port is missing"},
      {{"--password-file", "none", "key", "encrypt", "--secret-file", "key"}, 1, "\"none\"", ""},
      // targets
      {{"resolve", ""}, 2, "\"\"", "give it a value"},
      {{"resolve", " "}, 2, "\" \"", "give it a value"},
      {{"resolve", "nonsense"}, 2, "\"nonsense\"", "want an IPNS name, an npub"},
      {{"resolve", "npub1xxxx"}, 2, "\"npub1xxxx\"", "it is too short (expected 63 characters)"},
      {{"resolve", "npub1" + std::string(70, 'q')}, 2, "npub1qqq", "it is too long"},
      {{"resolve", "npub1" + std::string(57, 'q') + "b"}, 2, "npub1qqq", "cannot stand in it"},
      {{"resolve", "npub1" + std::string(58, 'q')}, 2, "npub1qqq", "copy it again"},
      {{"resolve", "nostr:npub1xxxx"}, 2, "npub1xxxx", "too short"},
      {{"resolve", "naddr1qqqq"}, 2, "naddr1qqqq", "copy it again"},
      {{"resolve", kName + "x"}, 2, kName + "x", "copy it again"},
      {{"resolve", kName.substr(0, 20)}, 2, kName.substr(0, 20), "copy it again"},
      {{"resolve", "12D3KooWxyz"}, 2, "12D3KooWxyz", "copy it again"},
      {{"resolve", kPath}, 2, kPath, "ipnscast get"},
      {{"watch", kCid}, 2, kCid, "ipnscast get"},
      {{"resolve", "/ipns/" + kName + "/a/b"}, 2, "/a/b", "give the name alone"},
      {{"resolve", "https://gateway.example/about"},
       2,
       "https://gateway.example/about",
       "want an IPNS name"},
      {{"watch", "nobody"}, 2, "\"nobody\"", "ipnscast key list"},
      {{"history", "nobody"}, 2, "\"nobody\"", "ipnscast key list"},
      {{"forget", "no body"}, 2, "\"no body\"", "want an IPNS name"},
      {{"publish", "nobody", "file"}, 1, "\"nobody\"", "ipnscast key list"},
      {publish({}), 1, "\"self\"", "ipnscast key generate self"},
      {{"get", "zzz", "-o", "x"}, 2, "", "configure gateways.nodes in"},
      {{"get", kCid, "-o", "file"}, 1, "\"file\"", "name another"},
      {{"name", "zzz"}, 1, "\"zzz\"", "want one such as k51"},
      {{"name", "npub1xx"}, 1, "\"npub1xx\"", "too short"},
      {{"name", "example.com"}, 1, "\"example.com\"", "want one such as k51"},
      {{"cid", "zzz"}, 1, "\"zzz\"", "want one such as bafy"},
      {{"publish", "self", "--cid", kName}, 2, kName, "ipnscast resolve"},
      // numbers, times, words
      {publish({"--expect-sequence", "-1"}), 2, "\"-1\"", "want a whole number from 0 to"},
      {publish({"--expect-sequence", "x"}), 2, "\"x\"", "want a whole number"},
      {publish({"--expect-sequence", "99999999999999999999"}), 2, "99999999999999999999",
       "want a whole number"},
      {publish({"--expect-sequence", "9223372036854775808"}), 2, "9223372036854775808",
       "want a whole number"},
      {publish({"--based-on", "1.5"}), 2, "\"1.5\"", "want a whole number"},
      {publish({"--based-on", " 7"}), 2, "\" 7\"", "want a whole number"},
      {publish({"--lifetime", "x"}), 2, "\"x\"", "want a time such as"},
      {publish({"--ttl", "1y"}), 2, "\"1y\"", "want a time such as"},
      {publish({"--cid", kCid}), 2, "\"file\"", "give one of them"},
      {{"publish", "self"}, 2, "\"self\"", "Give a PATH, or --cid"},
      {{"publish", "self", "none"}, 2, "\"none\"", "want a file or directory"},
      {{"publish", "self", "--cid", "zz"}, 2, "\"zz\"", "want one such as bafy"},
      {{"publish", "self", "--cid", kCid + "/x"}, 2, kCid + "/x", "want one such as bafy"},
      {{"announce", kName}, 2, kName, "Give a CID and --sequence N"},
      {{"announce", kName, kCid}, 2, kName, "Give a CID and --sequence N"},
      {{"announce", kName, "zz", "--sequence", "1"}, 2, "\"zz\"", "want one such as bafy"},
      {{"announce", kName, kCid, "--sequence", "-1"}, 2, "\"-1\"", "want a whole number"},
      {{"announce", kName, kCid, "--sequence", "1", "--retract"}, 2, kName, "--retract alone"},
      {{"get", kCid, "-o", "x", "--bytes", "abc"}, 2, "\"abc\"", "want FROM:TO"},
      {{"get", kCid, "-o", "x", "--bytes", "9:3"}, 2, "\"9:3\"", "want FROM:TO"},
      {{"get", kCid, "-o", "x", "--bytes", "1:2:3"}, 2, "\"1:2:3\"", "want FROM:TO"},
      {{"watch", kName, "--on-conflict", "foo"},
       2,
       "foo",
       "want newest, keep-both DIR or exec CMD"},
      {{"watch", kName, "--on-conflict", "keep-both"}, 2, "keep-both", "keep-both DIR"},
      {{"watch", kName, "--on-conflict", "newest", "--once"}, 2, "newest", "give one of them"},
      {{"watch", kName, "--mirror", "m", "--records-only"}, 2, "", "configure relays.urls"},
      // records
      {record({"--value", kPath, "--sequence", "x"}), 2, "\"x\"", "want a whole number"},
      {record({"--value", kPath, "--sequence", "9223372036854775808"}), 2, "9223372036854775808",
       "want a whole number"},
      {record({"--value", "junk", "--sequence", "1"}), 2, "\"junk\"", "want /ipfs/CID"},
      {record({"--value", kPath, "--sequence", "1", "--lifetime", "x"}), 2, "\"x\"",
       "want a time such as"},
      {record({"--value", kPath, "--sequence", "1", "--eol", "tomorrow"}), 2, "\"tomorrow\"",
       "2030-01-02T03:04:05Z"},
      {record({"--value", kPath, "--sequence", "1", "--eol", "2030-01-01T00:00:00Z", "--lifetime",
               "1h"}),
       2, "--eol", "give one of them"},
      {record({"--value", kPath, "--sequence", "1", "--type", "rsa"}), 2, "\"rsa\"",
       "want ed25519 or secp256k1"},
      {record({"--value", kPath, "--sequence", "1", "--type", "secp256k1", "--derive"}), 2,
       "\"secp256k1\"", "leave it out"},
      {record({"--value", kPath, "--sequence", "1", "--data", "x"}), 2, "\"x\"", "want NAME=VALUE"},
      {record({"--value", kPath, "--sequence", "1", "--data", "_a=1", "--data", "_a=2"}), 2,
       "\"_a=2\"", "given twice"},
      {{"record", "create", "--secret-file", "none", "--value", kPath, "--sequence", "1", "-o",
        "r"},
       2,
       "\"none\"",
       ""},
      {{"record", "create", "--secret-file", "open", "--value", kPath, "--sequence", "1", "-o",
        "r"},
       2,
       "\"open\"",
       "chmod 600"},
      {{"record", "create", "--secret-file", "junk", "--value", kPath, "--sequence", "1", "-o",
        "r"},
       2,
       "\"junk\"",
       "64 hex digits"},
      {{"record", "inspect", "--name", kName, "none"}, 1, "\"none\"", ""},
      // keys and events
      {{"key", "show", "nobody"}, 1, "\"nobody\"", "ipnscast key list"},
      {{"--state", "missing", "key", "list"},
       1,
       "\"missing\"",
       "watch, publish or bridge worked in"},
      {{"key", "show", "a/b"}, 2, "\"a/b\"", "want 1 to 64 of"},
      {{"key", "generate", "x y"}, 2, "\"x y\"", "want 1 to 64 of"},
      {{"key", "generate", "a", "--type", "rsa"}, 2, "\"rsa\"", "want nostr, ed25519 or secp256k1"},
      {{"key", "generate", "a", "--encrypt", "--log-n", "99"}, 2, "\"99\"", "from 1 to 22"},
      {{"key", "generate", "a", "--encrypt", "--log-n", "x"}, 2, "\"x\"", "from 1 to 22"},
      {{"key", "import", "none"}, 1, "\"none\"", ""},
      {{"key", "import", "file"}, 1, "\"file\"", "want nsec"},
      {{"key", "show", "--secret-file", "junk"}, 2, "junk", "64 hex digits"},
      {{"event", "sign", "--secret-file", "key"}, 1, "standard input", "want {"},
      {{"event", "req", "junk"}, 2, "\"junk\"", "want one such as {"},
      {{"event", "req", "{\"kinds\":[\"x\"]}"}, 2, "{\"kinds\":[\"x\"]}", "want one such as {"},
      {{"event", "req", "{\"kinds\":[1]}", "--relay", "http://x"}, 2, "\"http://x\"", "want ws://"},
      {{"event", "req", "{\"kinds\":[1]}"}, 2, "", "name one with --relay"},
      {{"event", "publish", "--relay", "ws://127.0.0.1:1", "--quorum", "x"},
       2,
       "\"x\"",
       "\"first\""},
      {{"nip44", "encrypt", "--secret-file", "key", "--peer", "zz"}, 2, "\"zz\"", "npub1"},
      // files
      {{"pack", "none", "-o", "x.car"}, 1, "none", ""},
      {{"pack", "file", "-o", "x.car", "--profile", "foo"},
       2,
       "\"foo\"",
       "want kubo-256k or unixfs-v1-2025"},
      {{"unpack", "none", "--root", kCid, "-o", "d"}, 1, "none", ""},
      {{"unpack", "file", "--root", "zz", "-o", "d"}, 2, "\"zz\"", "want one such as bafy"},
      {{"unpack", "file", "--root", kCid, "-o", "d", "--max-bytes", "lots"},
       2,
       "\"lots\"",
       "want a size such as"},
      // servers
      {{"relay", "serve", "--listen", "foo"}, 2, "\"foo\"", "want ADDRESS:PORT"},
      {{"relay", "serve", "--listen", "127.0.0.1:99999"},
       2,
       "--listen: \"127.0.0.1:99999\"",
       "want ADDRESS:PORT"},
      {{"relay", "serve", "--rate", "-1"}, 2, "not -1", "want 0 to"},
      {{"relay", "serve", "--rate", "x"}, 2, "\"x\"", "want a number"},
      {{"relay", "serve", "--request-rate", "nan"}, 2, "\"nan\"", "want a number"},
      {{"relay", "serve", "--max-clients", "1.5"}, 2, "\"1.5\"", "want a number"},
      {{"relay", "serve", "--max-clients-per-address", "-1"}, 2, "not -1", "want 0 to"},
      {{"relay", "serve", "--max-bytes", "lots"}, 2, "\"lots\"", "want a size such as"},
      {{"relay", "serve", "--max-waiting", "-1"}, 2, "\"-1\"", "want a size such as"},
      {{"relay", "serve", "--writers", "zz"}, 2, "\"zz\"", "npub1"},
      {{"relay", "serve", "--url", "ftp://x"}, 2, "\"ftp://x\"", "want ws://"},
      {{"relay", "probe"}, 2, "", "name one, or"},
      {{"relay", "probe", "ftp://x"}, 2, "\"ftp://x\"", "want ws://"},
      {{"relay", "probe", "ws://127.0.0.1:1", "--parallel", "0"}, 2, "\"0\"", "from 1 to 32"},
      {{"gateway", "probe", "ftp://x"}, 2, "ftp://x", "want http"},
      {{"gateway", "probe", "http://127.0.0.1:1", "--cid", "zz"},
       2,
       "\"zz\"",
       "want one such as bafy"},
      {{"gateway", "probe", "http://127.0.0.1:1", "--name", "zz"},
       2,
       "\"zz\"",
       "want one such as k51"},
      {{"gateway", "probe", "http://127.0.0.1:1", "--write", "--read-only"},
       2,
       "--write",
       "give one of them"},
      {{"init", "--relay", "x"}, 2, "\"x\"", "want ws://"},
      {{"init", "--node", "x"}, 2, "\"x\"", "http://"},
      {{"init", "--key", "a b"}, 2, "\"a b\"", "want 1 to 64 of"},
      {{"up", "--port-base", "x"}, 2, "\"x\"", "want a whole number"},
      {{"up", "--port-base", "-1"}, 2, "\"-1\"", "want a whole number"},
      {{"up", "--port-base", "99999"}, 2, "\"99999\"", "want a whole number"},
      {{"up", "--dir", "file"}, 1, "file", ""},
      {{"bridge"}, 2, "bridge.names", ""},
      {{"bench", "ingest", "--events", "0"}, 2, "\"0\"", "want a whole number"},
      {{"bench", "notify", "--samples", "x"}, 2, "\"x\"", "want a whole number"}};
  return kAll;
}

// Words that say what a library does, and nothing about what was typed.
const char* const kLibraryWords[] = {
    "Could not",    "bech32",   "multibase", "simdjson",     "improper",    "CLI",
    "subcommand",   "excludes", "not in {",  "not in range", "is required", "TEXT",
    "required but", "errno",    "nlohmann",  "toml",         "sqlite",      "curl",
    "lws",          "std::",    "exception", "prefix1data",  "varint"};

Command command(const fs::path& folder, const Words& typed) {
  Command out;
  out.argv = {test::program()};
  out.argv.insert(out.argv.end(), typed.begin(), typed.end());
  out.environment = {{"HOME", folder.string()},
                     {"XDG_CONFIG_HOME", (folder / "c").string()},
                     {"XDG_STATE_HOME", (folder / "s").string()},
                     {"XDG_DATA_HOME", (folder / "d").string()},
                     {"XDG_CACHE_HOME", (folder / "k").string()}};
  out.folder = folder;
  return out;
}

void write_line(const fs::path& file, const std::string& line, fs::perms mode) {
  std::ofstream(file) << line << "\n";
  fs::permissions(file, mode);
}

std::string joined(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += " [" + word + "]";
  return out;
}

}  // namespace

TEST_CASE("a hundred wrong inputs get a line each that shows them and says what to do (G8)") {
  const TempDir temp;
  const fs::path& folder = temp.path();
  const auto closed = fs::perms::owner_read | fs::perms::owner_write;
  write_line(folder / "key", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35",
             closed);
  write_line(folder / "junk", "junk", closed);
  write_line(folder / "open", "junk", closed | fs::perms::others_read);
  write_line(folder / "file", "hello", closed);
  CHECK(wrong_inputs().size() >= 100);
  for (const WrongInput& wrong : wrong_inputs()) {
    const Ran ran = run(command(folder, wrong.typed), kSoon);
    INFO("ipnscast" << joined(wrong.typed) << "\n" << ran.err);
    CHECK(ran.exit == wrong.exit);
    CHECK(ran.out.empty());
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK(ran.err.starts_with("ipnscast: "));
    CHECK(ran.err.find(wrong.shown) != std::string::npos);
    CHECK(ran.err.find(wrong.advice) != std::string::npos);
    // The program's own paths may be called anything.
    for (const char* word : kLibraryWords) {
      INFO(word);
      CHECK(
          (ran.err.find(word) == std::string::npos || ran.err.find(".toml") != std::string::npos));
    }
  }
}

TEST_CASE("a misspelt variable is an error, and those that watch sets are none (G7)") {
  const TempDir temp;
  const std::pair<std::string, std::string> misspelt[] = {
      {"IPNSCAST_PASWORD", "IPNSCAST_PASSWORD"},
      {"IPNSCAST_RELAYS_URL", "IPNSCAST_RELAYS_URLS"},
      {"IPNSCAST_GATEWAY_NODES", "IPNSCAST_GATEWAYS_NODES"},
      {"IPNSCAST_LOG_LEVLE", "IPNSCAST_LOG_LEVEL"}};
  for (const auto& [name, meant] : misspelt) {
    Command status = command(temp.path(), {"status"});
    status.environment[name] = "x";
    const Ran ran = run(status, kSoon);
    INFO(ran.err);
    CHECK(ran.exit == 2);
    CHECK(ran.err ==
          "ipnscast: " + name + ": no setting has this name: did you mean " + meant + "?\n");
  }
  Command hook = command(temp.path(), {"status"});
  for (const std::string name : {"NAME", "CID", "SEQUENCE", "PREVIOUS", "PATH", "OURS", "VECTORS"})
    hook.environment["IPNSCAST_" + name] = "x";
  const Ran ran = run(hook, kSoon);
  INFO(ran.err);
  CHECK(ran.exit == 0);
  CHECK(ran.err.empty());
}

TEST_CASE("a configuration from a device or a pipe is read like a file (G7)") {
  const TempDir temp;
  const Ran none = run(command(temp.path(), {"--config", "/dev/null", "status"}), kSoon);
  INFO(none.err);
  CHECK(none.exit == 0);
  const Ran endless = run(command(temp.path(), {"--config", "/dev/zero", "status"}), kSoon);
  CHECK(endless.exit == 2);
  CHECK(endless.err.find("\"/dev/zero\" is larger than 16 MiB") != std::string::npos);
}

TEST_CASE("advice leads on: where a configuration is, init is not what is missing (G6)") {
  const TempDir temp;
  const std::vector<Words> lacking = {{"resolve", kName},
                                      {"watch", kName},
                                      {"get", kCid, "-o", "x"},
                                      {"announce", kName, kCid, "--sequence", "1"},
                                      {"event", "req", "{\"kinds\":[1]}"},
                                      {"relay", "probe"},
                                      {"gateway", "probe"}};
  for (const Words& typed : lacking) {
    const Ran before = run(command(temp.path(), typed), kSoon);
    INFO(before.err);
    CHECK(before.err.find("which \"ipnscast init\" makes") != std::string::npos);
  }
  fs::create_directories(temp.path() / "c/ipnscast");
  const fs::path file = temp.path() / "c/ipnscast/config.toml";
  std::ofstream(file) << "[log]\nlevel = \"info\"\n";
  for (const Words& typed : lacking) {
    const Ran after = run(command(temp.path(), typed), kSoon);
    INFO(after.err);
    CHECK(after.exit == 2);
    CHECK(after.err.find("init") == std::string::npos);
    CHECK(after.err.find("in \"" + file.string() + "\"") != std::string::npos);
  }
  std::ofstream(file) << "[relays]\nurls = [\"ws://127.0.0.1:1\"]\n";
  for (const Words& typed :
       {Words{"announce", kName, kCid, "--sequence", "1"}, Words{"event", "relay-list"}}) {
    const Ran keyless = run(command(temp.path(), typed), kSoon);
    INFO(keyless.err);
    CHECK(keyless.exit == 1);
    CHECK(keyless.err.find("ipnscast key generate self") != std::string::npos);
  }
  REQUIRE(run(command(temp.path(), {"key", "generate", "self"}), kSoon).exit == 0);
  CHECK(run(command(temp.path(), {"event", "relay-list"}), kSoon).exit == 0);
}

}  // namespace ipnscast::test
