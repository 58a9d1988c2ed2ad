#include "ipnscast/tools/bench/sync.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::tools {
namespace {

using std::chrono::steady_clock;

constexpr size_t kNodes = 5;
constexpr size_t kGone = 2;
constexpr int kAgain = 4;  // looks at each name after the first
constexpr Milliseconds kPatience{60'000};

double milliseconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

double p95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() * 95 / 100];
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// What one look at a name took, in milliseconds.
struct Look {
  double resolve = 0;
  double content = 0;
  double both() const { return resolve + content; }
};

class SyncBench {
 public:
  Status open(size_t names);
  Look look(const sync::IpnsKey& key, bool first);
  Result<std::vector<SyncFigure>> run(size_t names);

 private:
  Result<std::unique_ptr<sync::Client>> device(const char* name,
                                               std::vector<sync::Gateway> gateways) const;
  Status publish(sync::Client& publisher, size_t names);

  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<nostr::net::Loop> loop_;
  std::vector<std::unique_ptr<bridge::Node>> nodes_;
  std::vector<sync::IpnsKey> keys_;
  std::unique_ptr<sync::Client> reader_;
  size_t failed_ = 0;
};

Result<std::unique_ptr<sync::Client>> SyncBench::device(const char* name,
                                                        std::vector<sync::Gateway> gateways) const {
  sync::Config config;
  config.state_dir = folder_->path() / name;
  config.gateways = std::move(gateways);
  return sync::Client::open(std::move(config));
}

Status SyncBench::publish(sync::Client& publisher, size_t names) {
  for (size_t i = 0; i < names; ++i) {
    auto key = sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
    if (!key) return fail(key.error());
    const auto file = folder_->path() / "content";
    std::ofstream(file) << "version of " << i << "\n";
    if (const auto sent = publisher.publish(*key, file); !sent) return fail(sent.error());
    keys_.push_back(std::move(*key));
  }
  return {};
}

Status SyncBench::open(size_t names) {
  auto folder = TemporaryDirectory::make();
  if (!folder) return fail(folder.error());
  folder_.emplace(std::move(*folder));
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  loop_ = std::move(*loop);
  std::vector<sync::Gateway> read, written;
  for (size_t i = 0; i < kNodes; ++i) {
    bridge::NodeOptions options;
    options.gateway_port = options.rpc_port = 0;
    options.directory = folder_->path() / ("node-" + std::to_string(i));
    auto node = bridge::Node::start(*loop_, std::move(options));
    if (!node) return fail(node.error());
    read.push_back({(*node)->gateway_url()});
    written.insert(written.end(), {{(*node)->gateway_url()}, {(*node)->rpc_url()}});
    nodes_.push_back(std::move(*node));
  }
  auto publisher = device("publisher", std::move(written));
  if (!publisher) return fail(publisher.error());
  if (const Status published = publish(**publisher, names); !published) return published;
  (*publisher)->close();
  nodes_.resize(kNodes - kGone);
  auto reader = device("reader", std::move(read));
  if (!reader) return fail(reader.error());
  reader_ = std::move(*reader);
  return {};
}

// The first look fetches the content and writes it to a file, later ones read it from the cache. A
// name that cannot be resolved or whose content does not come is counted.
Look SyncBench::look(const sync::IpnsKey& key, bool first) {
  Look took;
  const auto start = steady_clock::now();
  const auto found = reader_->resolve(key.name(), kPatience, sync::Freshness::cached);
  took.resolve = milliseconds_since(start);
  std::optional<sync::Cid> root;
  if (found && found->best) root = sync::root_of(found->best->fields().value);
  const auto target = folder_->path() / "copy";
  const auto begin = steady_clock::now();
  bool got = false;
  if (root && first) got = reader_->get(*root, "", target).has_value();
  if (root && !first) {
    got = sync::read_file_content(reader_->blocks(), *root, 1 << 20, [](ByteView) {
            return Status{};
          }).has_value();
  }
  took.content = milliseconds_since(begin);
  std::filesystem::remove(target);
  if (!got) ++failed_;
  return took;
}

Result<std::vector<SyncFigure>> SyncBench::run(size_t names) {
  if (const Status opened = open(names); !opened) return fail(opened.error());
  std::vector<double> first_resolve, first_content, first, again_resolve, again_content, again, all;
  for (const sync::IpnsKey& key : keys_) {
    for (int i = 0; i <= kAgain; ++i) {
      const Look took = look(key, i == 0);
      (i == 0 ? first_resolve : again_resolve).push_back(took.resolve);
      (i == 0 ? first_content : again_content).push_back(took.content);
      (i == 0 ? first : again).push_back(took.both());
      all.push_back(took.both());
    }
  }
  const sync::CacheMetrics records = reader_->metrics().records;
  const double repeats = static_cast<double>(again.size());
  const double looks = static_cast<double>(all.size());
  return std::vector<SyncFigure>{
      {"first look, the record, p95", "S1-07 S1-08", p95(first_resolve), 100, "ms"},
      {"first look, the content, p95", "S1-08", p95(first_content), 200, "ms"},
      {"first look, both, p95", "S1-14", p95(first), 300, "ms"},
      {"later look, the record, p95", "S1-15", p95(again_resolve), 5, "ms"},
      {"later look, the content, p95", "S1-15", p95(again_content), 5, "ms"},
      {"later look, both, p95", "S1-08 S1-15", p95(again), 10, "ms"},
      {"any look, p95", "S1-01 S1-21", p95(all), 2'000, "ms"},
      {"any look, mean", "S1-21", mean(all), 500, "ms"},
      {"looks that succeed", "S1-17 S1-21 S1-23",
       100 * (looks - static_cast<double>(failed_)) / looks, 99.5, "%", true},
      {"later looks' records from the cache", "S1-17 S1-21",
       100 * static_cast<double>(records.hits) / repeats, 60, "%", true},
  };
}

}  // namespace

Result<std::vector<SyncFigure>> bench_sync(size_t names) {
  SyncBench bench;
  return bench.run(names);
}

}  // namespace ipnscast::tools
