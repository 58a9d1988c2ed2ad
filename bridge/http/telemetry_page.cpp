// What a process shows of itself: to Prometheus as text, to people as a page.
#include <cstdio>

#include "ipnscast/bridge/http/telemetry.h"

namespace ipnscast::bridge {
namespace {

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid #8884}"
    "th:first-child,td:first-child{text-align:left}.bad{color:#c00}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}.bad{color:#f66}}";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// The value of a label, as Prometheus has it.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') continue;
    out += c;
  }
  return out;
}

std::string number(double value, const char* format = "%.1f") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string milliseconds(std::chrono::microseconds took) {
  return number(static_cast<double>(took.count()) / 1'000);
}

std::string row(std::initializer_list<std::string> cells, const char* tag = "td") {
  std::string out = "<tr>";
  for (const std::string& cell : cells)
    out += "<" + std::string(tag) + ">" + cell + "</" + tag + ">";
  return out + "</tr>\n";
}

std::string operations_table(const sync::Metrics& metrics) {
  std::string out =
      "<table>\n" +
      row({"operation", "count", "failed", "over 2 s", "p50 ms", "p95 ms", "p99 ms"}, "th");
  for (const sync::Operation operation : sync::kOperations) {
    const sync::OperationMetrics& of = metrics.of(operation);
    out += row({std::string(to_string(operation)), std::to_string(of.count),
                std::to_string(of.failures), std::to_string(of.slow), milliseconds(of.p50),
                milliseconds(of.p95), milliseconds(of.p99)});
  }
  return out + "</table>\n";
}

std::string gateways_table(const std::vector<sync::GatewayStatus>& gateways) {
  std::string out =
      "<table>\n" + row({"gateway", "score", "answers", "failures", "lies", "median ms"}, "th");
  for (const sync::GatewayStatus& gateway : gateways) {
    out +=
        row({escaped(gateway.url), std::to_string(gateway.score), number(gateway.answers, "%.0f"),
             number(gateway.failures, "%.0f"), number(gateway.lies),
             gateway.median ? std::to_string(gateway.median->count()) : "-"});
  }
  return out + "</table>\n";
}

}  // namespace

std::string telemetry_page(const std::string& title, const Telemetry& telemetry) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<meta http-equiv=\"refresh\" content=\"5\"><title>" +
      escaped(title) + "</title><style>" + kStyle + "</style></head>\n<body><h1>" + escaped(title) +
      "</h1>\n";
  for (const std::string& trouble : telemetry.troubles)
    out += "<p class=\"bad\">" + escaped(trouble) + "</p>\n";
  out += !telemetry.metrics.measured() ? "<p>Nothing was resolved or fetched yet.</p>\n"
         : telemetry.metrics.meets_target()
             ? "<p>95 of 100 resolutions and fetches take no longer than 2 s together.</p>\n"
             : "<p class=\"bad\">Resolving and fetching take longer than 2 s (p95).</p>\n";
  out += "<table>\n";
  for (const auto& [name, value] : telemetry.counters)
    out += row({escaped(name), std::to_string(value)});
  for (const sync::SourceState& source : telemetry.metrics.sources)
    out += row({escaped(source.kind + " " + source.url), source.up ? "up" : "down"});
  out += "</table>\n" + operations_table(telemetry.metrics) + gateways_table(telemetry.gateways);
  return out +
         "<p>Quantiles are of the last ten minutes. <a href=\"/metrics\">For "
         "Prometheus</a></p></body></html>\n";
}

std::string health_text(const Telemetry& telemetry) {
  if (telemetry.troubles.empty()) return "ok\n";
  std::string out;
  for (const std::string& trouble : telemetry.troubles) out += trouble + "\n";
  return out;
}

std::string telemetry_text(const Telemetry& telemetry) {
  std::string out = telemetry.prometheus;
  out +=
      "# HELP ipnscast_target_seconds What resolving and fetching a change should take\n"
      "# TYPE ipnscast_target_seconds gauge\nipnscast_target_seconds " +
      std::to_string(sync::kOperationTarget.count() / 1'000) + "\n";
  if (!telemetry.metrics.sources.empty())
    out +=
        "# HELP ipnscast_source_up Whether a source of news is there\n"
        "# TYPE ipnscast_source_up gauge\n";
  for (const sync::SourceState& source : telemetry.metrics.sources)
    out += "ipnscast_source_up{kind=\"" + source.kind + "\",url=\"" + label(source.url) + "\"} " +
           (source.up ? "1\n" : "0\n");
  for (const auto& [name, value] : telemetry.counters) {
    const char* type = name.ends_with("_total") ? " counter\n" : " gauge\n";
    out += "# TYPE " + name + type + name + " " + std::to_string(value) + "\n";
  }
  return out;
}

}  // namespace ipnscast::bridge
