#include "ipnscast/nostr/net/information_fetcher.h"

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/net/http/http_get.h"
#include "ipnscast/nostr/net/lws_loop.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxQuestions = 256;
constexpr Milliseconds kTimeout{5'000};
constexpr Milliseconds kProxyTimeout{15'000};  // Tor takes its time
constexpr std::string_view kRequestHeaders =
    "Accept: application/nostr+json\r\nConnection: close\r\n";

}  // namespace

Result<RelayInformation> ask_for_information(RawStream& stream, const RelayUrl& url,
                                             const Patience& patience, ClockWitness* witness) {
  const auto answer = http_get(stream, url, kRequestHeaders, false, kMaxRelayInformation, patience);
  if (!answer) return fail(answer.error());
  if (const auto date = answer->headers.find("date"); witness && date != answer->headers.end())
    witness->note_date(url.text(), date->second, system_now());
  if (answer->status != 200) return fail(Errc::refused, "HTTP " + std::to_string(answer->status));
  return parse_relay_information(answer->body);
}

InformationFetcher::InformationFetcher(Loop& loop, Access access, Done done,
                                       std::shared_ptr<ClockWitness> witness)
    : loop_(loop),
      access_(std::move(access)),
      witness_(std::move(witness)),
      done_(std::make_shared<Done>(std::move(done))),
      workers_(std::make_shared<Workers<Question>>(
          Workers<Question>::Options{.name = "nip11", .threads = 1, .queued = kMaxQuestions},
          [this](Question& question) {
            auto information = fetch(question);
            if (!cancelled_) answer(loop_, done_, question.url, std::move(information));
          })) {}

InformationFetcher::~InformationFetcher() {
  cancelled_ = true;
  workers_->drop();
  workers_->close();
}

void InformationFetcher::ask(const RelayUrl& url) {
  loop_.impl().names->look_up(
      host_to_look_up(url, access_), workers_,
      [loop = &loop_, done = std::weak_ptr<Done>(done_), workers = workers_, url](auto found) {
        const auto call = done.lock();
        if (!call) return;
        if (!found) return answer(*loop, call, url, fail(Errc::unreachable, found.error().text));
        if (!workers->try_push({url, std::move(*found)}))
          answer(*loop, call, url, fail(Errc::busy, "too many documents are asked for"));
      });
}

void InformationFetcher::answer(Loop& loop, const std::shared_ptr<Done>& done, const RelayUrl& url,
                                Result<RelayInformation> information) {
  loop.post(
      [done = std::weak_ptr<Done>(done), url, information = std::move(information)]() mutable {
        if (const auto call = done.lock()) (*call)(url, std::move(information));
      });
}

Result<RelayInformation> InformationFetcher::fetch(const Question& question) const {
  const Patience patience{
      std::chrono::steady_clock::now() + (access_.proxy ? kProxyTimeout : kTimeout),
      [this] { return cancelled_.load(); }};
  StreamTimes times;
  auto stream = open_relay_stream(question.url, access_, question.addresses, patience, times);
  if (!stream) return fail(stream.error());
  const bool ours = question.url.named_by() == NamedBy::configuration;
  return ask_for_information(*stream, question.url, patience, ours ? witness_.get() : nullptr);
}

}  // namespace ipnscast::nostr::net
