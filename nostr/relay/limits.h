#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/nip/nip11.h"
#include "ipnscast/nostr/relay/split_filters.h"

namespace ipnscast::nostr {

// What a relay's refusals taught.
struct LearnedLimits {
  std::optional<size_t> subscriptions;  // at a time
  RequestLimits requests;               // the defaults where nothing was learned
  bool operator==(const LearnedLimits&) const = default;
};

// What one relay takes: from its information document (NIP-11), and learned from what it refused.
// Applied before sending, so that a refusal that can be foreseen costs nothing and says why. Pure.
class RelayLimits {
 public:
  void announced(const RelayInformation& information);
  // A refusal of an event or of a subscription (OK, CLOSED or NOTICE), in the relay's words.
  // `standing` gives how many other subscriptions stood, if that matters. True when it taught us
  // that there is no room beside those.
  bool learn(std::string_view words, const std::function<size_t()>& standing);
  // The same of a REQ, which needs what `needs` gives if that matters: what the next ones may hold,
  // see requests().
  void learn_request(std::string_view words, const std::function<RequestLimits()>& needs);

  // The relay ended the connection for a frame of this length: others as long are not sent.
  void refused_message(size_t frame_bytes);

  // Why this relay would refuse the event, in the words of an OK's reason ("invalid: ..."), or
  // nothing. `frame_bytes` is the length of the whole frame.
  std::optional<std::string> objection(const Event& event, size_t frame_bytes,
                                       UnixSeconds now) const;
  // Subscriptions that may stand at a time.
  std::optional<size_t> max_subscriptions() const;
  // That number is one which the relay does not announce.
  bool max_subscriptions_is_learned() const;
  void allow_one_more_subscription();
  // What one REQ may hold.
  RequestLimits requests() const;
  const LearnedLimits& learned() const { return learned_; }
  // What an earlier life had learned, unless this one knows better.
  void restore(const LearnedLimits& learned);
  // Events that one filter is answered with, by the relay's claim.
  std::optional<uint64_t> answer_limit() const { return answer_limit_; }
  const RelayInformation& information() const { return information_; }

 private:
  RelayInformation information_;
  std::optional<size_t> announced_subscriptions_;
  std::optional<uint64_t> answer_limit_;
  std::optional<size_t> refused_bytes_;
  LearnedLimits learned_;
};

}  // namespace ipnscast::nostr
