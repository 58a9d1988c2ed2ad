#include "ipnscast/sync/source/hint_opener.h"

#include "ipnscast/sync/hint/private_hint.h"

namespace ipnscast::sync {
namespace {

const nostr::RelayUrl& relay_of(const nostr::PoolMessage& message) {
  return std::visit([](const auto& m) -> const nostr::RelayUrl& { return m.relay; }, message);
}

}  // namespace

HintOpener::HintOpener(std::shared_ptr<nostr::Signer> signer, Post post, size_t at_a_time)
    : signer_(std::move(signer)),
      own_key_(signer_->public_key()),
      post_(std::move(post)),
      at_a_time_(at_a_time) {}

void HintOpener::take(nostr::PoolMessage message) {
  const nostr::RelayUrl relay = relay_of(message);
  auto& slot = lines_[relay].emplace_back(Slot{{std::move(message), std::nullopt}});
  ++held_;
  const auto* event = std::get_if<nostr::PoolEvent>(&slot.content.message);
  if (event != nullptr && is_private_hint(event->event, own_key_)) {
    if (event->event.content.size() > kMaxPrivatePayload) {
      slot.content.text = fail(Errc::too_large, "a private hint that is too large");
    } else {
      slot.waits = true;
      unasked_.push_back(&slot);
    }
  }
  release(relay);
  ask();
}

void HintOpener::answer(Answer answer) {
  const auto found = asked_.find(answer.ticket);
  if (found == asked_.end()) return;
  Slot& slot = *found->second;
  asked_.erase(found);
  slot.waits = false;
  slot.content.text = std::move(answer.text);
  // A copy: releasing moves the message away.
  release(nostr::RelayUrl(relay_of(slot.content.message)));
  ask();
}

std::optional<HintOpener::Opened> HintOpener::next() {
  if (ready_.empty()) return std::nullopt;
  std::optional<Opened> out(std::move(ready_.front()));
  ready_.pop_front();
  --held_;
  return out;
}

void HintOpener::ask() {
  while (!unasked_.empty() && asked_.size() < at_a_time_) {
    Slot* const slot = unasked_.front();
    unasked_.pop_front();
    const uint64_t ticket = ++last_ticket_;
    asked_.emplace(ticket, slot);
    signer_->nip44_decrypt(std::get<nostr::PoolEvent>(slot->content.message).event.content,
                           own_key_, [post = post_, ticket](Result<std::string> text) {
                             post({ticket, std::move(text)});
                           });
  }
}

void HintOpener::release(const nostr::RelayUrl& relay) {
  const auto line = lines_.find(relay);
  while (!line->second.empty() && !line->second.front().waits) {
    ready_.push_back(std::move(line->second.front().content));
    line->second.pop_front();
  }
  if (line->second.empty()) lines_.erase(line);
}

}  // namespace ipnscast::sync
