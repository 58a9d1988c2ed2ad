// NIP-77's set reconciliation. Both sides are ours where sets are random, and go-nostr's on the
// other side in recorded conversations.
#include "ipnscast/nostr/nip/negentropy.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/nip/negentropy_wire.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using nlohmann::json;

namespace {

using Ids = std::set<EventId>;
using Items = std::vector<NegentropyItem>;

NegentropySet sealed(Items items) {
  auto out = NegentropySet::seal(std::move(items));
  REQUIRE(out);
  return std::move(*out);
}

Ids only_in(const NegentropySet& a, const NegentropySet& b) {
  Items out;
  std::set_difference(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      std::back_inserter(out));
  Ids ids;
  for (const NegentropyItem& item : out) ids.insert(item.id);
  return ids;
}

struct Outcome {
  size_t rounds = 0;
  size_t bytes = 0;
  size_t longest = 0;
};

// Runs the whole exchange and checks what the initiator finds, each id once.
Outcome reconcile(const NegentropySet& ours, const NegentropySet& theirs,
                  const NegentropyLimits& initiator_limits = {},
                  const NegentropyLimits& responder_limits = {}) {
  Outcome out;
  NegentropyInitiator initiator(ours, initiator_limits);
  std::optional<Bytes> message = initiator.start();
  while (message) {
    ++out.rounds;
    const auto answer = negentropy_answer(theirs, *message, responder_limits);
    REQUIRE(answer);
    CHECK(message->size() <= std::max<size_t>(initiator_limits.max_message_bytes, 4096));
    CHECK(answer->size() <= std::max<size_t>(responder_limits.max_message_bytes, 4096));
    out.bytes += message->size() + answer->size();
    out.longest = std::max({out.longest, message->size(), answer->size()});
    auto next = initiator.receive(*answer);
    REQUIRE(next);
    message = std::move(*next);
  }
  CHECK(initiator.have().size() == only_in(ours, theirs).size());
  CHECK(initiator.need().size() == only_in(theirs, ours).size());
  CHECK(Ids(initiator.have().begin(), initiator.have().end()) == only_in(ours, theirs));
  CHECK(Ids(initiator.need().begin(), initiator.need().end()) == only_in(theirs, ours));
  return out;
}

EventId random_id(Rng& rng) {
  EventId out;
  for (uint8_t& byte : out.bytes) byte = static_cast<uint8_t>(rng());
  return out;
}

// Ids that share up to 24 bytes, so that bounds need long prefixes. The rest is random: a range's
// fingerprint is made of the sum of its ids, which small numbers would have in common.
EventId similar_id(Rng& rng) {
  EventId out;
  for (size_t at = rng() % 25; at < out.bytes.size(); ++at)
    out.bytes[at] = static_cast<uint8_t>(rng());
  return out;
}

struct Pair {
  Items ours, theirs;
};

// Up to `count` items within `seconds` seconds, of which each side has its share.
Pair random_pair(Rng& rng, size_t count, int64_t seconds, double ours, double theirs,
                 bool similar) {
  Pair out;
  Ids used;  // an event's id comes with one created_at
  std::uniform_real_distribution<double> chance(0, 1);
  for (size_t i = 0; i < count; ++i) {
    const auto second = static_cast<int64_t>(rng() % static_cast<uint64_t>(seconds));
    const NegentropyItem item{{second}, similar ? similar_id(rng) : random_id(rng)};
    if (!used.insert(item.id).second) continue;
    if (chance(rng) < ours) out.ours.push_back(item);
    if (chance(rng) < theirs) out.theirs.push_back(item);
  }
  return out;
}

Items vector_items(const json& row, const char* lacks) {
  const auto missing = row.at(lacks).get<std::set<int>>();
  Items out;
  for (int i = 0; i < row.at("count"); ++i) {
    if (missing.count(i) != 0) continue;
    const Digest32 id = sha256(as_bytes("negentropy item " + std::to_string(i)));
    out.push_back({{1790000000 + i / row.at("per_second").get<int>()}, EventId::from(id)});
  }
  return out;
}

}  // namespace

TEST_CASE("S3: sets of every shape are reconciled exactly, within the size of a message") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  Rng rng(seed);
  const size_t counts[] = {0, 1, 31, 32, 33, 200, 1000, 3000};
  const int64_t spans[] = {1, 3, 1000, 1'000'000'000, int64_t{1} << 62};
  const double shares[] = {0, 0.02, 0.5, 0.98, 1};
  for (int run = 0; run < 400; ++run) {
    const size_t count = counts[rng() % 8];
    const Pair pair = random_pair(rng, count, spans[rng() % 5], shares[rng() % 5],
                                  shares[rng() % 5], rng() % 4 == 0);
    NegentropyLimits ours;
    NegentropyLimits theirs;
    ours.max_message_bytes = rng() % 2 == 0 ? 4096 : 60'000;
    theirs.max_message_bytes = rng() % 2 == 0 ? 4096 : 60'000;
    reconcile(sealed(pair.ours), sealed(pair.theirs), ours, theirs);
  }
}

TEST_CASE("a few changes among very many cost little traffic and few rounds") {
  Rng rng(7);
  Pair pair = random_pair(rng, 100'000, 100'000'000, 1, 1, false);
  for (int i = 0; i < 5; ++i) pair.ours.erase(pair.ours.begin() + rng() % pair.ours.size());
  for (int i = 0; i < 5; ++i) pair.theirs.erase(pair.theirs.begin() + rng() % pair.theirs.size());
  const Outcome outcome = reconcile(sealed(pair.ours), sealed(pair.theirs));
  CHECK(outcome.rounds <= 3);
  CHECK(outcome.bytes < 60'000);
}

TEST_CASE("two sets with nothing in common are told apart in as many messages as the ids need") {
  Rng rng(8);
  const Pair ours = random_pair(rng, 20'000, 1000, 1, 0, false);
  const Pair theirs = random_pair(rng, 20'000, 1000, 1, 0, false);
  const Outcome outcome = reconcile(sealed(ours.ours), sealed(theirs.ours));
  CHECK(outcome.longest <= 60'000);
  CHECK(outcome.rounds < 60);
}

TEST_CASE("a recorded conversation of go-nostr is the same, byte for byte, from either side") {
  const json rows =
      json::parse(test::read_file(test::own_vectors() / "negentropy.json")).at("conversations");
  REQUIRE(rows.size() >= 9);
  for (const json& row : rows) {
    INFO(row.at("what").get<std::string>());
    const NegentropySet ours = sealed(vector_items(row, "initiator_lacks"));
    const NegentropySet theirs = sealed(vector_items(row, "responder_lacks"));
    NegentropyInitiator initiator(ours);
    std::optional<Bytes> message = initiator.start();
    for (size_t i = 0; i < row.at("messages").size(); i += 2) {
      REQUIRE(message);
      CHECK(to_hex(*message) == row["messages"][i].get<std::string>());
      const auto answer = negentropy_answer(theirs, *message);
      REQUIRE(answer);
      CHECK(to_hex(*answer) == row["messages"][i + 1].get<std::string>());
      auto next = initiator.receive(*answer);
      REQUIRE(next);
      message = std::move(*next);
    }
    CHECK_FALSE(message);
    CHECK(initiator.have().size() == row.at("responder_lacks").size());
    CHECK(initiator.need().size() == row.at("initiator_lacks").size());
  }
}

TEST_CASE("R19: malformed negentropy messages are refused on both sides") {
  Rng rng(9);
  const NegentropySet set = sealed(random_pair(rng, 100, 1000, 1, 0, false).ours);
  for (const char* hex : {"", "00", "71",
                          "61ff",                          // a varint without end
                          "61ffffffffffffffffffff7f0000",  // one of more than 64 bits
                          "61800100",                      // one with a leading zero
                          "610021",                        // a bound longer than an id
                          "61000003",                      // an unknown mode
                          "61000001aabb",                  // half a fingerprint
                          "6100000201aabb",                // half an id
                          "61000002ffffffff0f",            // ids without end
                          "6101020200"
                          "00"
                          "01020100"
                          "00"}) {  // out of order
    INFO(hex);
    const Bytes message = *from_hex(hex);
    CHECK(negentropy_answer(set, message).error().code == Errc::parse);
    NegentropyInitiator initiator(set);
    initiator.start();
    CHECK_FALSE(initiator.receive(message));
  }
}

TEST_CASE("another protocol version is answered by the number of ours") {
  const NegentropySet set;
  CHECK(*negentropy_answer(set, Bytes{0x62, 1, 2, 3}) == Bytes{0x61});
  NegentropyInitiator initiator(set);
  initiator.start();
  CHECK(initiator.receive(Bytes{0x62}).error().code == Errc::unsupported);
}

TEST_CASE("S49: what a hostile partner can make us hold or do is bounded") {
  Rng rng(10);
  const NegentropySet set = sealed(random_pair(rng, 2000, 1000, 1, 0, false).ours);

  SECTION("a message that is too large") {
    const NegentropyLimits limits{.max_received_bytes = 10};
    CHECK(negentropy_answer(set, Bytes(11, 0x61), limits).error().code == Errc::too_large);
  }
  SECTION("ids without end") {
    NegentropyInitiator initiator(set, {.max_ids = 100});
    initiator.start();
    negentropy::Writer writer;
    Items invented;
    for (int i = 0; i < 101; ++i) invented.push_back({{1}, random_id(rng)});
    writer.id_list(negentropy::Bound{0, 0, {}}, invented);
    CHECK(initiator.receive(writer.take()).error().code == Errc::too_large);
  }
  SECTION("rounds without end") {
    NegentropyInitiator initiator(set, {.max_rounds = 5});
    initiator.start();
    negentropy::Writer writer;
    writer.fingerprint(negentropy::Bound::infinity(), {});
    const Bytes never_equal = writer.take();
    for (int i = 0; i < 5; ++i) CHECK(initiator.receive(never_equal));
    CHECK(initiator.receive(never_equal).error().code == Errc::too_large);
  }
  SECTION("ranges that each want an answer") {
    negentropy::Writer writer;
    for (uint64_t second = 1; second < 1000; ++second)
      writer.fingerprint(negentropy::Bound{second, 0, {}}, {});
    const auto answer = negentropy_answer(set, writer.take(), {.max_message_bytes = 4096});
    REQUIRE(answer);
    CHECK(answer->size() <= 4096);
  }
  SECTION("random bytes, and true messages with bytes changed") {
    NegentropyInitiator other(set);
    const Bytes first = other.start();
    for (int i = 0; i < 5000; ++i) {
      Bytes message = first;
      for (int k = 0; k < 3; ++k) message[rng() % message.size()] = static_cast<uint8_t>(rng());
      if (i % 2 == 0) {
        message.resize(rng() % 200);
        for (uint8_t& byte : message) byte = static_cast<uint8_t>(rng() % (i % 4 == 0 ? 256 : 4));
        if (!message.empty()) message[0] = 0x61;
      }
      const auto answer = negentropy_answer(set, message, {.max_message_bytes = 4096});
      if (answer) CHECK(answer->size() <= 4096);
      NegentropyInitiator initiator(set);
      initiator.start();
      (void)initiator.receive(message);
      CHECK(initiator.have().size() <= set.size());
    }
  }
}

TEST_CASE("a set is sealed sorted, without what is there twice, and within its bound") {
  Rng rng(11);
  const NegentropyItem a{{5}, random_id(rng)};
  const NegentropyItem b{{4}, random_id(rng)};
  CHECK(sealed({a, b, a}).items() == Items{b, a});
  CHECK(NegentropySet::seal({a, b}, 1).error().code == Errc::too_large);
  CHECK(NegentropySet::seal({{{-1}, a.id}}).error().code == Errc::invalid);
}

TEST_CASE("numbers are written as negentropy writes them") {
  const auto written = [](uint64_t value) {
    Bytes out;
    negentropy::append_varint(out, value);
    CHECK(negentropy::Reader(out).varint() == value);
    return to_hex(out);
  };
  CHECK(written(0) == "00");
  CHECK(written(127) == "7f");
  CHECK(written(128) == "8100");
  CHECK(written(16384) == "818000");
  CHECK(written(~uint64_t{0}) == "81ffffffffffffffff7f");
  CHECK(written(uint64_t{1} << 63) == "81808080808080808000");
}
