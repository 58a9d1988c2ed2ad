#include "ipnscast/sync/publish/empty_content.h"

#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync {
namespace {

// As others publish them: they need not be read to be known.
constexpr std::string_view kEmptyDirectory =
    "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
constexpr std::string_view kEmptyFile =
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
constexpr std::string_view kEmptyFileNode =  // as `ipfs add` makes it without raw leaves
    "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y";
constexpr std::string_view kEmptyIdentity = "bafkqaaa";

constexpr size_t kMostBlocks = 100'000;  // of directories without a byte in them

}  // namespace

bool is_empty_content(BlockSource& source, const Cid& root) {
  const std::string text = root.as_v1().to_string();
  if (text == kEmptyDirectory || text == kEmptyFile || text == kEmptyFileNode ||
      text == kEmptyIdentity) {
    return true;
  }
  const auto walked =
      walk_dag(source, root, {.max_blocks = kMostBlocks}, [](const Cid& cid, ByteView block) {
        const auto node = decode_node(cid, block);
        const bool empty = node && (node->is_directory() || (node->is_file() && node->size() == 0));
        return empty ? Status{} : Status(fail(Errc::too_large, "there is something"));
      });
  return walked && walked->is_complete();
}

}  // namespace ipnscast::sync
