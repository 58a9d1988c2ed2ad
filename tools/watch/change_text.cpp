#include "ipnscast/tools/watch/change_text.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/json_text.h"

namespace ipnscast::tools {
namespace {

using Json = nlohmann::ordered_json;
using sync::ChangeKind;

std::string_view event_of(const sync::Change& change) {
  return to_string(change.kind == ChangeKind::confirmed ? ChangeKind::change : change.kind);
}

std::string_view status_of(const sync::Change& change) {
  if (change.kind == ChangeKind::provisional || change.kind == ChangeKind::withdrawn)
    return to_string(change.kind);
  return change.unconfirmed_freshness ? "unconfirmed" : "confirmed";
}

double milliseconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

template <typename T>
Json text_or_null(const std::optional<T>& value) {
  return value ? Json(value->to_string()) : Json(nullptr);
}

std::string one_digit(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

// A publish of this device that went, and what displaced it.
std::string lost_lines(const sync::Change& change) {
  std::string out = "lost      " + change.name.to_string() + "  " +
                    shown_text(change.other_value.value_or("a publish")) + " of this device was " +
                    (change.certain ? "" : "perhaps ") + "displaced by sequence " +
                    std::to_string(change.sequence.value) + "  " + shown_text(change.value);
  if (!change.certain) out += ", which does not say what it was made of";
  if (change.common)
    out += "; both contain sequence " + std::to_string(change.common->sequence.value) + "  " +
           shown_text(change.common->value);
  return out + ": ipnscast history " + change.name.to_string() + " --lost";
}

}  // namespace

std::string change_id(const sync::Change& change) {
  // Of a change that comes again, the time when it was seen stays.
  const Json what = {
      event_of(change), change.name.to_string(),         std::to_string(change.sequence.value),
      change.value,     change.other_value.value_or(""), std::to_string(change.seen.value)};
  return "msg_" + to_hex(sha256(as_bytes(dump(what)))).substr(0, 32);
}

std::map<std::string, std::string> change_variables(const sync::Change& change,
                                                    const std::string& path) {
  return {{"IPNSCAST_NAME", change.name.to_string()},
          {"IPNSCAST_CID", change.cid ? change.cid->to_string() : ""},
          {"IPNSCAST_SEQUENCE", std::to_string(change.sequence.value)},
          {"IPNSCAST_PREVIOUS", change.previous ? change.previous->to_string() : ""},
          {"IPNSCAST_PATH", path}};
}

std::string change_json(const sync::Change& change, const Applied& applied) {
  Json out = {{"event", event_of(change)},
              {"name", change.name.to_string()},
              {"sequence", std::to_string(change.sequence.value)},
              {"value", change.value},
              {"cid", text_or_null(change.cid)},
              {"previous", text_or_null(change.previous)},
              {"source", to_string(change.source)}};
  out["author"] = change.author ? Json(to_hex(change.author->view())) : Json(nullptr);
  out["status"] = status_of(change);
  out["ms"] = {{"seen", 0},
               {"confirmed", milliseconds(change.timing.confirmed)},
               {"fetched", milliseconds(change.timing.fetched)},
               {"applied", milliseconds(applied.took)}};
  if (change.replay) {
    out["replay"] = true;
    out["heard"] = rfc3339(change.seen);
  }
  if (change.other_value) out["other_value"] = *change.other_value;
  if (change.kind == ChangeKind::lost) {
    out["certain"] = change.certain;
    auto& common = out["common"] = nullptr;
    if (change.common)
      common = {{"sequence", std::to_string(change.common->sequence.value)},
                {"value", change.common->value}};
  }
  if (applied.mirror) {
    out["mirror"] = {{"added", applied.mirror->added},
                     {"changed", applied.mirror->changed},
                     {"removed", applied.mirror->removed}};
  }
  return dump(out);
}

std::string change_lines(const sync::Change& change, const Applied& applied) {
  if (change.kind == ChangeKind::lost) return lost_lines(change);
  std::string out(event_of(change));
  out.resize(std::max<size_t>(out.size(), 8), ' ');
  out += "  " + change.name.to_string() + "  sequence " + std::to_string(change.sequence.value) +
         "  " + shown_text(change.value) + "  " + std::string(to_string(change.source));
  if (change.author) out += " by " + nostr::encode_npub(*change.author);
  if (status_of(change) != "confirmed") out += "  " + std::string(status_of(change));
  if (change.other_value) out += "  over " + shown_text(*change.other_value);
  out += "  " + (change.replay ? "heard " + rfc3339(change.seen)
                               : one_digit(milliseconds(applied.took)) + " ms");
  if (!applied.mirror) return out;
  for (const auto& path : applied.mirror->added) out += "\n  added    " + shown_text(path);
  for (const auto& path : applied.mirror->changed) out += "\n  changed  " + shown_text(path);
  for (const auto& path : applied.mirror->removed) out += "\n  removed  " + shown_text(path);
  return out;
}

}  // namespace ipnscast::tools
