#include "ipnscast/nostr/server/negentropy_sessions.h"

#include <iterator>

namespace ipnscast::nostr::server {

NegentropySessions::Sessions::iterator NegentropySessions::drop(Sessions::iterator session) {
  items_ -= session->second.set.size();
  return sessions_.erase(session);
}

Status NegentropySessions::open(ServerConnectionId connection, const SubscriptionId& id,
                                NegentropySet set, Instant now) {
  close(connection, id);
  const auto first = sessions_.lower_bound({connection, ""});
  const auto last = sessions_.lower_bound({{connection.value + 1}, ""});
  if (static_cast<size_t>(std::distance(first, last)) >= max_of_connection_)
    return fail(Errc::busy, "too many reconciliations at a time");
  if (items_ + set.size() > max_items_) {
    for (auto it = sessions_.begin(); it != sessions_.end();)
      it = now - it->second.used >= kIdle ? drop(it) : std::next(it);
  }
  if (items_ + set.size() > max_items_)
    return fail(Errc::busy, "the relay reconciles with too many others now");
  items_ += set.size();
  sessions_[{connection, id}] = {std::move(set), now};
  return {};
}

const NegentropySet* NegentropySessions::find(ServerConnectionId connection,
                                              const SubscriptionId& id, Instant now) {
  const auto found = sessions_.find({connection, id});
  if (found == sessions_.end()) return nullptr;
  found->second.used = now;
  return &found->second.set;
}

void NegentropySessions::close(ServerConnectionId connection, const SubscriptionId& id) {
  const auto found = sessions_.find({connection, id});
  if (found != sessions_.end()) drop(found);
}

void NegentropySessions::close_all(ServerConnectionId connection) {
  auto it = sessions_.lower_bound({connection, ""});
  while (it != sessions_.end() && it->first.first == connection) it = drop(it);
}

}  // namespace ipnscast::nostr::server
