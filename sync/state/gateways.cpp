// The table of gateways in the state file.
#include <cmath>

#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr int64_t kMostRows = 256;
constexpr size_t kMostLatencies = 32;
constexpr int64_t kForgottenAfterMs = int64_t{90} * 24 * 3600 * 1000;

int64_t thousandths(double count) { return static_cast<int64_t>(std::llround(count * 1000)); }

std::string joined(const std::vector<Milliseconds>& latencies) {
  std::string out;
  for (const Milliseconds latency : latencies) {
    if (!out.empty()) out += ' ';
    out += std::to_string(latency.count());
  }
  return out;
}

// Numbers with a space between; reading ends at whatever is none.
std::vector<Milliseconds> split(const std::string& text) {
  std::vector<Milliseconds> out;
  size_t at = 0;
  while (at < text.size() && out.size() < kMostLatencies) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end == at || end - at > 9 || text.find_first_not_of("0123456789", at) < end) break;
    out.emplace_back(std::stol(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

}  // namespace

Status save_gateways(store::Database& db, const std::vector<gateway::GatewayMemory>& gateways) {
  int64_t latest = 0;
  for (const auto& one : gateways) {
    auto s = db.prepare(
        "INSERT OR REPLACE INTO sync_gateways(url, answers, failures, lies, latencies, at_ms) "
        "VALUES(?,?,?,?,?,?)");
    s.bind(one.url).bind(thousandths(one.answers)).bind(thousandths(one.failures));
    s.bind(thousandths(one.lies)).bind(joined(one.latencies)).bind(one.at.value);
    if (auto status = run(s); !status) return status;
    latest = std::max(latest, one.at.value);
  }
  auto prune = db.prepare(
      "DELETE FROM sync_gateways WHERE at_ms < ? OR url NOT IN (SELECT url FROM sync_gateways "
      "ORDER BY at_ms DESC LIMIT ?)");
  prune.bind(latest - kForgottenAfterMs).bind(kMostRows);
  return run(prune);
}

Result<std::vector<gateway::GatewayMemory>> load_gateways(store::Database& db) {
  std::vector<gateway::GatewayMemory> out;
  auto s = db.prepare(
      "SELECT url, answers, failures, lies, latencies, at_ms FROM sync_gateways ORDER BY url");
  while (s.step()) {
    gateway::GatewayMemory one;
    one.url = s.text(0);
    one.answers = static_cast<double>(s.integer(1)) / 1000;
    one.failures = static_cast<double>(s.integer(2)) / 1000;
    one.lies = static_cast<double>(s.integer(3)) / 1000;
    one.latencies = split(s.text(4));
    one.at = {s.integer(5)};
    out.push_back(std::move(one));
  }
  if (!s.status()) return fail(s.status().error());
  return out;
}

}  // namespace ipnscast::sync
