#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/net/message/close_words.h"
#include "ipnscast/nostr/net/message/deflate_offer.h"
#include "ipnscast/nostr/net/message/deflater.h"
#include "ipnscast/nostr/net/message/frame_head.h"
#include "ipnscast/nostr/net/message/inflater.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::nostr::net;

TEST_CASE(
    "E10: a compressed message that ends too early is bad deflate, one that ends itself is not") {
  const std::string good = *Deflater().message(std::string(500, 'a'));
  for (size_t size = 1; size < good.size(); ++size) {
    std::string out;
    const Status cut = Inflater().add(std::string_view(good).substr(0, size), true, 1'000, out);
    CAPTURE(size, out.size());
    CHECK((!cut || out.size() < 500));
  }
  std::string out;
  CHECK_FALSE(Inflater().add(std::string_view(good).substr(0, good.size() - 3), true, 1'000, out));
  // RFC 7692 section 7.2.3.4 and 7.2.3.5: a block without compression, a last block with and
  // without the byte that should follow it.
  using namespace std::string_view_literals;
  const std::string_view whole[] = {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv,
                                    "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv,
                                    "\xf3\x48\xcd\xc9\xc9\x07\x00"sv};
  Inflater inflater;
  for (const std::string_view one : whole) {
    out.clear();
    REQUIRE(inflater.add(one, true, 1'000, out));
    CHECK(out == "Hello");
  }
}

TEST_CASE("a server takes the first offer of compression that it can keep (RFC 7692)") {
  const std::string yes = "permessage-deflate; server_no_context_takeover";
  for (const char* const offer :
       {"permessage-deflate", "Permessage-Deflate;client_max_window_bits",
        "permessage-deflate; client_max_window_bits=\"12\"", " x-other ; a=b , permessage-deflate",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover"}) {
    INFO(offer);
    CHECK(accept_deflate(offer) == yes);
  }
  for (const char* const offer :
       {"", ",", "x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; unknown",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=016",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; client_max_window_bits; client_max_window_bits"}) {
    INFO(offer);
    CHECK_FALSE(accept_deflate(offer));
  }
}

TEST_CASE("E10: a close frame is at most 125 bytes, and its reason stays UTF-8") {
  CHECK(close_payload(kCloseNoCode, "never sent").empty());
  CHECK(close_payload(1000, "") == "\x03\xe8");
  std::string long_reason;
  while (long_reason.size() < 200) long_reason += "\xe2\x82\xac";
  const std::string payload = close_payload(1008, long_reason);
  CHECK(payload.size() <= 125);
  CHECK(payload.size() > 120);
  CHECK(valid_utf8(payload.substr(2)));
  CHECK(control_frame(kPingFrame, std::string(300, 'x')).size() == 127);
}

TEST_CASE("E10: how a relay closed is told with its code, its meaning and its reason") {
  CHECK(close_words(0, "") == "connection lost");
  CHECK(close_words(kCloseNoCode, "") == "closed by the relay");
  CHECK(close_words(1001, "") == "closed by the relay with code 1001: it is going away");
  CHECK(close_words(1008, "too many\nsubscriptions") ==
        "closed by the relay with code 1008: \"too many\\u000asubscriptions\"");
  CHECK(close_words(4242, "") == "closed by the relay with code 4242");
}
