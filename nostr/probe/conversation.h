#pragma once

#include <map>
#include <set>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/probe/report.h"

namespace ipnscast::nostr::probe {

// What the relay did with an event.
struct PublishAnswer {
  enum class State { accepted, refused, silent, lost };
  State state = State::lost;
  std::string reason;  // the relay's words, or ours
  bool authenticated = false;

  bool accepted() const { return state == State::accepted; }
};

// What the relay served for a REQ.
struct Reading {
  enum class State { complete, refused, silent, lost };
  State state = State::lost;
  std::vector<Event> events;  // verified, matching the filters
  bool saw_others = false;    // and some that no filter matches
  std::string reason;
  bool authenticated = false;

  bool complete() const { return state == State::complete; }
  bool has(const Event& event) const;  // unaltered
};

struct Reconciled {
  Negentropy result = Negentropy::silent;
  std::string reason;  // the relay's words, or ours
};

// One connection of a probe, spoken on by one key: sends, waits for the answer, authenticates
// (NIP-42) when the relay refuses without, and keeps what comes in between. Counts into the report.
class Conversation {
 public:
  // `key` answers AUTH challenges. All of these outlive the conversation.
  Conversation(Wire& wire, const SecretKey& key, Milliseconds patience, Report& report);

  // Connects, again when it was connected before: subscriptions and AUTH are gone then.
  Status open(Instant until);
  bool is_open() const { return connection_ != nullptr; }
  bool authenticated() const { return authenticated_; }
  // The relay sent a challenge and has not had an answer to it.
  bool can_authenticate() const {
    return !challenge_.empty() && challenge_ != answered_ && !authenticated_;
  }
  bool authenticate(Instant until);

  // Sends the event; once more after AUTH, or after a pause when the relay asks for one. Waits for
  // the OK as long as patience and `until` allow; the same holds for all that follows.
  PublishAnswer publish(const Event& event, Instant until);
  // Sends it and does not wait.
  Instant send(const Event& event);
  // The answer to what was sent last.
  PublishAnswer answer_to(const Event& event, Instant sent, Instant until);

  // What is stored; once more after AUTH. The subscription is closed afterwards.
  Reading read(const std::vector<Filter>& filters, Instant until);
  // The same under an id of the caller's choice, and without closing it: live events follow.
  Reading subscribe(const SubscriptionId& id, const std::vector<Filter>& filters, Instant until);
  void close(const SubscriptionId& id);
  // When this event came in on the subscription after its EOSE.
  std::optional<Instant> wait_live(const SubscriptionId& id, const EventId& event, Instant until);
  // An event came in on it that its filters exclude.
  bool heard_others(const SubscriptionId& id) const;
  // The relay ended it; the reason.
  std::optional<std::string> closed_reason(const SubscriptionId& id) const;

  // NIP-77: whether the relay tells one who has nothing that there is `wanted`.
  Reconciled reconcile(const Filter& filter, const EventId& wanted, Instant until);

  // Listens to nobody in particular.
  void pause(Instant until);

 private:
  struct Subscription {
    std::vector<Filter> filters;
    std::vector<Event> stored;
    std::map<EventId, Instant> live;
    std::optional<Instant> end;         // EOSE
    std::optional<std::string> closed;  // CLOSED
    bool saw_others = false;            // before the end, and
    bool heard_others = false;          // after it
  };
  struct Ok {
    bool accepted = false;
    std::string reason;
    Instant at;
  };

  // Hears frames until `done` holds. Errc::timeout, Errc::closed, Errc::cancelled.
  template <typename Done>
  Status wait(Instant until, const Done& done);
  Instant by(Instant until) const;
  void take(const Connection::Heard& heard);
  void on(EventMessage&& message, Instant at);
  void on(OkMessage&& message, Instant at);
  void on(EoseMessage&& message, Instant at);
  void on(ClosedMessage&& message, Instant at);
  void on(NoticeMessage&& message, Instant at);
  void on(AuthChallenge&& message, Instant at);
  void on(NegMessage&& message, Instant at);
  void on(NegError&& message, Instant at);
  Reading ask(const SubscriptionId& id, const std::vector<Filter>& filters, Instant until);
  PublishAnswer offer(const Event& event, Instant until);
  bool may_retry_with_auth(std::string_view reason, Instant until);

  // constant after construction
  Wire& wire_;
  const SecretKey& key_;
  const Milliseconds patience_;
  Report& report_;

  std::unique_ptr<Connection> connection_;
  std::string challenge_;
  std::string answered_;  // the challenge that we answered last
  bool authenticated_ = false;
  uint64_t next_subscription_ = 1;
  std::map<EventId, Ok> answers_;
  std::map<SubscriptionId, Subscription> subscriptions_;
  std::string last_notice_;
  std::optional<Bytes> reconciling_;            // the last NEG-MSG
  std::optional<std::string> not_reconciling_;  // the reason of the last NEG-ERR
};

}  // namespace ipnscast::nostr::probe
