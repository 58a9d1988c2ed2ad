#include "ipnscast/sync/gateway/http_client.h"

#include <curl/curl.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <variant>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/gateway/http_transfer.h"

namespace ipnscast::sync::gateway {
namespace {

struct Start {
  HttpId id;
  HttpCall call;
  HttpHandlers handlers;
};
struct Cancel {
  HttpId id;
};
struct Resume {
  HttpId id;
};
using Order = std::variant<Start, Cancel, Resume>;

bool global_init() {
  static const bool good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return good;
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(HttpClientOptions wanted, CURLM* handle)
      : options(std::move(wanted)),
        multi(handle),
        orders(options.calls, [handle] { curl_multi_wakeup(handle); }) {
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.connections_per_host));
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      static_cast<long>(options.connections));
  }
  ~Impl() { curl_multi_cleanup(multi); }

  void loop();
  void obey(Order order);
  void take(Start start);
  void collect_finished();
  void check_times(Instant now);
  int poll_timeout(Instant now) const;
  std::unique_ptr<HttpTransfer> remove(HttpId id);

  // constant after construction
  const HttpClientOptions options;
  CURLM* const multi;

  Inbox<Order> orders;
  std::atomic<uint64_t> last_id{0};
  std::thread thread;  // begins with the first call
  std::once_flag begun_once;
  std::once_flag closed_once;

  // http thread only
  std::unordered_map<HttpId, std::unique_ptr<HttpTransfer>> transfers;
};

void HttpClient::Impl::loop() {
  set_thread_name(options.thread.c_str());
  while (!orders.closed()) {
    for (Order& order : orders.drain()) obey(std::move(order));
    int running = 0;
    curl_multi_perform(multi, &running);
    collect_finished();
    const Instant now = std::chrono::steady_clock::now();
    check_times(now);
    curl_multi_poll(multi, nullptr, 0, poll_timeout(now), nullptr);
  }
  for (Order& order : orders.drain()) {
    if (auto* start = std::get_if<Start>(&order)) take(std::move(*start));
  }
  while (!transfers.empty())
    remove(transfers.begin()->first)->finish(Error{Errc::closed, "shut down"});
}

void HttpClient::Impl::obey(Order order) {
  if (auto* start = std::get_if<Start>(&order)) {
    take(std::move(*start));
  } else if (auto* cancel = std::get_if<Cancel>(&order)) {
    if (auto transfer = remove(cancel->id)) transfer->finish(Error{Errc::cancelled, "cancelled"});
  } else if (auto* resume = std::get_if<Resume>(&order)) {
    const auto it = transfers.find(resume->id);
    if (it != transfers.end()) it->second->resume();
  }
}

void HttpClient::Impl::take(Start start) {
  auto transfer = std::make_unique<HttpTransfer>(
      start.id, std::move(start.call), std::move(start.handlers), options.ca_file,
      options.witness.get(), std::chrono::steady_clock::now());
  if (transfer->easy() == nullptr || curl_multi_add_handle(multi, transfer->easy()) != CURLM_OK) {
    transfer->finish(
        transfer->why_not()
            ? Error{Errc::invalid, "not a call that can be made: check URL and headers"}
            : transfer->why_not().error());
    return;
  }
  transfers.emplace(start.id, std::move(transfer));
}

void HttpClient::Impl::collect_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    const HttpId id = reinterpret_cast<HttpTransfer*>(self)->id();
    auto transfer = remove(id);
    if (!transfer) continue;
    if (transfer->ask_again(code) && curl_multi_add_handle(multi, transfer->easy()) == CURLM_OK) {
      transfers.emplace(id, std::move(transfer));
    } else {
      transfer->finish(code);
    }
  }
}

void HttpClient::Impl::check_times(Instant now) {
  std::vector<std::pair<HttpId, Error>> late;
  for (auto& [id, transfer] : transfers) {
    if (Status status = transfer->check_time(now); !status) late.emplace_back(id, status.error());
  }
  for (auto& [id, error] : late) remove(id)->finish(std::move(error));
}

int HttpClient::Impl::poll_timeout(Instant now) const {
  Instant next = now + Seconds(10);
  for (const auto& [id, transfer] : transfers) next = std::min(next, transfer->next_check());
  const auto wait = std::chrono::ceil<Milliseconds>(next - now).count();
  return static_cast<int>(std::max<decltype(wait)>(wait, 1));
}

std::unique_ptr<HttpTransfer> HttpClient::Impl::remove(HttpId id) {
  auto node = transfers.extract(id);
  if (node.empty()) return nullptr;
  curl_multi_remove_handle(multi, node.mapped()->easy());
  return std::move(node.mapped());
}

HttpClient::HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::open(HttpClientOptions options) {
  CURLM* multi = global_init() ? curl_multi_init() : nullptr;
  if (multi == nullptr) return fail(Errc::internal, "libcurl does not start");
  std::unique_ptr<HttpClient> client(new HttpClient);
  client->impl_ = std::make_unique<Impl>(std::move(options), multi);
  return client;
}

HttpClient::~HttpClient() { close(); }

HttpId HttpClient::start(HttpCall call, HttpHandlers handlers) {
  std::call_once(impl_->begun_once,
                 [impl = impl_.get()] { impl->thread = std::thread([impl] { impl->loop(); }); });
  const HttpId id{++impl_->last_id};
  auto done = handlers.done;
  if (!impl_->orders.push(Start{id, std::move(call), std::move(handlers)}) && done) {
    done(fail(Errc::closed, "shut down"), {.request_begun = false});
  }
  return id;
}

void HttpClient::cancel(HttpId id) { impl_->orders.push_reserved(Cancel{id}); }

void HttpClient::resume(HttpId id) { impl_->orders.push_reserved(Resume{id}); }

void HttpClient::close() {
  std::call_once(impl_->closed_once, [this] {
    impl_->orders.close();
    std::call_once(impl_->begun_once, [] {});
    if (impl_->thread.joinable()) impl_->thread.join();
  });
}

}  // namespace ipnscast::sync::gateway
