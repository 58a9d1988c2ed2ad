#include "ipnscast/sync/gateway/redirect.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;

namespace {

const std::string kCall = "https://gateway.example/ipfs/x";

Result<Hop> hop(std::string_view location) { return next_hop(kCall, kCall, location); }

}  // namespace

TEST_CASE("a redirect is read as browsers read it, and knows whether it stays at home") {
  CHECK(hop("/a?b=c#d")->url == "https://gateway.example/a?b=c");
  CHECK(hop("../y")->url == "https://gateway.example/y");
  CHECK(hop("//other.example/z")->url == "https://other.example/z");
  CHECK(hop("https://user:secret@other.example/")->url == "https://other.example/");
  CHECK(hop("/a b")->url == "https://gateway.example/a%20b");
  for (const char* home : {"/a", "https://gateway.example:443/a", "HTTPS://GATEWAY.example./a",
                           "https://user@gateway.example/"}) {
    INFO(home);
    CHECK(hop(home)->own_origin);
  }
  for (const char* away : {"https://gateway.example:8443/", "https://x.gateway.example/",
                           "https://gateway.example@other.example/", "//other.example"}) {
    INFO(away);
    CHECK_FALSE(hop(away)->own_origin);
  }
  // What counts is where the call was to go, not where the last redirect led.
  CHECK(next_hop(kCall, "https://other.example/", "https://gateway.example/b")->own_origin);
  CHECK_FALSE(next_hop(kCall, "https://other.example/", "/b")->own_origin);
}

TEST_CASE("a redirect leads neither from https to http, nor to another scheme (R39)") {
  for (const char* location :
       {"http://gateway.example/ipfs/x", "http://other.example", "HTTP://1.1.1.1/",
        "file:///etc/passwd", "ftp://other.example/", "gopher://127.0.0.1:11211/_stats",
        "dict://127.0.0.1:6379/", "unix:/run/x", "javascript:alert(1)", "https://x.onion/",
        "https://x.ONION.:443/"}) {
    INFO(location);
    const auto refused = hop(location);
    REQUIRE_FALSE(refused);
    CHECK((refused.error().code == Errc::refused || refused.error().code == Errc::invalid));
  }
  CHECK(next_hop("http://a.example/", "http://a.example/", "https://a.example/"));
  CHECK(next_hop("http://a.example/", "http://a.example/", "http://b.example/"));
  // Once there, it stays.
  CHECK_FALSE(next_hop("http://a.example/", "https://a.example/", "http://a.example/"));
}

TEST_CASE("what a gateway writes into a redirect reaches the terminal as plain characters") {
  const auto refused = hop("gopher://a\x1b[31m\r\nb");
  REQUIRE_FALSE(refused);
  for (const char c : refused.error().message) CHECK((c >= ' ' && c <= '~'));
}

TEST_CASE("only those answers are redirects that send a request elsewhere") {
  for (const int status : {301, 302, 303, 307, 308}) CHECK(is_redirect_status(status));
  for (const int status : {200, 300, 304, 305, 306, 309, 404})
    CHECK_FALSE(is_redirect_status(status));
}
