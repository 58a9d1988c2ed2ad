// With which code a WebSocket ends, and why, on both sides. RFC 6455 sections 5, 7 and 8
#include "ipnscast/nostr/net/message/close_code.h"

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "ipnscast/nostr/net/message/deflater.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/net_peers.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/test_certificates.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;

namespace {

const std::string kDeflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

std::string length_of(size_t size, unsigned char mask) {
  std::string out(1, static_cast<char>(mask | (size < 126 ? size : 127)));
  for (int shift = 56; size >= 126 && shift >= 0; shift -= 8)
    out += static_cast<char>(size >> shift & 0xff);
  return out;
}

// A client's frame; its mask is four letters.
std::string masked(unsigned char first, std::string payload) {
  const std::string mask = "mask";
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return static_cast<char>(first) + length_of(payload.size(), 0x80) + mask + payload;
}

// A server's frame.
std::string bare(unsigned char first, const std::string& payload) {
  return static_cast<char>(first) + length_of(payload.size(), 0) + payload;
}

std::string code_bytes(int code) {
  return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}

// One short frame of the peer, and what of its payload a mask hid.
struct Frame {
  int opcode = -1;  // the connection ended
  std::string payload;
  int code() const {
    if (opcode != 8) return -1;
    if (payload.empty()) return kCloseNoCode;
    return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

bool read_exactly(int fd, std::string& out, size_t size) {
  out.assign(size, '\0');
  for (size_t done = 0; done < size;) {
    const ssize_t got = ::recv(fd, out.data() + done, size - done, 0);
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

Frame read_frame(int fd) {
  std::string head;
  std::string mask;
  Frame out;
  if (!read_exactly(fd, head, 2)) return out;
  const auto length = static_cast<size_t>(head[1] & 0x7f);
  REQUIRE(length < 126);
  const bool is_masked = (head[1] & 0x80) != 0;
  if (is_masked && !read_exactly(fd, mask, 4)) return out;
  if (!read_exactly(fd, out.payload, length)) return out;
  for (size_t i = 0; is_masked && i < length; ++i)
    out.payload[i] = static_cast<char>(out.payload[i] ^ mask[i % 4]);
  out.opcode = head[0] & 0x0f;
  return out;
}

// A client without manners at a server of ours that echoes and takes messages of 1,000 bytes.
class RawClient {
 public:
  explicit RawClient(uint16_t port, bool deflate = false) : fd(connect_to(port)) {
    REQUIRE(fd >= 0);
    write_all(fd,
              "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                  (deflate ? kDeflate : std::string()) + "\r\n");
    std::string byte;
    while (!head.ends_with("\r\n\r\n") && read_exactly(fd, byte, 1)) head += byte;
    REQUIRE(head.starts_with("HTTP/1.1 101 "));
    CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
  }
  ~RawClient() { ::close(fd); }

  std::string head;
  const int fd;
};

struct EchoServer {
  explicit EchoServer(ServerOptions options = {.max_frame_bytes = 1'000, .deflate = true})
      : server(echo_server(*loop, std::move(options), self)) {
    self = &server;
  }
  std::unique_ptr<Loop> loop = *Loop::start();
  std::unique_ptr<WebSocketServer>* self = nullptr;
  std::unique_ptr<WebSocketServer> server;
};

// With which code the server leaves a client that sends this. It has to hang up, too.
int code_for(EchoServer& echo, const std::string& bytes, bool deflate = false) {
  const RawClient client(echo.server->port(), deflate);
  write_all(client.fd, bytes);
  Frame frame = read_frame(client.fd);
  while (frame.opcode >= 0 && frame.opcode != 8) frame = read_frame(client.fd);
  const int code = frame.code();
  if (code > 0) CHECK(read_frame(client.fd).opcode == -1);
  return code;
}

// What zlib makes of `count` zero bytes.
std::string compressed_zeros(size_t count) {
  const std::string zeros(count, '\0');
  return *Deflater().message(zeros);
}

// What a client of ours said last to a relay that sends this after the upgrade, and what it told
// its owner.
struct Parting {
  int code = -1;
  Closed told;
};

Parting client_at(const std::string& says, bool deflate = false, bool hangs_up = false) {
  const RawListener listener;
  Parting out;
  std::thread peer([&] {
    const int fd = listener.accept();
    write_all(fd, websocket_answer(read_until(fd, "\r\n\r\n"), deflate ? kDeflate : "") + says);
    if (hangs_up) ::shutdown(fd, SHUT_WR);
    Frame frame = read_frame(fd);
    while (frame.opcode >= 0 && frame.opcode != 8) frame = read_frame(fd);
    out.code = frame.code();
    ::close(fd);
  });
  const auto loop = *Loop::start();
  {
    ClientOptions options;
    options.max_frame_bytes = 1'000;
    options.access.deflate = deflate;
    Probe probe(*loop, listener.url(), options);
    CHECK(probe.next().what == "opened");
    if (!says.empty() || hangs_up) {
      auto told = probe.next();
      while (told.what == "frame") told = probe.next();
      out.told = told.closed;
    }
  }
  peer.join();
  return out;
}

}  // namespace

TEST_CASE("E10: a server says with its close code what was wrong with a frame") {
  EchoServer echo;
  struct Case {
    const char* what;
    std::string bytes;
    int code;
  };
  const std::string text = masked(0x81, "hello");
  const Case all[] = {
      {"too long", masked(0x81, std::string(1'001, 'x')), 1009},
      {"much too long", masked(0x81, std::string(900'000, 'x')), 1009},
      {"announced to be too long", text.substr(0, 1) + length_of(1 << 20, 0x80) + "mask", 1009},
      {"too long in pieces",
       masked(0x01, std::string(600, 'x')) + masked(0x80, std::string(600, 'x')), 1009},
      {"not masked", bare(0x81, "hello"), 1002},
      {"not masked and empty", bare(0x81, ""), 1002},
      {"RSV1 without an extension", masked(0xc1, "x"), 1002},
      {"RSV2", masked(0xa1, "x"), 1002},
      {"RSV3", masked(0x91, "x"), 1002},
      {"RSV1 in a ping", masked(0xc9, "x"), 1002},
      {"opcode 3", masked(0x83, "x"), 1002},
      {"opcode 7", masked(0x87, "x"), 1002},
      {"opcode 11", masked(0x8b, "x"), 1002},
      {"opcode 15", masked(0x8f, "x"), 1002},
      {"a ping in fragments", masked(0x09, "x"), 1002},
      {"a close in fragments", masked(0x08, code_bytes(1000)), 1002},
      {"a ping of 126 bytes", masked(0x89, std::string(126, 'x')), 1002},
      {"a pong of 70,000 bytes", masked(0x8a, std::string(70'000, 'x')), 1002},
      {"a continuation of nothing", masked(0x80, "x"), 1002},
      {"a continuation behind a whole message", text + masked(0x80, "x"), 1002},
      {"a message inside of another", masked(0x01, "x") + masked(0x81, "x"), 1002},
      {"a length of 2^63",
       text.substr(0, 1) + "\xff" + std::string(1, '\x80') + std::string(7, '\0') + "mask", 1002},
      {"not UTF-8", masked(0x81, "\xc3\x28"), 1007},
      {"half a character", masked(0x81, "\xe2\x82"), 1007},
      {"a surrogate", masked(0x81, "\xed\xa0\x80"), 1007},
      {"not UTF-8 in pieces", masked(0x01, "\xe2\x82") + masked(0x80, "x"), 1007},
      {"binary", masked(0x82, "x"), 1003},
      {"binary in pieces", masked(0x02, "x"), 1003},
      {"a close with half a code", masked(0x88, "\x03"), 1002},
      {"a close with code 0", masked(0x88, code_bytes(0)), 1002},
      {"a close with code 999", masked(0x88, code_bytes(999)), 1002},
      {"a close with code 1004", masked(0x88, code_bytes(1004)), 1002},
      {"a close with code 1005", masked(0x88, code_bytes(1005)), 1002},
      {"a close with code 1006", masked(0x88, code_bytes(1006)), 1002},
      {"a close with code 1015", masked(0x88, code_bytes(1015)), 1002},
      {"a close with code 2999", masked(0x88, code_bytes(2999)), 1002},
      {"a close with code 5000", masked(0x88, code_bytes(5000)), 1002},
      {"a reason that is not UTF-8", masked(0x88, code_bytes(1000) + "\xff"), 1007},
  };
  for (const Case& one : all) {
    INFO(one.what);
    CHECK(code_for(echo, one.bytes) == one.code);
    // It does not matter in which pieces the bytes come, nor what came before them.
    CHECK(code_for(echo, text + masked(0x89, "ping") + one.bytes) == one.code);
  }
}

TEST_CASE("E10: a server says 1009 to a bomb and 1007 to what cannot be decompressed") {
  EchoServer echo;
  const std::string good = *Deflater().message(std::string(500, 'a'));
  const std::string bomb = compressed_zeros(200'000);
  REQUIRE(bomb.size() < 1'000);
  CHECK(code_for(echo, masked(0xc1, good) + masked(0x88, code_bytes(1000)), true) == 1000);
  CHECK(code_for(echo, masked(0xc1, bomb), true) == 1009);
  CHECK(code_for(echo, masked(0x41, bomb.substr(0, 500)) + masked(0x80, bomb.substr(500)), true) ==
        1009);
  CHECK(code_for(echo, masked(0xc1, std::string(20, '\xff')), true) == 1007);
  CHECK(code_for(echo, masked(0xc1, good.substr(0, good.size() - 3)), true) == 1007);
  CHECK(code_for(echo, masked(0xc1, *Deflater().message(std::string(500, '\xff'))), true) == 1007);
  CHECK(code_for(echo, masked(0x41, good.substr(0, 3)) + masked(0xc0, good.substr(3)), true) ==
        1002);
  CHECK(code_for(echo, masked(0xc1, good)) == 1002);  // nobody agreed on it
}

TEST_CASE("E10: a server answers a client's close with its code, and hangs up") {
  EchoServer echo;
  for (const int code : {1000, 1001, 1003, 1008, 1012, 1013, 3000, 4999})
    CHECK(code_for(echo, masked(0x88, code_bytes(code) + "done")) == code);
  CHECK(code_for(echo, masked(0x88, "")) == kCloseNoCode);
  CHECK(code_for(echo, masked(0x81, "close me") + masked(0x88, code_bytes(1000))) == 1000);
}

TEST_CASE(
    "E10: a server that goes away says 1001, also through TLS and behind what it had to say") {
  const TempDir folder;
  const auto certificate = make_certificate(folder.path(), "shown", {});
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto loop = *Loop::start();
  std::unique_ptr<Probe> behind_tls;
  {
    EchoServer echo;
    EchoServer safe({.tls_cert_file = certificate.certificate.string(),
                     .tls_key_file = certificate.key.string()});
    for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<RawClient>(echo.server->port()));
    write_all(clients[0]->fd, masked(0x81, "hello"));
    CHECK(read_frame(clients[0]->fd).payload == "hello");
    ClientOptions options;
    options.access.ca_file = certificate.certificate.string();
    behind_tls = std::make_unique<Probe>(
        *loop, "wss://localhost:" + std::to_string(safe.server->port()), options);
    REQUIRE(behind_tls->next().what == "opened");
  }
  for (const auto& client : clients) {
    CHECK(read_frame(client->fd).code() == 1001);
    CHECK(read_frame(client->fd).opcode == -1);
  }
  const auto closed = behind_tls->next().closed;
  CHECK(closed.code == 1001);
  CHECK(closed.text == "closed by the relay with code 1001: \"the server is going away\"");
}

TEST_CASE("E10: a server waits only so long for a client that never answers its close") {
  EchoServer echo;
  const RawClient client(echo.server->port());
  write_all(client.fd, masked(0x81, "close me"));
  CHECK(read_frame(client.fd).code() == 1000);
  CHECK(read_frame(client.fd).opcode == -1);  // and does not keep the connection for ever
}

TEST_CASE("E10: pings are answered between the parts of a message, and messages stay whole") {
  EchoServer echo;
  const RawClient client(echo.server->port());
  const std::string all = masked(0x01, "one ") + masked(0x89, "are you there?") + masked(0x00, "") +
                          masked(0x80, "message") + masked(0x8a, "unasked") + masked(0x81, "");
  for (const char byte : all) write_all(client.fd, std::string(1, byte));
  const Frame pong = read_frame(client.fd);
  CHECK(pong.opcode == 0xa);
  CHECK(pong.payload == "are you there?");
  CHECK(read_frame(client.fd).payload == "one message");
  const Frame empty = read_frame(client.fd);
  CHECK(empty.opcode == 1);
  CHECK(empty.payload.empty());
}

TEST_CASE("E10: a client of ours leaves with a close frame, also when the process ends with it") {
  CHECK(client_at("").code == 1000);
}

TEST_CASE("E10: a client of ours says with its close code what was wrong with a relay's frame") {
  struct Case {
    const char* what;
    std::string bytes;
    int code;
    CloseReason reason = CloseReason::protocol;
  };
  const Case all[] = {
      {"too long", bare(0x81, std::string(1'001, 'x')), 1009, CloseReason::too_large},
      {"much too long", bare(0x81, std::string(100'000, 'x')), 1009, CloseReason::too_large},
      {"RSV1 without an extension", bare(0xc1, "x"), 1002},
      {"RSV2", bare(0xa1, "x"), 1002},
      {"opcode 3", bare(0x83, "x"), 1002},
      {"opcode 11", bare(0x8b, "x"), 1002},
      {"a ping in fragments", bare(0x09, "x"), 1002},
      {"a ping of 126 bytes", bare(0x89, std::string(126, 'x')), 1002},
      {"a continuation of nothing", bare(0x80, "x"), 1002},
      {"a message inside of another", bare(0x01, "x") + bare(0x81, "x"), 1002},
      {"a length of 2^63", std::string("\x81\x7f\x80") + std::string(7, '\0'), 1002},
  };
  for (const Case& one : all) {
    INFO(one.what);
    const Parting parting = client_at(one.bytes);
    CHECK(parting.code == one.code);
    CHECK(parting.told.reason == one.reason);
    CHECK(parting.told.code == one.code);
  }
  const std::string good = *Deflater().message(std::string(500, 'a'));
  CHECK(client_at(bare(0xc1, compressed_zeros(200'000)), true).code == 1009);
  CHECK(client_at(bare(0xc1, std::string(20, '\xff')), true).code == 1007);
  CHECK(client_at(bare(0xc1, good.substr(0, good.size() - 3)), true).code == 1007);
}

TEST_CASE("a relay's message that is binary or no UTF-8 is passed over, and the link stays") {
  const std::string bad = bare(0x82, "x") + bare(0x81, "\xc3\x28") + bare(0x81, "\xff");
  CHECK(client_at(bad + bare(0x88, code_bytes(4003))).told.code == 4003);
}

TEST_CASE("E10: what a relay says when it closes reaches the person, in quotes and cleaned") {
  const auto at_close = [](const std::string& payload) { return client_at(bare(0x88, payload)); };
  const auto blocked = at_close(code_bytes(4003) + "blocked: \x1b[31mpay first");
  CHECK(blocked.code == 4003);
  CHECK(blocked.told.reason == CloseReason::remote);
  CHECK(blocked.told.code == 4003);
  CHECK(blocked.told.text ==
        "closed by the relay with code 4003: \"blocked: \\u001b[31mpay first\"");
  CHECK(at_close(code_bytes(1008)).told.text ==
        "closed by the relay with code 1008: its rules are against us");
  CHECK(at_close(code_bytes(3999)).told.text == "closed by the relay with code 3999");
  CHECK(at_close("").told.text == "closed by the relay");
  const auto half = at_close("\x03");
  CHECK(half.code == 1002);
  CHECK(half.told.reason == CloseReason::remote);
  CHECK(at_close(code_bytes(1000) + "\xff").code == 1007);
  CHECK(at_close(code_bytes(999)).code == 1002);
  const auto silent = client_at("", false, true);
  CHECK(silent.code == -1);
  CHECK(silent.told.reason == CloseReason::remote);
  CHECK(silent.told.code == 0);
  CHECK(silent.told.text == "connection lost");
}
