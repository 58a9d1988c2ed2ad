#include "ipnscast/sync/gateway/environment_proxy.h"

#include <map>

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast::sync::gateway;

namespace {

using Variables = std::map<std::string, std::string>;

std::string proxy(const Variables& variables, const std::string& url) {
  return environment_proxy(origin_of(url), [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

TEST_CASE("the proxy of the environment is the one that curl would take") {
  const Variables all{{"ALL_PROXY", "socks5h://tor:9050"}};
  CHECK(proxy(all, "http://a.example/") == "socks5h://tor:9050");
  CHECK(proxy(all, "https://a.example/") == "socks5h://tor:9050");
  CHECK(proxy({}, "https://a.example/").empty());
  CHECK(proxy({{"all_proxy", ""}, {"ALL_PROXY", "p"}}, "http://a.example/") == "p");
  CHECK(proxy({{"all_proxy", "p"}, {"ALL_PROXY", "q"}}, "http://a.example/") == "p");
  CHECK(proxy({{"https_proxy", "p"}}, "http://a.example/").empty());
  CHECK(proxy({{"https_proxy", "p"}, {"ALL_PROXY", "q"}}, "HTTPS://a.example/") == "p");
  CHECK(proxy({{"HTTPS_PROXY", "p"}}, "https://a.example/") == "p");
  CHECK(proxy({{"http_proxy", "p"}}, "http://a.example/") == "p");
  // A CGI script's caller writes HTTP_PROXY with a header of that name.
  CHECK(proxy({{"HTTP_PROXY", "p"}}, "http://a.example/").empty());
}

TEST_CASE("the hosts that NO_PROXY lists are reached directly") {
  const auto direct = [](const std::string& list, const std::string& url) {
    INFO(list << ' ' << url);
    const bool by_capitals = proxy({{"ALL_PROXY", "p"}, {"NO_PROXY", list}}, url).empty();
    CHECK(proxy({{"ALL_PROXY", "p"}, {"no_proxy", list}, {"NO_PROXY", "x"}}, url).empty() ==
          by_capitals);
    return by_capitals;
  };
  CHECK(direct("*", "http://a.example/"));
  CHECK(direct("b.example, A.Example", "http://a.example/"));
  CHECK(direct("b.example a.example", "http://a.example:8080/"));
  CHECK(direct(".example.", "http://x.A.example./"));
  CHECK(direct("localhost,127.0.0.1", "http://bafy.ipfs.localhost:8080/"));
  CHECK(direct("localhost,127.0.0.1", "http://127.0.0.1:8080/"));
  CHECK(direct("localhost,127.0.0.0/8", "http://127.1.2.3/"));
  CHECK(direct("10.0.0.0/9", "http://10.127.255.255/"));
  CHECK(direct("::1", "http://[::1]:8080/"));
  CHECK(direct("fd00::/8", "http://[fd12::1]/"));
  CHECK_FALSE(direct("", "http://a.example/"));
  CHECK_FALSE(direct("*,", "http://a.example/"));
  CHECK_FALSE(direct("a.example", "http://ba.example/"));
  CHECK_FALSE(direct("x.a.example", "http://a.example/"));
  CHECK_FALSE(direct("127.0.0.1", "http://localhost/"));
  CHECK_FALSE(direct("10.0.0.0/9", "http://10.128.0.0/"));
  CHECK_FALSE(direct("10.0.0.0/33,10.0.0.0/x,10.0.0.0/", "http://10.0.0.0/"));
  CHECK_FALSE(direct("0.0.0.0/0", "http://10.0.0.1/"));
  CHECK_FALSE(direct("::/8", "http://10.0.0.1/"));
  CHECK_FALSE(direct(".,,. ", "http://a.example/"));
}
