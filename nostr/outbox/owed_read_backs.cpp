#include "ipnscast/nostr/outbox/owed_read_backs.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/outbox/read_back_store.h"

namespace ipnscast::nostr {
namespace {

constexpr int64_t kAtATime = 8;

}  // namespace

void OwedReadBacks::ask_all() {
  std::vector<RelayUrl> relays;
  const Status read = writer_.run([&](store::Database& db) -> Status {
    auto found = load_read_back_relays(db);
    if (!found) return fail(found.error());
    relays = std::move(*found);
    return {};
  });
  if (!read) log_error("outbox", read.error().message);
  for (const RelayUrl& relay : relays) ask(relay);
}

void OwedReadBacks::ask(const RelayUrl& relay) {
  const auto [it, idle] = asking_.try_emplace(relay);
  if (idle) {
    ask_more(relay);
  } else {
    it->second.restart = true;
  }
}

void OwedReadBacks::ask_more(const RelayUrl& relay) {
  Asking& state = asking_.at(relay);
  std::vector<OwedReadBack> owed;
  const Status read = writer_.run([&](store::Database& db) -> Status {
    auto found = load_read_backs(db, relay, state.last, kAtATime);
    if (!found) return fail(found.error());
    owed = std::move(*found);
    return {};
  });
  if (!read) log_error("outbox", read.error().message);
  if (owed.empty()) {
    asking_.erase(relay);
    return;
  }
  state.open = owed.size();
  state.last = owed.back().number;
  state.answered = false;
  const int64_t now = system_now().wall.value;
  for (OwedReadBack& one : owed) {
    const Milliseconds wait(std::clamp<int64_t>(one.due.value - now, 0, longest_.count()));
    const auto done = [post = post_, relay, event = one.event](const PublishReport& report) {
      Answer answer{event, relay, std::nullopt};
      const auto told = report.relays.find(relay);
      if (told != report.relays.end()) answer.outcome = told->second;
      post(std::move(answer));
    };
    pool_.read_back(std::move(one.event), relay, wait, done);
  }
}

// A relay that told nothing is left alone until it is back.
void OwedReadBacks::take(const Answer& answer) {
  Asking& state = asking_.at(answer.relay);
  state.answered |= answer.outcome && answer.outcome->read_back != ReadBack::no_answer;
  if (--state.open > 0) return;
  if (state.restart) {
    state = Asking{};
  } else if (!state.answered) {
    asking_.erase(answer.relay);
    return;
  }
  ask_more(answer.relay);
}

}  // namespace ipnscast::nostr
