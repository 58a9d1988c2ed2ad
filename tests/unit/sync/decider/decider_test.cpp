#include "ipnscast/sync/decider/decider.h"

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

constexpr const char* kHome = "http://home.example:8081";
constexpr const char* kOffice = "https://office.example";

GatewayBook::Entry node(const std::string& url) { return {{url, {}}, 1, {}}; }

// What a probe tells of a node.
void tell(GatewayBook& book, size_t gateway, std::optional<bool> preconditions) {
  Dialects dialects;
  dialects.routing = true;
  dialects.preconditions = preconditions;
  book.set_dialects(gateway, dialects);
}

}  // namespace

TEST_CASE(
    "the first own node that heeds preconditions decides, wherever it is not loopback (R34)") {
  GatewayBook book({node("http://127.0.0.1:8081"), node("http://localhost:5002"),
                    node("http://[::1]:8081"), node(kHome), node(kOffice)});
  for (size_t i = 0; i < book.size(); ++i) tell(book, i, true);
  CHECK(choose_decider(book, "") == 3U);
  CHECK(choose_decider(book, "none") == std::nullopt);
  tell(book, 3, false);
  CHECK(choose_decider(book, "") == 4U);
  CHECK(choose_decider(book, "http://127.0.0.1:8081/") == 0U);
}

TEST_CASE("a named node decides, unless it is known to heed no preconditions (R34)") {
  GatewayBook book({node(kHome), node(kOffice)});
  CHECK(choose_decider(book, std::string(kOffice) + "/") == 1U);
  tell(book, 0, true);
  CHECK(choose_decider(book, kOffice) == 1U);
  tell(book, 1, false);
  CHECK(choose_decider(book, kOffice) == std::nullopt);
  CHECK(choose_decider(book, "http://elsewhere.example") == std::nullopt);
}

TEST_CASE("public gateways, and nodes that are not for publishing, never decide (R34)") {
  GatewayBook book({{{"https://public.example", {}}, 2, {}},
                    {{"https://slow.example", {}}, 3, {}},
                    {{"https://reads.example", {}}, 1, {true, true, false}},
                    node(kHome)});
  for (size_t i = 0; i < book.size(); ++i) tell(book, i, true);
  CHECK(choose_decider(book, "") == 3U);
  CHECK(choose_decider(book, "https://public.example") == std::nullopt);
  CHECK(choose_decider(book, "https://reads.example") == std::nullopt);
}

TEST_CASE("devices do not go to two deciders because one of them cannot reach the first (R34)") {
  GatewayBook book({node(kHome), node(kOffice)});
  tell(book, 1, true);
  CHECK(choose_decider(book, "") == std::nullopt);  // nothing is known of the first
  tell(book, 0, std::nullopt);
  CHECK(choose_decider(book, "") == std::nullopt);
  tell(book, 0, true);
  CHECK(choose_decider(book, "") == 0U);
  // It fails, is probed again later, and says nothing then.
  const Instant now = Instant{} + std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) book.report(0, fail(Errc::timeout, ""), now);
  REQUIRE_FALSE(book.dialects(0));
  CHECK(choose_decider(book, "") == 0U);
  tell(book, 0, std::nullopt);
  CHECK(choose_decider(book, "") == 0U);
}

TEST_CASE("a decider that is no node of ours is refused when the settings are read") {
  const std::vector<std::string> nodes{"http://user:secret@home.example:8081/", kOffice};
  CHECK(check_decider("", nodes));
  CHECK(check_decider("none", nodes));
  CHECK(check_decider(kHome, nodes));
  CHECK(check_decider(std::string(kOffice) + "/", nodes));
  CHECK_FALSE(check_decider("https://office.example:444", nodes));
  CHECK_FALSE(check_decider("office", nodes));
  const Status secret = check_decider("http://user:secret@other.example", nodes);
  REQUIRE_FALSE(secret);
  CHECK(secret.error().message.find("secret") == std::string::npos);
}

TEST_CASE("only the exact word says that a node heeds preconditions") {
  const auto says = [](const char* value) {
    HttpHead head;
    head.headers[kPreconditionHeader] = value;
    return offers_preconditions(head);
  };
  CHECK(says("ipns-record"));
  CHECK(says("other, ipns-record"));
  CHECK_FALSE(says("ipns-records"));
  CHECK_FALSE(says(""));
  CHECK_FALSE(offers_preconditions({}));
}
