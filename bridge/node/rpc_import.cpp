// dag/import: blocks come in as CAR files in a multipart body.
#include <nlohmann/json.hpp>
#include <set>

#include "ipnscast/bridge/node/multipart.h"
#include "ipnscast/bridge/node/rpc_answer.h"
#include "ipnscast/bridge/node/rpc_routes.h"
#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/sync/ipfs/ipld/car.h"

namespace ipnscast::bridge {
namespace {

// What is collected before it is committed.
constexpr size_t kBatchBytes = 8 * 1024 * 1024;

class Importer {
 public:
  explicit Importer(BlockStore& blocks) : blocks_(blocks) {}

  Status read(ByteView car) {
    // put_all() verifies.
    sync::CarReader reader([this](const sync::CarSection& section) { return take(section); },
                           sync::CarReader::Check::trust);
    Status status = reader.feed(car);
    if (status) status = reader.finish();
    if (status) status = flush();
    for (const sync::Cid& root : reader.roots()) {
      if (known_roots_.insert(root.encode()).second) roots_.push_back(root);
    }
    return status;
  }

  const std::vector<sync::Cid>& roots() const { return roots_; }
  uint64_t block_count() const { return block_count_; }
  uint64_t block_bytes() const { return block_bytes_; }

 private:
  Status take(const sync::CarSection& section) {
    ++block_count_;
    block_bytes_ += section.block.size();
    waiting_bytes_ += section.block.size();
    waiting_.push_back({section.cid, std::move(section.block)});
    return waiting_bytes_ < kBatchBytes ? Status{} : flush();
  }

  Status flush() {
    Status stored = blocks_.put_all(waiting_);
    waiting_.clear();
    waiting_bytes_ = 0;
    return stored;
  }

  BlockStore& blocks_;
  std::vector<Block> waiting_;
  size_t waiting_bytes_ = 0;
  std::vector<sync::Cid> roots_;
  std::set<Bytes, BytesLess> known_roots_;
  uint64_t block_count_ = 0;
  uint64_t block_bytes_ = 0;
};

}  // namespace

HttpResponse RpcRoutes::dag_import(const HttpRequest& request) {
  const auto parts = parse_multipart(header_of(request, "content-type"), request.body);
  if (!parts) return rpc_error({Errc::invalid, parts.error().message});
  Importer importer(blocks_);
  for (const MultipartPart& part : *parts) {
    if (Status status = importer.read(part.body); !status) {
      return rpc_error(status.error().within("import failed"));
    }
  }
  std::vector<nlohmann::ordered_json> lines;
  if (rpc_flag(request, "pin-roots", true)) {
    const std::vector<sync::Cid>& roots = importer.roots();
    const std::vector<Status> pinned = blocks_.pin_all(roots);
    for (size_t i = 0; i < roots.size(); ++i) {
      nlohmann::ordered_json line;
      line["Root"]["Cid"]["/"] = roots[i].to_string();
      line["Root"]["PinErrorMsg"] = pinned[i] ? "" : pinned[i].error().message;
      lines.push_back(std::move(line));
    }
  }
  if (rpc_flag(request, "stats", false)) {
    lines.push_back(
        {{"Stats",
          {{"BlockCount", importer.block_count()}, {"BlockBytesCount", importer.block_bytes()}}}});
  }
  return rpc_lines(lines);
}

}  // namespace ipnscast::bridge
