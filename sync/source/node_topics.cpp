#include "ipnscast/sync/source/node_topics.h"

#include <algorithm>

namespace ipnscast::sync {

NodeTopics::NodeTopics(Options options, Rng rng)
    : options_(options), rng_(rng), backoff_(options.backoff) {}

void NodeTopics::add(size_t topic) { topics_[topic].backoff = nostr::Backoff(options_.backoff); }

void NodeTopics::remove(size_t topic) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return;
  if (on_its_way(it->second.state)) --on_their_way_;
  topics_.erase(it);
}

NodeTopics::Topic* NodeTopics::find(size_t number) {
  const auto it = topics_.find(number);
  return it == topics_.end() ? nullptr : &it->second;
}

std::vector<NodeTopics::Step> NodeTopics::due(Instant now) {
  std::vector<Step> out;
  if (offer_ != Offer::yes && !probing_ && probe_at_ <= now) {
    probing_ = true;
    out.push_back({Step::What::probe, 0});
  }
  for (auto& [number, topic] : topics_) {
    if (auto step = step_of(number, topic, now)) out.push_back(*step);
  }
  return out;
}

std::optional<NodeTopics::Step> NodeTopics::step_of(size_t number, Topic& topic, Instant now) {
  if (topic.state == State::joined) {
    topic.state = State::settling;
    topic.at = now + options_.settle;
    return Step{Step::What::subscribe, number};
  }
  if (topic.state == State::settling && topic.at <= now) {
    topic.state = State::catching_up;
    return Step{Step::What::catch_up, number};
  }
  const bool may_begin = offer_ == Offer::yes && on_their_way_ < options_.parallel;
  if (topic.state != State::waiting || topic.at > now || !may_begin) return std::nullopt;
  topic.state = State::joining;
  ++on_their_way_;
  return Step{Step::What::join, number};
}

std::optional<Instant> NodeTopics::next() const {
  std::optional<Instant> out;
  const auto at = [&](Instant time) { out = out ? std::min(*out, time) : time; };
  if (offer_ != Offer::yes && !probing_) at(probe_at_);
  const bool may_begin = offer_ == Offer::yes && on_their_way_ < options_.parallel;
  for (const auto& [number, topic] : topics_) {
    if (topic.state == State::joined) at(Instant{});
    if (topic.state == State::settling) at(topic.at);
    if (topic.state == State::waiting && may_begin) at(topic.at);
  }
  return out;
}

void NodeTopics::probed(const Status& outcome, Instant now) {
  probing_ = false;
  if (outcome) {
    offer_ = Offer::yes;
    backoff_.succeeded(now);
    return;
  }
  const Errc code = outcome.error().code;
  if (code == Errc::refused || code == Errc::unsupported) {
    offer_ = Offer::no;
    std::uniform_int_distribution<int64_t> draw(options_.ask_again.count() / 2,
                                                options_.ask_again.count());
    probe_at_ = now + Milliseconds(draw(rng_));
    return;
  }
  offer_ = Offer::unknown;
  probe_at_ = now + backoff_.failed(now, rng_);
}

void NodeTopics::joined(size_t number) {
  Topic* const topic = find(number);
  if (topic != nullptr && topic->state == State::joining) topic->state = State::joined;
}

void NodeTopics::spoke(size_t number, Instant now) {
  Topic* const topic = find(number);
  if (topic != nullptr && topic->state == State::settling) topic->at = now;
}

void NodeTopics::caught_up(size_t number, Instant now) {
  Topic* const topic = find(number);
  if (topic == nullptr || topic->state != State::catching_up) return;
  topic->state = State::live;
  topic->backoff.succeeded(now);
  --on_their_way_;
}

void NodeTopics::ended(size_t number, Instant now) {
  Topic* const topic = find(number);
  if (topic == nullptr || topic->state == State::waiting) return;
  if (on_its_way(topic->state)) --on_their_way_;
  topic->state = State::waiting;
  topic->at = now + topic->backoff.failed(now, rng_);
  if (offer_ != Offer::yes) return;
  offer_ = Offer::unknown;
  probe_at_ = now;
}

size_t NodeTopics::live() const {
  return static_cast<size_t>(std::count_if(topics_.begin(), topics_.end(), [](const auto& topic) {
    return topic.second.state == State::live;
  }));
}

}  // namespace ipnscast::sync
