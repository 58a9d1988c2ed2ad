#include "ipnscast/sync/source/push/push_words.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::push;

namespace {

const UnixMillis kNow{1'790'000'000'000};
const Now kTime{Instant{}, kNow};
const SourceId kServer{SourceKind::websocket, "ws://push.example/ws/ipns"};
const std::string kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

IpnsKey key(uint8_t seed = 7) {
  return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, seed)));
}

std::string record(uint64_t sequence, uint8_t seed = 7) {
  const auto made = create_record(key(seed), {.value = "/ipfs/" + kCid,
                                              .sequence = {sequence},
                                              .eol = Eol::after(kNow, std::chrono::hours(1))});
  return to_base64(made->bytes());
}

std::optional<Update> update(const std::string& frame) {
  const auto word = read_word(frame);
  if (!word || !std::holds_alternative<Update>(*word)) return std::nullopt;
  return std::get<Update>(*word);
}

}  // namespace

TEST_CASE("both dialects of push servers, and w3name, are understood (S0-42)") {
  const std::string name = key().name().to_string();
  for (const std::string& frame :
       {R"({"type":"ipns-update","ipnsName":")" + name + R"(","cid":")" + kCid + R"("})",
        R"({"type":"update","name":")" + name + R"(","sequence":7,"cid":")" + kCid +
            R"(","timestamp":"2026-01-01T00:00:00Z"})",
        R"({"key":")" + name + R"(","value":"/ipfs/)" + kCid + R"(","record":")" + record(7) +
            R"("})",
        R"({"type":"update","ipnsName":")" + key().name().base58() + R"(","sequence":"7","cid":")" +
            kCid + R"(","more":{"deep":[1,2,{"er":3}]}})"}) {
    INFO(frame);
    const auto read = update(frame);
    REQUIRE(read);
    CHECK(read->name == key().name());
    REQUIRE(read->cid);
    CHECK(read->cid->to_string() == kCid);
  }
  CHECK(update(R"({"type":"update","sequence":"0","cid":")" + kCid + R"("})")->sequence ==
        std::nullopt);  // S0-44
  CHECK(std::holds_alternative<Subscribed>(*read_word(R"({"type":"subscribed","names":["a"]})")));
  CHECK(std::holds_alternative<Other>(*read_word(R"({"type":"pong"})")));
  CHECK(std::holds_alternative<Other>(*read_word("{}")));
  CHECK(std::get<Fault>(*read_word(R"({"type":"error","message":"too many"})")).text == "too many");
}

TEST_CASE("what is no word of a push server is refused, and costs nothing") {
  for (const std::string& frame :
       {std::string(), std::string("no json"), std::string("[]"), std::string("\"text\""),
        std::string(R"({"type":"update"})"), std::string(R"({"type":"update","cid":"nonsense"})"),
        R"({"type":"update","name":"nonsense","cid":")" + kCid + R"("})",
        R"({"type":"update","sequence":-1,"cid":")" + kCid + R"("})",
        R"({"type":"update","sequence":1.5,"cid":")" + kCid + R"("})",
        R"({"type":"update","sequence":"18446744073709551615","cid":")" + kCid + R"("})",
        std::string(R"({"type":"update","record":"%%%"})"),
        R"({"type":"update","record":")" + std::string(20'000, 'A') + R"("})",
        std::string(kMaxFrame + 1, ' '), std::string(50'000, '[')}) {
    INFO(frame.substr(0, 80));
    CHECK_FALSE(read_word(frame));
  }
}

TEST_CASE("a push server's word is a stranger's, unless a record comes along and holds") {
  const IpnsName name = key().name();
  const auto claim = news_of({.name = name, .cid = *Cid::parse(kCid), .sequence = Sequence{9}},
                             name, kServer, kTime);
  REQUIRE(claim);
  const auto& news = std::get<News>(*claim);
  CHECK_FALSE(news.author);
  CHECK_FALSE(news.record);
  CHECK(news.sequence == Sequence{9});
  CHECK(news.source == kServer);

  const auto proved =
      news_of({.name = name, .record = *from_base64(record(9), 10'000)}, name, kServer, kTime);
  REQUIRE(proved);
  CHECK(std::get<RecordArrived>(*proved).record.sequence == Sequence{9});

  // Another key's record proves nothing here.
  const Bytes foreign = *from_base64(record(9, 8), 10'000);
  CHECK_FALSE(news_of({.name = name, .record = foreign}, name, kServer, kTime));
  const auto lie =
      news_of({.name = name, .cid = *Cid::parse(kCid), .record = foreign}, name, kServer, kTime);
  REQUIRE(lie);
  CHECK(std::get<News>(*lie).at_fault);
}

TEST_CASE("names are asked for in the words of each dialect, a hundred in a frame (S0-42)") {
  std::vector<IpnsName> names;
  for (int seed = 1; seed <= 101; ++seed) names.push_back(key(static_cast<uint8_t>(seed)).name());
  const auto many = subscribe_frames(Dialect::many, names);
  REQUIRE(many.size() == 2);
  const auto first = nlohmann::json::parse(many[0]);
  CHECK(first["action"] == "subscribe");
  CHECK(first["names"].size() == 100);
  CHECK(first["names"][0] == names[0].to_string());
  CHECK(nlohmann::json::parse(many[1])["names"].size() == 1);
  CHECK(nlohmann::json::parse(unsubscribe_frames(Dialect::many, {names[0]})[0])["action"] ==
        "unsubscribe");
  const auto one = subscribe_frames(Dialect::one, {names[0], names[1]});
  REQUIRE(one.size() == 2);
  CHECK(one[0] == R"({"ipnsName":")" + names[0].to_string() + R"(","type":"subscribe"})");
  CHECK(subscribe_frames(Dialect::many, {}).empty());
}
