#include "ipnscast/tests/support/gateways/fault_proxy.h"

#include <random>

namespace ipnscast::test {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr Milliseconds kForever{600'000};
constexpr size_t kSmallAnswer = 2048;
constexpr uint64_t kMaxAnswer = 64 * 1024 * 1024;

// FNV-1a: the same on every machine, which std::hash does not promise.
uint64_t hash_of(std::string_view text, uint64_t seed) {
  uint64_t hash = 14695981039346656037u ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return hash;
}

microseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
}

// Headers that belong to one connection, or that whoever sends the body sets itself.
bool of_one_hop(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" ||
         name == "host" || name == "trailer" || name == "expect";
}

}  // namespace

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "healthy";
    case Fault::dead:
      return "dead";
    case Fault::lie:
      return "lie";
    case Fault::stale:
      return "stale";
    case Fault::stall:
      return "stall";
    case Fault::busy:
      return "429";
  }
  return "";
}

FaultProxy::FaultProxy(sync::gateway::Http& upstream, std::string gateway_url, std::string rpc_url,
                       FaultProxyOptions options)
    : upstream_(upstream),
      gateway_url_(std::move(gateway_url)),
      rpc_url_(std::move(rpc_url)),
      options_(options),
      server_([this](const ScriptedRequest& request) { return serve(request); }) {
  if (options_.fault == Fault::dead && options_.seed % 2 == 0) stop();
}

std::vector<ProxiedRequest> FaultProxy::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

ScriptedAnswer FaultProxy::serve(const ScriptedRequest& request) {
  const std::string what = request.method + " " + request.target;
  uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    number = seen_[what]++;
  }
  std::mt19937_64 rng(hash_of(what, options_.seed * 0x9e3779b97f4a7c15u + number));
  const microseconds delay(std::uniform_int_distribution<int64_t>(options_.shortest.count(),
                                                                  options_.longest.count())(rng));
  if (options_.fault == Fault::dead) return {.delay = kForever};
  const auto started = steady_clock::now();
  ScriptedAnswer answer = pass_on(request);
  {
    std::lock_guard lock(mutex_);
    requests_.push_back({request.target, answer.status, delay, since(started)});
  }
  answer.delay = delay;
  spoil(answer, rng());
  return answer;
}

ScriptedAnswer FaultProxy::pass_on(const ScriptedRequest& request) {
  sync::gateway::HttpCall call;
  call.method = request.method;
  call.url = (request.target.rfind("/api/", 0) == 0 ? rpc_url_ : gateway_url_) + request.target;
  for (const auto& [name, value] : request.headers) {
    if (!of_one_hop(name)) call.headers.emplace_back(name, value);
  }
  if (!request.body.empty())
    call.body = std::make_shared<const Bytes>(request.body.begin(), request.body.end());
  call.max_bytes = kMaxAnswer;
  const auto got = upstream_.fetch(std::move(call));
  if (!got) {
    return {
        .status = 502, .headers = {{"Content-Type", "text/plain"}}, .body = got.error().message};
  }
  ScriptedAnswer answer{.status = got->head.status, .body = std::string(as_text(got->body))};
  for (const auto& [name, value] : got->head.headers) {
    if (!of_one_hop(name)) answer.headers.emplace_back(name, value);
  }
  return answer;
}

void FaultProxy::spoil(ScriptedAnswer& answer, uint64_t drawn) const {
  const size_t size = answer.body.size();
  switch (options_.fault) {
    case Fault::lie:
      if (drawn % 4 == 0) {
        answer.status = 200;
        answer.headers = {{"Content-Type", "text/html"}};
        answer.body = "<html><body>Welcome to the portal</body></html>";
      } else if (drawn % 4 == 1) {
        answer.body.resize(size / 2);
      } else if (size > 0) {
        answer.body[drawn / 4 % size] ^= 0x20;
      }
      break;
    case Fault::stall:
      if (size > 0 && (options_.seed % 2 == 0 || size >= kSmallAnswer))
        answer.stall_after = drawn % size;
      break;
    case Fault::busy:
      answer.status = 429;
      answer.headers = {{"Retry-After", "60"}, {"Content-Type", "text/plain"}};
      answer.body = "too many requests\n";
      break;
    case Fault::none:
    case Fault::dead:
    case Fault::stale:
      break;
  }
}

}  // namespace ipnscast::test
