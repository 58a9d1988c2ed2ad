#include "nostr/net/information_fetcher.h"

#include "nostr/base/log.h"
#include "nostr/base/thread_name.h"
#include "nostr/net/http_get.h"
#include "nostr/net/lws_loop.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxWaiting = 256;
constexpr Milliseconds kTimeout{5'000};
constexpr std::string_view kHeaders = "Accept: application/nostr+json\r\nConnection: close\r\n";

}  // namespace

Result<RelayInformation> ask_for_information(RawStream& stream, const RelayUrl& url,
                                             const Patience& patience) {
  const auto answer = http_get(stream, url, kHeaders, false, kMaxRelayInformation, patience);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(Errc::refused, "HTTP " + std::to_string(answer->status));
  return parse_relay_information(answer->body);
}

InformationFetcher::InformationFetcher(Loop& loop, std::string ca_file, Done done)
    : loop_(loop),
      ca_file_(std::move(ca_file)),
      done_(std::make_shared<Done>(std::move(done))),
      inbox_(std::make_shared<Inbox<Question>>(kMaxWaiting)),
      thread_([this] { serve(); }) {}

InformationFetcher::~InformationFetcher() {
  cancelled_ = true;
  inbox_->close();
  inbox_->drain();
  thread_.join();
}

void InformationFetcher::ask(const RelayUrl& url) {
  loop_.impl().names->look_up(url.host(), inbox_, [inbox = inbox_, url](auto found) {
    if (found) inbox->try_push({url, std::move(*found)});
  });
}

void InformationFetcher::serve() {
  set_thread_name("nip11");
  while (auto question = inbox_->pop()) {
    auto information = fetch(*question);
    if (cancelled_) return;
    if (!information) {
      log_debug("relay",
                question->url.text() + ": no information document: " + information.error().message);
      continue;
    }
    loop_.post([done = std::weak_ptr<Done>(done_), url = question->url,
                information = std::move(*information)] {
      if (const auto call = done.lock()) (*call)(url, information);
    });
  }
}

Result<RelayInformation> InformationFetcher::fetch(const Question& question) const {
  const Patience patience{std::chrono::steady_clock::now() + kTimeout,
                          [this] { return cancelled_.load(); }};
  Error last{Errc::unreachable, "no address"};
  for (const std::string& address : question.addresses) {
    auto stream = RawStream::connect(address, question.url.port(), patience);
    if (!stream) {
      last = stream.error();
      continue;
    }
    if (question.url.tls()) {
      if (auto safe = stream->start_tls(question.url.host(), ca_file_, patience); !safe)
        return fail(safe.error());
    }
    return ask_for_information(*stream, question.url, patience);
  }
  return fail(std::move(last));
}

}  // namespace ipnscast::nostr::net
