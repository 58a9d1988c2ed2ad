#include "ipnscast/sync/source/relay_source.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kOpeningMessages = 256;  // behind a signer that takes its time

}  // namespace

class RelaySource::Message final : public SourceLetter {
 public:
  Message(RelaySource& source, nostr::PoolMessage message)
      : source_(source), message_(std::move(message)) {}
  void open(const Say& say) override { source_.take(std::move(message_), say); }
  nostr::PoolMessage take_back() { return std::move(message_); }

 private:
  RelaySource& source_;
  nostr::PoolMessage message_;
};

class RelaySource::Answer final : public SourceLetter {
 public:
  Answer(RelaySource& source, HintOpener::Answer answer)
      : source_(source), answer_(std::move(answer)) {}
  void open(const Say& say) override { source_.take(std::move(answer_), say); }

 private:
  RelaySource& source_;
  HintOpener::Answer answer_;
};

RelaySource::RelaySource(Parts parts, Options options, std::shared_ptr<SourceSink> sink)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      sink_(std::move(sink)),
      reader_(parts_.pool, options_.hints,
              [this](nostr::PoolMessage& message) { return accept(message); }) {
  if (!parts_.opener || !options_.hints.own_private) return;
  opener_ =
      std::make_unique<HintOpener>(parts_.opener, [this, to = sink_](HintOpener::Answer answer) {
        to->push(std::make_unique<Answer>(*this, std::move(answer)));
      });
}

// On the net thread. Says that it held back before it looks a second time: the sync thread makes
// room before it looks whether somebody was held back, so one of the two sees the other.
bool RelaySource::accept(nostr::PoolMessage& message) {
  if (opening_ < kOpeningMessages) return put(message);
  held_back_ = true;
  return opening_ < kOpeningMessages && put(message);
}

bool RelaySource::put(nostr::PoolMessage& message) {
  auto letter = std::make_unique<Message>(*this, std::move(message));
  Message& inside = *letter;
  SourceMessage wrapped = std::move(letter);
  if (sink_->offer(wrapped)) return true;
  message = inside.take_back();
  return false;
}

void RelaySource::room() { parts_.pool.resume_delivery(); }

void RelaySource::take(nostr::PoolMessage message, const Say& say) {
  if (const auto* event = std::get_if<nostr::PoolEvent>(&message)) {
    if (options_.on_own_event && options_.own_key == event->event.pubkey)
      options_.on_own_event(event->event);
  }
  if (!opener_) return read(message, std::nullopt, say);
  opener_->take(std::move(message));
  read_opened(say);
}

void RelaySource::take(HintOpener::Answer answer, const Say& say) {
  opener_->answer(std::move(answer));
  read_opened(say);
}

void RelaySource::read_opened(const Say& say) {
  while (const auto opened = opener_->next()) read(opened->message, opened->text, say);
  opening_ = opener_->held();
  if (opening_ < kOpeningMessages / 2 && held_back_.exchange(false)) room();
}

void RelaySource::read(const nostr::PoolMessage& message,
                       const std::optional<Result<std::string>>& text, const Say& say) {
  if (auto word = reader_.read(message, text, system_now())) say(std::move(*word));
  parts_.tally->read = reader_.counters().read;
  parts_.tally->dropped = reader_.counters().dropped;
}

}  // namespace ipnscast::sync
