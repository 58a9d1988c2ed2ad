#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync::push {

// The way of words from the net thread into a sink that may be full: they keep their order, and
// while some are held nothing more is read from the network. Net thread only.
class Outlet {
 public:
  // `pause` stops (true) and resumes (false) reading of all that speak here.
  Outlet(std::shared_ptr<SourceSink> sink, std::function<void(bool)> pause)
      : sink_(std::move(sink)), pause_(std::move(pause)) {}

  void say(SourceWord word);
  // The sink has room again.
  void room();
  bool holds() const { return !held_.empty(); }

 private:
  const std::shared_ptr<SourceSink> sink_;
  const std::function<void(bool)> pause_;
  std::deque<SourceMessage> held_;
};

}  // namespace ipnscast::sync::push
