// The pure parts of the embedded node's gateway: the Accept and Range headers, names of files.
#include "ipnscast/bridge/node/accept.h"
#include "ipnscast/bridge/node/byte_ranges.h"
#include "ipnscast/bridge/node/content_disposition.h"
#include "ipnscast/nostr/base/percent.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;

namespace {

std::string order_of(std::string_view header) {
  std::string out;
  for (const MediaRange& range : parse_accept(header))
    out += range.type + "=" + std::to_string(range.weight) + " ";
  return out;
}

using Ranges = std::vector<BodyRange>;

}  // namespace

TEST_CASE("an Accept header lists types by weight, equal ones in the order of the header") {
  CHECK(order_of("a/b;q=0.5, c/d, e/f;q=0.75 , g/h;q=1") == "c/d=1000 g/h=1000 e/f=750 a/b=500 ");
  CHECK(order_of("Text/HTML;Q=0.001,*/*;q=0") == "text/html=1 */*=0 ");
  CHECK(order_of("") == "");
  CHECK(order_of(",, ;q=1, nonsense, /x, x/, a/b;q=2, a/b;q=x, a/b;q=-1, a/b;q=1.5") == "");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a/b,";
  CHECK(parse_accept(many).size() == 64);
}

TEST_CASE("parameters of an Accept header are read with and without quotes") {
  const auto read = parse_accept("application/x; A=1 ;b=\"two, \\\"three\\\"; four\"; c; q=0.5");
  REQUIRE(read.size() == 1);
  CHECK(read[0].weight == 500);
  CHECK(read[0].parameters ==
        std::map<std::string, std::string>{{"a", "1"}, {"b", "two, \"three\"; four"}, {"c", ""}});
  CHECK(parse_accept("a/b;c=\"open, d/e").size() == 1);
}

TEST_CASE("the closest range of an Accept header decides whether a type is taken") {
  CHECK(is_accepted("", "a/b"));
  CHECK(is_accepted("*/*", "a/b"));
  CHECK(is_accepted("a/*", "a/b"));
  CHECK(is_accepted("c/d, a/b;q=0.1", "a/b"));
  CHECK_FALSE(is_accepted("*/*, a/b;q=0", "a/b"));
  CHECK_FALSE(is_accepted("*/*, a/*;q=0", "a/b"));
  CHECK(is_accepted("*/*;q=0, a/b", "a/b"));
  CHECK_FALSE(is_accepted("c/d", "a/b"));
  CHECK_FALSE(is_accepted("x-a/b", "a/b"));
}

TEST_CASE("a Range header is read as RFC 9110 has it") {
  CHECK(parse_ranges("bytes=0-0", 10) == Ranges{{0, 1}});
  CHECK(parse_ranges("bytes=5-", 10) == Ranges{{5, 10}});
  CHECK(parse_ranges("bytes=-3", 10) == Ranges{{7, 10}});
  CHECK(parse_ranges("bytes=-30", 10) == Ranges{{0, 10}});
  CHECK(parse_ranges("BYTES=2-300", 10) == Ranges{{2, 10}});
  CHECK(parse_ranges("bytes= 0-1 ,, 8-9", 10) == Ranges{{0, 2}, {8, 10}});
  // beyond the end, the largest numbers there are included
  for (const char* beyond : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=18446744073709551615-",
                             "bytes=99999999999999999999999-", "bytes=10-11,20-21"}) {
    CAPTURE(beyond);
    CHECK(parse_ranges(beyond, 10) == Ranges{});
  }
  CHECK(parse_ranges("bytes=10-11,0-1", 10) == Ranges{{0, 2}});
  CHECK(parse_ranges("bytes=0-", 0) == Ranges{});
  CHECK(parse_ranges("bytes=-5", 0) == Ranges{});
  for (const char* ignored : {"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=5", "bytes=5-4",
                              "bytes=--5", "bytes=-", "items=0-1", "bytes=0-1,x", "bytes=+1-2"}) {
    CAPTURE(ignored);
    CHECK_FALSE(parse_ranges(ignored, 10));
  }
  std::string many = "bytes=0-0";
  for (int i = 1; i < 17; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  CHECK_FALSE(parse_ranges(many, 100));
}

TEST_CASE("a file name gets into a header in ASCII, and in full when it is more") {
  CHECK(attachment_named("a b.car") == "attachment; filename=\"a b.car\"");
  CHECK(attachment_named("testтест.bin") ==
        "attachment; filename=\"test____.bin\"; filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.bin");
  CHECK(attachment_named("100%.bin") ==
        "attachment; filename=\"100_.bin\"; filename*=UTF-8''100%25.bin");
  CHECK(attachment_named("a\"; x=\"y") ==
        "attachment; filename=\"a_; x=_y\"; filename*=UTF-8''a%22%3B%20x%3D%22y");
}

TEST_CASE("a file name cannot end a header, leave its folder or hide controls") {
  CHECK(attachment_named("a\r\nSet-Cookie: x") == "attachment; filename=\"a__Set-Cookie: x\"");
  CHECK(attachment_named("../..\\etc/passwd") == "attachment; filename=\".._.._etc_passwd\"");
  CHECK(attachment_named(std::string_view("a\0b\x7f", 4)) == "attachment; filename=\"a_b_\"");
  CHECK(attachment_named("\xff\xc3.bin") == "attachment; filename=\"__.bin\"");
  CHECK(attachment_named("a\xc2\x85"
                         "b") == "attachment; filename=\"a_b\"");
  const std::string name = attachment_named(std::string(254, 'x') + "й" + std::string(9000, 'y'));
  CHECK(name == "attachment; filename=\"" + std::string(254, 'x') + "\"");
}

TEST_CASE("percent-encoding leaves what is plain in a URL") {
  CHECK(percent_encoded("aZ09-._~") == "aZ09-._~");
  CHECK(percent_encoded("a b/ü%\n") == "a%20b%2F%C3%BC%25%0A");
  CHECK(percent_encoded("/a:b", "/:") == "/a:b");
}
