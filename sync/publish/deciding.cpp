// The node that decides between the devices that write a name, and the clock by which we sign.
#include <cmath>
#include <future>

#include "ipnscast/sync/decider/conditional_put.h"
#include "ipnscast/sync/decider/decider.h"
#include "ipnscast/sync/publish/writing.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/writer/clock_check.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kDeciderTime{5'000};

// "3 days", "40 minutes".
std::string roughly(int64_t seconds) {
  const auto many = [](int64_t number, const char* unit) {
    return std::to_string(number) + " " + unit + (number == 1 ? "" : "s");
  };
  if (seconds >= 2 * 86'400) return many(seconds / 86'400, "day");
  if (seconds >= 2 * 3'600) return many(seconds / 3'600, "hour");
  return many(seconds / 60, "minute");
}

Status clock_is_wrong(UnixSeconds time, Now now) {
  const int64_t off = time.value - now.seconds().value;
  return fail(Errc::refused, "this machine's clock is " + roughly(std::abs(off)) +
                                 (off > 0 ? " behind" : " ahead") +
                                 ": set it right (--trust-clock goes by it)");
}

// By which the deciding node is asked.
gateway::RecordDialect dialect_of(const gateway::GatewayBook& book, size_t node) {
  const auto dialects = book.dialects(node);
  return dialects && dialects->routing ? gateway::RecordDialect::routing
                                       : gateway::RecordDialect::rpc_name;
}

// What a call answers that gives its answer to a callback.
template <typename Answer, typename Start>
Answer answer_of(Start start) {
  const auto come = std::make_shared<std::promise<Answer>>();
  auto coming = come->get_future();
  start([come](Answer answer) { come->set_value(std::move(answer)); });
  return coming.get();
}

std::optional<SeenRecord> sound_seen(const IpnsName& name, const std::optional<Bytes>& bytes) {
  const auto record = bytes ? sound_record(name, *bytes) : std::nullopt;
  if (!record) return std::nullopt;
  return seen_record(*record);
}

}  // namespace

std::optional<size_t> Publisher::decider() const {
  return choose_decider(parts_.book, options_.decider);
}

void Publisher::perform(const IpnsName& name, writer_action::Decide& action) {
  using Said = writer_input::Decided::Answer;
  writer_input::Decided out{action.job, Said::nothing, {}, true};
  if (const auto node = decider()) {
    const auto put = answer_of<ConditionalPut>([&](auto done) {
      put_record_if(parts_.http, parts_.book.endpoint(*node), dialect_of(parts_.book, *node), name,
                    action.record.bytes, action.instead_of, kDeciderTime, std::move(done));
    });
    out.never_sent = put.never_sent;
    if (put.answer == ConditionalPut::Answer::stored) out.answer = Said::stored;
    if (put.answer == ConditionalPut::Answer::refused) {
      out.stored = sound_seen(name, put.stored);
      // What does not verify decides nothing.
      out.answer = put.stored && !out.stored ? Said::nothing : Said::refused;
    }
  }
  writers_.tell(name, std::move(out));
}

void Publisher::perform(const IpnsName& name, writer_action::AskDecider& action) {
  writer_input::DeciderHas out{action.job, false, {}};
  if (const auto node = decider()) {
    const auto found = answer_of<DecidersRecord>([&](auto done) {
      read_deciders_record(parts_.http, parts_.book.endpoint(*node), dialect_of(parts_.book, *node),
                           name, kDeciderTime, std::move(done));
    });
    out.stored = sound_seen(name, found.record);
    out.answered = found.answered && (!found.record || out.stored);
  }
  writers_.tell(name, std::move(out));
}

// A hint of ours from the future: either the clock that made it ran ahead, or ours runs behind now,
// and what is signed by it would be over or hidden.
Status Publisher::check_clock(const IpnsName& name) {
  const Now now = system_now();
  const auto time = parts_.witness ? parts_.witness->time(now) : std::nullopt;
  // What is signed by it would be over before anybody could take it.
  if (time && Eol::after(now.wall, options_.lifetime).seconds <= time->value)
    return clock_is_wrong(*time, now);
  if (!parts_.signer) return {};
  UnixSeconds mark{0};
  {
    std::lock_guard lock(marks_mutex_);
    for (const int kind : options_.kinds) {
      const nostr::Address address = address_of(kind, name);
      mark = std::max(mark, marks_.mark(address).value_or(UnixSeconds{0}));
      const auto future = from_future_.find(address);
      if (future != from_future_.end()) mark = std::max(mark, future->second);
    }
  }
  return judge_mark(mark);
}

Status Publisher::judge_mark(UnixSeconds mark) const {
  const Now now = system_now();
  const auto time = parts_.witness ? parts_.witness->time(now) : std::nullopt;
  switch (judge_clock(now.seconds(), mark, time)) {
    case ClockVerdict::fine:
    case ClockVerdict::mark_was_wrong:
      return {};
    case ClockVerdict::clock_is_wrong:
      return clock_is_wrong(*time, now);
    case ClockVerdict::no_witness:
      break;
  }
  return fail(Errc::refused, "our last hint is " + roughly(mark.value - now.seconds().value) +
                                 " ahead of this machine's clock, and no server says what the "
                                 "time is: set the clock (--trust-clock goes by it)");
}

}  // namespace ipnscast::sync
