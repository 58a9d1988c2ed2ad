#include "ipnscast/sync/inspection/car_answer.h"
#include "ipnscast/sync/inspection/verdict.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::inspection;

namespace {

using Answer = Finding::Answer;

const Sample& sample() {
  static const Sample made = make_sample({1'800'000'000'000});
  return made;
}

Report good() {
  Report out;
  out.url = "http://gw";
  for (const Feature feature :
       {Feature::raw, Feature::car, Feature::partial_car, Feature::ipns_record})
    out.findings[feature] = {Answer::yes, true, false, "", Milliseconds(5)};
  return out;
}

}  // namespace

TEST_CASE("the sample is a file of verifiable blocks under a record of its own") {
  CHECK(sample().blocks.size() == 5);
  for (const auto& [cid, block] : sample().blocks) CHECK(check_block(cid, block));
  CHECK(verify_record(sample().name, sample().record.bytes(), {1'800'000'000'000}));
  CHECK(sample().record.expired({1'800'000'000'000 + 601'000}));
  const Sample other = make_sample({1'800'000'000'000});
  CHECK(other.root != sample().root);
  CHECK(other.name != sample().name);
}

TEST_CASE("a stream is right when it verifies and holds all that was asked for") {
  const Bytes car = car_of(sample());
  const auto whole = check_car(car, sample().root, {});
  REQUIRE(whole);
  CHECK(whole->blocks == 5);
  CHECK(whole->needed == 5);
  const DagScope part{{}, DagPart::entity, ByteRange{0, 99}};
  const auto more = check_car(car, sample().root, part);
  REQUIRE(more);
  CHECK(more->blocks == 5);
  CHECK(more->needed == 2);
  const Bytes cut(car.begin(), car.end() - 750);
  CHECK_FALSE(check_car(cut, sample().root, {}));
  Sample hole = sample();
  hole.blocks.pop_back();
  CHECK(check_car(car_of(hole), sample().root, {}).error().code == Errc::not_found);
  CHECK(check_car(car_of(hole), sample().root, part));
  Sample lie = sample();
  lie.blocks.back().second[5] ^= 1;
  CHECK(check_car(car_of(lie), sample().root, {}).error().code == Errc::signature);
}

TEST_CASE("what verifies makes a source, a lie unmakes it, plain files alone are none (R20)") {
  CHECK(judge(good()).fit);
  CHECK(judge(good()).score == 100);

  Report liar = good();
  liar.findings[Feature::car].lied = true;
  CHECK_FALSE(judge(liar).fit);
  CHECK(judge(liar).score < 50);

  Report path;
  path.findings[Feature::raw] = {Answer::no, false, false, "HTTP 200", {}};
  path.findings[Feature::path] = {Answer::yes, true, false, "", Milliseconds(5)};
  const Verdict verdict = judge(path);
  CHECK_FALSE(verdict.fit);
  REQUIRE(verdict.reasons.size() == 1);
  CHECK(verdict.reasons[0].text.find("last resort") != std::string::npos);

  Report router;
  router.findings[Feature::routing] = {Answer::yes, false, false, "", Milliseconds(5)};
  CHECK(judge(router).fit);
  CHECK(judge(router).score == 100);
  router.findings[Feature::raw].answer = Answer::unclear;  // it had nothing of what was asked for
  CHECK(judge(router).fit);
  CHECK(judge(router).score == 80);

  Report silent;
  silent.unreachable = Error{Errc::unreachable, "no route"};
  CHECK_FALSE(judge(silent).fit);
  CHECK(judge(silent).score == 0);
}

TEST_CASE("what is missing and what is slow costs points, the worst first") {
  Report poor = good();
  poor.findings[Feature::car] = {Answer::no, false, false, "", {}};
  poor.findings[Feature::raw].took = Milliseconds(3'000);
  poor.findings[Feature::only_if_cached].answer = Answer::no;
  const Verdict verdict = judge(poor);
  CHECK(verdict.fit);
  CHECK(verdict.score == 72);
  REQUIRE(verdict.reasons.size() == 3);
  CHECK(verdict.reasons[0].points == 15);
}
