#include <cstdlib>
#include <utility>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/car.h"

using namespace ipnscast;
using namespace ipnscast::sync;

// The same stream in pieces of any size gives the same blocks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const auto read = [bytes](size_t piece) {
    std::vector<std::pair<Cid, Bytes>> blocks;
    CarReader reader(
        [&](const CarSection& section) {
          blocks.emplace_back(section.cid, std::move(section.block));
          return Status();
        },
        CarReader::Check::trust);
    for (size_t at = 0; at < bytes.size(); at += piece) {
      static_cast<void>(reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at))));
    }
    return std::pair(std::move(blocks), reader.finish().has_value());
  };
  if (read(size + 1) != read(3)) std::abort();
  return 0;
}
