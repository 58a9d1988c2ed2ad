// R38, as a fuzzer would: seeded bytes on all four ports of a running stack, and after each volley
// a look whether they still answer. IPNSCAST_FUZZ_SECONDS says for how long (3 unless told; 600 for
// the long run), IPNSCAST_FUZZ_SEED with which seed to begin.
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/four_ports.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

uint64_t number_of(const char* name, uint64_t by_default) {
  const char* const text = std::getenv(name);
  return text == nullptr ? by_default : std::strtoull(text, nullptr, 10);
}

// Makes what a client sends, from a seed.
class Volley {
 public:
  explicit Volley(uint64_t seed) : random_(seed) {}

  size_t below(size_t count) { return random_() % count; }
  bool one_in(size_t count) { return below(count) == 0; }

  std::string bytes() {
    std::string out;
    for (size_t parts = 1 + below(4); parts > 0; --parts) out += part();
    if (one_in(2)) mutate(out);
    return out;
  }

 private:
  template <size_t Count>
  std::string any(const char* const (&of)[Count]) {
    return of[below(Count)];
  }

  std::string noise(size_t most) {
    std::string out(below(most + 1), '\0');
    for (char& c : out) c = static_cast<char>(random_());
    return out;
  }

  std::string part() {
    switch (below(8)) {
      case 0:
        return noise(200);
      case 1:
        return upgrade() + frames();
      case 2:
        return frames();
      default:
        return request();
    }
  }

  std::string request() {
    static constexpr const char* const kMethods[] = {"GET",    "HEAD",  "POST",    "PUT", "OPTIONS",
                                                     "DELETE", "PATCH", "CONNECT", "PRI", "get"};
    static constexpr const char* const kTargets[] = {"/",
                                                     "/health",
                                                     "/metrics",
                                                     "/api/v0/version",
                                                     "/api/v0/dag/import",
                                                     "/api/v0/block/get?arg=x",
                                                     "/ipfs/bafkqaaa?format=car",
                                                     "/ipfs/bafkqaaa?format=raw",
                                                     "/ipns/k51?format=ipns-record",
                                                     "/routing/v1/ipns/k51",
                                                     "*",
                                                     "http://x/",
                                                     "//",
                                                     "/%",
                                                     "/%00",
                                                     "/../..",
                                                     ""};
    static constexpr const char* const kVersions[] = {
        "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", ""};
    static constexpr const char* const kHeaders[] = {
        "Connection: close",
        "Connection: keep-alive",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "Upgrade: websocket",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "Expect: 100-continue",
        "Accept: application/nostr+json",
        "Content-Type: multipart/form-data; boundary=b",
        "Accept-Encoding: gzip, deflate",
        "Range: bytes=0-1",
        "If-None-Match: *",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Content-Length: 5",
        "Content-Length: 18446744073709551615",
        "Content-Length: -1",
        " folded",
        "X:"};
    const std::string body = one_in(2) ? "" : "--b\r\n\r\n" + noise(100) + "\r\n--b--\r\n";
    std::string out =
        any(kMethods) + ' ' + any(kTargets) + ' ' + any(kVersions) + "\r\nHost: x\r\n";
    for (size_t count = below(4); count > 0; --count) out += any(kHeaders) + "\r\n";
    const size_t kind = below(5);
    if (kind == 0) return out + "\r\n" + body;
    if (kind == 1) return out + "Transfer-Encoding: chunked\r\n\r\n" + chunked(body);
    // Now and then another length than the body's.
    const size_t length = one_in(4) ? below(300) : body.size();
    return out + "Content-Length: " + std::to_string(length) + "\r\n\r\n" + body;
  }

  std::string chunked(const std::string& body) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", body.size() + (one_in(8) ? below(20) : 0));
    const std::string last = one_in(4) ? "0\r\nT: x\r\n\r\n" : "0\r\n\r\n";
    return body.empty() ? last : size + body + "\r\n" + last;
  }

  std::string upgrade() {
    std::string out =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (one_in(2)) {
      out += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
      out += one_in(3) ? "=" + std::to_string(below(20)) + "\r\n" : "\r\n";
    }
    if (one_in(4)) out += "Sec-WebSocket-Protocol: nostr, " + std::to_string(below(9)) + "\r\n";
    return out + "\r\n";
  }

  std::string frames() {
    static constexpr const char* const kTexts[] = {"[\"REQ\",\"s\",{\"kinds\":[1]}]",
                                                   "[\"CLOSE\",\"s\"]",
                                                   "[\"COUNT\",\"c\",{}]",
                                                   "[\"NEG-OPEN\",\"n\",{},\"61\"]",
                                                   "[\"EVENT\",{}]",
                                                   "[]",
                                                   "[\"AUTH\",{}]",
                                                   "{",
                                                   ""};
    std::string out;
    for (size_t count = 1 + below(5); count > 0; --count) {
      const bool known = !one_in(4);
      out += frame(known ? any(kTexts) : noise(300));
    }
    return out;
  }

  // Masked, with an opcode, bits and a length that are now and then not what they should be.
  std::string frame(const std::string& payload) {
    static constexpr uint8_t kFirst[] = {0x81, 0x81, 0x81, 0x81, 0x01, 0x80, 0x82, 0x88,
                                         0x89, 0x8a, 0xc1, 0x41, 0xf1, 0x83, 0x8f, 0x09};
    std::string out(1, static_cast<char>(kFirst[below(sizeof kFirst)]));
    const size_t size = one_in(10) ? below(70'000) : payload.size();
    const int mask = one_in(12) ? 0 : 0x80;
    if (size < 126) {
      out += static_cast<char>(mask | static_cast<int>(size));
    } else {
      out += static_cast<char>(mask | 126);
      out += static_cast<char>(size >> 8);
      out += static_cast<char>(size & 0xff);
    }
    const std::string key = mask == 0 ? std::string() : std::string("\x01\x02\x03\x04", 4);
    out += key;
    for (size_t i = 0; i < payload.size(); ++i)
      out += key.empty() ? payload[i] : static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
  }

  void mutate(std::string& bytes) {
    for (size_t count = 1 + below(4); count > 0 && !bytes.empty(); --count) {
      const size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, 1 + below(8));
          break;
        case 2:
          bytes.insert(at, noise(8));
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(60)));
      }
    }
  }

  Rng random_;
};

// One client's whole life.
void play(const FourPorts::Port& port, Volley& volley, std::deque<RawClient>& kept) {
  RawClient client(port.number);
  const std::string bytes = volley.bytes();
  for (size_t at = 0; at < bytes.size();) {
    const size_t part = volley.one_in(3) ? 1 + volley.below(bytes.size() - at) : bytes.size() - at;
    client.send(std::string_view(bytes).substr(at, part));
    at += part;
  }
  switch (volley.below(5)) {
    case 0:
      client.reset();
      return;
    case 1:
      client.end_sending();
      client.read({}, std::chrono::milliseconds(volley.below(20)));
      return;
    case 2:
      return;
    default:
      kept.push_back(std::move(client));
  }
}

}  // namespace

TEST_CASE("R38: no bytes on any port stop the process, hang it or shut others out") {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(number_of("IPNSCAST_FUZZ_SECONDS", 3));
  uint64_t seed = number_of("IPNSCAST_FUZZ_SEED", 1);
  const FourPorts stack;
  std::deque<RawClient> kept;
  size_t volleys = 0;
  for (; Clock::now() < end; ++seed) {
    Volley volley(seed);
    for (const auto& port : stack.ports()) {
      for (int i = 0; i < 8; ++i) play(port, volley, kept);
    }
    INFO("IPNSCAST_FUZZ_SEED=" << seed);
    REQUIRE(stack.all_answer());
    while (kept.size() > 300) kept.pop_front();
    ++volleys;
  }
  WARN(volleys << " volleys of 32 clients, the last with seed " << seed - 1);
}
