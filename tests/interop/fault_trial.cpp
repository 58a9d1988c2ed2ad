#include "ipnscast/tests/interop/fault_trial.h"

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::test {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr Milliseconds kDeadline{10'000};
constexpr sync::Sequence kCurrent{2};

microseconds since(Instant start) {
  return std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
}

// Every block of the edition is in the cache with the bytes that were packed.
std::string compare(Edition& edition, sync::BlockCache& cache) {
  const auto walked = sync::walk_dag(
      edition.blocks, edition.root, {}, [&](const sync::Cid& cid, ByteView block) -> Status {
        const auto got = cache.get(cid);
        if (!got || !*got) return fail(Errc::not_found, "missing: " + cid.to_string());
        if (**got != to_bytes(block)) return fail(Errc::signature, "wrong: " + cid.to_string());
        return {};
      });
  return walked ? std::string() : walked.error().message;
}

}  // namespace

FaultRun::FaultRun(FaultStage& stage, const NodeFaults& faults, uint64_t seed)
    : stage_(stage), faults_(faults), proxies_(stage.proxies(seed, faults)) {
  std::vector<sync::gateway::GatewayBook::Entry> entries;
  for (const auto& proxy : proxies_) entries.push_back({{proxy->url(), {}}});
  http_ = std::move(*sync::gateway::HttpClient::open());
  book_ = std::make_unique<sync::gateway::GatewayBook>(std::move(entries));
  resolver_ = std::make_unique<sync::Resolver>(*http_, *book_);
}

FaultRun::~FaultRun() {
  resolver_->close();
  http_->close();
}

TrialResult FaultRun::trial(uint64_t name_seed, bool floor) {
  TrialResult out;
  const StagedName staged = stage_.stage_name(name_seed, faults_);
  const TempDir folder;
  const auto cache = sync::BlockCache::open(folder.path());
  if (!cache) {
    out.failure = "cache: " + cache.error().message;
    return out;
  }
  sync::Fetcher fetcher(*http_, *book_, **cache, {.threads = 1});
  const Instant started = steady_clock::now();
  const auto record = resolve(staged.name, floor, out);
  if (!record) {
    out.failure = "resolve: " + record.error().message;
    return out;
  }
  const auto fetched = fetcher.fetch_now(staged.current->root, {.deadline = kDeadline});
  out.total = since(started);
  out.oracle = oracle(staged.name);
  if (record->fields().value != "/ipfs/" + staged.current->root.to_string())
    out.failure = "another value: " + record->fields().value;
  else if (!fetched)
    out.failure = "fetch: " + fetched.error().message;
  else
    out.failure = compare(*staged.current, **cache);
  return out;
}

// Until the current record has come, though an older one may come first.
Result<sync::IpnsRecord> FaultRun::resolve(const sync::IpnsName& name, bool floor,
                                           TrialResult& out) {
  auto updates = std::make_shared<Inbox<sync::ResolveUpdate>>(100);
  sync::ResolveOptions options;
  if (floor) options.floor = kCurrent;
  const Instant started = steady_clock::now();
  resolver_->resolve(name, options, [updates](const sync::ResolveUpdate& update) {
    updates->push_reserved(sync::ResolveUpdate(update));
  });
  while (auto update = updates->pop_until(started + kDeadline)) {
    if (update->kind == sync::ResolveUpdate::Kind::finished)
      return fail(Errc::not_found, "finished without the current record");
    if (update->kind != sync::ResolveUpdate::Kind::record) continue;
    const microseconds now = since(started);
    if (out.first.count() == 0) out.first = now;
    out.resolved = now;
    if (update->report.best->fields().sequence >= kCurrent) return *update->report.best;
    out.stale_first = true;
  }
  return fail(Errc::timeout, "no current record within the deadline");
}

microseconds FaultRun::oracle(const sync::IpnsName& name) const {
  microseconds least = kDeadline;
  for (size_t i = 0; i < kNodes; ++i) {
    if (faults_[i] != Fault::none) continue;
    for (const ProxiedRequest& request : proxies_[i]->requests()) {
      if (request.status == 200 && request.target.find(name.to_string()) != std::string::npos)
        least = std::min(least, request.delay + request.service);
    }
  }
  return least;
}

}  // namespace ipnscast::test
