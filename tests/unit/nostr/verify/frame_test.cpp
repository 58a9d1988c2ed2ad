#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/verify/frame_verifier.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

SecretKey test_key() { return *SecretKey::from_bytes(Bytes(32, 7)); }
Event sample(std::string content = "hello") {
  return sign_event(test_key(), {{1700000000}, 1, {}, std::move(content)});
}
std::string frame_of(const Event& event) {
  return to_frame(RelayMessage(EventMessage{"s", event}));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("an event is verified once, however many relays send it") {
  VerifiedSet verified;
  FrameVerifier verifier(verified);
  const Event event = sample();
  const auto first = verifier.check(frame_of(event));
  CHECK(first.verdict == Verdict::verified);
  REQUIRE(first.message);
  CHECK(std::get<EventMessage>(*first.message).event == event);

  CHECK(verifier.check(frame_of(event)).verdict == Verdict::duplicate);
  const auto copy = verifier.check(replaced(frame_of(event), "\"s\"", " \"other\" "));
  CHECK(copy.verdict == Verdict::duplicate);
  CHECK(copy.subscription == "other");
  CHECK(copy.id == event.id);
  CHECK(copy.created_at == event.created_at);
  CHECK_FALSE(copy.message);

  const std::string spaced = replaced(frame_of(event), "\"kind\":", "\"kind\": ");
  CHECK(verifier.check(spaced).verdict == Verdict::duplicate);
  const std::string escaped = replaced(frame_of(event), "hello", "h\\u0065llo");
  CHECK(verifier.check(escaped).verdict == Verdict::known);
  CHECK(verifier.signatures() == 1);
}

TEST_CASE("R19: a forged copy that comes first does not hide the real event") {
  VerifiedSet verified;
  FrameVerifier verifier(verified);
  const Event event = sample();
  Event forged = event;
  forged.content = "altered under a known id";
  CHECK(verifier.check(frame_of(forged)).verdict == Verdict::bad_id);
  forged = event;
  forged.sig.bytes[0] ^= 1;
  CHECK(verifier.check(frame_of(forged)).verdict == Verdict::bad_signature);
  CHECK(verifier.check(frame_of(event)).verdict == Verdict::verified);
  CHECK(verifier.check(frame_of(forged)).verdict == Verdict::bad_signature);
  CHECK_FALSE(verifier.check(frame_of(forged)).message);
}

TEST_CASE("R19: an unknown key, bad shapes, oversized and deep frames are told apart and dropped") {
  VerifiedSet verified;
  FrameVerifier verifier(verified, {.max_bytes = 2000});
  Event event = sample();
  event.pubkey.bytes.fill(0xff);
  event.id = compute_id(event);
  CHECK(verifier.check(frame_of(event)).verdict == Verdict::bad_signature);
  CHECK(verifier.check(frame_of(sample(std::string(3000, 'x')))).verdict == Verdict::too_large);
  CHECK(verifier.check(std::string(500, '[') + std::string(500, ']')).verdict ==
        Verdict::too_large);
  CHECK(verifier.check("[\"EVENT\",\"s\",{}]").verdict == Verdict::malformed);
  CHECK(verifier.check(replaced(frame_of(sample()), "hello", "\xff")).verdict ==
        Verdict::malformed);
  CHECK(verifier.check("nonsense").verdict == Verdict::malformed);
  CHECK(verifier.check("[\"EOSE\",\"s\"]").verdict == Verdict::other);
}

TEST_CASE("two events in one frame never pass for one") {
  VerifiedSet verified;
  FrameVerifier verifier(verified);
  const std::string twice =
      "[\"EVENT\",\"s\"," + to_json(sample("a")) + "," + to_json(sample("b")) + "]";
  CHECK(verifier.check(twice).id == sample("a").id);
  CHECK(verifier.check(frame_of(sample("b"))).verdict == Verdict::verified);
  const auto again = verifier.check(twice);
  CHECK(again.verdict == Verdict::known);
  CHECK(again.id == sample("a").id);
}

TEST_CASE("another signature over a known event is verified on its own") {
  VerifiedSet verified;
  FrameVerifier verifier(verified);
  const Event event = sample();
  Event again = event;
  again.sig = test_key().sign(event.id.view());
  CHECK(verifier.check(frame_of(event)).verdict == Verdict::verified);
  CHECK(verifier.check(frame_of(again)).verdict == Verdict::verified);
}

TEST_CASE("what is remembered is bounded, and forgetting only costs a second check") {
  VerifiedSet verified(32);
  FrameVerifier verifier(verified);
  std::vector<std::string> frames;
  for (int i = 0; i < 200; ++i) frames.push_back(frame_of(sample(std::to_string(i))));
  for (const auto& frame : frames) CHECK(verifier.check(frame).verdict == Verdict::verified);
  CHECK(verifier.check(frames.back()).verdict == Verdict::duplicate);
  CHECK(verifier.check(frames.front()).verdict == Verdict::verified);
}

TEST_CASE("copies in the same bytes, in others and with one byte changed, also after many others") {
  VerifiedSet verified;
  FrameVerifier verifier(verified);
  const Event event = sample();
  const std::string frame = frame_of(event);
  std::string spaced = frame;
  spaced.insert(spaced.find("\"kind\""), " ");
  CHECK(verifier.check(frame).verdict == Verdict::verified);
  for (int relay = 0; relay < 3; ++relay) {  // the first copy is hashed, the next are compared
    const CheckedFrame copy = verifier.check(frame);
    CHECK(copy.verdict == Verdict::duplicate);
    CHECK(copy.id == event.id);
    CHECK(copy.created_at == event.created_at);
    CHECK(verifier.check(spaced).verdict == Verdict::duplicate);
  }
  const size_t begin = frame.find('{');
  for (size_t at = begin; at < frame.size() - 1; ++at) {
    std::string changed = frame;
    changed[at] = changed[at] == '1' ? '2' : '1';
    const Verdict verdict = verifier.check(changed).verdict;
    if (verdict == Verdict::duplicate || verdict == Verdict::verified || verdict == Verdict::known)
      FAIL("changed at " << at);
  }
  // More text than is kept in all: the oldest has to be hashed again, and is known all the same.
  const uint64_t before = verifier.signatures();
  const std::string filler(60'000, 'x');
  for (int i = 0; i < 300; ++i) {
    const std::string other = frame_of(sample(filler + std::to_string(i)));
    REQUIRE(verifier.check(other).verdict == Verdict::verified);
    REQUIRE(verifier.check(other).verdict == Verdict::duplicate);
    REQUIRE(verifier.check(other).verdict == Verdict::duplicate);
  }
  CHECK(verifier.check(frame).verdict == Verdict::duplicate);
  CHECK(verifier.signatures() == before + 300);
}

TEST_CASE("several workers share what was verified") {
  VerifiedSet verified;
  std::vector<std::string> frames;
  for (int i = 0; i < 50; ++i) frames.push_back(frame_of(sample(std::to_string(i))));
  const auto work = [&] {
    FrameVerifier verifier(verified);
    for (const auto& frame : frames) verifier.check(frame);
  };
  std::thread other(work);
  work();
  other.join();
  FrameVerifier verifier(verified);
  for (const auto& frame : frames) {
    CHECK(verifier.check(frame).verdict == Verdict::duplicate);
  }
}
