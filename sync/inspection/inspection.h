#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ipnscast/sync/inspection/sample.h"

// What a gateway, router or node really does: a few requests, one after the other, and what came
// back is held against hashes and signatures. Start here; verdict.h says what it means.
namespace ipnscast::sync::inspection {

enum class Feature {
  raw,             // blocks, ?format=raw
  etag,            // If-None-Match on blocks
  only_if_cached,  // says at once that it has not got something (412)
  car,             // ?format=car
  partial_car,     // with entity-bytes
  ipns_record,     // signed records, ?format=ipns-record
  record_etag,     // If-None-Match on records
  routing,         // delegated routing: GET of records
  routing_put,     // and PUT
  providers,       // and who has what
  rpc,             // Kubo's RPC
  rpc_import,      // takes blocks
  rpc_block,       // gives blocks
  rpc_put,         // takes records
  preconditions,   // decides between writers (sync/decider/conditional_put.h)
  path,            // plain files
  http2,
};
std::string_view to_string(Feature feature);  // "only-if-cached"

struct Finding {
  enum class Answer { untested, no, unclear, yes } answer = Answer::untested;
  bool verified = false;  // a hash or a signature proves what came
  bool lied = false;      // bytes came that are not what they claim to be
  std::string words;      // why, or what exactly; quoted text is bounded and printable
  std::optional<Milliseconds> took;
};
std::string_view to_string(Finding::Answer answer);

struct Report {
  std::string url;
  std::optional<Error> unreachable;
  std::chrono::microseconds look_up{0};
  std::chrono::microseconds connect{0};
  std::chrono::microseconds tls{0};  // 0 without TLS
  int http_version = 0;              // 11, 20
  std::string rpc_version;
  Cid content;  // what was asked for
  std::optional<IpnsName> name;
  size_t requests = 0;
  std::map<Feature, Finding> findings;  // what is not here was not tested

  const Finding& finding(Feature feature) const;
};

struct Options {
  // The sample is there: it was written to this host a moment ago.
  const Sample* sample = nullptr;
  std::optional<Cid> content;  // else this is asked for; else the empty directory, which every Kubo
                               // node has
  std::optional<IpnsName> name;  // whose record is asked for, when there is no sample
  Milliseconds timeout{5'000};   // of each request
  std::optional<Instant> end;    // of all requests
  std::stop_token stop{};        // asked to stop, it gives what was found until then
};

// For the next request, at least 1 ms.
Milliseconds time_left(const Options& options);

// Only reads. Waits for each answer; not from the http thread. Every feature is asked about once:
// some fifteen requests, fewer where a protocol is not spoken.
Report inspect(gateway::Http& http, const gateway::Endpoint& endpoint, const Options& options);

// Writes the sample by whatever the other side speaks: its blocks, unpinned, by Kubo's RPC; its
// record, of a throw-away key, by delegated routing and by the RPC. What came of it, to be joined
// with a report; `stored` says that something was taken.
struct Writing {
  bool stored = false;
  size_t requests = 0;
  std::map<Feature, Finding> findings;
};
Writing write(gateway::Http& http, const gateway::Endpoint& endpoint, const Sample& sample,
              const Options& options);

}  // namespace ipnscast::sync::inspection
