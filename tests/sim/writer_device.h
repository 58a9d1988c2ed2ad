#pragma once

#include "ipnscast/sync/hint/created_at.h"
#include "ipnscast/tests/sim/writer_world.h"

namespace ipnscast::test {

// A device of the world and the application on it.
struct WriterWorld::Device {
  int number = 0;
  sync::NameWriter::Options options;
  Place* decider = nullptr;
  bool prints = false;    // its watch only prints
  bool gone = false;      // for good
  bool resolves = false;  // a program merges
  uint64_t epoch = 0;     // events of an earlier one are those of a process that is no more
  int64_t clock_off = 0;
  int identity = 0;  // grows with each new device id
  std::unique_ptr<sync::NameWriter> writer;

  // what the state file holds
  sync::WriterState disk;
  std::optional<UnixSeconds> mark;

  // the application
  std::optional<sync::Version> version;  // what it shows
  Edits content;
  bool taking_in = false;
  std::optional<sync::OwnPublish> telling;     // it is told of this loss
  std::map<uint64_t, std::string> publishing;  // by id
  bool wants_to_publish = false;               // until it has

  // the machine
  std::map<std::string, Bytes> brought;  // by place: the record that it has from us
  std::optional<Instant> wake;
  bool broadcast = false;  // a relay was connected in this run

  bool up() const { return writer != nullptr; }
};

}  // namespace ipnscast::test
