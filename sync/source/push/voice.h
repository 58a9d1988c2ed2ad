#pragma once

#include <optional>
#include <string>

#include "ipnscast/sync/source/push/outlet.h"
#include "ipnscast/sync/source/push/push_words.h"

namespace ipnscast::sync::push {

// What one push server says, in the engine's words, and what people are told of it: that it was
// lost, once until it is back (S0-55). Net thread only.
class Voice {
 public:
  // `outlet` outlives this.
  Voice(SourceId id, Outlet& outlet) : id_(std::move(id)), outlet_(outlet) {}

  const std::string& endpoint() const { return id_.endpoint; }
  bool held_back() const { return outlet_.holds(); }

  void say(const Update& update, const IpnsName& name);
  void set_healthy(bool healthy);
  // A connection to it ended or could not be made.
  void lost(const std::string& why);
  // It says something that makes no sense, or complains.
  void note(const std::string& what) const;
  // Names that it is not asked for.
  void beyond(size_t names);

 private:
  // constant after construction
  const SourceId id_;
  Outlet& outlet_;

  std::optional<bool> healthy_;
  bool told_lost_ = false;
  bool told_beyond_ = false;
};

}  // namespace ipnscast::sync::push
