#pragma once

#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/integration/sync/sender_fixture.h"

// Publishing to nodes that a test plays and that misbehave.
namespace ipnscast::test {

// Ends nothing in a test but a hang of ours: whoever answers does so before. A test with a node
// that hangs names the shorter time that it is about.
inline constexpr Milliseconds kAnswers{60'000};

// A node that keeps what it is given; a script may answer in its place.
struct ScriptedNode {
  using Script = std::function<std::optional<ScriptedAnswer>(const ScriptedRequest&)>;
  explicit ScriptedNode(Script wanted = nullptr)
      : script(std::move(wanted)), server([this](const ScriptedRequest& request) {
          auto answer = script ? script(request) : std::nullopt;
          return answer ? std::move(*answer) : keeping.answer(request);
        }) {}

  void keeps(const IpnsRecord& record) {
    std::lock_guard lock(keeping.mutex);
    keeping.kept = text(record);
  }
  std::optional<IpnsRecord> kept(const IpnsName& name) {
    std::lock_guard lock(keeping.mutex);
    auto record = verify_record(name, as_bytes(keeping.kept), system_now().wall);
    return record ? std::optional(std::move(*record)) : std::nullopt;
  }

  KeepingNode keeping;
  const Script script;
  ScriptedHttpServer server;
};

inline bool asks(const ScriptedRequest& request, const char* what) {
  return request.target.find(what) != std::string::npos;
}
// Every question about records.
inline bool asks_record(const ScriptedRequest& request) {
  return asks(request, "name/get") || asks(request, "routing/get") || asks(request, "/ipns/");
}
inline ScriptedAnswer hang() { return {.delay = std::chrono::hours(1)}; }
inline ScriptedAnswer no_record() { return KeepingNode::error("routing: not found"); }

// Devices with one key, a relay, and nodes of the test's making.
struct ScriptedWorld : World {
  Config config(const std::string& device, const std::vector<const ScriptedNode*>& nodes) const {
    Config out = World::config(device);
    out.gateways.clear();
    for (const ScriptedNode* one : nodes) out.gateways.push_back({one->server.url()});
    out.answer_by = kAnswers;
    out.publish_timeout = kAnswers;
    out.retry_min = Milliseconds(50);
    out.retry_max = Milliseconds(200);
    return out;
  }
  IpnsRecord record(uint64_t sequence,
                    std::chrono::seconds lifetime = std::chrono::hours(1)) const {
    return *create_record(key, {.value = "/ipfs/bafkqaddwgevxmmraojswg33smq",
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, lifetime)});
  }
};

inline const Outcome::Place* find_place(const Outcome& outcome, const std::string& url,
                                        Outcome::Place::What what) {
  for (const auto& place : outcome.places) {
    if (place.url == url && place.what == what) return &place;
  }
  return nullptr;
}

}  // namespace ipnscast::test
