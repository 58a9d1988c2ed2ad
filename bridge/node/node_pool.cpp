#include "bridge/node/node_pool.h"

#include "nostr/base/log.h"
#include "nostr/base/thread_name.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxWaiting = 256;

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

void NodePool::close() { inbox_.close(); }

void NodePool::submit(HttpRequest request, Reply reply, Answer answer) {
  Job job{std::move(request), std::move(reply), std::move(answer)};
  if (inbox_.try_push(job)) return;
  HttpResponse busy = text_answer(503, "too many requests wait");
  busy.headers["retry-after"] = "1";
  job.reply->send(std::move(busy));
}

void NodePool::loop() {
  while (auto job = inbox_.pop()) {
    NodeAnswer answer = job->answer(job->request);
    if (auto* whole = std::get_if<HttpResponse>(&answer)) {
      job->reply->send(std::move(*whole));
    } else {
      stream(std::move(std::get<StreamedAnswer>(answer)), *job->reply);
    }
  }
}

void NodePool::stream(StreamedAnswer answer, nostr::net::HttpReply& reply) {
  reply.begin(200, std::move(answer.headers));
  const Status done =
      answer.body([&](Bytes piece) { return !inbox_.closed() && reply.write(std::move(piece)); });
  if (done) return reply.finish();
  if (!reply.client_gone()) log_warning("node", "stream cut: " + done.error().message);
  reply.abort();
}

}  // namespace ipnscast::bridge
