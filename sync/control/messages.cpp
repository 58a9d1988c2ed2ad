#include "ipnscast/sync/control/messages.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::sync::control {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxBytes = 64 << 10;

Json place_json(const Outcome::Place& place) {
  return {{"kind", static_cast<int>(place.kind)},
          {"what", static_cast<int>(place.what)},
          {"url", place.url},
          {"ok", place.ok},
          {"detail", place.detail},
          {"took_ms", place.took.count()},
          {"newer", place.newer},
          {"newer_sequence", place.newer_sequence.value},
          {"newer_record", to_base64(place.newer_record)},
          {"refused", place.refused},
          {"settled", place.settled}};
}

Result<Outcome::Place> place_from(const Json& json) {
  using Place = Outcome::Place;
  Place out;
  out.kind = static_cast<Place::Kind>(json.at("kind").get<int>());
  out.what = static_cast<Place::What>(json.at("what").get<int>());
  out.url = json.at("url");
  out.ok = json.at("ok");
  out.detail = json.at("detail");
  out.took = Milliseconds(json.at("took_ms").get<int64_t>());
  out.newer = json.at("newer");
  out.newer_sequence = Sequence{json.at("newer_sequence").get<uint64_t>()};
  auto record = bytes_from(json.at("newer_record"));
  if (!record) return fail(record.error());
  out.newer_record = std::move(*record);
  out.refused = json.at("refused");
  out.settled = json.at("settled");
  return out;
}

}  // namespace

Json version_json(const std::optional<Version>& version) {
  if (!version) return nullptr;
  return {{"sequence", version->sequence.value}, {"value", version->value}};
}

Version version_from(const Json& json) {
  return {Sequence{json.at("sequence").get<uint64_t>()}, json.at("value").get<std::string>()};
}

Json devices_json(const std::vector<Device>& devices) {
  Json out = Json::array();
  for (const Device& device : devices)
    out.push_back({{"said", encode_device(device)}, {"own", device.own}});
  return out;
}

Result<std::vector<Device>> devices_from(const Json& json) {
  std::vector<Device> out;
  for (const Json& one : json) {
    auto device = decode_device(one.at("said").get_ref<const std::string&>());
    if (!device) return fail(device.error());
    device->own = one.at("own");
    out.push_back(std::move(*device));
  }
  return out;
}

Result<Bytes> bytes_from(const Json& json) {
  return from_base64(json.get_ref<const std::string&>(), kMaxBytes);
}

Json left_json(std::optional<Instant> deadline) {
  if (!deadline) return nullptr;
  return std::chrono::ceil<Milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
}

std::optional<Instant> deadline_from(const Json& left) {
  if (left.is_null()) return std::nullopt;
  return std::chrono::steady_clock::now() + Milliseconds(left.get<int32_t>());
}

Json options_json(const PublishOptions& options) {
  Json out = {{"replace", options.replace},
              {"force", options.force},
              {"trust_clock", options.trust_clock},
              {"settle", static_cast<int>(options.settle)},
              {"queue", options.queue},
              {"hidden", options.hidden},
              {"based_on", version_json(options.based_on)},
              {"expect_sequence", nullptr},
              {"left_ms", left_json(options.deadline)}};
  if (options.expect_sequence) out["expect_sequence"] = options.expect_sequence->value;
  return out;
}

PublishOptions options_from(const Json& json) {
  PublishOptions out;
  out.replace = json.at("replace");
  out.force = json.at("force");
  out.trust_clock = json.at("trust_clock");
  out.settle = static_cast<PublishOptions::Settle>(json.at("settle").get<int>());
  out.queue = json.at("queue");
  out.hidden = json.at("hidden");
  if (!json.at("based_on").is_null()) out.based_on = version_from(json["based_on"]);
  if (!json.at("expect_sequence").is_null())
    out.expect_sequence = Sequence{json["expect_sequence"].get<uint64_t>()};
  out.deadline = deadline_from(json.at("left_ms"));
  return out;
}

Json progress_json(const PublishProgress& progress) {
  return {{"node", progress.node},
          {"bytes", progress.bytes},
          {"total", progress.total},
          {"interrupted", progress.interrupted}};
}

PublishProgress progress_from(const Json& json) {
  return {json.at("node"), json.at("bytes"), json.at("total"), json.at("interrupted")};
}

Json outcome_json(const Outcome& outcome) {
  Json out = {{"name", outcome.name.to_string()},
              {"cid", outcome.cid.to_string()},
              {"sequence", outcome.sequence.value},
              {"record", to_base64(outcome.record)},
              {"hint", nullptr},
              {"places", Json::array()},
              {"quorum_met", outcome.quorum_met},
              {"queued", outcome.queued},
              {"settled", outcome.settled},
              {"undecided", outcome.undecided},
              {"relays_acknowledged", outcome.relays_acknowledged},
              {"packed_us", outcome.packed.count()},
              {"bytes", outcome.bytes},
              {"hidden_left_out", outcome.hidden_left_out}};
  if (outcome.hint) out["hint"] = to_hex(outcome.hint->view());
  for (const Outcome::Place& place : outcome.places) out["places"].push_back(place_json(place));
  return out;
}

Result<Outcome> outcome_from(const Json& json) {
  auto name = IpnsName::parse(json.at("name").get_ref<const std::string&>());
  if (!name) return fail(name.error());
  auto cid = Cid::parse(json.at("cid").get_ref<const std::string&>());
  if (!cid) return fail(cid.error());
  Outcome out{*name, *cid, Sequence{json.at("sequence").get<uint64_t>()}};
  auto record = bytes_from(json.at("record"));
  if (!record) return fail(record.error());
  out.record = std::move(*record);
  if (!json.at("hint").is_null()) {
    auto id = fixed_from_hex<nostr::EventId>(json["hint"].get_ref<const std::string&>(), "hint");
    if (!id) return fail(id.error());
    out.hint = *id;
  }
  for (const Json& one : json.at("places")) {
    auto place = place_from(one);
    if (!place) return fail(place.error());
    out.places.push_back(std::move(*place));
  }
  out.quorum_met = json.at("quorum_met");
  out.queued = json.at("queued");
  out.settled = json.at("settled");
  out.undecided = json.at("undecided");
  out.relays_acknowledged = json.at("relays_acknowledged");
  out.packed = std::chrono::microseconds(json.at("packed_us").get<int64_t>());
  out.bytes = json.at("bytes");
  out.hidden_left_out = json.at("hidden_left_out");
  return out;
}

Json lost_json(const std::vector<LostPublish>& lost) {
  Json out = Json::array();
  for (const LostPublish& one : lost) {
    out.push_back({{"ours", version_json(one.ours)},
                   {"theirs", version_json(one.theirs)},
                   {"conflict", one.conflict},
                   {"certain", one.certain},
                   {"told", one.told}});
  }
  return out;
}

std::vector<LostPublish> lost_from(const Json& json) {
  std::vector<LostPublish> out;
  for (const Json& one : json) {
    out.push_back({version_from(one.at("ours")), version_from(one.at("theirs")), one.at("conflict"),
                   one.at("certain"), one.at("told")});
  }
  return out;
}

}  // namespace ipnscast::sync::control
