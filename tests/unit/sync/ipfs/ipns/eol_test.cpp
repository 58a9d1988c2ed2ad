#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

TEST_CASE("times are read as Go reads them and written as Go writes them (F3)") {
  CHECK(*Eol::parse("2126-01-01T00:00:00.1234567899Z") ==
        *Eol::parse("2126-01-01T00:00:00,123456789Z"));
  CHECK(*Eol::parse("2126-01-01T01:30:00+01:30") == *Eol::parse("2125-12-31T16:00:00-08:00"));
  CHECK(Eol::parse("2126-01-01T1:30:00+01:30")->to_string() == "2126-01-01T00:00:00Z");
  CHECK(Eol::parse("9999-12-31T23:59:59-24:60")->seconds == 253'402'390'799);
  CHECK(Eol::parse("0000-01-01T00:00:00+24:00")->seconds < -62'167'219'200);
  CHECK(Eol::parse("1970-01-01T00:00:00Z")->seconds == 0);
  CHECK(Eol::parse("2123-08-14T12:17:03.694052Z")->to_string() == "2123-08-14T12:17:03.694052Z");
  CHECK(Eol::parse("2126-01-01T00:00:00.000000000Z")->to_string() == "2126-01-01T00:00:00Z");
  CHECK(Eol::parse("2126-01-01T00:00:00.123456789Z")->nanoseconds == 123'456'789);
  CHECK(*Eol::parse("2126-01-01T00:00:00.1Z") > *Eol::parse("2126-01-01T00:00:00.09Z"));
  for (const auto* bad :
       {"", "2126-01-01", "2126-01-01T00:00:00", "2126-01-01T00:00:00+0000", "2126-02-30T00:00:00Z",
        "2126-01-01T24:00:00Z", "2126-01-01T00:00:60Z", "2126-01-01T00:00:00.Z",
        "2126-01-01 00:00:00Z", "2126-01-01T00:00:00.5", "2126-01-01T00:00:00-25:00",
        "2126-01-01T00:00:00+00:61", "2126-01-01T00:00:00Z ", "+126-01-01T00:00:00Z"}) {
    INFO(bad);
    CHECK_FALSE(Eol::parse(bad));
  }
  CHECK(Eol::after({1500}, std::chrono::seconds(2)) == Eol{3, 500'000'000});
  CHECK(Eol::after({1500}, std::chrono::milliseconds(-600)) == Eol{0, 900'000'000});
}
