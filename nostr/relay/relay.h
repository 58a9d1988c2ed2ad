#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/relay/auth.h"
#include "ipnscast/nostr/relay/backoff.h"
#include "ipnscast/nostr/relay/catch_up.h"
#include "ipnscast/nostr/relay/due_times.h"
#include "ipnscast/nostr/relay/limits.h"
#include "ipnscast/nostr/relay/publish_outcome.h"
#include "ipnscast/nostr/relay/reconciliation.h"
#include "ipnscast/nostr/relay/retry_pace.h"
#include "ipnscast/nostr/verify/frame_verifier.h"

namespace ipnscast::nostr {

// Where a subscription stands at one relay, with a reason that can be asked for. Nothing ends
// silently.
enum class SubscriptionState {
  waiting,      // for the connection, or for room among the relay's subscriptions
  requested,    // REQ is out, stored events arrive
  live,         // EOSE came
  needs_auth,   // refused until we are authenticated (NIP-42)
  backing_off,  // refused for now; asked again later
  refused,      // refused for good, until the next connection or an hour has passed
};
std::string_view to_string(SubscriptionState state);

struct SubscriptionStatus {
  SubscriptionState state = SubscriptionState::waiting;
  std::string reason;  // the relay's words, or ours when it said nothing
};

// How much of what a relay has stored for a subscription has come, and why not all.
struct StoredEnd {
  enum class Kind {
    complete,
    delayed,     // refused for now, asked again
    incomplete,  // refused for good: until the next connection or an hour has passed
  };
  Kind kind = Kind::complete;
  std::string reason;  // as in SubscriptionStatus; empty when complete
  bool operator==(const StoredEnd&) const = default;
};

// One relay as a pure state machine: it takes what happened and the time, and gives what to do.
// Holds the subscriptions, the events to publish, AUTH (NIP-42), the relay's limits (NIP-11), and
// when to connect again. Knows no socket and reads no clock; pool.h runs it on the net thread,
// tests on a virtual clock.
class Relay {
 public:
  struct Options {
    Backoff::Options connect;
    // While most relays are away at once, which is our own outage.
    Backoff::Options connect_in_outage{Milliseconds(1'000), Milliseconds(30'000),
                                       Milliseconds(60'000)};
    Backoff::Options resubscribe;
    CatchUp::Options catch_up;
    Milliseconds ok_timeout{10'000};  // from writing an event, or an AUTH, to its OK
    // From writing an AUTH to trying without its OK what waits for it, once.
    Milliseconds auth_patience{2'000};
    // From asking for stored events to their EOSE, while nothing of any answer comes; and at most.
    Milliseconds page_timeout{30'000};
    Milliseconds answer_timeout{600'000};
    // A subscription refused for good is asked again after this.
    Milliseconds refused_retry{3'600'000};
    // NIP-77 catches up after an absence of this length, where the relay has it.
    Milliseconds reconcile_after{3'600'000};
    size_t max_requested = 100;  // REQs without their EOSE at a time; the others follow
    // Subscriptions refused for now that are asked again each on its own; more share one pace.
    size_t max_own_retries = 10;
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
  struct ReachedEnd {  // of what was stored, however many pages that took; see end()
    SubscriptionId subscription;
  };
  struct Published {
    EventId id;
    RelayOutcome outcome;
  };
  struct SignAuth {  // answer with auth_signed()
    PublicKey key;
    std::string challenge;
  };
  struct NeedKnown {  // answer with known(): all that we have for each of the filters
    SubscriptionId subscription;
    std::vector<Filter> filters;
  };
  using Action =
      std::variant<Connect, Disconnect, Send, Deliver, ReachedEnd, Published, SignAuth, NeedKnown>;
  using Actions = std::vector<Action>;

  struct Counters {
    uint64_t connects = 0;
    uint64_t forged = 0;     // bad id or signature
    uint64_t malformed = 0;  // and too large
    uint64_t unsolicited =
        0;                 // a subscription we do not have, or an event its filters do not match
    uint64_t expired = 0;  // NIP-40
    uint64_t delivered = 0;
    uint64_t notices = 0;
    uint64_t pages = 0;     // of stored events, beyond the first answer
    uint64_t timeouts = 0;  // REQs whose stored events had no end in time
  };

  // `keys` are those we can prove to hold (NIP-42), the one to prove by default first.
  Relay(Options options, Rng rng, std::vector<PublicKey> keys);

  // ---- what happened ----
  void start(Now now, Actions& out);
  void opened(Now now, Actions& out);
  struct Loss {
    Milliseconds at_least{0};  // the relay asked us to stay away for so long
    bool ours = false;         // our own network is down: says nothing about the relay
    bool too_big = false;      // the relay says that a frame of ours was (RFC 6455, 1009)
    bool hung_up = false;      // the other side ended the connection
  };
  void closed(Now now, Loss loss, Actions& out);
  // The network is back: what was lost with it connects again within a second or so.
  void network_back(Now now);
  // The relay's information document came.
  void announced(const RelayInformation& information);
  // It will not come for now.
  void not_announced() { information_settled(); }
  // What an earlier life learned from its refusals.
  void remember(const LearnedLimits& learned) { limits_.restore(learned); }
  // One checked frame. A verdict of duplicate comes with its parsed event in `message` when it has
  // to be delivered.
  void frame(CheckedFrame frame, Now now, Actions& out);
  void auth_signed(const PublicKey& key, Result<Event> event, Now now, Actions& out);
  // Whether frames of this relay are taken: while they are not, its silence means nothing.
  void reading(bool on, Now now);
  // Runs what is due: reconnect, REQ again, publishes without an answer.
  void tick(Now now, Actions& out);

  struct Resume {
    std::optional<UnixSeconds> covered;  // what an earlier life knew: see CatchUp::covered()
    bool has_known = false;              // NeedKnown will be answered
  };
  // Same id again: the filters are replaced. Ids are at most 50 characters, do not begin with "p:"
  // and have no '~'.
  void subscribe(SubscriptionId id, CatchUp::Filters filters, Resume resume, Now now, Actions& out);
  // A set for each filter of NeedKnown; those that are left out are empty.
  void known(const SubscriptionId& id, std::vector<NegentropySet> known, Now now, Actions& out);
  // The same for what an own key published: where the relay has asked for AUTH, the key is proved
  // first, as some relays serve certain kinds to their author only and say nothing about it.
  void subscribe_as(const PublicKey& author, SubscriptionId id, CatchUp::Filters filters, Now now,
                    Actions& out);
  void unsubscribe(const SubscriptionId& id, Now now, Actions& out);
  // Ends with exactly one Published, at `deadline` at the latest.
  void publish(const Event& event, Instant deadline, Now now, Actions& out);

  // When tick() wants to run next.
  std::optional<Instant> next_tick() const;
  bool connected() const { return link_ == Link::open; }
  const Counters& counters() const { return counters_; }
  const RelayLimits& limits() const { return limits_; }
  std::optional<SubscriptionStatus> status(const SubscriptionId& id) const;
  // How the stored events of a subscription ended on this connection; nothing before the first
  // ReachedEnd. There is another one when `delayed` turned into one of the others.
  std::optional<StoredEnd> end(const SubscriptionId& id) const;
  // See CatchUp::covered(); with the events that were given out so far.
  std::optional<UnixSeconds> covered(const SubscriptionId& id) const;
  // Of an event that is under way: queued, auth_pending or written.
  std::optional<RelayOutcome> outcome(const EventId& id) const;
  // The subscription that a subscription id on the wire belongs to: pages have ids of their own,
  // and so has what is asked again because there was no answer, lest a late one is taken for its
  // answer.
  static std::string_view owner(std::string_view id_on_wire);
  static bool is_page(std::string_view id_on_wire);

 private:
  enum class Link { idle, connecting, open, waiting };
  enum class Negentropy { unproved, proved, refused };

  enum class Page : uint8_t { none, open, backing_off, needs_room, needs_information };

  struct Subscription {
    explicit Subscription(CatchUp c) : catch_up(std::move(c)) {}
    CatchUp catch_up;
    SubscriptionStatus status;
    Backoff backoff;
    // Small, as there may be hundreds of thousands: those that are complete share one.
    std::shared_ptr<const StoredEnd> end;
    // REQs and pages that were given up: each had its own id on the wire.
    uint32_t given_up = 0;
    uint32_t pages_given_up = 0;
    uint32_t proofs = 0;             // NIP-42, that the relay had taken when the REQ was written
    Instant asked_at;                // the REQ, or the page that came after it
    std::optional<Instant> lost_at;  // with the connection
    // Of NIP-77; also while its result is compared with the plain one.
    std::unique_ptr<Reconciliation> reconciliation;
    UnixSeconds reconcile_started;
    Page page = Page::none;
    bool standing = false;  // the relay has the REQ, for all we know
    bool has_known = false;
    bool negotiating = false;       // NEG-OPEN is out
    bool tried_without_ok = false;  // of the AUTH that was sent last
  };
  struct Publishing {
    Event event;
    Instant accepted_at;
    Instant deadline;
    std::optional<Instant> answer_by;  // set while written, or while it needs_auth
    std::optional<Instant> retry_at;   // after rate-limited
    bool needs_auth = false;
    bool waited_for_auth = false;   // in vain, on this connection
    bool tried_without_ok = false;  // of the AUTH that was sent last
    bool was_written = false;
    uint32_t proofs = 0;     // NIP-42, that the relay had taken when it was written
    size_t frame_bytes = 0;  // as it was written
    uint32_t cuts = 0;       // see cut_by_
    std::string last_reason;
    Backoff backoff;
  };

  // subscribe.cpp
  static bool is_for_good(std::string_view prefix);
  static SubscriptionId wire_id(const SubscriptionId& id, const Subscription& subscription);
  Subscription& add(const SubscriptionId& id, CatchUp::Filters filters, Resume resume);
  void request(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  void request_plainly(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  void request_waiting(Now now, Actions& out);
  void request_next(Now now, Actions& out);
  void write_request(const SubscriptionId& id, Subscription& subscription,
                     std::vector<Filter> filters, Now now, Actions& out);
  void close_request(const SubscriptionId& id, Subscription& subscription, Actions& out);
  void leave_requested(Subscription& subscription, SubscriptionStatus status);
  void subscription_due(const SubscriptionId& id, Now now, Actions& out);
  void ask_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  bool still_patient(const SubscriptionId& id, const Subscription& subscription, Now now);
  void request_timed_out(const SubscriptionId& id, Subscription& subscription, Now now);
  void note_answer(const Subscription& subscription, bool in_page, Now now);
  void refused(const SubscriptionId& id, Subscription& subscription, const std::string& reason,
               Now now, Actions& out);
  std::vector<PublicKey> keys_for(const Subscription& subscription) const;

  // room.cpp
  size_t open_subscriptions() const;
  bool has_room() const;
  bool has_room_for_page() const;
  void wait_for_room(const SubscriptionId& id, Now now);
  void try_for_room(Now now);
  void room_came(Now now, Actions& out);
  void refused_for_now(const SubscriptionId& id, Subscription& subscription, Now now);
  bool may_ask_again(const SubscriptionId& id, Now now);
  void ask_refused(Now now, Actions& out);

  // pages.cpp
  static SubscriptionId page_id(const SubscriptionId& id, const Subscription& subscription);
  void ask_page(const SubscriptionId& id, Subscription& subscription, std::optional<Filter> page,
                Now now, Actions& out);
  void end_page(const SubscriptionId& id, Subscription& subscription, Actions& out);
  void page_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  void page_refused(const SubscriptionId& id, Subscription& subscription, const std::string& reason,
                    Now now, Actions& out);
  static void delay_page(const SubscriptionId& id, Subscription& subscription, Page state,
                         StoredEnd end, Actions& out);
  static void reached_end(const SubscriptionId& id, Subscription& subscription, StoredEnd end,
                          Actions& out);

  // settle.cpp
  void settle(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  void second_named(const SubscriptionId& id, Subscription& subscription, bool failed, Now now,
                    Actions& out);
  void information_settled();

  // reconcile.cpp
  bool speaks_negentropy() const;
  bool may_reconcile(const Subscription& subscription, Now now) const;
  void take_step(const SubscriptionId& id, Subscription& subscription, Reconciliation::Step step,
                 Now now, Actions& out);
  void reconciliation_failed(const SubscriptionId& id, Subscription& subscription, Now now,
                             Actions& out);
  void compare(Subscription& subscription, const EventId& id, UnixSeconds created_at);
  void comparison_over(Subscription& subscription);

  // publish.cpp
  void write(Publishing& publishing, Now now, Actions& out);
  void publishing_due(const EventId& id, Now now, Actions& out);
  void settle(std::map<EventId, Publishing>::iterator it, RelayOutcome outcome, Now now,
              Actions& out);
  void schedule(const Publishing& publishing);
  PublicKey key_for(const Publishing& publishing) const;

  // suspects.cpp
  uint32_t cuts_of(const EventId& id) const;
  bool has_unanswered() const;
  void write_suspects(Now now, Actions& out);
  void note_cut(const Loss& loss, Now now, Actions& out);

  // auth_flow.cpp
  enum class AuthStep {
    ask_again,   // a key was proved since it was written
    wait,        // until a key is
    restricted,  // a key was proved, and it did not help
    refused,     // no key can be proved
  };
  AuthStep auth_required(const std::vector<PublicKey>& keys, uint32_t proofs, bool tried, Now now,
                         Actions& out);
  static std::string restricted(const std::string& reason);
  bool want_auth(const std::vector<PublicKey>& keys, Now now, Actions& out);
  void auth_pauses_over(Now now, Actions& out);
  Milliseconds patience_with(const std::vector<PublicKey>& keys, bool tried) const;
  void await_auth(const SubscriptionId& id, const Subscription& subscription, Now now);
  void await_auth(Publishing& publishing, Now now);
  void await_all_auth(Now now);
  bool is_signing(const PublicKey& key) const;
  void auth_due(const SubscriptionId& id, Subscription& subscription, Now now, Actions& out);
  void auth_due(Publishing& publishing, Now now, Actions& out);
  bool auth_unanswered(const Subscription& subscription) const;
  void auth_over(const RelayAuth::Answer& answer, const std::string& reason, Now now, Actions& out);

  // messages.cpp
  void note_duplicate(const CheckedFrame& frame, Now now);
  RequestLimits greatest_needs() const;
  void note_dropped(const SubscriptionId& on_wire, const CheckedFrame& frame, Now now);
  void on(const CheckedFrame& frame, const EventMessage& message, Now now, Actions& out);
  void on(const OkMessage& message, Now now, Actions& out);
  void on(const EoseMessage& message, Now now, Actions& out);
  void on(const ClosedMessage& message, Now now, Actions& out);
  void on(const NoticeMessage& message, Now now, Actions& out);
  void on(const AuthChallenge& message, Now now, Actions& out);
  void on(const CountMessage& message, Now now, Actions& out);
  void on(const NegMessage& message, Now now, Actions& out);
  void on(const NegError& message, Now now, Actions& out);
  void on(const UnknownMessage& message, Now now, Actions& out);

  // constant after construction
  const Options options_;
  const bool can_authenticate_;

  Rng rng_;
  Link link_ = Link::idle;
  Backoff connect_backoff_;
  Backoff outage_backoff_;
  bool lost_in_outage_ = false;
  std::optional<Instant> connect_at_;
  RelayAuth auth_;
  Instant auth_sent_at_;
  Instant notices_since_;      // the second in which the latest ones came
  uint32_t notices_read_ = 0;  // in that second
  RelayLimits limits_;
  Negentropy negentropy_ = Negentropy::unproved;
  uint32_t negotiations_lost_ = 0;  // one after the other, with the connection
  bool informed_ = false;           // the information document came, or will not come for now
  std::map<SubscriptionId, Subscription> subscriptions_;
  bool reading_ = true;
  Instant reading_since_;
  Instant answering_at_;  // when the last piece of an answer to a REQ came
  std::optional<Instant> tried_for_room_;
  size_t requested_ = 0;                  // subscriptions in that state
  std::deque<SubscriptionId> queued_;     // that wait for one of these to end
  std::set<SubscriptionId> refused_now_;  // that are to be asked again
  std::deque<SubscriptionId> again_;      // of these, those that wait for the pace; in order
  RetryPace retry_pace_;
  DueTimes<SubscriptionId> due_subscriptions_;
  std::map<EventId, Publishing> publishing_;
  DueTimes<EventId> due_publishing_;
  // Events that had no answer when the connection was lost, and how often: the relay may have hung
  // up for one of them.
  std::map<EventId, uint32_t> cut_by_;
  Counters counters_;
};

}  // namespace ipnscast::nostr
