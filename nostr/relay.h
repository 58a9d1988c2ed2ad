#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nostr/backoff.h"
#include "nostr/frame_verifier.h"
#include "nostr/message.h"
#include "nostr/publish_outcome.h"

namespace ipnscast::nostr {

// Where a subscription stands at one relay, with a reason that can be asked for. Nothing ends
// silently.
enum class SubscriptionState {
  waiting,      // for the connection
  requested,    // REQ is out, stored events arrive
  live,         // EOSE came
  needs_auth,   // refused until we are authenticated (NIP-42)
  backing_off,  // refused for now; asked again later
  refused,      // refused for good, until the next connection or an hour has passed
};
std::string_view to_string(SubscriptionState state);

struct SubscriptionStatus {
  SubscriptionState state = SubscriptionState::waiting;
  std::string reason;  // the relay's words
};

// One relay as a pure state machine: it takes what happened and the time, and gives what to do.
// Holds the subscriptions, the events to publish, AUTH (NIP-42), and when to connect again. Knows
// no socket and reads no clock; pool.h runs it on the net thread, tests on a virtual clock.
class Relay {
 public:
  struct Options {
    Backoff::Options connect;
    Backoff::Options resubscribe;
    Milliseconds ok_timeout{10'000};  // from writing an event to its OK
    Milliseconds refused_retry{
        3'600'000};               // a subscription refused for good is asked again after this
    Seconds resume_overlap{300};  // asked again before the newest verified event, after a reconnect
    size_t max_publishing = 1000;  // events waiting for this relay at a time
  };

  // ---- what to do ----
  struct Connect {};
  struct Disconnect {};
  struct Send {
    std::string frame;
  };
  struct Deliver {  // verified, solicited and matching
    SubscriptionId subscription;
    Event event;
  };
  struct ReachedEnd {  // EOSE
    SubscriptionId subscription;
  };
  struct Published {
    EventId id;
    RelayOutcome outcome;
  };
  struct SignAuth {  // answer with auth_signed()
    std::string challenge;
  };
  using Action = std::variant<Connect, Disconnect, Send, Deliver, ReachedEnd, Published, SignAuth>;
  using Actions = std::vector<Action>;

  struct Counters {
    uint64_t connects = 0;
    uint64_t forged = 0;     // bad id or signature
    uint64_t malformed = 0;  // and too large
    uint64_t unsolicited =
        0;  // a subscription we do not have, or an event its filters do not match
    uint64_t delivered = 0;
    uint64_t notices = 0;
  };

  Relay(Options options, Rng rng, bool can_authenticate);

  // ---- what happened ----
  void start(Now now, Actions& out);
  void opened(Now now, Actions& out);
  // `at_least` is how long the relay asked us to stay away.
  void closed(Now now, Milliseconds at_least, Actions& out);
  // One checked frame. A verdict of duplicate must come with its parsed event in `message`.
  void frame(CheckedFrame frame, Now now, Actions& out);
  void auth_signed(Result<Event> event, Now now, Actions& out);
  // Runs what is due: reconnect, REQ again, publishes without an answer.
  void tick(Now now, Actions& out);

  // Same id again: the filters are replaced.
  void subscribe(SubscriptionId id, std::vector<Filter> filters, Now now, Actions& out);
  void unsubscribe(const SubscriptionId& id, Actions& out);
  // Ends with exactly one Published. Without a connection until `deadline`: unreachable.
  void publish(const Event& event, Instant deadline, Now now, Actions& out);

  // When tick() wants to run next.
  std::optional<Instant> next_tick() const;
  bool connected() const { return link_ == Link::open; }
  const Counters& counters() const { return counters_; }
  std::optional<SubscriptionStatus> status(const SubscriptionId& id) const;

 private:
  enum class Link { idle, connecting, open, waiting };
  enum class Auth { none, challenged, signing, sent, done, refused };

  struct Subscription {
    std::vector<Filter> filters;
    SubscriptionStatus status;
    Backoff backoff;
    std::optional<Instant> retry_at;
    std::optional<UnixSeconds> newest;  // of the verified events, never from the future
    bool reached_end = false;           // at least once: the user's limit no longer counts
  };
  struct Publishing {
    Event event;
    Instant accepted_at;
    Instant deadline;
    std::optional<Instant> answer_by;  // set while written
    std::optional<Instant> retry_at;   // after rate-limited
    bool needs_auth = false;
    bool authenticated_retry = false;
    bool was_written = false;
    Backoff backoff;
  };

  void request(const SubscriptionId& id, Subscription& subscription, Actions& out);
  void write(Publishing& publishing, Now now, Actions& out);
  void settle(std::map<EventId, Publishing>::iterator it, RelayOutcome outcome, Now now,
              Actions& out);
  void on(const EventMessage& message, Now now, Actions& out);
  void on(const OkMessage& message, Now now, Actions& out);
  void on(const EoseMessage& message, Now now, Actions& out);
  void on(const ClosedMessage& message, Now now, Actions& out);
  void on(const NoticeMessage& message, Now now, Actions& out);
  void on(const AuthChallenge& message, Now now, Actions& out);
  void on(const CountMessage& message, Now now, Actions& out);
  void on(const UnknownMessage& message, Now now, Actions& out);
  void want_auth(Actions& out);
  void auth_over(bool accepted, const std::string& reason, Now now, Actions& out);
  std::vector<Filter> resume_filters(const Subscription& subscription) const;

  // constant after construction
  const Options options_;
  const bool can_authenticate_;

  Rng rng_;
  Link link_ = Link::idle;
  Backoff connect_backoff_;
  std::optional<Instant> connect_at_;
  Auth auth_ = Auth::none;
  std::string challenge_;  // the latest only
  EventId auth_event_;
  std::map<SubscriptionId, Subscription> subscriptions_;
  std::map<EventId, Publishing> publishing_;
  Counters counters_;
};

}  // namespace ipnscast::nostr
