#include "ipnscast/nostr/base/secret/secret_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <new>
#include <vector>

namespace ipnscast {
namespace {

// Locking and leaving out work by pages, and most secrets are keys of 32 bytes: these share pages,
// which are never given back.
constexpr size_t kSlotBytes = 64;

struct Slots {
  std::mutex mutex;
  size_t count = 0;
  std::vector<uint8_t*> free;  // has room for all
};

// Never destroyed: secrets of static duration end after everything else.
Slots& slots() {
  static Slots& all = *new Slots;
  return all;
}

size_t page_bytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

size_t whole_pages(size_t size) { return (size + page_bytes() - 1) / page_bytes() * page_bytes(); }

uint8_t* map_pages(size_t size) {
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  ::madvise(pages, size, MADV_DONTDUMP);
  (void)::mlock(pages,
                size);  // beyond the limit a secret can be swapped out, and works all the same
  return static_cast<uint8_t*>(pages);
}

uint8_t* take_slot() {
  Slots& all = slots();
  const std::lock_guard lock(all.mutex);
  if (all.free.empty()) {
    all.free.reserve(all.count + page_bytes() / kSlotBytes);
    uint8_t* const page = map_pages(page_bytes());
    all.count += page_bytes() / kSlotBytes;
    for (size_t at = page_bytes(); at > 0; at -= kSlotBytes)
      all.free.push_back(page + at - kSlotBytes);
  }
  uint8_t* const slot = all.free.back();
  all.free.pop_back();
  return slot;
}

void give_back_slot(uint8_t* slot) {
  Slots& all = slots();
  const std::lock_guard lock(all.mutex);
  all.free.push_back(slot);
}

}  // namespace

SecretMemory::SecretMemory(size_t size) {
  if (size == 0) return;
  bytes_ = {size <= kSlotBytes ? take_slot() : map_pages(whole_pages(size)), size};
}

SecretMemory::~SecretMemory() {
  if (bytes_.empty()) return;
  wipe(bytes_);
  if (bytes_.size() <= kSlotBytes) {
    give_back_slot(bytes_.data());
  } else {
    ::munmap(bytes_.data(), whole_pages(bytes_.size()));
  }
}

}  // namespace ipnscast
