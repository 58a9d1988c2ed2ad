#pragma once

#include <deque>
#include <map>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/writer/writer_messages.h"

namespace ipnscast::sync {

// A publish, a renewal or what is left of one, from the beginning to its commit. Private to
// NameWriter.
struct WriterWork {
  enum class Kind { publish, resolution, renew, repeat, resume, flush };
  enum class Step { ask, sign, reserve, decide, read_back, drop, commit };
  Kind kind = Kind::publish;
  Step step = Step::ask;
  WriterJob job;
  Instant deadline;
  writer_input::Publish asked;
  std::optional<SeenRecord> theirs;  // of a resolution: what it is about
  std::optional<SeenRecord> joined;  // of a resolution: what is to be contained beside
  bool answered = false;
  bool reserved = false;  // a tentative row stands for it
  bool perhaps = false;   // the decider may have it
  bool settled = false;   // the decider has it
  uint64_t taken_in = 0;  // what the application had taken in when it asked
  std::optional<WriterState::Base> base_then;
  bool chained = false;  // made on the value of the one before, which was under way
  int tries = 0;
  std::optional<Version> ground;
  std::optional<SeenRecord> known_then;  // when it was signed
  std::optional<SeenRecord> seen;        // what was signed; the vector also where it is left out
  std::optional<Instant> give_up;        // on the decider
  std::optional<SeenRecord> winner;
};
// One name as one device writes it, beside other devices that write it too: decides whether a
// publish may go ahead, and sees to it that no value that this device published vanishes without a
// word. A pure state machine on the caller's clock: inputs in, actions out, no I/O, no clock, no
// thread of its own.
//
// Three things carry it. What this device signed is known to it from the commit on, like any other
// record. A publish is made on a version (the base), and is refused when somebody has a better
// record with another value. Each record says which publishes it contains (VersionVector), so each
// own publish is current, contained in what is current, or lost, and then reported.
class NameWriter {
 public:
  struct Options {
    bool decider = false;  // one node decides (conditional puts), until Asked says otherwise
    bool vector = true;    // records carry the version vector
    bool job = false;      // leaves no trace of itself: no entry in the vector, no own publish
    Milliseconds ask_by{5'000};
    Milliseconds settle{2'000};
    Milliseconds decide_by{10'000};
    Milliseconds handler_timeout{600'000};
    Milliseconds ask_again{60'000};  // about a tentative publish, and about one that was queued
    std::chrono::nanoseconds lifetime = std::chrono::hours(48);
    size_t max_waiting = 64;  // publishes
  };

  // `seed` for random waits.
  NameWriter(Options options, WriterState stored, uint64_t seed);

  // Takes one input and gives what is to be done because of it, in order. Begin with a Tick.
  std::vector<WriterAction> handle(WriterInput input, Now now);
  // When the next Tick is due. Nothing: only when an input arrives.
  std::optional<Instant> next_wake() const;

  const WriterState& state() const { return state_; }
  // Changes wait until the application knows what they displaced.
  bool owes_report() const;
  // What it is to be told next. Nothing, too, while the state file does not say so yet.
  std::optional<LossReport> report() const;
  // What is known was published in this run for somebody who does not follow the name here.
  bool known_is_for_followers() const {
    return for_followers_ && state_.known && *for_followers_ == state_.known->version();
  }
  // The state file says all that is known.
  bool all_committed() const { return committed(revision_) && !commit_; }
  // Own publishes of which it is not certain what becomes of them.
  bool unsettled() const;
  // Something is not settled, or waits to be told.
  bool open() const { return unsettled() || owes_report(); }

 private:
  struct Dispatch;
  enum class Relation { current, contained, displaced, unknown };

  using Work = WriterWork;
  struct Committing {
    WriterJob job;
    uint64_t revision = 0;
    bool of_work = false;
  };
  struct Pending {
    writer_action::Answer answer;
    uint64_t revision = 0;            // that has to be committed before
    std::optional<Instant> settling;  // until then it waits
    DeviceTag tag;
    uint64_t count = 0;
  };
  struct Resolving {
    WriterJob job;
    SeenRecord theirs;
    Instant deadline;
  };

  // name_writer.cpp: inputs, commits, time
  void take(writer_input::Publish& in);
  void take(writer_input::Renew& in);
  void take(writer_input::Saw& in);
  void take(writer_input::Asked& in);
  void take(writer_input::Signed& in);
  void take(writer_input::Committed& in);
  void take(writer_input::Decided& in);
  void take(writer_input::DeciderHas& in);
  void take(writer_input::Places& in);
  void take(writer_input::ShowsNothing& in);
  void take(writer_input::TakenIn& in);
  void take(writer_input::Told& in);
  void take(writer_input::Resolved& in);
  void take(writer_input::ProgramDecides& in);
  void take(writer_input::Acknowledge& in);
  void take(writer_input::Identity& in);
  void take(writer_input::Tick& in);
  void advance();
  void commit_if_due();
  void say_what_is_committed();
  bool answer_tells_of(const OwnPublish& own) const;
  void told(const DeviceTag& tag, uint64_t count);
  void touch() { ++revision_; }
  bool committed(uint64_t revision) const { return committed_ >= revision; }
  WriterJob next_job() { return WriterJob{++last_job_}; }
  void emit(WriterAction action) { out_.push_back(std::move(action)); }
  Milliseconds random_wait(Milliseconds most);

  // name_writer_time.cpp: what falls due
  void look_at_settling();
  std::optional<SeenRecord> refused_everywhere() const;
  std::optional<Instant> due_again(const std::string& place) const;
  void send_again();

  // name_writer_records.cpp: what is known, and what became of our own
  void saw(const SeenRecord& in);
  void learn(const SeenRecord& in);
  std::optional<VersionVector> vector_of_own(const Version& version) const;
  bool overtakes_queue(const SeenRecord& in);
  void give_way_to(const SeenRecord& in);
  void weigh();
  void lose(const SeenRecord& theirs, bool overtaken);
  void prune();
  void plan_repeat();
  void plan_resolution();
  void resolve_later();
  static Relation relation(const OwnPublish& own, const SeenRecord& to);
  Relation judge(const OwnPublish& own, const SeenRecord& to) const;
  OwnPublish* tentative();
  OwnPublish* head();
  const OwnPublish* unresolved() const;  // for a program to decide about
  bool everybody_shows(const OwnPublish& own) const;
  std::optional<Version> common_of(const OwnPublish& own) const;

  // name_writer_work.cpp: how a publish goes
  void begin_work();
  void begin(Work work);
  void ask();
  void go_on();
  void check_and_sign();
  const std::optional<WriterState::Base>& base_of(const Work& work) const;
  std::optional<Version> ground_of(const Work& work) const;
  bool replaces(const Work& work) const;
  bool refused(const Work& work) const;
  std::optional<VersionVector> vector_for(const Work& work) const;
  bool overtaken() const;  // something else is known than when it was signed
  void after_signing();
  void finish(writer_action::Answer::Result result);
  void abandon();

  // name_writer_decider.cpp
  void put_at_decider(std::optional<Bytes> instead_of);
  void ruling(const std::optional<SeenRecord>& stored);
  void read_back();
  void nobody_decided();
  void drop_tentative(bool lost);

  // name_writer_commit.cpp
  void apply(WriterState& state, const Work& work) const;
  void applied();

  // constant after construction
  const Options options_;

  WriterState state_;
  Rng rng_;
  bool decider_ = false;
  uint64_t last_job_ = 0;
  uint64_t revision_ = 0;
  uint64_t committed_ = 0;
  std::optional<Committing> commit_;
  int commit_failures_ = 0;
  Instant commit_retry_;
  std::optional<Bytes> sending_;  // the record that was given to Send last
  Instant sending_since_;
  std::map<std::string, Instant> sent_again_;  // by place

  std::deque<Work> waiting_;
  std::optional<Work> work_;
  bool renewal_due_ = false;
  std::vector<Pending> answers_;
  writer_input::Places places_;
  std::map<std::string, SeenRecord> shown_;  // by places
  std::optional<Bytes> unheard_;             // the latest record of ours that no relay was given
  std::map<std::pair<DeviceTag, uint64_t>, Instant> settle_until_;
  std::optional<Resolving> resolving_;
  std::optional<Instant> resolve_at_;
  bool resolves_ = false;  // a program answers AskResolution
  int resolve_failures_ = 0;
  std::optional<Instant> repeat_at_;
  uint64_t taken_in_ = 0;                 // how often the application took something in
  std::optional<Version> for_followers_;  // the latest such publish
  Instant resume_at_;
  Instant flush_at_;
  bool new_identity_asked_ = false;

  // during handle()
  Now now_;
  std::vector<WriterAction> out_;
};

}  // namespace ipnscast::sync
