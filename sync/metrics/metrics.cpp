#include "ipnscast/sync/metrics/metrics.h"

#include <nlohmann/json.hpp>

namespace ipnscast::sync {
namespace {

using nlohmann::json;
using Microseconds = std::chrono::microseconds;

json cache_json(const CacheMetrics& cache) {
  return {{"hits", cache.hits}, {"misses", cache.misses}};
}

CacheMetrics read_cache(const json& value) {
  return {value.at("hits").get<uint64_t>(), value.at("misses").get<uint64_t>()};
}

}  // namespace

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::resolve:
      return "resolve";
    case Operation::poll:
      return "poll";
    case Operation::fetch:
      return "fetch";
    case Operation::publish:
      return "publish";
    case Operation::block:
      return "block";
  }
  return "";
}

std::string Metrics::to_json() const {
  json out = {{"at", at.value}, {"records", cache_json(records)}, {"blocks", cache_json(blocks)}};
  for (const Operation operation : kOperations) {
    const OperationMetrics& metrics = of(operation);
    out["operations"][std::string(to_string(operation))] = {
        {"count", metrics.count},        {"failures", metrics.failures},
        {"slow", metrics.slow},          {"p50_us", metrics.p50.count()},
        {"p95_us", metrics.p95.count()}, {"p99_us", metrics.p99.count()}};
  }
  auto& sources_json = out["sources"] = json::array();
  for (const SourceState& source : sources)
    sources_json.push_back({{"kind", source.kind}, {"url", source.url}, {"up", source.up}});
  return out.dump();
}

Result<Metrics> Metrics::from_json(std::string_view text) {
  try {
    const json value = json::parse(text);
    Metrics out;
    out.at.value = value.at("at").get<int64_t>();
    out.records = read_cache(value.at("records"));
    out.blocks = read_cache(value.at("blocks"));
    for (const Operation operation : kOperations) {
      const json& row = value.at("operations").at(std::string(to_string(operation)));
      OperationMetrics& metrics = out.operations[static_cast<size_t>(operation)];
      metrics.count = row.at("count").get<uint64_t>();
      metrics.failures = row.at("failures").get<uint64_t>();
      metrics.slow = row.at("slow").get<uint64_t>();
      metrics.p50 = Microseconds(row.at("p50_us").get<int64_t>());
      metrics.p95 = Microseconds(row.at("p95_us").get<int64_t>());
      metrics.p99 = Microseconds(row.at("p99_us").get<int64_t>());
    }
    if (const auto found = value.find("sources"); found != value.end()) {
      for (const json& row : *found)
        out.sources.push_back({row.at("kind").get<std::string>(), row.at("url").get<std::string>(),
                               row.at("up").get<bool>()});
    }
    return out;
  } catch (const json::exception& error) {
    return fail(Errc::parse, std::string("metrics: ") + error.what());
  }
}

}  // namespace ipnscast::sync
