#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <thread>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/message/deflater.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/net_peers.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

const std::string kAgreed = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

// One compressed text message, in one frame.
std::string compressed_frame(const std::string& payload) {
  std::string out = "\xC1";
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else {
    out += '\x7f';
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>(payload.size() >> shift & 0xff);
    }
  }
  return out + payload;
}

// What zlib makes of `count` zero bytes: a thousandth.
std::string compressed_zeros(size_t count) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  const std::string zeros(1 << 20, '\0');
  std::string out;
  std::string step(1 << 16, '\0');
  for (size_t done = 0; done < count; done += zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
    stream.avail_in = static_cast<uInt>(zeros.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(step.data());
      stream.avail_out = static_cast<uInt>(step.size());
      deflate(&stream, done + zeros.size() >= count ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      out.append(step.data(), step.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out.substr(0, out.size() - 4);
}

// A relay that agrees to compress, or says `more`, and sends these bytes after the upgrade.
class ScriptedPeer {
 public:
  ScriptedPeer(std::string bytes, std::string more)
      : thread_([this, bytes = std::move(bytes), more = std::move(more)] {
          const int fd = listener_.accept();
          request = read_until(fd, "\r\n\r\n");
          write_all(fd, websocket_answer(request, more) + bytes);
          char byte = 0;
          while (::recv(fd, &byte, 1, 0) > 0) continue;
          ::close(fd);
        }) {}
  ~ScriptedPeer() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::string url() const { return listener_.url(); }

  std::string request;  // after join()

 private:
  RawListener listener_;
  std::thread thread_;
};

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("compressed frames of any size come from our own server, and plain ones go to it") {
  auto loop = *Loop::start();
  std::unique_ptr<WebSocketServer> server;
  auto* self = &server;
  server = echo_server(*loop, {.deflate = true}, self);
  {
    Probe probe(*loop, url_of(*server));
    Probe plain(*loop, url_of(*server), {.access = {.deflate = false}});
    REQUIRE(probe.next().what == "opened");
    REQUIRE(plain.next().what == "opened");
    Rng rng(1);
    // Around the sizes of lws's buffers, where its own extension fails.
    for (const size_t size :
         {1, 255, 256, 1023, 1024, 1025, 4096, 16383, 16384, 16385, 65536, 900000}) {
      std::string text(size, 'x');
      for (size_t i = 0; i < size; i += 7) text[i] = static_cast<char>('a' + rng() % 26);
      probe.send(text);
      plain.send(text);
      CHECK(probe.next().text == text);
      CHECK(plain.next().text == text);
    }
  }
  server.reset();
}

TEST_CASE("a small compressed frame that holds a gigabyte ends the connection, not the memory") {
  const std::string bomb = compressed_frame(compressed_zeros(size_t{1} << 30));
  CHECK(bomb.size() < 1'100'000);
  auto loop = *Loop::start();
  const ScriptedPeer peer(bomb, kAgreed);
  const long before = peak_kib();
  Probe probe(*loop, peer.url());
  REQUIRE(probe.next().what == "opened");
  const auto closed = probe.next();
  INFO(closed.text);
  CHECK(closed.what == closed_by(CloseReason::too_large));
  CHECK(closed.closed.code == 1009);
  const long grown = peak_kib() - before;
  CHECK(grown < 64 * 1024);
}

TEST_CASE("what is compressed wrongly ends the connection, what was never agreed on too") {
  struct Case {
    std::string bytes;
    std::string answer;
  };
  const std::string good = *Deflater().message(std::string(500, 'a'));
  const Case all[] = {{compressed_frame("\xff\xff\xff\xff\xff"), kAgreed},
                      {compressed_frame(good), ""},
                      {"\xA1\x01x", kAgreed}};  // RSV2
  auto loop = *Loop::start();
  for (const Case& one : all) {
    const ScriptedPeer peer(one.bytes, one.answer);
    Probe probe(*loop, peer.url());
    REQUIRE(probe.next().what == "opened");
    const auto closed = probe.next();
    INFO(closed.text);
    CHECK(closed.what.rfind("closed", 0) == 0);
  }
}

TEST_CASE("a relay that agrees many times over, or unasked, does no harm") {
  auto loop = *Loop::start();
  const std::string text(500, 'a');
  const std::string frame = compressed_frame(*Deflater().message(text));
  const std::string many =
      "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate; "
      "server_no_context_takeover, "
      "permessage-deflate, permessage-deflate; server_max_window_bits=10, permessage-deflate\r\n";
  {
    ScriptedPeer peer(frame, many);
    {
      Probe probe(*loop, peer.url());
      REQUIRE(probe.next().what == "opened");
      CHECK(probe.next().text == text);
    }
    peer.join();
    CHECK(peer.request.find("permessage-deflate; client_no_context_takeover") != std::string::npos);
  }
  ScriptedPeer unasked(frame, kAgreed);
  {
    Probe probe(*loop, unasked.url(), {.access = {.deflate = false}});
    auto event = probe.next();
    if (event.what == "opened") event = probe.next();
    CHECK(event.what.rfind("closed", 0) == 0);
  }
  unasked.join();
  CHECK(unasked.request.find("permessage-deflate") == std::string::npos);
}
