// How much the relay takes, beside what it says of itself (NIP-11).
#include <algorithm>

#include "ipnscast/nostr/probe/run.h"

namespace ipnscast::nostr::probe {
namespace {

constexpr uint64_t kHintBytes = 16 * 1024;  // a hint with the largest record (10 KiB) in base64
constexpr uint64_t kEnvelope = 1024;        // of a frame around the content, at most
constexpr uint64_t kAhead = 600;            // seconds: clocks differ, and created_at only grows
constexpr uint64_t kFilters = 10;
constexpr uint64_t kSubscriptions = 10;

std::optional<uint64_t> smaller(std::optional<uint64_t> a, std::optional<uint64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

Limit limit(std::string name, uint64_t needed, std::optional<uint64_t> claimed) {
  Limit out{.name = std::move(name), .claimed = claimed, .needed = needed, .tried = needed};
  if (claimed) out.tried = std::min(needed, *claimed);
  return out;
}

}  // namespace

void Run::try_limits() {
  using Step = void (Run::*)();
  for (const Step step : {&Run::try_large_hint, &Run::try_ahead_of_time, &Run::try_filter_count,
                          &Run::try_subscriptions}) {
    if (over()) return;
    if (!author_.is_open() && !author_.open(work_end_)) return;
    (this->*step)();
  }
}

void Run::try_large_hint() {
  const RelayInformation claims = report_.handshake.information.value_or(RelayInformation{});
  std::optional<uint64_t> frame = claims.max_message_length;
  if (frame) frame = *frame > kEnvelope ? *frame - kEnvelope : 0;
  Limit out = limit("bytes of content", kHintBytes, smaller(claims.max_content_length, frame));
  if (out.tried == 0) return;
  const Event event =
      version({place_.kind, d_ + "-other"}, {next_time_++}, std::string(out.tried, 'x'));
  const PublishAnswer answer = author_.publish(event, work_end_);
  out.reason = answer.reason;
  out.met = answer.accepted() &&
            read_own(author_, filter_of({place_.kind, d_ + "-other"}), event).has(event);
  if (!over()) report_.limits.push_back(std::move(out));
}

void Run::try_ahead_of_time() {
  const RelayInformation claims = report_.handshake.information.value_or(RelayInformation{});
  Limit out = limit("seconds ahead", kAhead, claims.created_at_upper_limit);
  // A little less than what the relay's clock may make of it.
  const int64_t ahead = static_cast<int64_t>(out.tried - std::min<uint64_t>(out.tried, 5));
  const Place place{place_.kind, d_ + "-ahead"};
  const Event event = version(place, {wire_.now().seconds().value + ahead});
  const PublishAnswer answer = author_.publish(event, work_end_);
  out.reason = answer.reason;
  out.met = answer.accepted();
  if (!over()) report_.limits.push_back(std::move(out));
}

void Run::try_filter_count() {
  Limit out = limit("filters in a REQ", kFilters, std::nullopt);
  std::vector<Filter> filters(out.tried, filter_of(place_));
  for (size_t i = 1; i < filters.size(); ++i)
    filters[i].tags['d'] = {d_ + "-none-" + std::to_string(i)};
  const Reading reading = author_.read(filters, work_end_);
  out.reason = reading.reason;
  out.met = reading.complete() && (!newest_ || reading.has(*newest_));
  if (!over()) report_.limits.push_back(std::move(out));
}

void Run::try_subscriptions() {
  const RelayInformation claims = report_.handshake.information.value_or(RelayInformation{});
  Limit out = limit("subscriptions at once", kSubscriptions, claims.max_subscriptions);
  const auto id = [](uint64_t i) { return "probe-many-" + std::to_string(i); };
  uint64_t open = 0;
  for (uint64_t i = 0; i < out.tried && !over(); ++i) {
    const Reading reading = author_.subscribe(id(i), {filter_of(place_)}, work_end_);
    if (!reading.complete()) {
      out.reason = reading.reason;
      break;
    }
    ++open;
  }
  for (uint64_t i = 0; i < open; ++i) {
    if (const auto closed = author_.closed_reason(id(i))) {
      out.reason = *closed;
      --open;
    }
  }
  for (uint64_t i = 0; i < out.tried; ++i) author_.close(id(i));
  out.met = open == out.tried;
  if (!over()) report_.limits.push_back(std::move(out));
}

}  // namespace ipnscast::nostr::probe
