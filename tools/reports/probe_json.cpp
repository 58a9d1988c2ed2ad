#include <nlohmann/json.hpp>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/reports/probe_report.h"

namespace ipnscast::tools {
namespace {

namespace probe = nostr::probe;
using Json = nlohmann::ordered_json;

double json_ms(probe::Took took) { return static_cast<double>(took.count()) / 1000; }

template <typename T>
Json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<T, probe::Took>) {
    return json_ms(*value);
  } else {
    return *value;
  }
}

Json words_or_null(const std::string& words) { return words.empty() ? Json() : Json(words); }

Json json_latencies(const probe::Latencies& latencies) {
  return {{"count", latencies.samples.size()},
          {"p50_ms", or_null(latencies.percentile(50))},
          {"p95_ms", or_null(latencies.percentile(95))}};
}

Json json_information(const probe::Handshake& handshake) {
  if (!handshake.information) return {{"problem", handshake.information_fault}};
  const nostr::RelayInformation& info = *handshake.information;
  return {{"name", info.name},
          {"software", info.software},
          {"version", info.version},
          {"supported_nips", info.supported_nips},
          {"auth_required", info.auth_required},
          {"payment_required", info.payment_required},
          {"restricted_writes", info.restricted_writes},
          {"max_message_length", or_null(info.max_message_length)},
          {"max_subscriptions", or_null(info.max_subscriptions)},
          {"max_limit", or_null(info.max_limit)},
          {"created_at_upper_limit", or_null(info.created_at_upper_limit)}};
}

Json json_connection(const probe::Handshake& handshake) {
  return {{"look_up_ms", json_ms(handshake.look_up)}, {"connect_ms", json_ms(handshake.connect)},
          {"tls_ms", or_null(handshake.tls)},         {"upgrade_ms", json_ms(handshake.upgrade)},
          {"nip11_ms", or_null(handshake.asked)},     {"deflate", handshake.deflate}};
}

Json kinds(const std::vector<probe::KindAccess>& kinds) {
  Json out = Json::array();
  for (const probe::KindAccess& access : kinds) {
    out.push_back({{"kind", access.kind},
                   {"accepted", to_string(access.accepted)},
                   {"author", to_string(access.to_author)},
                   {"stranger", to_string(access.to_stranger)},
                   {"reason", words_or_null(access.reason)}});
  }
  return out;
}

Json limits(const std::vector<probe::Limit>& limits) {
  Json out = Json::array();
  for (const probe::Limit& limit : limits) {
    out.push_back({{"of", limit.name},
                   {"claimed", or_null(limit.claimed)},
                   {"needed", limit.needed},
                   {"tried", limit.tried},
                   {"met", limit.met},
                   {"reason", words_or_null(limit.reason)}});
  }
  return out;
}

void add_facts(const probe::Report& report, Json& out) {
  out["connection"] = json_connection(report.handshake);
  out["nip11"] = json_information(report.handshake);
  out["asked_for_auth"] = report.asked_for_auth;
  out["kinds"] = kinds(report.kinds);
  out["tried_with_kind"] = or_null(report.kind);
  const probe::Replacement& replacement = report.replacement;
  out["replacement"] = {{"newer_wins", or_null(replacement.newer_wins)},
                        {"older_stays_away", or_null(replacement.older_stays_away)},
                        {"keeps_one", or_null(replacement.keeps_one)},
                        {"tie_break", to_string(replacement.tie_break)},
                        {"late_answer", words_or_null(replacement.late_answer)}};
  out["filters_by_d"] = {
      {"stored", or_null(report.filters_by_d)},
      {"live", report.live.published == 0 ? Json() : Json(!report.live.heard_others)}};
  out["live"] = {{"published", report.live.published},
                 {"heard", report.live.heard},
                 {"echo", json_latencies(report.live.echo)},
                 {"reason", words_or_null(report.live.reason)}};
  out["ok"] = json_latencies(report.ok);
  out["ok"]["missing"] = report.unanswered;
  out["eose"] = json_latencies(report.eose);
  out["eose"]["missing"] = report.without_end;
  out["negentropy"] = {{"result", to_string(report.negentropy)},
                       {"reason", words_or_null(report.negentropy_reason)}};
  out["limits"] = limits(report.limits);
  out["kept"] = or_null(report.kept);
  out["deletion"] = {{"honoured", or_null(report.deletion.honoured)},
                     {"stays_gone", or_null(report.deletion.stays_gone)},
                     {"left_behind", report.deletion.left_behind},
                     {"reason", words_or_null(report.deletion.reason)}};
  out["counts"] = {{"forged", report.forged},
                   {"unsolicited", report.unsolicited},
                   {"served_late", report.served_late},
                   {"rate_limited", report.rate_limited}};
  out["notices"] = report.notices;
}

}  // namespace

std::string probe_time(const probe::Report& report) {
  return sync::Eol{report.started.value / 1000, 0}.to_string();
}

std::string probe_json(const probe::Report& report, const probe::Verdict& verdict) {
  Json out = {{"url", report.url.text()},
              {"time", probe_time(report)},
              {"took_ms", json_ms(report.lasted)},
              {"reachable", !report.unreachable},
              {"fit", verdict.fit},
              {"score", verdict.score}};
  Json& reasons = out["reasons"] = Json::array();
  for (const probe::Reason& reason : verdict.reasons)
    reasons.push_back({{"points", reason.points}, {"unfit", reason.unfit}, {"text", reason.text}});
  out["cut_short"] = report.cut_short ? Json(report.cut_short->message) : Json();
  if (!report.unreachable) add_facts(report, out);
  return dump(out);
}

}  // namespace ipnscast::tools
