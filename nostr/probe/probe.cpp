#include "ipnscast/nostr/probe/probe.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/probe/run.h"

namespace ipnscast::nostr::probe {
namespace {

constexpr Milliseconds kCleaningUp{4'000};
constexpr int64_t kBackdated = 120;  // seconds; more than there are versions

}  // namespace

Report run(Wire& wire, const RelayUrl& url, const Options& options) {
  return Run(wire, url, options).run();
}

Run::Run(Wire& wire, const RelayUrl& url, const Options& options)
    : wire_(wire),
      options_(options),
      d_("ipnscast-probe-" + to_hex(random_bytes(8))),
      start_(wire.now().steady),
      work_end_(start_ + options.timeout - std::min(kCleaningUp, options.timeout / 4)),
      end_(start_ + options.timeout),
      report_{.url = url},
      author_(wire, author_key_, options.patience, report_),
      stranger_(wire, stranger_key_, options.patience, report_),
      second_author_(wire, author_key_, options.patience, report_),
      next_time_(wire.now().seconds().value - kBackdated) {
  report_.started = wire.now().wall;
}

Report Run::run() {
  if (const Status reached = reach(); !reached) {
    report_.unreachable = reached.error();
  } else {
    measure();
    wire_.finish_despite_cancel();
    clean_up();
  }
  report_.lasted = std::chrono::duration_cast<Took>(wire_.now().steady - start_);
  return std::move(report_);
}

bool Run::over() {
  if (report_.cut_short) return true;
  if (wire_.cancelled()) {
    report_.cut_short = Error{Errc::cancelled, "interrupted"};
  } else if (wire_.now().steady >= work_end_) {
    report_.cut_short = Error{Errc::timeout, "the time was up"};
  }
  return report_.cut_short.has_value();
}

Status Run::reach() {
  auto handshake = wire_.shake_hands(std::min(work_end_, start_ + options_.patience));
  if (!handshake) return fail(handshake.error());
  report_.handshake = std::move(*handshake);
  return author_.open(work_end_);
}

void Run::measure() {
  for (const int kind : options_.kinds) {
    report_.kinds.push_back({.kind = kind});
    if (!over()) try_kind(report_.kinds.back());
  }
  choose_kind();
  if (!report_.kind) return;
  using Step = void (Run::*)();
  for (const Step step : {&Run::try_replacement, &Run::try_filters, &Run::try_live,
                          &Run::try_negentropy, &Run::try_limits, &Run::read_back}) {
    if (over()) return;
    if (!author_.is_open() && !author_.open(work_end_)) continue;
    (this->*step)();
  }
  over();  // a step that was cut short leaves its note
}

Event Run::version(const Place& place, UnixSeconds created_at, std::string content) {
  if (content.empty()) content = "probe " + std::to_string(written_.size());
  Event event = sign_event(author_key_, {.created_at = created_at,
                                         .kind = place.kind,
                                         .tags = {{"d", place.d}},
                                         .content = std::move(content)});
  written_.push_back(event);
  last_written_ = wire_.now().steady;
  return event;
}

Filter Run::filter_of(const Place& place) const {
  Filter out;
  out.authors = {author_key_.public_key()};
  out.kinds = {place.kind};
  out.tags = {{'d', {place.d}}};
  return out;
}

Reading Run::read_own(Conversation& conversation, const Filter& filter) {
  Reading reading = conversation.read({filter}, work_end_);
  const bool hidden = reading.complete() && reading.events.empty();
  if (!hidden || !conversation.can_authenticate() || !conversation.authenticate(work_end_))
    return reading;
  return conversation.read({filter}, work_end_);
}

Reading Run::read_own(Conversation& conversation, const Filter& filter, const Event& wanted) {
  Reading reading = read_own(conversation, filter);
  if (!reading.complete() || reading.has(wanted)) return reading;
  conversation.pause(std::min(work_end_, wire_.now().steady + kSecondLook));
  Reading again = read_own(conversation, filter);
  if (!again.complete()) return reading;
  if (again.has(wanted)) ++report_.served_late;
  return again;
}

}  // namespace ipnscast::nostr::probe
