#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ipnscast::sync {
namespace {

// What may be repeated before anybody looks closer, besides an eighth of what was not: real trees
// have the same licence in many places.
constexpr uint64_t kFreeRepeats = 256;
constexpr uint64_t kFreeRepeatedBytes = uint64_t{32} << 20;

// Visits that may come to nothing. Real content has a block for some hundred bytes at least, and a
// few for each entry of a sharded directory.
constexpr uint64_t kFreeVisits = uint64_t{1} << 20;
constexpr uint64_t kBytesPerVisit = 64;
constexpr uint64_t kVisitsPerEntry = 16;

// Written bytes that are removed in a nanosecond, on ext4 and tmpfs, rounded down.
constexpr uint64_t kRemoved = 8;

uint64_t sum(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

tl::unexpected<Error> too_many_bytes(uint64_t most) {
  return fail(Errc::too_large, "the content is larger than " + size_text(most) + " (max_bytes)");
}

tl::unexpected<Error> too_many_entries(uint64_t most) {
  return fail(Errc::too_large,
              "the content has more than " + std::to_string(most) + " files and directories");
}

tl::unexpected<Error> too_many_visits(uint64_t most) {
  return fail(Errc::too_large,
              "the content links to its blocks more than " + std::to_string(most) + " times");
}

}  // namespace

DagTotals& DagTotals::operator+=(const DagTotals& more) {
  bytes = sum(bytes, more.bytes);
  entries = sum(entries, more.entries);
  visits = sum(visits, more.visits);
  return *this;
}

std::string size_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1024; value /= 1024) ++unit;
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %s", value, kUnits[unit]);
  return text;
}

Result<Bytes> DagBudget::read(BlockSource& source, const Cid& cid) {
  if (Status allowed = visit(); !allowed) return fail(allowed.error());
  auto block = read_block(source, cid);
  if (!block || !look_) return block;
  if (Status looked = note_repeat(cid, block->size()); !looked) return fail(looked.error());
  return block;
}

Status DagBudget::note_repeat(const Cid& cid, size_t bytes) {
  if (seen_.insert(as_text(cid.hash.digest))) {
    distinct_bytes_ += bytes;
    return {};
  }
  ++repeated_.visits;
  repeated_.bytes += bytes;
  if (repeated_.visits <= kFreeRepeats + seen_.size() / 8 &&
      repeated_.bytes <= kFreeRepeatedBytes + distinct_bytes_ / 8) {
    return {};
  }
  return std::exchange(look_, nullptr)();
}

uint64_t DagBudget::visits_for(const DagTotals& made) const {
  const uint64_t earned = kFreeVisits + made.bytes / kBytesPerVisit +
                          std::min(made.entries, limits_.max_entries) * kVisitsPerEntry;
  return std::min(earned, limits_.max_visits);
}

Status DagBudget::visit() {
  const uint64_t most = visits_for(spent_);
  if (spent_.visits >= most) return too_many_visits(most);
  ++spent_.visits;
  return check_time();
}

Status DagBudget::entry() {
  if (spent_.entries >= limits_.max_entries) return too_many_entries(limits_.max_entries);
  ++spent_.entries;
  return check_time();
}

Status DagBudget::write(uint64_t bytes) {
  if (bytes > limits_.max_bytes - spent_.bytes) return too_many_bytes(limits_.max_bytes);
  spent_.bytes += bytes;
  return check_time();
}

Status DagBudget::open(uint64_t links) {
  if (links > limits_.max_open - open_)
    return fail(Errc::too_large, "the content nests directories of too many entries");
  open_ += links;
  return {};
}

Status DagBudget::expect(const DagTotals& claimed) const {
  if (claimed.bytes > limits_.max_bytes - spent_.bytes) return too_many_bytes(limits_.max_bytes);
  if (claimed.entries > limits_.max_entries - spent_.entries)
    return too_many_entries(limits_.max_entries);
  DagTotals all = spent_;
  all += claimed;
  if (all.visits > visits_for(all)) return too_many_visits(visits_for(all));
  return {};
}

Status DagBudget::check_time() const {
  if (limits_.stopped && limits_.stopped()) return fail(Errc::cancelled, "stopped");
  if (!limits_.deadline) return {};
  // What was written has to be removed again, within the same time.
  const auto undo = made_for_ + made_for_ / 4 + std::chrono::nanoseconds(spent_.bytes / kRemoved);
  if (std::chrono::steady_clock::now() + undo < *limits_.deadline) return {};
  return fail(Errc::timeout, "the content was not written within the deadline");
}

}  // namespace ipnscast::sync
