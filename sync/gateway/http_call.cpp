#include "ipnscast/sync/gateway/http_call.h"

#include <future>

namespace ipnscast::sync::gateway {

HttpId Http::start_whole(HttpCall call, std::function<void(Result<HttpAnswer>)> done) {
  auto answer = std::make_shared<HttpAnswer>();
  return start(std::move(call),
               {.head = [answer](const HttpHead& head) { answer->head = head; },
                .chunk =
                    [answer](ByteView bytes) {
                      append(answer->body, bytes);
                      return true;
                    },
                .done =
                    [answer, done = std::move(done)](Status status, const HttpTimings& timings) {
                      if (!status) return done(fail(status.error()));
                      answer->timings = timings;
                      done(std::move(*answer));
                    }});
}

Result<HttpAnswer> Http::fetch(HttpCall call) {
  auto answer = std::make_shared<std::promise<Result<HttpAnswer>>>();
  auto future = answer->get_future();
  start_whole(std::move(call),
              [answer](Result<HttpAnswer> result) { answer->set_value(std::move(result)); });
  return future.get();
}

}  // namespace ipnscast::sync::gateway
