#pragma once

#include <map>
#include <mutex>
#include <set>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/publish/record_sender.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"

// Nodes that a test plays, for what sends content and records to them.
namespace ipnscast::test {

using namespace ipnscast::sync;

inline IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

inline IpnsRecord record(uint64_t sequence, const std::string& value = "/ipfs/bafkqaaa",
                         int hours = 1) {
  return *create_record(key(), {.value = value,
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(hours))});
}

inline std::string text(const IpnsRecord& record) { return std::string(as_text(record.bytes())); }

struct Faults {
  bool loses_blocks = false;
  bool loses_records = false;
  bool old = false;  // knows no name/get and name/put
  bool refuses_records = false;
  std::string pin_error;
  int lost_puts = 0;  // so many records are lost, then they stay
};

// A node that stores what Kubo's RPC gives it, and can forget it at once.
struct KeepingNode {
  explicit KeepingNode(Faults wanted = {})
      : faults(std::move(wanted)),
        server([this](const ScriptedRequest& request) { return answer(request); }) {}

  static ScriptedAnswer unknown() {
    return {
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found"};
  }
  static ScriptedAnswer error(const std::string& message) {
    return {.status = 500, .body = R"({"Message":")" + message + R"(","Code":0,"Type":"error"})"};
  }
  static std::string file_of(const ScriptedRequest& request) {
    const size_t start = request.body.find("\r\n\r\n") + 4;
    return request.body.substr(start, request.body.rfind("\r\n--") - start);
  }

  ScriptedAnswer answer(const ScriptedRequest& request) {
    std::lock_guard lock(mutex);
    if (request.method != "POST") return unknown();
    const auto is = [&](const char* command) {
      return request.target.rfind(std::string("/api/v0/") + command, 0) == 0;
    };
    const size_t arg = request.target.find("arg=");
    const std::string argument =
        arg == std::string::npos
            ? ""
            : request.target.substr(arg + 4, request.target.find('&', arg) - arg - 4);
    if (is("version")) return {.body = R"({"Version":"0.43.0"})"};
    if (is("dag/import")) {
      largest = std::max(largest, request.body.size());
      CarReader reader([&](const CarSection& section) -> Status {
        if (!faults.loses_blocks) blocks.insert(section.cid.to_string());
        bytes[section.cid.to_string()] = std::string(as_text(section.block));
        return {};
      });
      const Status read = reader.feed(as_bytes(file_of(request)));
      if (!read || !reader.finish()) return error("bad CAR");
      if (request.target.find("pin-roots=true") == std::string::npos) return {.body = "\n"};
      const std::string lacks = faults.loses_blocks ? "" : missing(reader.roots().front());
      if (!lacks.empty()) {
        return {.body = R"({"Root":{"Cid":{"/":")" + reader.roots().front().to_string() +
                        R"("},"PinErrorMsg":"ipld: could not find )" + lacks + "\"}}\n"};
      }
      if (faults.pin_error.empty()) pinned.insert(reader.roots().front().to_string());
      return {.body = R"({"Root":{"Cid":{"/":")" + reader.roots().front().to_string() +
                      R"("},"PinErrorMsg":")" + faults.pin_error + "\"}}\n"};
    }
    if (is("block/get"))
      return blocks.count(argument) != 0 ? ScriptedAnswer{.body = bytes[argument]}
                                         : error("ipld: could not find it");
    if (is("block/stat") && !faults.old)
      return blocks.count(argument) != 0
                 ? ScriptedAnswer{.body = R"({"Key":")" + argument + R"(","Size":1})"}
                 : error("ipld: could not find it");
    if (is("pin/ls") && !faults.old)
      return pinned.count(argument) != 0
                 ? ScriptedAnswer{.body = R"({"Keys":{")" + argument +
                                          R"(":{"Type":"recursive","Name":""}}})"}
                 : error("path '" + argument + "' is not pinned");
    if (is("pin/rm"))
      return pinned.erase(argument) != 0 ? ScriptedAnswer{.body = R"({"Pins":[]})"}
                                         : error("not pinned or pinned indirectly");
    if ((is("name/put") && !faults.old) || is("routing/put")) {
      if (const auto why = stands_against(file_of(request), is("name/put"))) return error(*why);
      if (faults.lost_puts-- <= 0 && !faults.loses_records) kept = file_of(request);
      return {.body = R"({"Name":"x","Value":"y"})"};
    }
    if (is("name/get") && !faults.old)
      return kept.empty() ? error("routing: not found") : ScriptedAnswer{.body = kept};
    if (is("routing/get")) {
      if (kept.empty()) return error("routing: not found");
      return {.body = R"({"Extra":")" + to_base64(as_bytes(kept)) + R"(","Type":5})"};
    }
    return unknown();
  }

  // Kubo's rules: name/put wants a higher sequence, routing/put only what ranks above. With mutex
  // held.
  std::optional<std::string> stands_against(const std::string& file, bool by_name_put) const {
    if (faults.refuses_records) return "no space left on device";
    const auto verified = [](const std::string& text) {
      return verify_record(key().name(), as_bytes(text), system_now().wall);
    };
    if (kept.empty() || kept == file) return std::nullopt;
    const auto known = verified(kept);
    const auto offered = verified(file);
    if (!known || !offered) return std::nullopt;
    if (by_name_put && known->fields().sequence >= offered->fields().sequence)
      return "existing IPNS record has sequence >= new record sequence";
    if (better(*known, *offered)) return "can't replace a newer value with an older value";
    return std::nullopt;
  }

  // As Kubo does before it pins: the first block below the root that is not here. With mutex held.
  std::string missing(const Cid& root) const {
    std::vector<Cid> open{root};
    while (!open.empty()) {
      const Cid cid = open.back();
      open.pop_back();
      const auto block = bytes.find(cid.to_string());
      if (block == bytes.end() || blocks.count(cid.to_string()) == 0) return cid.to_string();
      const auto links = *block_links(cid, as_bytes(block->second));
      open.insert(open.end(), links.begin(), links.end());
    }
    return {};
  }
  size_t imported() const { return server.count("dag/import"); }

  std::mutex mutex;
  Faults faults;
  std::set<std::string> blocks;
  std::set<std::string> pinned;
  std::map<std::string, std::string> bytes;
  std::string kept;
  size_t largest = 0;
  ScriptedHttpServer server;
};

struct TableSource : BlockSource {
  explicit TableSource(BlockTable& blocks) : table(blocks) {}
  Result<std::optional<Bytes>> get(const Cid& cid) override {
    const std::string* block = table.find(cid.to_string());
    if (block == nullptr) return std::optional<Bytes>();
    return std::optional<Bytes>(to_bytes(*block));
  }
  BlockTable& table;
};

struct SenderFixture {
  explicit SenderFixture(const std::vector<std::string>& urls)
      : book(entries(urls)), http(std::move(*gateway::HttpClient::open())) {}
  static std::vector<gateway::GatewayBook::Entry> entries(const std::vector<std::string>& urls) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (const std::string& url : urls) out.push_back({{url, {}}, 1});
    return out;
  }
  gateway::GatewayBook book;
  std::unique_ptr<gateway::HttpClient> http;
};

inline const Outcome::Place& place(const std::vector<Outcome::Place>& places,
                                   const std::string& url) {
  for (const Outcome::Place& found : places) {
    if (found.url == url) return found;
  }
  FAIL("no place " << url);
  return places.front();
}

inline const std::vector<Milliseconds> kQuick{Milliseconds(10), Milliseconds(20)};

}  // namespace ipnscast::test
