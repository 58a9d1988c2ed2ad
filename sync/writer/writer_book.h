#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "ipnscast/sync/writer/name_writer.h"
#include "ipnscast/sync/writer/writer_view.h"

namespace ipnscast::sync {

// The NameWriters of all names that this device writes. Thread-safe: an input is dealt with on the
// thread that brings it, under one lock, and what is to be done because of it is handed out on the
// thread "writers", in order.
class WriterBook : public WriterView {
 public:
  struct Hooks {
    // What takes time: Ask, Sign, Commit, Decide, AskDecider, SendAgain. Any thread; must not
    // block, nor call the book.
    std::function<void(const IpnsName&, WriterAction)> work;
    // All else, on the book's thread; must not wait for another thread that waits for the book.
    std::function<void(const IpnsName&, WriterAction)> act;
    // What followers of the name see has changed: its record, what it owes. Any thread; must not
    // block, nor call the book.
    std::function<void(const IpnsName&)> changed;
    // Places and relays that are connected now. Asked once a second while something is not settled,
    // and before it falls due. On the book's thread.
    std::function<writer_input::Places()> places;
  };

  WriterBook(NameWriter::Options options, Hooks hooks);
  ~WriterBook() override;

  // Does nothing when the name is there already. `begins`: it was not written here before.
  void add(const IpnsName& name, WriterState stored, bool begins = false);
  bool has(const IpnsName& name);
  std::vector<IpnsName> names();
  // Does nothing for a name that was not added.
  void tell(const IpnsName& name, WriterInput input);
  // Whether a program decides about conflicts of this name, which may not be written yet.
  void set_resolver(const IpnsName& name, bool there);
  std::optional<WriterState> state(const IpnsName& name);
  // Waits until the state file says all that is known of this name, or of all. Errc::timeout. Not
  // on the book's thread, nor on one that commits.
  Status wait_committed(const std::optional<IpnsName>& name, Instant until);

  // Begins to hand out actions; before, they wait.
  void start();
  // No action comes any more. Idempotent.
  void close();

  std::optional<Truth> truth(const IpnsName& name) override;
  bool asks(const IpnsName& name) override;
  void saw(const IpnsName& name, const KnownRecord& record, const std::string& place) override;
  void taken_in(const IpnsName& name, const KnownRecord& record) override;
  bool owes_report(const IpnsName& name) override;
  std::optional<LossReport> report(const IpnsName& name) override;
  bool open(const IpnsName& name) override;
  void told(const IpnsName& name, const OwnPublish& ours) override;

 private:
  struct Entry {
    explicit Entry(NameWriter w) : writer(std::move(w)) {}
    NameWriter writer;
    std::optional<Instant> due;
  };

  // Of the caller: mutex_ is held.
  void enter(const IpnsName& name, WriterState stored);
  bool feed(const IpnsName& name, Entry& entry, WriterInput input);
  Entry* find(const IpnsName& name);
  bool anything_open() const;
  void serve();
  std::vector<IpnsName> take_those_due(Instant now);
  std::vector<IpnsName> say_who_is_connected(writer_input::Places places);

  const NameWriter::Options options_;
  const Hooks hooks_;

  std::mutex mutex_;
  std::condition_variable woken_;
  std::condition_variable fed_;
  // guarded by mutex_
  std::map<IpnsName, std::unique_ptr<Entry>> names_;
  std::set<std::pair<Instant, IpnsName>> timers_;
  std::deque<std::pair<IpnsName, WriterAction>> actions_;
  writer_input::Places places_;
  std::set<IpnsName> asking_;     // names that this run began to write
  std::set<IpnsName> resolvers_;  // names with a program that decides about conflicts
  Rng rng_ = make_rng();
  bool started_ = false;
  bool closed_ = false;

  std::thread thread_;
};

}  // namespace ipnscast::sync
