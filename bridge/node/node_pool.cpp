#include "ipnscast/bridge/node/node_pool.h"

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxWaiting = 256;
constexpr size_t kTurnBytes = 1024 * 1024;  // of one stream; then other requests have their turn

}  // namespace

NodePool::NodePool(size_t threads) : inbox_(kMaxWaiting) {
  for (size_t i = 1; i <= threads; ++i) {
    threads_.emplace_back([this, i] {
      set_thread_name(("node-" + std::to_string(i)).c_str());
      loop();
    });
  }
}

NodePool::~NodePool() {
  close();
  for (std::thread& thread : threads_) thread.join();
}

void NodePool::close() {
  inbox_.close();
  inbox_.drain();
}

void NodePool::submit(HttpRequest request, Reply reply, Answer answer,
                      const std::map<std::string, std::string>& headers) {
  Job job = Request{std::move(request), std::move(reply), std::move(answer)};
  if (inbox_.try_push(job)) return;
  HttpResponse busy = text_answer(503, "too many requests wait: try again in a second");
  busy.headers.insert(headers.begin(), headers.end());
  busy.headers["retry-after"] = "1";
  std::get<Request>(job).reply->send(std::move(busy));
}

void NodePool::loop() {
  while (auto job = inbox_.pop()) {
    std::visit([this](auto& what) { work(what); }, *job);
  }
}

void NodePool::work(Request& job) {
  NodeAnswer answer = job.answer(job.request);
  if (auto* whole = std::get_if<HttpResponse>(&answer)) return job.reply->send(std::move(*whole));
  auto& streamed = std::get<StreamedAnswer>(answer);
  job.reply->begin(200, std::move(streamed.headers));
  work(std::make_shared<Stream>(Stream{std::move(streamed), std::move(job.reply)}));
}

void NodePool::work(const std::shared_ptr<Stream>& stream) {
  nostr::net::HttpReply& reply = *stream->reply;
  size_t written = 0;
  while (!reply.full() && written < kTurnBytes && !inbox_.closed()) {
    auto piece = stream->answer.next();
    if (!piece) {
      log_warning("node", "stream cut: " + piece.error().message);
      return reply.abort();
    }
    if (piece->empty()) return reply.finish();
    written += piece->size();
    if (!reply.write(std::move(*piece))) return reply.finish();  // the client wants no more
  }
  if (inbox_.closed()) return reply.abort();
  // The number of streams is bounded by that of connections.
  reply.when_room([this, stream] {
    if (!inbox_.push_reserved(stream)) stream->reply->abort();
  });
}

}  // namespace ipnscast::bridge
