#include "ipnscast/sync/source/push/outlet.h"

namespace ipnscast::sync::push {

void Outlet::say(SourceWord word) {
  SourceMessage message(std::move(word));
  if (held_.empty() && sink_->offer(message)) return;
  held_.push_back(std::move(message));
  if (held_.size() == 1) pause_(true);
}

void Outlet::room() {
  if (held_.empty()) return;
  while (!held_.empty() && sink_->offer(held_.front())) held_.pop_front();
  if (held_.empty()) pause_(false);
}

}  // namespace ipnscast::sync::push
