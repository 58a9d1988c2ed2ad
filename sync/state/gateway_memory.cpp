#include "ipnscast/sync/state/gateway_memory.h"

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kEvery{60'000};

store::Writer::Work saving(std::vector<gateway::GatewayMemory> memories) {
  return
      [memories = std::move(memories)](store::Database& db) { return save_gateways(db, memories); };
}

}  // namespace

Status remember_gateways(gateway::GatewayBook& book, store::Writer& writer) {
  std::vector<gateway::GatewayMemory> known;
  Status read = writer.run([&](store::Database& db) -> Status {
    auto loaded = load_gateways(db);
    if (!loaded) return fail(loaded.error());
    known = std::move(*loaded);
    return {};
  });
  if (!read) return read;
  book.restore(known, system_now());
  book.keep_with(
      [&book, &writer] {
        writer.submit(saving(book.memories(system_now())), [](Status written) {
          if (!written) log_warning("gateways", written.error().message);
        });
      },
      kEvery);
  return {};
}

void save_gateways_now(const gateway::GatewayBook& book, store::Writer& writer) {
  auto memories = book.memories(system_now());
  if (memories.empty()) return;
  if (Status written = writer.run(saving(std::move(memories))); !written)
    log_warning("gateways", written.error().message);
}

}  // namespace ipnscast::sync
