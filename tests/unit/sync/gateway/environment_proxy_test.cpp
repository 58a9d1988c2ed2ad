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

TEST_CASE("behind a proxy, what others name is asked for by public address, or not at all (R39)") {
  const Origin own = origin_of("http://gateway.example:8080/ipfs/x");
  const auto way = [&](const std::string& url, const Origin& ours) -> std::string {
    const auto proxy = proxy_for_guarded(origin_of(url), ours, "p");
    if (!proxy) return proxy.error().message.find("proxy") != std::string::npos ? "refused" : "?";
    return proxy->empty() ? "direct" : *proxy;
  };
  CHECK(way("http://1.1.1.1/", own) == "p");
  CHECK(way("https://[2606:4700:4700::1111]/", {}) == "p");
  CHECK(way("http://bafy.ipfs.gateway.example:8080/", own) == "p");
  CHECK(way("https://bafy.ipfs.gateway.example/", own) == "p");
  // These connect to private addresses, if to any, and are checked there.
  for (const char* url :
       {"http://127.0.0.1/", "http://192.168.1.1/", "http://0x7f.1/", "http://[::1]/",
        "http://[fd00::1]/", "http://localhost:8080/", "http://bafy.ipfs.LOCALHOST.:8080/"}) {
    INFO(url);
    CHECK(way(url, own) == "direct");
  }
  for (const char* url :
       {"http://other.example/", "http://bafy.ipfs.gateway.example/", "http://router.lan/",
        "http://xgateway.example:8080/", "http://bafy.ipfs.gateway.example:22/",
        "http://1.1.1.1.example/", "http://notlocalhost/", ""}) {
    INFO(url);
    CHECK(way(url, own) == "refused");
  }
  CHECK(way("http://bafy.ipfs.gateway.example:8080/", {}) == "refused");
  CHECK(*proxy_for_guarded(origin_of("http://other.example/"), own, "") == "");
}
