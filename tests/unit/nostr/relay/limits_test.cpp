// What one relay takes, announced and learned.
#include "ipnscast/nostr/relay/limits.h"

#include "ipnscast/nostr/nip/nip40.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

constexpr UnixSeconds kNow{1'790'000'000};

PublicKey key(uint8_t number) {
  PublicKey out;
  out.bytes[0] = number;
  return out;
}

template <size_t count>
size_t standing() {
  return count;
}

}  // namespace

TEST_CASE("NIP-11 limits that are announced are kept to before sending, with words that say why") {
  RelayLimits limits;
  limits.announced(*parse_relay_information(
      R"({"limitation":{"max_message_length":1000,"max_event_tags":2,"max_content_length":5,
          "created_at_upper_limit":900,"created_at_lower_limit":3600,"max_limit":500,
          "default_limit":50,"max_subscriptions":3}})"));
  Event event;
  event.created_at = kNow;
  event.content = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";  // five characters, ten bytes
  CHECK_FALSE(limits.objection(event, 1000, kNow));
  CHECK(limits.objection(event, 1001, kNow));
  event.content += "x";
  CHECK(limits.objection(event, 100, kNow)->rfind("invalid: characters of content 6", 0) == 0);
  event.content.clear();
  event.created_at = {kNow.value + 901};
  CHECK(limits.objection(event, 100, kNow));
  event.created_at = {kNow.value - 3601};
  CHECK(limits.objection(event, 100, kNow));
  CHECK(limits.answer_limit() == 50u);
  CHECK(limits.max_subscriptions() == 3u);
}

TEST_CASE("a limit that a relay only tells when it refuses is learned") {
  RelayLimits limits;
  CHECK_FALSE(limits.learn("rate-limited: slow down", standing<7>));
  CHECK(limits.learn("ERROR: too many concurrent REQs", standing<7>));  // strfry's words
  CHECK(limits.max_subscriptions() == 7u);
  CHECK(limits.learn("rate-limited: too many subscriptions", standing<5>));
  CHECK(limits.max_subscriptions() == 5u);
  CHECK_FALSE(limits.learn("rate-limited: too many subscriptions", standing<9>));
  CHECK_FALSE(
      limits.learn("rate-limited: too many subscriptions", standing<0>));  // none is no limit
  CHECK(limits.max_subscriptions() == 5u);
  CHECK(limits.max_subscriptions_is_learned());
  limits.allow_one_more_subscription();
  CHECK(limits.max_subscriptions() == 6u);
  limits.announced(*parse_relay_information(R"({"limitation":{"max_subscriptions":4}})"));
  CHECK(limits.max_subscriptions() == 4u);
  CHECK_FALSE(limits.max_subscriptions_is_learned());
}

TEST_CASE("NIP-11 what one REQ may hold is announced, or learned from a refusal's words") {
  const auto needs = [] { return RequestLimits{400, 60, 30'000}; };
  RelayLimits announced;
  announced.announced(*parse_relay_information(R"({"limitation":{"max_message_length":16384}})"));
  CHECK(announced.requests().max_bytes == 16384 - 128);
  announced.announced(*parse_relay_information(R"({"limitation":{"max_message_length":10}})"));
  CHECK(announced.requests().max_bytes == 2048 - 128);  // less is not believed

  struct Case {
    std::string words;
    RequestLimits after;
  };
  const RequestLimits none;
  for (const Case& c : {
           Case{"message too large (30020 > 16384)", {none.max_list, none.max_filters, 15'000}},
           Case{"payload reached size limit.", {none.max_list, none.max_filters, 15'000}},
           Case{"ERROR: bad req: arr too big", {none.max_list, 30, none.max_bytes}},
           Case{"error: too many filters", {none.max_list, 30, none.max_bytes}},
           Case{"ERROR: bad req: total filter items too large", {200, 200, none.max_bytes}},
           Case{"blocked: too many things to filter for", {200, 200, none.max_bytes}},
           Case{"rate-limited: too many values in the filters of all subscriptions", none},
           Case{"rate-limited: slow down", none},
       }) {
    INFO(c.words);
    RelayLimits limits;
    limits.learn_request(c.words, needs);
    CHECK(limits.requests() == c.after);
    for (int i = 0; i < 20; ++i) limits.learn_request(c.words, [&] { return limits.requests(); });
    CHECK(limits.requests().max_bytes >= 1'500);  // never to nothing
    CHECK(limits.requests().max_filters >= 1);
    CHECK(limits.requests().max_list >= 10);
  }
}

TEST_CASE("filters are cut to what one REQ may hold, and ask for the same together") {
  Filter names;
  names.kinds = {30078};
  for (int i = 0; i < 300; ++i) names.tags['d'].push_back("name-" + std::to_string(i));
  const RequestLimits small{100, 2, 2'000};
  CHECK_FALSE(fits(needs_of({names}), small));
  std::vector<std::string> asked;
  const auto groups = split_filters({names, names, names}, small);
  for (const auto& group : groups) {
    CHECK(fits(needs_of(group), small));
    for (const Filter& filter : group)
      asked.insert(asked.end(), filter.tags.at('d').begin(), filter.tags.at('d').end());
  }
  CHECK(groups.size() >= 5);
  CHECK(asked.size() == 900);

  Filter few;  // of great length
  few.tags['d'] = {std::string(900, 'a'), std::string(900, 'b'), std::string(900, 'c')};
  few.authors = {key(1), key(2), key(3), key(4)};
  size_t pairs = 0;
  for (const auto& group : split_filters({few}, {100, 1, 1'500})) {
    CHECK(fits(needs_of(group), {100, 1, 1'500}));
    pairs += group[0].authors.size() * group[0].tags.at('d').size();
  }
  CHECK(pairs == 12);
}

TEST_CASE("NIP-11 NIP-13 NIP-40 an event that a relay would refuse or keep for ever is not sent") {
  Event event;
  event.created_at = kNow;
  event.id.bytes = {0x00, 0x0f};  // twelve bits
  RelayLimits limits;
  limits.announced(*parse_relay_information(R"({"limitation":{"min_pow_difficulty":12}})"));
  CHECK_FALSE(limits.objection(event, 100, kNow));
  limits.announced(*parse_relay_information(R"({"limitation":{"min_pow_difficulty":13}})"));
  CHECK(limits.objection(event, 100, kNow)->rfind("pow: ", 0) == 0);

  limits.announced(*parse_relay_information(R"({"supported_nips":[1,11]})"));
  CHECK_FALSE(limits.objection(event, 100, kNow));
  event.tags = {{"expiration", "1790000001"}};
  CHECK(limits.objection(event, 100, kNow)->rfind("unsupported: ", 0) == 0);
  limits.announced(*parse_relay_information(R"({"supported_nips":[1,11,40]})"));
  CHECK_FALSE(limits.objection(event, 100, kNow));
  limits.announced(*parse_relay_information("{}"));  // says nothing about it
  CHECK_FALSE(limits.objection(event, 100, kNow));
}

TEST_CASE("NIP-40 an expiration is a whole number of seconds") {
  Event event;
  CHECK_FALSE(expiration(event));
  event.tags = {{"expiration", "1700000000"}, {"expiration", "5"}};
  CHECK(expiration(event) == UnixSeconds{1'700'000'000});
  for (const char* text : {"", "soon", "1.5", "12x", " 12", "99999999999999999999"}) {
    event.tags = {{"expiration", text}};
    CHECK_FALSE(expiration(event));
  }
}

TEST_CASE("E3 NIP-11 a limit of 0 is none, and what a document refuses is not refused for good") {
  RelayLimits limits;
  RelayInformation zeros;
  for (auto* limit :
       {&zeros.max_message_length, &zeros.max_subscriptions, &zeros.max_limit, &zeros.default_limit,
        &zeros.max_event_tags, &zeros.max_content_length, &zeros.min_pow_difficulty,
        &zeros.created_at_lower_limit, &zeros.created_at_upper_limit})
    *limit = 0;
  for (const RelayInformation& document :
       {zeros, *parse_relay_information(
                   R"({"limitation":{"max_message_length":0,"max_event_tags":0,
                       "max_content_length":0,"max_subscriptions":0,"max_limit":0,
                       "created_at_lower_limit":0,"created_at_upper_limit":0}})")}) {
    limits.announced(document);
    Event event;
    event.tags = {{"t", "x"}};
    event.content = "some";
    for (const int64_t created_at : {kNow.value - 100'000, kNow.value, kNow.value + 100}) {
      event.created_at = {created_at};
      CHECK_FALSE(limits.objection(event, 5000, kNow));
    }
    CHECK_FALSE(limits.max_subscriptions());
    CHECK_FALSE(limits.answer_limit());
    CHECK(limits.requests() == RequestLimits{});
  }
}
