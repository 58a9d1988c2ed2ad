// What the probe wrote is deleted again, whatever happened before.
#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/nip09.h"
#include "ipnscast/nostr/probe/run.h"

namespace ipnscast::nostr::probe {
namespace {

constexpr uint32_t kMany = 200;  // more events than a probe writes

}  // namespace

void Run::clean_up() {
  if (written_.empty()) return;
  Deletion& out = report_.deletion;
  if (!author_.is_open() && !author_.open(end_)) {
    out.reason = "the relay could not be reached any more";
    return;
  }
  request_deletion(Seconds(0));
  const auto left = count_left();
  if (!left) return;
  out.left_behind = *left;
  out.honoured = *left == 0;
  if (!*out.honoured || !newest_ || report_.cut_short) return;

  author_.publish(*newest_, end_);
  const auto returned = count_left();
  if (!returned) return;
  out.stays_gone = *returned == 0;
  if (*out.stays_gone) return;
  request_deletion(Seconds(1));
  out.left_behind = count_left().value_or(*returned);
}

// By id and by address: relays differ in which of them they follow. NIP-09.
void Run::request_deletion(Seconds later) {
  std::set<Tag> tags;
  for (const Event& event : written_) {
    const std::string kind = std::to_string(event.kind);
    const std::string d(event.tag("d").value_or(""));
    tags.insert({"e", to_hex(event.id.view())});
    tags.insert({"a", kind + ":" + to_hex(event.pubkey.view()) + ":" + d});
    tags.insert({"k", kind});
  }
  const UnixSeconds now = wire_.now().seconds();
  const Event request = sign_event(author_key_, {.created_at = {now.value + later.count()},
                                                 .kind = kDeletionKind,
                                                 .tags = {tags.begin(), tags.end()},
                                                 .content = "relay probe"});
  const PublishAnswer answer = author_.publish(request, end_);
  if (!answer.accepted()) report_.deletion.reason = answer.reason;
}

// How many of our events are still served, also at a second look; nothing when the relay does not
// say.
std::optional<size_t> Run::count_left() {
  std::optional<size_t> left = count_served();
  if (!left || *left == 0) return left;
  author_.pause(std::min(end_, wire_.now().steady + kSecondLook));
  const auto again = count_served();
  return again ? again : left;
}

std::optional<size_t> Run::count_served() {
  Filter filter;
  filter.authors = {author_key_.public_key()};
  filter.kinds = options_.kinds;
  filter.limit = kMany + counts_++;  // never the same filter: some relays answer from a cache
  const Reading reading = author_.read({filter}, end_);
  if (!reading.complete()) return std::nullopt;
  return reading.events.size();
}

}  // namespace ipnscast::nostr::probe
