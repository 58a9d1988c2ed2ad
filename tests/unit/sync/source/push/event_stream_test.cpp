#include "ipnscast/sync/source/push/event_stream.h"

#include <vector>

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using ipnscast::sync::push::EventStream;

namespace {

using Said = std::vector<std::pair<std::string, std::string>>;

Said read(EventStream& stream, std::string_view text, size_t piece = SIZE_MAX) {
  Said out;
  for (size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    stream.add(text.substr(at, piece),
               [&](const EventStream::Event& event) { out.emplace_back(event.type, event.data); });
  }
  return out;
}

Said read(std::string_view text, size_t piece = SIZE_MAX) {
  EventStream stream;
  return read(stream, text, piece);
}

}  // namespace

TEST_CASE("events of a stream are read as browsers read them, in pieces of any size (S0-48)") {
  const std::string text =
      "\xEF\xBB\xBF: comment\n\n"
      "data: one\n\n"
      "event: ipns-update\ndata: {\"cid\"\ndata::\"x\"}\n\n"
      "data\n\ndata\ndata\n\n"
      "data:test\r\ndata: space\r\n\r\n"
      "data:cr\r\r"
      "event: nothing\n\n"
      "unknown: field\ndata:  two spaces\n\n"
      "data: cut off";
  const Said wanted{{"", "one"},
                    {"ipns-update", "{\"cid\"\n:\"x\"}"},
                    {"", ""},
                    {"", "\n"},
                    {"", "test\nspace"},
                    {"", "cr"},
                    {"", " two spaces"}};
  CHECK(read(text) == wanted);
  for (size_t piece = 1; piece < 12; ++piece) CHECK(read(text, piece) == wanted);
}

TEST_CASE("a stream goes on behind the last event that was whole (S0-48)") {
  EventStream stream;
  read(stream, "id: 1\ndata: a\n\nid: 2\n\nid: 3\ndata: not whole");
  CHECK(stream.last_id() == "2");
  stream.reset();
  CHECK(read(stream, "data: whole\n\n") == Said{{"", "whole"}});
  CHECK(stream.last_id() == "2");
  read(stream, "id\ndata: b\n\n");
  CHECK(stream.last_id().empty());
  read(stream, std::string("id: a\0b\ndata: c\n\n", 17));
  CHECK(stream.last_id().empty());
  read(stream, "id: " + std::string(5'000, 'x') + "\ndata: d\n\n");
  CHECK(stream.last_id().empty());
}

TEST_CASE("a server may ask for a wait before the next try, in digits only") {
  EventStream stream;
  read(stream, "retry: 2500\n");
  CHECK(stream.retry() == Milliseconds(2'500));
  for (const char* bad : {"retry: -1\n", "retry: 3s\n", "retry:\n", "retry: 99999999999999999999\n",
                          "retry: 36000000\n"}) {
    INFO(bad);
    read(stream, bad);
    CHECK(stream.retry() == Milliseconds(2'500));
  }
}

TEST_CASE("lines and events without an end take bounded memory, and the next event is read") {
  EventStream stream;
  const std::string long_line(EventStream::kMaxEvent + 10, 'x');
  CHECK(read(stream, "data: " + long_line + "\n\ndata: next\n\n", 1000) == Said{{"", "next"}});
  CHECK(stream.dropped() == 1);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "data: " + std::string(1000, 'y') + "\n";
  CHECK(read(stream, many + "\ndata: last\n\n") == Said{{"", "last"}});
  CHECK(stream.dropped() == 2);
}
