#include "ipnscast/sync/dnslink/dnslink.h"

#include <map>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/dns_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::dnslink;
using ipnscast::test::DnsZone;

namespace {

constexpr const char* kName = "k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq";
constexpr const char* kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const std::string kAsked = "_dnslink.example.org";

Bytes reply(const DnsZone& zone, const std::string& name = kAsked, uint16_t id = 7) {
  return zone.answer(*make_txt_query(name, id));
}

Result<TxtAnswer> read(const Bytes& message) { return read_txt_answer(message, kAsked, 7); }

// Texts by domain, without DNS.
TxtLookup fixed(std::map<std::string, std::string> texts) {
  return [texts = std::move(texts)](const std::string& name) -> Result<TxtAnswer> {
    const auto it = texts.find(name.substr(std::string("_dnslink.").size()));
    if (it == texts.end()) return fail(Errc::not_found, "DNS: no such name");
    return TxtAnswer{{it->second}, Seconds(60)};
  };
}

}  // namespace

TEST_CASE("a question is that of RFC 1035, byte by byte") {
  const auto query = make_txt_query("_dnslink.A.b.", 0x1234);
  REQUIRE(query);
  const char expected[] =
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
      "\x08_dnslink\x01"
      "a\x01"
      "b\x00\x00\x10\x00\x01";
  CHECK(as_text(*query) == std::string_view(expected, sizeof expected - 1));
  for (const char* bad : {"", ".", "a..b", ".a"}) CHECK_FALSE(make_txt_query(bad, 0));
  for (const size_t length : {64, 300}) CHECK_FALSE(make_txt_query(std::string(length, 'x'), 0));
}

TEST_CASE("texts come back as they stand in the zone, long ones in one piece") {
  const std::string longer(700, 'x');
  const auto got = read(reply({.texts = {{kAsked, {"v=spf1", longer, ""}}}, .ttl = 42}));
  REQUIRE(got);
  CHECK(got->texts == std::vector<std::string>{"v=spf1", longer, ""});
  CHECK(got->ttl == Seconds(42));
}

TEST_CASE("aliases lead to the texts, eight at most") {
  DnsZone zone{.texts = {{"_dnslink.c", {"dnslink=/ipfs/x"}}},
               .aliases = {{kAsked, "b.example"}, {"b.example", "_dnslink.c"}}};
  const auto got = read(reply(zone));
  REQUIRE(got);
  CHECK(got->texts.size() == 1);
  DnsZone chain{.texts = {{"a12", {"x"}}}, .aliases = {{kAsked, "a0"}}};
  for (int i = 0; i < 12; ++i) chain.aliases["a" + std::to_string(i)] = "a" + std::to_string(i + 1);
  CHECK(read(reply(chain)).error().code == Errc::too_large);
}

TEST_CASE("no such name, no such record and a failing server are told apart") {
  CHECK(read(reply({})).error().code == Errc::not_found);
  CHECK(read(reply({.aliases = {{kAsked, "elsewhere"}}})).error().code == Errc::not_found);
  Bytes failed = reply({});
  failed[3] = 0x82;
  CHECK(read(failed).error().code == Errc::unreachable);
  failed[3] = 0x85;
  CHECK(read(failed).error().code == Errc::refused);
}

TEST_CASE("an answer to another question, another id, or a question is none") {
  const Bytes good = reply({.texts = {{kAsked, {"x"}}}});
  REQUIRE(read(good));
  CHECK(read_txt_answer(good, "_dnslink.example.com", 7).error().code == Errc::mismatch);
  CHECK(read_txt_answer(good, kAsked, 8).error().code == Errc::mismatch);
  CHECK(read(*make_txt_query(kAsked, 7)).error().code == Errc::mismatch);
  Bytes cut = good;
  cut[2] |= 0x02;
  CHECK(read(cut).error().code == Errc::too_large);
}

TEST_CASE("a text of another name in the answer is not taken for ours") {
  Bytes message = reply({.texts = {{kAsked, {"dnslink=/ipfs/forged"}}}});
  // The owner, a pointer to the question, becomes a pointer to its second label.
  const size_t owner = 12 + kAsked.size() + 2 + 4;
  REQUIRE(message[owner] == 0xc0);
  message[owner + 1] = 12 + 9;
  CHECK(read(message).error().code == Errc::not_found);
}

TEST_CASE("every cut of an answer is refused, and names that point at themselves end") {
  const Bytes good = reply({.texts = {{"_dnslink.c", {"x"}}}, .aliases = {{kAsked, "_dnslink.c"}}});
  REQUIRE(read(good));
  for (size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(read(Bytes(good.begin(), good.begin() + static_cast<ptrdiff_t>(size))));
  Bytes loop = good;
  const size_t owner = 12 + kAsked.size() + 2 + 4;
  loop[owner + 1] = static_cast<uint8_t>(owner);
  CHECK(read(loop).error().code == Errc::parse);
}

TEST_CASE("a domain is labels with dots between, in lower case") {
  CHECK(*parse_domain("Docs.Example.ORG.") == "docs.example.org");
  CHECK(*parse_domain("_x.a-b.c") == "_x.a-b.c");
  for (const std::string bad :
       {"", ".", "localhost", "a..b", "a b.c", "a/b.c", "\xc3\xbc.de", "a.b:80", "@.b"}) {
    INFO(bad);
    CHECK_FALSE(parse_domain(bad));
  }
  CHECK_FALSE(parse_domain(std::string(63, 'a') + "." + std::string(200, 'b')));
}

TEST_CASE("one path is a DNSLink, two different ones are none") {
  CHECK(*dnslink_value({"v=spf1", "dnslink=/ipfs/x/y"}) == "/ipfs/x/y");
  CHECK(*dnslink_value({"dnslink=/ipns/x.io", "dnslink=/ipns/x.io"}) == "/ipns/x.io");
  CHECK(dnslink_value({"dnslink=/ipns/x.io", "dnslink=/ipns/y.io"}).error().code == Errc::conflict);
  CHECK(dnslink_value({"x"}).error().code == Errc::not_found);
  CHECK(dnslink_value({" dnslink=/ipfs/x"}).error().code == Errc::not_found);
  CHECK(dnslink_value({"dnslink=https://x"}).error().code == Errc::parse);
  CHECK(dnslink_value({"dnslink=/ipfs/"}).error().code == Errc::parse);
  CHECK(dnslink_value({"dnslink=/ipfs/x\x1b[2J"}).error().code == Errc::parse);
}

TEST_CASE("DNSLink values of other software beside a good one are left out (F4)") {
  const std::string good = "/ipfs/bafkqaaa/a path";
  for (const std::string foreign : {"", "/", "/ipfs/", "/ipfs/no-cid", "/ipns/", "/ipns/no-name",
                                    "/ipld/bafkqaaa", "/arweave/x", "https://example.com",
                                    "ipfs://bafkqaaa", "/ipfs/bafkqaaa\x1b[2J", "/skynet-ns/x"}) {
    INFO(foreign);
    CHECK(dnslink_value({"dnslink=" + foreign, "dnslink=" + good}) == good);
    CHECK(dnslink_value({"dnslink=" + good, "dnslink=" + foreign}) == good);
    CHECK(dnslink_value({"dnslink=", "dnslink=" + foreign, "dnslink=/ipns/x.io"}) == "/ipns/x.io");
    CHECK((!dnslink_value({"dnslink=" + foreign}) || foreign.find("/ip") == 0));
  }
}

TEST_CASE("a domain leads to a name, to content, or on to another domain, with paths in between") {
  const auto lookup = fixed({{"a.org", std::string("dnslink=/ipns/") + kName},
                             {"b.org", std::string("dnslink=/ipfs/") + kCid + "/docs/"},
                             {"c.org", "dnslink=/ipns/b.org/deep//x"},
                             {"d.org", "dnslink=/ipns/nothing"},
                             {"e.org", "dnslink=/ipfs/nothing"}});
  const auto a = follow("A.org.", lookup);
  REQUIRE(a);
  CHECK(a->name->to_string() == kName);
  CHECK(a->path.empty());
  CHECK(a->ttl() == Seconds(60));
  const auto c = follow("c.org", lookup);
  REQUIRE(c);
  REQUIRE(c->root);
  CHECK(c->root->to_string() == kCid);
  CHECK(c->path == "docs/deep//x");
  CHECK(c->steps.size() == 2);
  CHECK(follow("d.org", lookup).error().code == Errc::unsupported);
  CHECK(follow("e.org", lookup).error().code == Errc::parse);
  CHECK(follow("f.org", lookup).error().code == Errc::not_found);
}

TEST_CASE("domains that lead in a circle or ever further end with an error") {
  const auto circle = fixed({{"a.org", "dnslink=/ipns/b.org"}, {"b.org", "dnslink=/ipns/A.org"}});
  CHECK(follow("a.org", circle).error().code == Errc::refused);
  int asked = 0;
  const TxtLookup endless = [&](const std::string&) -> Result<TxtAnswer> {
    return TxtAnswer{{"dnslink=/ipns/n" + std::to_string(++asked) + ".org"}, Seconds(1)};
  };
  CHECK(follow("a.org", endless).error().code == Errc::too_large);
  CHECK(asked == static_cast<int>(kMaxSteps));
}
