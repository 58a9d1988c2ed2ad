#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ipnscast/sync/fetch/fetcher.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"
#include "ipnscast/tests/support/temp_dir.h"

// A fetcher over gateways that a test plays.
namespace ipnscast::test {

using namespace ipnscast::sync;

struct Fixture {
  explicit Fixture(const std::vector<std::string>& urls)
      : book(entries(urls)),
        http(std::move(*gateway::HttpClient::open())),
        cache(std::move(*BlockCache::open(directory.path()))),
        fetcher(*http, book, *cache) {}
  ~Fixture() { fetcher.close(); }

  static std::vector<gateway::GatewayBook::Entry> entries(const std::vector<std::string>& urls) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (const std::string& url : urls) out.push_back({{url, {}}, 1});
    return out;
  }
  bool whole(const Cid& root) {
    const auto walked = walk_dag(*cache, root);
    return walked && walked->is_complete();
  }

  TempDir directory;
  gateway::GatewayBook book;
  std::unique_ptr<gateway::HttpClient> http;
  std::unique_ptr<BlockCache> cache;
  Fetcher fetcher;
};

inline bool is_car(const ScriptedRequest& request) {
  return request.target.find("format=car") != std::string::npos;
}

// Nobody is given up for being slow, or joined by another one for it, as everybody is slow on a
// busy machine.
inline const FetchOptions kPatient{
    .deadline = Milliseconds(60'000), .stall = Milliseconds(60'000), .hedge = Milliseconds(60'000)};
// For tests in which somebody goes quiet.
inline const FetchOptions kShort{.deadline = Milliseconds(20'000), .stall = Milliseconds(300)};

}  // namespace ipnscast::test
