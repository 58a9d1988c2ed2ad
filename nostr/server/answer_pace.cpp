#include "ipnscast/nostr/server/answer_pace.h"

#include <utility>

namespace ipnscast::nostr::server {

void AnswerPace::handed_over(ServerConnectionId connection, size_t bytes) {
  const auto found = flows_.find(connection);
  if (found == flows_.end()) return;  // closed within the batch
  Flow& flow = found->second;
  flow.handed_over += bytes;
  if (flow.full || flow.handed_over < kFull) return;
  flow.full = true;
  full_.push_back(connection);
}

std::vector<ServerConnectionId> AnswerPace::take_full() { return std::exchange(full_, {}); }

bool AnswerPace::holds(ServerConnectionId connection) const {
  const auto found = flows_.find(connection);
  return found != flows_.end() && (found->second.full || !found->second.held.empty());
}

bool AnswerPace::hold(ServerConnectionId connection, std::string frame) {
  Flow& flow = flows_[connection];
  flow.held_bytes += frame.size();
  flow.held.push_back(std::move(frame));
  return flow.held_bytes > kMaxHeld;
}

void AnswerPace::drained(ServerConnectionId connection) {
  const auto found = flows_.find(connection);
  if (found == flows_.end()) return;
  found->second.full = false;
  found->second.handed_over = 0;
}

std::optional<std::string> AnswerPace::next(ServerConnectionId connection) {
  const auto found = flows_.find(connection);
  if (found == flows_.end() || found->second.full || found->second.held.empty())
    return std::nullopt;
  Flow& flow = found->second;
  std::string frame = std::move(flow.held.front());
  flow.held.pop_front();
  flow.held_bytes -= frame.size();
  return frame;
}

}  // namespace ipnscast::nostr::server
