#pragma once

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "ipnscast/sync/source/news.h"

namespace ipnscast::sync {

// What a source has to say: a claim, a verified record that nobody asked for, or that it came or
// went.
using SourceWord = std::variant<News, RecordArrived, SourceHealth>;
using Say = std::function<void(SourceWord)>;

// What only its source can read, and on the sync thread only.
class SourceLetter {
 public:
  virtual ~SourceLetter() = default;
  virtual void open(const Say& say) = 0;
};
using SourceMessage = std::variant<SourceWord, std::unique_ptr<SourceLetter>>;

// Where sources bring what they hear. Thread-safe; takes and drops everything once the sync thread
// has ended.
class SourceSink {
 public:
  virtual ~SourceSink() = default;
  // False, with `message` as it was: there is no room. The source holds it, and whoever sent it,
  // until Source::room().
  virtual bool offer(SourceMessage& message) = 0;
  // Past the bound, for what the source itself keeps within one.
  virtual void push(SourceMessage message) = 0;
};

// Where news comes from. It never blocks the sync thread, on which it is made, called and
// destroyed.
class Source {
 public:
  virtual ~Source() = default;
  // All names that are followed from now on.
  virtual void follow(const std::vector<IpnsName>& names) = 0;
  // The sink has room again, after it had none.
  virtual void room() = 0;
};
using MakeSource = std::function<std::unique_ptr<Source>(std::shared_ptr<SourceSink>)>;

}  // namespace ipnscast::sync
