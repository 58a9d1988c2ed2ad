#include "sync/gateway/http_call.h"

#include <future>

namespace ipnscast::sync::gateway {

Result<HttpAnswer> Http::fetch(HttpCall call) {
  struct Collected {
    HttpAnswer answer;
    std::promise<Status> done;
  };
  auto collected = std::make_shared<Collected>();
  auto done = collected->done.get_future();
  start(std::move(call),
        {.head = [collected](const HttpHead& head) { collected->answer.head = head; },
         .chunk =
             [collected](ByteView bytes) {
               append(collected->answer.body, bytes);
               return true;
             },
         .done =
             [collected](Status status, const HttpTimings& timings) {
               collected->answer.timings = timings;
               collected->done.set_value(std::move(status));
             }});
  if (Status status = done.get(); !status) return fail(status.error());
  return std::move(collected->answer);
}

}  // namespace ipnscast::sync::gateway
