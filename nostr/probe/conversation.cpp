#include "ipnscast/nostr/probe/conversation.h"

#include <algorithm>
#include <variant>

#include "ipnscast/nostr/nip/negentropy.h"
#include "ipnscast/nostr/nip/nip42.h"

namespace ipnscast::nostr::probe {
namespace {

constexpr size_t kMaxStored = 500;  // events kept of one subscription
constexpr size_t kMaxNotices = 10;
constexpr size_t kMaxWords = 200;  // bytes of what a relay says that are kept
constexpr int kMaxRounds = 5;      // of reconciling a set of one or two
constexpr Milliseconds kRatePause{2'000};
constexpr Milliseconds kChallengePatience{1'000};  // for a challenge that follows a refusal

std::string words(std::string text) {
  if (text.size() > kMaxWords) text.resize(kMaxWords);
  return text;
}

Took between(Instant from, Instant to) { return std::chrono::duration_cast<Took>(to - from); }

}  // namespace

bool Reading::has(const Event& event) const {
  return std::find(events.begin(), events.end(), event) != events.end();
}

Conversation::Conversation(Wire& wire, const SecretKey& key, Milliseconds patience, Report& report)
    : wire_(wire), key_(key), patience_(patience), report_(report) {}

Status Conversation::open(Instant until) {
  connection_.reset();
  challenge_.clear();
  answered_.clear();
  authenticated_ = false;
  answers_.clear();
  subscriptions_.clear();
  auto connection = wire_.connect(by(until));
  if (!connection) return fail(connection.error());
  connection_ = std::move(*connection);
  return {};
}

Instant Conversation::by(Instant until) const {
  return std::min(until, wire_.now().steady + patience_);
}

template <typename Done>
Status Conversation::wait(Instant until, const Done& done) {
  if (connection_ == nullptr) return fail(Errc::closed, "not connected");
  while (!done()) {
    if (wire_.now().steady >= until) return fail(Errc::timeout, "no answer in time");
    const auto heard = connection_->hear(until);
    if (!heard) {
      if (heard.error().code == Errc::closed) connection_.reset();
      return fail(heard.error());
    }
    take(*heard);
  }
  return {};
}

void Conversation::take(const Connection::Heard& heard) {
  auto message = parse_relay_message(heard.frame);
  if (!message) return;
  std::visit(
      [&](auto& m) {
        // Messages that no step waits for have no handler.
        if constexpr (requires { on(std::move(m), heard.at); }) on(std::move(m), heard.at);
      },
      *message);
}

void Conversation::on(EventMessage&& message, Instant at) {
  const auto found = subscriptions_.find(message.subscription);
  if (!verify(message.event)) {
    ++report_.forged;
    return;
  }
  if (found == subscriptions_.end() || !matches_any(found->second.filters, message.event)) {
    ++report_.unsolicited;
    if (found != subscriptions_.end())
      (found->second.end ? found->second.heard_others : found->second.saw_others) = true;
    return;
  }
  Subscription& subscription = found->second;
  if (subscription.end) {
    if (subscription.live.size() < kMaxStored) subscription.live.emplace(message.event.id, at);
  } else if (subscription.stored.size() < kMaxStored) {
    subscription.stored.push_back(std::move(message.event));
  }
}

// Only those that were asked for are kept.
void Conversation::on(OkMessage&& message, Instant at) {
  const auto found = answers_.find(message.id);
  if (found == answers_.end() || found->second.at != Instant{}) return;
  found->second = {message.accepted, words(std::move(message.reason)), at};
}

void Conversation::on(EoseMessage&& message, Instant at) {
  const auto found = subscriptions_.find(message.subscription);
  if (found != subscriptions_.end() && !found->second.end) found->second.end = at;
}

void Conversation::on(ClosedMessage&& message, Instant /*at*/) {
  const auto found = subscriptions_.find(message.subscription);
  if (found != subscriptions_.end()) found->second.closed = words(std::move(message.reason));
}

void Conversation::on(NoticeMessage&& message, Instant /*at*/) {
  last_notice_ = words(std::move(message.text));
  if (report_.notices.size() < kMaxNotices) report_.notices.push_back(last_notice_);
}

void Conversation::on(AuthChallenge&& message, Instant /*at*/) {
  challenge_ = std::move(message.challenge);
  report_.asked_for_auth = true;
}

void Conversation::pause(Instant until) {
  wait(until, [] { return false; }).has_value();
}

bool Conversation::authenticate(Instant until) {
  if (connection_ == nullptr || !can_authenticate()) return false;
  answered_ = challenge_;
  const Event event = sign_event(key_, auth_event(report_.url, challenge_, wire_.now().seconds()));
  answers_[event.id] = {};
  connection_->send(to_frame(ClientMessage(AuthRequest{event})));
  const bool answered =
      wait(by(until), [&] { return answers_[event.id].at != Instant{}; }).has_value();
  authenticated_ = answered && answers_[event.id].accepted;
  return authenticated_;
}

// A relay that wants AUTH says so by its prefix; some refuse in other words but have sent a
// challenge.
bool Conversation::may_retry_with_auth(std::string_view reason, Instant until) {
  if (authenticated_ || connection_ == nullptr) return false;
  if (challenge_.empty() && reason_prefix(reason) == "auth-required") {
    const Instant challenge_by = std::min(until, wire_.now().steady + kChallengePatience);
    wait(challenge_by, [&] { return !challenge_.empty(); }).has_value();
  }
  return authenticate(until);
}

Instant Conversation::send(const Event& event) {
  answers_[event.id] = {};
  const Instant sent = wire_.now().steady;
  if (connection_ != nullptr) connection_->send(to_frame(ClientMessage(PublishRequest{event})));
  return sent;
}

PublishAnswer Conversation::answer_to(const Event& event, Instant sent, Instant until) {
  const auto answered = wait(by(until), [&] { return answers_[event.id].at != Instant{}; });
  if (!answered) {
    if (answered.error().code == Errc::timeout) ++report_.unanswered;
    const bool silent = answered.error().code == Errc::timeout;
    return {silent ? PublishAnswer::State::silent : PublishAnswer::State::lost,
            answered.error().message, authenticated_};
  }
  const Ok ok = answers_[event.id];
  answers_.erase(event.id);
  report_.ok.samples.push_back(between(sent, ok.at));
  return {ok.accepted ? PublishAnswer::State::accepted : PublishAnswer::State::refused, ok.reason,
          authenticated_};
}

PublishAnswer Conversation::offer(const Event& event, Instant until) {
  const Instant sent = send(event);
  return answer_to(event, sent, until);
}

PublishAnswer Conversation::publish(const Event& event, Instant until) {
  PublishAnswer answer = offer(event, until);
  if (answer.state != PublishAnswer::State::refused) return answer;
  if (reason_prefix(answer.reason) == "rate-limited") {
    ++report_.rate_limited;
    pause(std::min(until, wire_.now().steady + kRatePause));
    return offer(event, until);
  }
  return may_retry_with_auth(answer.reason, until) ? offer(event, until) : answer;
}

Reading Conversation::ask(const SubscriptionId& id, const std::vector<Filter>& filters,
                          Instant until) {
  Reading out;
  out.authenticated = authenticated_;
  Subscription& subscription = subscriptions_[id] = {};
  subscription.filters = filters;
  const Instant asked = wire_.now().steady;
  if (connection_ != nullptr) connection_->send(to_frame(ClientMessage(ReqRequest{id, filters})));
  const auto answered = wait(by(until), [&] { return subscription.end || subscription.closed; });
  out.events = subscription.stored;
  out.saw_others = subscription.saw_others;
  if (!answered) {
    const bool silent = answered.error().code == Errc::timeout;
    if (silent) ++report_.without_end;
    out.state = silent ? Reading::State::silent : Reading::State::lost;
    out.reason = answered.error().message;
  } else if (subscription.end) {
    report_.eose.samples.push_back(between(asked, *subscription.end));
    out.state = Reading::State::complete;
  } else {
    out.state = Reading::State::refused;
    out.reason = *subscription.closed;
  }
  return out;
}

Reading Conversation::subscribe(const SubscriptionId& id, const std::vector<Filter>& filters,
                                Instant until) {
  Reading reading = ask(id, filters, until);
  if (reading.state != Reading::State::refused) return reading;
  return may_retry_with_auth(reading.reason, until) ? ask(id, filters, until) : reading;
}

Reading Conversation::read(const std::vector<Filter>& filters, Instant until) {
  const SubscriptionId id = "probe" + std::to_string(next_subscription_++);
  Reading reading = subscribe(id, filters, until);
  close(id);
  return reading;
}

void Conversation::close(const SubscriptionId& id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  if (!found->second.closed && connection_ != nullptr)
    connection_->send(to_frame(ClientMessage(CloseRequest{id})));
  subscriptions_.erase(found);
}

std::optional<Instant> Conversation::wait_live(const SubscriptionId& id, const EventId& event,
                                               Instant until) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return std::nullopt;
  const Subscription& subscription = found->second;
  wait(by(until), [&] {
    return subscription.closed || subscription.live.count(event) != 0;
  }).has_value();
  const auto heard = subscription.live.find(event);
  return heard == subscription.live.end() ? std::nullopt : std::optional(heard->second);
}

bool Conversation::heard_others(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  return found != subscriptions_.end() && found->second.heard_others;
}

std::optional<std::string> Conversation::closed_reason(const SubscriptionId& id) const {
  const auto found = subscriptions_.find(id);
  return found == subscriptions_.end() ? std::nullopt : found->second.closed;
}

void Conversation::on(NegMessage&& message, Instant /*at*/) {
  reconciling_ = std::move(message.message);
}

void Conversation::on(NegError&& message, Instant /*at*/) {
  not_reconciling_ = words(std::move(message.reason));
}

Reconciled Conversation::reconcile(const Filter& filter, const EventId& wanted, Instant until) {
  if (connection_ == nullptr) return {};
  const SubscriptionId id = "probe" + std::to_string(next_subscription_++);
  subscriptions_[id].filters = {filter};  // some relays refuse by CLOSED
  last_notice_.clear();
  not_reconciling_.reset();
  const NegentropySet nothing;
  NegentropyInitiator initiator(nothing);
  ClientMessage next = NegOpenRequest{id, filter, initiator.start()};
  Reconciled out;
  for (int round = 0; round < kMaxRounds; ++round) {
    reconciling_.reset();
    connection_->send(to_frame(next));
    const auto answered = wait(by(until), [&] {
      return reconciling_ || not_reconciling_ || !last_notice_.empty() || subscriptions_[id].closed;
    });
    if (!answered) {
      out.reason = answered.error().message;
      break;
    }
    if (!reconciling_) {
      const std::string refusal = subscriptions_[id].closed.value_or(last_notice_);
      out = {Negentropy::refuses, not_reconciling_.value_or(refusal)};
      break;
    }
    auto more = initiator.receive(*reconciling_);
    if (more && *more) {
      next = NegMessage{id, std::move(**more)};
      continue;
    }
    const auto& named = initiator.need();
    const bool found = std::find(named.begin(), named.end(), wanted) != named.end();
    out = {found ? Negentropy::works : Negentropy::wrong,
           !more   ? more.error().message
           : found ? ""
                   : "the answer does not name what is there"};
    break;
  }
  if (connection_ != nullptr) connection_->send(to_frame(ClientMessage(NegCloseRequest{id})));
  subscriptions_.erase(id);
  return out;
}

}  // namespace ipnscast::nostr::probe
