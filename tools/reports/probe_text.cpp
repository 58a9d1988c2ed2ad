#include <cstdio>

#include "ipnscast/tools/reports/probe_report.h"

namespace ipnscast::tools {
namespace {

namespace probe = nostr::probe;

constexpr size_t kFactWidth = 14;

std::string text_ms(probe::Took took) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f ms", static_cast<double>(took.count()) / 1000);
  return text;
}

std::string either(const std::optional<bool>& fact, const char* yes, const char* no) {
  return !fact ? "?" : *fact ? yes : no;
}

std::string with(std::string text, const std::string& words) {
  return words.empty() ? text : text + " (" + words + ")";
}

// "p50 1.2 ms, p95 3.4 ms of 8"
std::string latencies(const probe::Latencies& latencies) {
  const auto p50 = latencies.percentile(50), p95 = latencies.percentile(95);
  if (!p50 || !p95) return "none";
  return "p50 " + text_ms(*p50) + ", p95 " + text_ms(*p95) + " of " +
         std::to_string(latencies.samples.size());
}

std::string connection(const probe::Handshake& handshake) {
  return "look-up " + text_ms(handshake.look_up) + ", TCP " + text_ms(handshake.connect) +
         ", TLS " + (handshake.tls ? text_ms(*handshake.tls) : "none") + ", upgrade " +
         text_ms(handshake.upgrade);
}

std::string information(const probe::Handshake& handshake) {
  if (!handshake.information) return "none (" + handshake.information_fault + ")";
  const nostr::RelayInformation& info = *handshake.information;
  std::string out = info.software.empty() ? info.name : info.software;
  if (!info.version.empty()) out += " " + info.version;
  out += out.empty() ? "NIPs" : ", NIPs";
  for (const int nip : info.supported_nips) out += " " + std::to_string(nip);
  return out;
}

std::string access(const probe::KindAccess& access) {
  return with("taken: " + std::string(to_string(access.accepted)) +
                  ", served to its author: " + std::string(to_string(access.to_author)) +
                  ", to strangers: " + std::string(to_string(access.to_stranger)),
              access.reason);
}

std::string versions(const probe::Replacement& replacement) {
  return either(replacement.newer_wins, "the newest wins", "the newest does not win") + ", " +
         with(either(replacement.older_stays_away, "a late older one stays away",
                     "a late older one comes back"),
              replacement.late_answer) +
         ", " + either(replacement.keeps_one, "one is served", "several are served") +
         ", of equals: " + std::string(to_string(replacement.tie_break));
}

std::string live(const probe::LiveDelivery& live) {
  if (live.published == 0) return with("not tried", live.reason);
  return with(std::to_string(live.heard) + " of " + std::to_string(live.published) + ", " +
                  latencies(live.echo),
              live.reason);
}

std::string limit(const probe::Limit& limit) {
  std::string out =
      std::to_string(limit.tried) + " " + limit.name + ": " + (limit.met ? "taken" : "refused");
  if (limit.claimed) out += ", NIP-11 says " + std::to_string(*limit.claimed);
  return with(std::move(out), limit.reason);
}

class Table {
 public:
  void row(std::string name, const std::string& text) {
    name.resize(std::max(kFactWidth, name.size() + 1), ' ');
    lines.push_back("  " + name + text);
  }
  std::vector<std::string> lines;
};

void add_facts(const probe::Report& report, Table& out) {
  out.row("connection", connection(report.handshake));
  out.row("NIP-11", information(report.handshake));
  out.row("deflate", report.handshake.deflate ? "yes" : "no");
  for (const probe::KindAccess& kind : report.kinds)
    out.row("kind " + std::to_string(kind.kind), access(kind));
  out.row("versions", versions(report.replacement));
  out.row("#d filters", "stored: " + either(report.filters_by_d, "yes", "no") + ", live: " +
                            (report.live.published == 0 ? "?"
                             : report.live.heard_others ? "no"
                                                        : "yes"));
  out.row("live", live(report.live));
  out.row("OK", latencies(report.ok) + ", " + std::to_string(report.unanswered) + " missing");
  out.row("EOSE", latencies(report.eose) + ", " + std::to_string(report.without_end) + " missing");
  out.row("negentropy", with(std::string(to_string(report.negentropy)), report.negentropy_reason));
  for (const probe::Limit& tried : report.limits) out.row("limit", limit(tried));
  out.row("read back", either(report.kept, "kept", "lost"));
  out.row("deletion", with(either(report.deletion.honoured, "followed", "ignored") + ", " +
                               either(report.deletion.stays_gone, "an older copy stays away",
                                      "an older copy comes back"),
                           report.deletion.reason));
}

}  // namespace

std::vector<std::string> probe_table(const probe::Report& report, const probe::Verdict& verdict) {
  Table out;
  out.lines.push_back(report.url.text() + "  " +
                      (report.unreachable ? "unreachable"
                       : verdict.fit      ? "fit for hints"
                                          : "unfit for hints") +
                      ", score " + std::to_string(verdict.score));
  if (!report.unreachable) add_facts(report, out);
  for (const probe::Reason& reason : verdict.reasons)
    out.row(reason.unfit ? "unfit" : "-" + std::to_string(reason.points), reason.text);
  return out.lines;
}

void print_probe(const Context& context, const probe::Report& report,
                 const probe::Verdict& verdict) {
  if (context.json) return print_line(probe_json(report, verdict));
  for (const std::string& line : probe_table(report, verdict)) print_line(line);
}

}  // namespace ipnscast::tools
