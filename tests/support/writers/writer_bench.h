#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ipnscast/sync/writer/name_writer.h"
#include "ipnscast/tests/support/catch.h"

// One NameWriter on a stage of its own: records by hand, time by hand.
namespace ipnscast::test::writer_bench {

using namespace ipnscast::sync;
using Answered = writer_action::Answer::Result;
using Said = writer_input::Decided::Answer;

inline DeviceTag tag(uint8_t number) {
  DeviceTag out;
  out.bytes.fill(number);
  return out;
}
inline constexpr uint8_t kUs = 1;
inline constexpr uint8_t kThey = 2;

inline SeenRecord record(uint64_t sequence, std::string value,
                         std::optional<VersionVector> vector = {}, int64_t later = 0) {
  SeenRecord out;
  out.record.sequence = {sequence};
  out.record.value = std::move(value);
  out.record.eol = {1'790'172'800 + later, 0};
  const std::string text = out.record.value + "@" + std::to_string(sequence + 1'000 * later);
  out.record.data = out.record.bytes = Bytes(text.begin(), text.end());
  out.vector = std::move(vector);
  return out;
}

inline VersionVector vector(
    std::initializer_list<std::pair<uint8_t, VersionVector::Entry>> entries) {
  VersionVector out;
  for (const auto& [number, entry] : entries) out.raise(tag(number), entry);
  return out;
}

// A device whose places, signer and disk answer at once. The decider is the test's.
struct Bench {
  explicit Bench(NameWriter::Options how = {}) : options(how) { restart(); }

  void restart() {
    writer = std::make_unique<NameWriter>(options, disk, 1);
    decide.reset();
    ask_decider.reset();
    tell(writer_input::Tick{});
    tell(writer_input::Places{{"node"}});
  }
  void tell(WriterInput input) {
    for (auto& action : writer->handle(std::move(input), now)) {
      if (auto* ask = std::get_if<writer_action::Ask>(&action)) {
        tell(writer_input::Asked{ask->job, answers, answers});
      } else if (auto* sign = std::get_if<writer_action::Sign>(&action)) {
        last_signed = *sign;
        tell(writer_input::Signed{sign->job,
                                  record(sign->sequence.value, sign->value, sign->vector).record});
      } else if (auto* commit = std::get_if<writer_action::Commit>(&action)) {
        disk = commit->state;
        tell(writer_input::Committed{commit->job, true});
      } else if (auto* answer = std::get_if<writer_action::Answer>(&action)) {
        answered.push_back(*answer);
      } else if (auto* put = std::get_if<writer_action::Decide>(&action)) {
        decide = *put;
      } else if (auto* asked = std::get_if<writer_action::AskDecider>(&action)) {
        ask_decider = *asked;
      } else if (std::holds_alternative<writer_action::NewIdentity>(action)) {
        clones += 1;
      } else if (auto* send = std::get_if<writer_action::Send>(&action)) {
        sent.push_back(send->seen);
      } else if (auto* once_more = std::get_if<writer_action::SendAgain>(&action)) {
        again.push_back(once_more->place);
      }
    }
    if (const auto report = writer->report()) {
      reports.push_back(*report);
      tell(writer_input::Told{report->ours.tag, report->ours.count});
    }
  }
  void pass(Milliseconds time) {
    const Instant end = now.steady + time;
    for (auto wake = writer->next_wake(); wake && *wake <= end; wake = writer->next_wake()) {
      now.steady = *wake;
      tell(writer_input::Tick{});
    }
    now.steady = end;
  }
  void publish(std::string value, writer_input::Publish how = {}) {
    how.id = {++last_id};
    how.value = std::move(value);
    tell(how);
  }
  void says(Said said, std::optional<SeenRecord> stored = {}, bool never_sent = false) {
    REQUIRE(decide);
    const WriterJob job = std::exchange(decide, {})->job;
    tell(writer_input::Decided{job, said, std::move(stored), never_sent});
  }
  void take_in(const SeenRecord& seen) {
    tell(writer_input::Saw{seen, "node"});
    tell(writer_input::TakenIn{seen});
  }
  const OwnPublish& own() const {
    REQUIRE(disk.own.size() == 1);
    return disk.own.front();
  }

  NameWriter::Options options;
  WriterState disk{.tag = tag(kUs)};
  std::unique_ptr<NameWriter> writer;
  Now now{Instant() + std::chrono::hours(1), {1'790'000'000'000}};
  bool answers = true;
  uint64_t last_id = 0;
  int clones = 0;
  std::optional<writer_action::Sign> last_signed;
  std::optional<writer_action::Decide> decide;
  std::optional<writer_action::AskDecider> ask_decider;
  std::vector<writer_action::Answer> answered;
  std::vector<LossReport> reports;
  std::vector<SeenRecord> sent;
  std::vector<std::string> again;  // places
};

}  // namespace ipnscast::test::writer_bench
