#include "ipnscast/bridge/node/store/precondition.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;

namespace {

using Header = std::optional<std::string_view>;
const std::optional<std::string> kNothing;
const std::optional<std::string> kThere = "\"a\"";

bool match(std::string_view header, const std::optional<std::string>& etag) {
  return Precondition::parse(header, {})->holds(etag);
}
bool none_match(std::string_view header, const std::optional<std::string>& etag) {
  return Precondition::parse({}, header)->holds(etag);
}

}  // namespace

TEST_CASE("If-Match holds for one of the strong tags, and * for anything that is there") {
  CHECK(match("\"a\"", kThere));
  CHECK(match("\"b\", \"a\"", kThere));
  CHECK(match(" ,\"b\" ,, \"a\",\t", kThere));
  CHECK(match("*", kThere));
  CHECK(match(" * ", kThere));
  CHECK_FALSE(match("\"b\"", kThere));
  CHECK_FALSE(match("\"A\"", kThere));
  CHECK_FALSE(match("W/\"a\"", kThere));
  CHECK_FALSE(match("\"a,b\"", kThere));
  CHECK_FALSE(match("\"a\"", kNothing));
  CHECK_FALSE(match("*", kNothing));
}

TEST_CASE("If-None-Match holds where none of the tags is there, and * where nothing is") {
  CHECK(none_match("*", kNothing));
  CHECK_FALSE(none_match("*", kThere));
  CHECK(none_match("\"b\"", kThere));
  CHECK(none_match("\"a\"", kNothing));
  CHECK_FALSE(none_match("\"b\", \"a\"", kThere));
  CHECK_FALSE(none_match("W/\"a\"", kThere));
}

TEST_CASE("both demands together have to hold, and none at all always does") {
  CHECK(Precondition().holds(kNothing));
  CHECK(Precondition().holds(kThere));
  CHECK_FALSE(Precondition().demands_anything());
  const auto both = Precondition::parse("\"a\"", "\"b\"");
  REQUIRE(both);
  CHECK(both->demands_anything());
  CHECK(both->holds(kThere));
  CHECK_FALSE(both->holds("\"b\""));
  CHECK_FALSE(Precondition::parse("*", "*")->holds(kThere));
  CHECK_FALSE(Precondition::parse("*", "*")->holds(kNothing));
}

TEST_CASE("a demand that does not parse is refused, never taken for none") {
  for (const char* bad :
       {"", " ", ",", "a", "\"a", "a\"", "\"a\" \"b\"", "\"a\", b", "*, \"a\"", "\"a\", *", "**",
        "w/\"a\"", "W/", "W/ \"a\"", "\"a b\"", "\"a\tb\"", "\"a\";q=1", "'a'"}) {
    CAPTURE(bad);
    CHECK_FALSE(Precondition::parse(Header(bad), {}));
    CHECK_FALSE(Precondition::parse({}, Header(bad)));
  }
}
