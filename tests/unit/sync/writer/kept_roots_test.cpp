#include "ipnscast/sync/writer/kept_roots.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

using State = OwnPublish::State;

Cid cid(uint8_t number) { return {1, 0x55, {0x12, Bytes(32, number)}}; }

SeenRecord record(uint8_t number) {
  SeenRecord out;
  out.record.sequence = {number};
  out.record.value = "/ipfs/" + cid(number).to_string();
  return out;
}

OwnPublish own(uint8_t number, State state) {
  OwnPublish out;
  out.seen = record(number);
  out.state = state;
  return out;
}

}  // namespace

TEST_CASE("what was displaced, what nobody was told of and what counts is not to go from here") {
  WriterState state;
  state.known = record(7);
  for (const uint8_t number : {1, 2, 3}) state.own.push_back(own(number, State::lost));
  state.own[1].certain = state.own[2].certain = false;
  state.own.push_back(own(4, State::acknowledged));
  state.own.push_back(own(5, State::sent));
  state.own.back().queued = true;
  state.own.push_back(own(6, State::settled));  // others have built on it
  state.own.push_back(own(7, State::sent));
  state.own.push_back(own(8, State::tentative));
  CHECK(kept_roots(state) == KeptRoots{.lost = {cid(1)},
                                       .perhaps_lost = {cid(3), cid(2)},
                                       .queued = {cid(5)},
                                       .open = {cid(7), cid(8)}});
}

TEST_CASE("content that was lost for certain once is kept, whatever else became of it") {
  WriterState state;
  state.own = {own(1, State::lost), own(1, State::lost), own(1, State::sent)};
  state.own.front().certain = false;
  state.own.back().queued = true;
  CHECK(kept_roots(state) == KeptRoots{.lost = {cid(1)}});
}

TEST_CASE("a value that is no content keeps nothing") {
  WriterState state;
  state.own = {own(1, State::lost)};
  state.own.front().seen.record.value = "/ipns/example.org";
  CHECK(kept_roots(state) == KeptRoots{});
}
