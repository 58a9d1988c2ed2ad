#include "ipnscast/tools/reports/inspection_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/json_text.h"

namespace ipnscast::tools {
namespace {

namespace inspection = sync::inspection;
using inspection::Feature;
using inspection::Finding;
using Json = nlohmann::ordered_json;

constexpr size_t kFeatureWidth = 16;

double in_ms(std::chrono::microseconds took) { return static_cast<double>(took.count()) / 1000; }

std::string ms_text(std::chrono::microseconds took) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", in_ms(took));
  return text;
}

std::string http_text(int version) {
  return version >= 20 ? "HTTP/" + std::to_string(version / 10)
                       : "HTTP/1." + std::to_string(version % 10);
}

std::string title(Feature feature) {
  switch (feature) {
    case Feature::raw:
      return "blocks";
    case Feature::etag:
      return "blocks, ETag";
    case Feature::only_if_cached:
      return "only-if-cached";
    case Feature::car:
      return "CAR";
    case Feature::partial_car:
      return "partial CAR";
    case Feature::ipns_record:
      return "records";
    case Feature::record_etag:
      return "records, ETag";
    case Feature::routing:
      return "router";
    case Feature::routing_put:
      return "router, PUT";
    case Feature::providers:
      return "providers";
    case Feature::rpc:
      return "Kubo RPC";
    case Feature::rpc_import:
      return "RPC, import";
    case Feature::rpc_block:
      return "RPC, blocks";
    case Feature::rpc_put:
      return "RPC, record";
    case Feature::preconditions:
      return "preconditions";
    case Feature::path:
      return "plain files";
    case Feature::http2:
      break;
  }
  return "HTTP/2";
}

void print_row(const std::string& name, const std::string& value) {
  print_line("  " + name +
             std::string(kFeatureWidth - std::min(kFeatureWidth - 1, name.size()), ' ') + value);
}

std::string words_of(const Finding& finding) {
  std::string out(to_string(finding.answer));
  if (finding.verified) out += ", verified";
  if (finding.lied) out += ", a LIE";
  if (!finding.words.empty()) out += " (" + finding.words + ")";
  if (finding.took) out += "  " + std::to_string(finding.took->count()) + " ms";
  return out;
}

std::string headline(const inspection::Report& report, const inspection::Verdict& verdict) {
  return report.url + "  " +
         (report.unreachable ? "unreachable"
          : verdict.fit      ? "fit as a source"
                             : "unfit as a source") +
         ", score " + std::to_string(verdict.score);
}

void print_table(const inspection::Report& report, const inspection::Verdict& verdict) {
  print_line(headline(report, verdict));
  if (!report.unreachable) {
    print_row("connection", "look-up " + ms_text(report.look_up) + ", TCP " +
                                ms_text(report.connect) + ", TLS " +
                                (report.tls.count() > 0 ? ms_text(report.tls) : "none") + ", " +
                                http_text(report.http_version));
    print_row("asked for", report.content.to_string() +
                               (report.name ? ", " + report.name->to_string() : "") + ", in " +
                               std::to_string(report.requests) + " requests");
    if (!report.rpc_version.empty()) print_row("version", report.rpc_version);
  }
  for (const auto& [feature, finding] : report.findings)
    print_row(title(feature), words_of(finding));
  for (const inspection::Reason& reason : verdict.reasons)
    print_row(reason.unfit ? "unfit" : "-" + std::to_string(reason.points), reason.text);
}

Json finding_json(const Finding& finding) {
  Json out = {{"answer", to_string(finding.answer)}, {"verified", finding.verified}};
  if (finding.lied) out["lied"] = true;
  out["detail"] = finding.words.empty() ? Json() : Json(finding.words);
  out["ms"] = finding.took ? Json(finding.took->count()) : Json();
  return out;
}

Json inspection_json(const inspection::Report& report, const inspection::Verdict& verdict) {
  Json out = {{"url", report.url}, {"fit", verdict.fit}, {"score", verdict.score}};
  auto& reasons = out["reasons"] = Json::array();
  for (const inspection::Reason& reason : verdict.reasons)
    reasons.push_back({{"points", reason.points}, {"unfit", reason.unfit}, {"text", reason.text}});
  out["unreachable"] = report.unreachable ? Json(report.unreachable->message) : Json();
  if (report.unreachable) return out;
  out["connection"] = {{"look_up_ms", in_ms(report.look_up)},
                       {"connect_ms", in_ms(report.connect)},
                       {"tls_ms", report.tls.count() > 0 ? Json(in_ms(report.tls)) : Json()},
                       {"http", http_text(report.http_version)}};
  out["requests"] = report.requests;
  out["cid"] = report.content.to_string();
  out["name"] = report.name ? Json(report.name->to_string()) : Json();
  out["rpc_version"] = report.rpc_version.empty() ? Json() : Json(report.rpc_version);
  auto& features = out["features"] = Json::object();
  for (const auto& [feature, finding] : report.findings)
    features[std::string(to_string(feature))] = finding_json(finding);
  return out;
}

}  // namespace

void print_inspection(const Context& context, const inspection::Report& report,
                      const inspection::Verdict& verdict) {
  if (context.json) return print_line(dump(inspection_json(report, verdict)));
  print_table(report, verdict);
}

}  // namespace ipnscast::tools
