#include "ipnscast/tools/bench/publish.h"

#include <chrono>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/net/websocket_client.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tools/bench/event_file.h"
#include "ipnscast/tools/bench/measure.h"

namespace ipnscast::tools {
namespace {

using std::chrono::steady_clock;

constexpr size_t kTurn = 500;
constexpr Milliseconds kAnswerPatience{60'000};

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// One turn's costs for each event.
struct Turn {
  double cpu = 0;
  double wall = 0;
};

// Runs `send` and waits until as many answers as events have come, all of them good.
template <typename Send>
Result<Turn> turn(Inbox<bool>& answers, size_t events, Send send) {
  const double cpu = cpu_seconds();
  const auto start = steady_clock::now();
  send();
  for (size_t i = 0; i < events; ++i) {
    const auto answer = answers.pop_until(start + kAnswerPatience);
    if (!answer) return fail(Errc::timeout, "bench: the relay does not answer");
    if (!*answer) return fail(Errc::internal, "bench: the relay refused an event");
  }
  const auto count = static_cast<double>(events);
  return Turn{(cpu_seconds() - cpu) / count, seconds_since(start) / count};
}

// A WebSocket without a pool, which counts the relay's OKs.
class BareClient {
 public:
  BareClient(nostr::net::Loop& loop, const nostr::RelayUrl& url) : loop_(loop) {
    loop_.run([&] {
      nostr::net::ClientHandlers handlers;
      handlers.opened = [this] { answers.push_reserved(true); };
      handlers.frame = [this](const std::string& frame) {
        if (frame.starts_with("[\"OK\"")) answers.push_reserved(frame.find("true") != frame.npos);
      };
      handlers.closed = [](const nostr::net::Closed&) {};
      socket_ = nostr::net::connect(loop_, url, {}, std::move(handlers));
    });
  }
  ~BareClient() {
    loop_.run([this] { socket_.reset(); });
  }

  bool wait_open() { return answers.pop_until(steady_clock::now() + kAnswerPatience).has_value(); }
  void send(std::vector<std::string> frames) {
    loop_.post([this, frames = std::move(frames)]() mutable {
      for (std::string& frame : frames) socket_->send(std::move(frame));
    });
  }

  Inbox<bool> answers{1'000'000};

 private:
  nostr::net::Loop& loop_;
  std::unique_ptr<nostr::net::WebSocketClient> socket_;
};

struct Stage {
  std::optional<TemporaryDirectory> folder;
  std::unique_ptr<nostr::net::Loop> relay_loop;
  std::unique_ptr<nostr::net::Loop> client_loop;
  std::unique_ptr<nostr::server::RelayServer> relay;
};

Result<Stage> open_stage() {
  Stage out;
  auto folder = TemporaryDirectory::make();
  if (!folder) return fail(folder.error());
  out.folder.emplace(std::move(*folder));
  auto relay_loop = nostr::net::Loop::start();
  if (!relay_loop) return fail(relay_loop.error());
  out.relay_loop = std::move(*relay_loop);
  auto client_loop = nostr::net::Loop::start();
  if (!client_loop) return fail(client_loop.error());
  out.client_loop = std::move(*client_loop);
  nostr::server::RelayServerOptions options;
  options.port = 0;
  options.directory = out.folder->path() / "relay";
  auto relay = nostr::server::RelayServer::start(*out.relay_loop, std::move(options));
  if (!relay) return fail(relay.error());
  out.relay = std::move(*relay);
  return out;
}

std::vector<std::string> frames_of(const BenchEvents& input) {
  std::vector<std::string> out;
  for (const nostr::Event& event : input.events)
    out.push_back(nostr::to_frame(nostr::ClientMessage(nostr::PublishRequest{event})));
  return out;
}

}  // namespace

Result<PublishResult> bench_publish(size_t events) {
  auto stage = open_stage();
  if (!stage) return fail(stage.error());
  const nostr::RelayUrl url = *nostr::RelayUrl::parse(stage->relay->url());
  nostr::PoolOptions options;
  options.relays = {url};
  const auto pool = nostr::Pool::start(*stage->client_loop, std::move(options));
  BareClient bare(*stage->client_loop, url);
  if (!bare.wait_open()) return fail(Errc::timeout, "bench: no connection");
  Inbox<bool> reports{1'000'000};
  std::vector<Turn> pool_turns;
  std::vector<Turn> bare_turns;
  std::vector<double> signing;
  for (size_t done = 0; done < events; done += kTurn) {
    const double before = cpu_seconds();
    BenchEvents through_pool = make_bench_events(kTurn, 1);
    signing.push_back((cpu_seconds() - before) / kTurn);
    auto frames = frames_of(make_bench_events(kTurn, 1));
    const auto bare_turn = turn(bare.answers, kTurn, [&] { bare.send(std::move(frames)); });
    if (!bare_turn) return fail(bare_turn.error());
    bare_turns.push_back(*bare_turn);
    const auto pool_turn = turn(reports, kTurn, [&] {
      for (nostr::Event& event : through_pool.events) {
        pool->publish(std::move(event), {.deadline = kAnswerPatience},
                      [&reports](const nostr::PublishReport& report) {
                        reports.push_reserved(report.stored_count() == 1);
                      });
      }
    });
    if (!pool_turn) return fail(pool_turn.error());
    pool_turns.push_back(*pool_turn);
  }
  const auto rate = [](const std::vector<Turn>& turns, double Turn::*member) {
    std::vector<double> values;
    for (const Turn& one : turns) values.push_back(one.*member);
    return 1 / median(values);
  };
  return PublishResult{.figure = rate(pool_turns, &Turn::cpu),
                       .limit = rate(bare_turns, &Turn::cpu),
                       .wall = rate(pool_turns, &Turn::wall),
                       .wall_limit = rate(bare_turns, &Turn::wall),
                       .signing = 1 / median(signing)};
}

}  // namespace ipnscast::tools
