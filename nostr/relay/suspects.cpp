// Events that a relay hangs up at: too long for it, or unbearable for another reason. They must not
// keep the others from it, which are in the same connection.
#include <algorithm>

#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {
namespace {

constexpr uint32_t kMostCuts = 3;
constexpr size_t kMostSuspects = 1000;

}  // namespace

uint32_t Relay::cuts_of(const EventId& id) const {
  const auto found = cut_by_.find(id);
  return found == cut_by_.end() ? 0 : found->second;
}

bool Relay::has_unanswered() const {
  return std::any_of(publishing_.begin(), publishing_.end(), [](const auto& one) {
    return one.second.answer_by && !one.second.needs_auth;
  });
}

// One at a time, after all others have their answer, the shortest first.
void Relay::write_suspects(Now now, Actions& out) {
  if (cut_by_.empty() || !connected()) return;
  while (!has_unanswered()) {
    Publishing* next = nullptr;
    for (auto& [id, publishing] : publishing_) {
      const bool waits = publishing.cuts > 0 && !publishing.answer_by && !publishing.retry_at;
      if (waits && (next == nullptr || publishing.frame_bytes < next->frame_bytes))
        next = &publishing;
    }
    if (next == nullptr) return;
    write(*next, now, out);
  }
}

// The connection was lost. Where the relay says that a frame was too big, that was the longest one
// without an answer. Else each of them may be the reason, and one that was alone several times is.
void Relay::note_cut(const Loss& loss, Now now, Actions& out) {
  if (!connected() || (loss.ours && !loss.hung_up)) return;
  std::vector<Publishing*> unanswered;
  for (auto& [id, publishing] : publishing_) {
    if (publishing.answer_by && !publishing.needs_auth) unanswered.push_back(&publishing);
  }
  const auto longest = std::max_element(unanswered.begin(), unanswered.end(), [](auto* a, auto* b) {
    return a->frame_bytes < b->frame_bytes;
  });
  if (loss.too_big) {
    const size_t request = requested_ > 0 ? greatest_needs().max_bytes : 0;
    if (longest == unanswered.end() || request > (*longest)->frame_bytes) {
      if (requested_ > 0)
        limits_.learn_request("message too big", [this] { return greatest_needs(); });
      return;
    }
    limits_.refused_message((*longest)->frame_bytes);
    const std::string why = "invalid: the relay says that the message is too big (" +
                            std::to_string((*longest)->frame_bytes) + " bytes)";
    return settle(publishing_.find((*longest)->event.id), {PublishState::refused, why, true, {}},
                  now, out);
  }
  for (Publishing* one : unanswered) {
    if (cut_by_.size() >= kMostSuspects && !cut_by_.contains(one->event.id)) continue;
    one->cuts = ++cut_by_[one->event.id];
  }
  if (unanswered.size() != 1 || (*longest)->cuts < kMostCuts) return;
  const std::string why = "error: the relay ends the connection when it is sent this event (" +
                          std::to_string((*longest)->frame_bytes) + " bytes)";
  settle(publishing_.find((*longest)->event.id), {PublishState::refused, why, false, {}}, now, out);
}

}  // namespace ipnscast::nostr
