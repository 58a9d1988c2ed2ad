#include "ipnscast/sync/gateway/providers.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

HttpAnswer answer(std::string_view body, std::string_view type = "application/json",
                  int status = 200) {
  HttpAnswer out;
  out.head.status = status;
  out.head.headers["content-type"] = type;
  out.body = to_bytes(body);
  return out;
}

std::string provider(const std::string& addr,
                     const std::string& protocol = "transport-ipfs-gateway-http") {
  return R"({"Schema":"peer","ID":"12D3","Addrs":[")" + addr + R"("],"Protocols":["x",")" +
         protocol + R"("]})";
}

using Urls = std::vector<std::string>;

}  // namespace

TEST_CASE("multiaddrs of HTTP gateways are read as URLs, others are none") {
  CHECK(http_url_of("/dns4/gw.example/tcp/443/https") == "https://gw.example");
  CHECK(http_url_of("/dns/gw.example/tcp/8443/tls/http") == "https://gw.example:8443");
  CHECK(http_url_of("/dns/gw.example/tcp/443/tls/sni/gw.example/http/p2p/12D3") ==
        "https://gw.example");
  CHECK(http_url_of("/ip4/203.0.113.7/tcp/80/http") == "http://203.0.113.7");
  CHECK(http_url_of("/ip6/2001:db8::1/tcp/443/https") == "https://[2001:db8::1]");
  for (const char* other :
       {"", "/", "/dns4/x", "/dns4/gw.example/udp/443/quic-v1", "/dns4/gw.example/tcp/443/ws",
        "/dns4/gw.example/tcp/0/https", "/dns4/gw.example/tcp/70000/https",
        "/dns4/gw.example/tcp/443x/https", "/dns4/a@b/tcp/443/https", "/dns4/a b/tcp/443/https",
        "/dns4/x/tcp/443/tls", "/dns4/x/tcp/443/tls/sni/y/http", "/dns4/x/tcp/443/https/wss",
        "/dnsaddr/x/tcp/443/https", "/ip6/a]b/tcp/443/https", "dns4/x/tcp/443/https"}) {
    INFO(other);
    CHECK_FALSE(http_url_of(other));
  }
}

TEST_CASE("of the providers only trustless gateways at public hosts are taken, over TLS (S2-03)") {
  const std::string list =
      R"({"Providers":[)" + provider("/dns4/bitswap.example/tcp/443/https", "transport-bitswap") +
      "," + provider("/ip4/127.0.0.1/tcp/443/https") + "," +
      provider("/ip4/169.254.169.254/tcp/80/http") + "," + provider("/ip6/fd00::1/tcp/443/https") +
      "," + provider("/dns4/localhost/tcp/443/https") + "," +
      provider("/dns4/plain.example/tcp/80/http") + "," +
      provider("/dns4/good.example/tcp/443/https") + "," +
      provider("/dns4/good.example/tcp/443/https") + "]}";
  const auto found = read_providers(answer(list), ProviderHosts::public_only);
  REQUIRE(found);
  CHECK(*found == Urls{"https://good.example"});
  const auto any = read_providers(answer(list), ProviderHosts::any);
  REQUIRE(any);
  CHECK(any->size() == kMaxProviders);
  CHECK(any->front() == "https://127.0.0.1");
  CHECK_FALSE(read_providers(answer(list), ProviderHosts::none));
}

TEST_CASE("lines of JSON are read too, and what is no list is refused") {
  const std::string lines = provider("/dns4/a.example/tcp/443/https") + "\nnonsense\n" +
                            provider("/dns4/b.example/tcp/443/https");
  CHECK(read_providers(answer(lines, "application/x-ndjson"), ProviderHosts::public_only) ==
        Urls{"https://a.example", "https://b.example"});
  CHECK(read_providers(answer("[]"), ProviderHosts::any).error().code == Errc::parse);
  CHECK(read_providers(answer("{"), ProviderHosts::any).error().code == Errc::parse);
  CHECK(read_providers(answer(R"({"Providers":7})"), ProviderHosts::any).error().code ==
        Errc::parse);
  CHECK(read_providers(answer(std::string(100'000, '[')), ProviderHosts::any).error().code ==
        Errc::parse);
  CHECK(read_providers(answer(R"({"Providers":null})"), ProviderHosts::any).error().code ==
        Errc::not_found);
  CHECK(read_providers(answer("", "", 404), ProviderHosts::any).error().code == Errc::not_found);
}

TEST_CASE("providers are asked for under the CID's version 1") {
  const Cid v0 = *Cid::parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
  CHECK(providers_call({"http://router/", {}}, v0).url ==
        "http://router/routing/v1/providers/"
        "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}
