#include <algorithm>
#include <cstdio>

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/reports/probe_report.h"

namespace ipnscast::tools {
namespace {

namespace probe = nostr::probe;

// What a relay says must not become a link, markup or another column.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : shown_text(text)) {
    if (std::string_view("\\`*_[]<>|#!").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string cell_ms(const std::optional<probe::Took>& took) {
  if (!took) return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", static_cast<double>(took->count()) / 1000);
  return text;
}

// "yes/yes/no": taken, served to the author, served to strangers.
std::string access_cell(const probe::Report& report) {
  std::string out;
  for (const probe::KindAccess& kind : report.kinds) {
    if (!out.empty()) out += ", ";
    out += std::to_string(kind.kind) + " " + std::string(to_string(kind.accepted)) + "/" +
           std::string(to_string(kind.to_author)) + "/" + std::string(to_string(kind.to_stranger));
  }
  return out.empty() ? "-" : out;
}

std::string software(const probe::Report& report) {
  const auto& information = report.handshake.information;
  return information ? plain(information->software + " " + information->version) : "-";
}

std::string row(const ProbedRelay& probed) {
  const probe::Report& report = probed.report;
  const std::string fit = report.unreachable ? "unreachable" : probed.verdict.fit ? "yes" : "no";
  return "| " + plain(report.url.text()) + " | " + fit + " | " +
         std::to_string(probed.verdict.score) + " | " + software(report) + " | " +
         access_cell(report) + " | " + cell_ms(report.handshake.connect) + " | " +
         cell_ms(report.handshake.tls) + " | " + cell_ms(report.ok.percentile(50)) + " | " +
         cell_ms(report.live.echo.percentile(50)) + " | " +
         cell_ms(report.live.echo.percentile(95)) + " | " +
         std::string(to_string(report.negentropy)) + " |\n";
}

std::string reasons(const ProbedRelay& probed) {
  std::string out = "\n## " + plain(probed.report.url.text()) + "\n\n";
  if (probed.verdict.reasons.empty()) out += "Nothing to complain about.\n";
  for (const probe::Reason& reason : probed.verdict.reasons) {
    out += reason.unfit ? "- unfit: " : "- -" + std::to_string(reason.points) + ": ";
    out += plain(reason.text) + "\n";
  }
  return out;
}

}  // namespace

std::string probe_markdown(std::vector<ProbedRelay> probed) {
  std::stable_sort(probed.begin(), probed.end(), [](const ProbedRelay& a, const ProbedRelay& b) {
    return std::pair(a.verdict.fit, a.verdict.score) > std::pair(b.verdict.fit, b.verdict.score);
  });
  std::string out = "# What relays do with hints\n\n";
  if (!probed.empty()) out += "Probed from " + probe_time(probed.front().report) + " on.";
  out +=
      " Access: taken / served to the author / served to strangers. Times in ms.\n\n"
      "| relay | fit | score | software | access | TCP | TLS | OK p50 | echo p50 | echo p95 | "
      "negentropy |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const ProbedRelay& one : probed) out += row(one);
  for (const ProbedRelay& one : probed) out += reasons(one);
  return out;
}

}  // namespace ipnscast::tools
