#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/net_peers.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

// A blocking TCP client that sends one request and reads to the end of the stream.
std::string raw_exchange(uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  timeval limit{60, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  std::string out;
  char buffer[65536];
  for (ssize_t got; (got = ::recv(fd, buffer, sizeof(buffer), 0)) > 0;)
    out.append(buffer, static_cast<size_t>(got));
  ::close(fd);
  return out;
}

}  // namespace

TEST_CASE("frames of any size travel to a server and back in order") {
  auto loop = *Loop::start();
  std::unique_ptr<WebSocketServer> server;
  auto* self = &server;
  server = echo_server(*loop, {}, self);
  {
    Probe probe(*loop, url_of(*server));
    REQUIRE(probe.next().what == "opened");
    for (const size_t size : {1, 125, 126, 65535, 65536, 900000}) {
      const std::string frame(size, 'x');
      probe.send(frame);
      const auto got = probe.next();
      REQUIRE(got.what == "frame");
      CHECK(got.text == frame);
    }
    for (int i = 0; i < 1000; ++i) probe.send(std::to_string(i));
    for (int i = 0; i < 1000; ++i) REQUIRE(probe.next().text == std::to_string(i));
    probe.send("close me");
    CHECK(probe.next().what.rfind("closed", 0) == 0);
  }
  server.reset();
}

TEST_CASE("a client that takes nothing for the time allowed is told so and closed") {
  auto loop = *Loop::start();
  ServerHandlers handlers;
  std::promise<ServerConnectionId> opened;
  std::atomic<bool> drained = false;
  handlers.opened = [&](ServerConnectionId id, const std::string&) { opened.set_value(id); };
  handlers.drained = [&](ServerConnectionId) { drained = true; };
  const ServerOptions options{.max_unsent_bytes = 64 * 1024 * 1024,
                              .last_words = "too slow",
                              .max_stall = std::chrono::milliseconds(100)};
  auto server = *listen(*loop, options, std::move(handlers));
  {
    Probe probe(*loop, url_of(*server));
    REQUIRE(probe.next().what == "opened");
    loop->run([&] { probe.socket->pause_reading(); });
    const ServerConnectionId id = opened.get_future().get();
    const auto frame = std::make_shared<const std::string>(500'000, 'x');
    for (int i = 0; i < 100; ++i) server->send(id, frame);
    server->when_drained(id, 0);
    // On the loop whose timer finds the stall, and long after it.
    loop->run([&] {
      loop->at(std::chrono::steady_clock::now() + std::chrono::seconds(1),
               [&] { probe.socket->resume_reading(); });
    });
    Probe::Event event = probe.next();
    int whole = 0;
    for (; event.what == "frame" && event.text == *frame; event = probe.next()) ++whole;
    CHECK(whole < 100);
    CHECK(event.text == "too slow");
    event = probe.next();
    CHECK(event.what.rfind("closed", 0) == 0);
    CHECK(event.closed.code == 1008);
    CHECK_FALSE(drained);
  }
  server.reset();
}

TEST_CASE("a frame above the limit ends the connection on either side") {
  auto loop = *Loop::start();
  std::unique_ptr<WebSocketServer> server;
  auto* self = &server;
  server = echo_server(*loop, {.max_frame_bytes = 1000}, self);
  {
    Probe probe(*loop, url_of(*server));
    REQUIRE(probe.next().what == "opened");
    probe.send(std::string(2000, 'x'));
    CHECK(probe.next().what.rfind("closed", 0) == 0);
    Probe small(*loop, url_of(*server), {.max_frame_bytes = 10});
    REQUIRE(small.next().what == "opened");
    small.send("a frame of more than ten");
    CHECK(small.next().what == closed_by(CloseReason::too_large));
  }
  server.reset();
}

TEST_CASE("nobody listening, a name that is none and a server that hangs are told apart") {
  auto loop = *Loop::start();
  uint16_t free_port = 0;
  {
    auto gone = *listen(*loop, {}, {});
    free_port = gone->port();
  }
  Probe refused(*loop, "ws://127.0.0.1:" + std::to_string(free_port));
  const auto refusal = refused.next();
  INFO(refusal.text);
  CHECK(refusal.what == closed_by(CloseReason::refused));
  Probe nameless(*loop, "ws://no-such-host.invalid");
  CHECK(nameless.next().what == closed_by(CloseReason::dns));

  const RawListener deaf;
  Probe hanging(*loop, deaf.url(), {.connect_timeout = std::chrono::milliseconds(300)});
  CHECK(hanging.next().what == closed_by(CloseReason::timeout));
}

TEST_CASE("an HTTP answer is refused as a relay with its status") {
  auto loop = *Loop::start();
  auto server = *listen(*loop, {}, {});
  // Upgrades go through on our own server, so a peer that answers plain HTTP is played by a raw
  // socket.
  const RawListener raw;
  std::thread answering([raw = raw.fd] {
    const int fd = ::accept(raw, nullptr, nullptr);
    char buffer[4096];
    (void)::recv(fd, buffer, sizeof(buffer), 0);
    const std::string answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    (void)::recv(fd, buffer, sizeof(buffer), 0);
    ::close(fd);
  });
  {
    Probe probe(*loop, raw.url());
    const auto closed = probe.next();
    CHECK(closed.what == closed_by(CloseReason::http_status));
    CHECK(closed.closed.code == 403);
    CHECK(closed.text.find("HTTP 403") != std::string::npos);
  }
  answering.join();
}

TEST_CASE("HTTP requests with and without a body are answered whole, streamed and cut") {
  auto loop = *Loop::start();
  std::thread streaming;
  auto server = *listen(*loop, {.max_body_bytes = 1000},
                        {.http = [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
                          if (request.path == "/stream" || request.path == "/cut") {
                            const bool cut = request.path == "/cut";
                            streaming = std::thread([reply, cut] {
                              reply->begin(200, {{"content-type", "text/plain"}});
                              for (int i = 0; i < 100; ++i)
                                reply->write(Bytes(40000, static_cast<uint8_t>('a')));
                              if (cut) {
                                reply->abort();
                              } else {
                                reply->finish();
                              }
                            });
                            return;
                          }
                          if (request.path == "/nothing") return;
                          const std::string text =
                              request.method + " " + request.path +
                              " q=" + query_value(request, "q").value_or("none") + " " +
                              request.headers["accept"] + " " + std::string(as_text(request.body));
                          reply->send({200, {{"etag", "\"x\""}}, to_bytes(text)});
                        }});
  const auto ask = [&](const std::string& request) {
    return raw_exchange(server->port(), request);
  };

  const std::string get = ask(
      "GET /a%20b?x=1&q=c%2Fd HTTP/1.1\r\nHost: h\r\nAccept: text/x\r\nConnection: close\r\n\r\n");
  CHECK(get.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(get.find("GET /a b q=c/d text/x ") != std::string::npos);
  CHECK(get.find("etag: \"x\"") != std::string::npos);
  const std::string post =
      ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  CHECK(post.find("POST /p q=none  body") != std::string::npos);
  const std::string bare_post = ask("POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(bare_post.find("POST /p q=none") != std::string::npos);
  const std::string put =
      ask("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nz");
  CHECK(put.find("PUT /p q=none  z") != std::string::npos);
  const std::string head = ask("HEAD /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(head.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(head.find("HEAD /p") == std::string::npos);
  const std::string big =
      ask("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n");
  CHECK(big.rfind("HTTP/1.1 413", 0) == 0);
  CHECK(ask("GET /nothing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .rfind("HTTP/1.1 500", 0) == 0);
  const std::string kept = ask(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(kept.find("GET /1") != std::string::npos);

  const std::string streamed = ask("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  streaming.join();
  CHECK(static_cast<size_t>(std::count(streamed.begin(), streamed.end(), 'a')) >= 4000000);
  CHECK(streamed.size() > 5);
  CHECK(streamed.substr(streamed.size() - 5) == "0\r\n\r\n");
  const std::string cut = ask("GET /cut HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  streaming.join();
  CHECK(cut.find("0\r\n\r\n", cut.size() > 8 ? cut.size() - 8 : 0) == std::string::npos);
}

TEST_CASE("a port can be taken again right after its server is gone, and a taken one is an error") {
  auto loop = *Loop::start();
  auto first = *listen(*loop, {}, {});
  const uint16_t port = first->port();
  CHECK_FALSE(listen(*loop, {.port = port}, {}));
  first.reset();
  auto second = listen(*loop, {.port = port}, {});
  CHECK(second);
}

TEST_CASE("R26 a half-open socket is found dead after two unanswered pings") {
  auto loop = *Loop::start();
  const RawListener raw;
  std::promise<void> over;
  std::thread silent([raw = raw.fd, done = over.get_future()]() mutable {
    const int fd = ::accept(raw, nullptr, nullptr);
    write_all(fd, websocket_answer(read_until(fd, "\r\n\r\n")));
    done.wait();
    ::close(fd);
  });
  {
    Probe probe(*loop, raw.url(), {.ping_interval = std::chrono::milliseconds(100)});
    CHECK(probe.next().what == "opened");
    CHECK(probe.next().what == closed_by(CloseReason::dead));
  }
  over.set_value();
  silent.join();
}

TEST_CASE("R26 a relay that says nothing but answers pings is not dead (S0-45)") {
  auto loop = *Loop::start();
  const RawListener raw;
  std::atomic<int> answered = 0;
  std::thread polite([&] {
    const int fd = raw.accept();
    write_all(fd, websocket_answer(read_until(fd, "\r\n\r\n")));
    // A client's frames are masked, and short here: two bytes, four of the mask, the rest.
    for (std::array<unsigned char, 6> head{};
         ::recv(fd, head.data(), head.size(), MSG_WAITALL) == static_cast<ssize_t>(head.size());) {
      std::string pong(head[1] & 0x7f, '\0');
      if (!pong.empty() && ::recv(fd, pong.data(), pong.size(), MSG_WAITALL) <= 0) break;
      if ((head[0] & 0x0f) != 0x9) continue;
      for (size_t i = 0; i < pong.size(); ++i)
        pong[i] = static_cast<char>(pong[i] ^ head[2 + i % 4]);
      write_all(fd, std::string{static_cast<char>(0x8a), static_cast<char>(pong.size())} + pong);
      ++answered;
    }
    ::close(fd);
  });
  {
    Probe probe(*loop, raw.url(), {.ping_interval = std::chrono::milliseconds(300)});
    REQUIRE(probe.next().what == "opened");
    // More than twice what a dead one gets.
    while (answered < 5)
      REQUIRE_FALSE(
          probe.events.pop_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(20)));
  }
  polite.join();
}

TEST_CASE("after the machine slept, dead sockets are found at once and live ones stay") {
  std::atomic<int64_t> slept = 0;
  auto loop = *Loop::start([&slept] {
    SleepClocks now = read_sleep_clocks();
    now.boottime += std::chrono::milliseconds(slept.load());
    return now;
  });
  std::unique_ptr<WebSocketServer> server;
  auto* self = &server;
  server = echo_server(*loop, {}, self);
  const RawListener raw;
  std::promise<void> over;
  std::thread silent([&raw, done = over.get_future()]() mutable {
    const int fd = raw.accept();
    write_all(fd, websocket_answer(read_until(fd, "\r\n\r\n")));
    done.wait();
    ::close(fd);
  });
  {
    std::atomic<int64_t> told = 0;
    std::shared_ptr<void> token;
    loop->run(
        [&] { token = loop->on_resume([&told](Milliseconds asleep) { told = asleep.count(); }); });
    Probe dead(*loop, raw.url(), {.probe_deadline = std::chrono::milliseconds(200)});
    Probe alive(*loop, url_of(*server), {.probe_deadline = std::chrono::seconds(60)});
    REQUIRE(dead.next().what == "opened");
    REQUIRE(alive.next().what == "opened");
    slept = 3'600'000;
    loop->run([] {});
    const auto closed = dead.next();
    CHECK(closed.what == closed_by(CloseReason::dead));
    CHECK(closed.text.find("slept") != std::string::npos);
    CHECK(told >= 3'599'000);
    alive.send("still here");
    CHECK(alive.next().text == "still here");
    loop->run([&] { token.reset(); });
  }
  over.set_value();
  silent.join();
  server.reset();
}

TEST_CASE("two servers of one process answer for themselves, and one can end without the other") {
  auto loop = *Loop::start();
  const auto saying = [&](const char* text) {
    ServerHandlers handlers;
    handlers.http = [text](const HttpRequest&, const std::shared_ptr<HttpReply>& reply) {
      reply->send({200, {}, to_bytes(std::string_view(text))});
    };
    return *listen(*loop, {}, std::move(handlers));
  };
  auto first = saying("this is the first");
  auto second = saying("this is the second");
  const auto ask = [](const WebSocketServer& server) {
    return raw_exchange(server.port(),
                        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  };
  CHECK(ask(*first).find("the first") != std::string::npos);
  CHECK(ask(*second).find("the second") != std::string::npos);
  first.reset();
  CHECK(ask(*second).find("the second") != std::string::npos);
}
