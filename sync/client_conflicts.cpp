// How a program is asked what becomes of a publish that was displaced.
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/fetch/fetch_end.h"

namespace ipnscast::sync {

void ClientImpl::set_conflict_handler(const IpnsName& name, ConflictHandler handler) {
  const bool there = handler != nullptr;
  auto shared = std::make_shared<const ConflictHandler>(std::move(handler));
  {
    const std::lock_guard lock(conflict_mutex_);
    if (there) {
      std::swap(conflict_handlers_[name], shared);
    } else if (auto node = conflict_handlers_.extract(name); !node.empty()) {
      std::swap(node.mapped(), shared);
    }
  }
  publisher_->set_resolver(name, there);
}

void ClientImpl::decide(const IpnsName& name, const writer_action::AskResolution& about) {
  std::optional<Resolution> resolution;
  if (auto asked = ask_program(name, about)) {
    resolution = std::move(*asked);
  } else {
    log_warning("client", name.to_string() + ": the conflict at sequence " +
                              std::to_string(about.theirs.record.sequence.value) +
                              " waits: " + asked.error().message);
  }
  const Status done = publisher_->settle(name, about, resolution, gate_.stopping());
  if (!done && done.error().code != Errc::cancelled)
    log_warning("client", name.to_string() +
                              ": what was decided about a conflict could not be published: " +
                              done.error().message);
}

Result<Resolution> ClientImpl::ask_program(const IpnsName& name,
                                           const writer_action::AskResolution& about) {
  std::shared_ptr<const ConflictHandler> handler;
  {
    const std::lock_guard lock(conflict_mutex_);
    const auto it = conflict_handlers_.find(name);
    if (it != conflict_handlers_.end()) handler = it->second;
  }
  if (!handler) return fail(Errc::cancelled, "nobody decides about it any more");
  std::vector<std::unique_ptr<const BlockCache::Hold>> held;
  for (const std::string& value : {about.ours.value(), about.theirs.record.value}) {
    const auto cid = root_of(value);
    if (!cid) return fail(Errc::not_found, value + " is no content");
    held.push_back(std::make_unique<const BlockCache::Hold>(*cache_, *cid));
    if (const Status there = bring(*cid); !there) return fail(there.error().within(value));
  }
  const Conflict conflict{name,         about.ours.seen.version(),    about.theirs.version(),
                          about.common, about.ours.seen.record.bytes, about.theirs.record.bytes};
  try {
    return (*handler)(conflict);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("the handler threw: ") + thrown.what());
  } catch (...) {
    return fail(Errc::internal, "the handler threw");
  }
}

// All of it is in the cache afterwards.
Status ClientImpl::bring(const Cid& cid) {
  FetchOptions fetch;
  fetch.shares = cache_->stats().bytes > 0;
  fetch.max_bytes = config_.fetch_max_bytes;
  fetch.stall = config_.fetch_stall;
  fetch.deadline = config_.handler_timeout / 2;
  const auto end = std::make_shared<FetchEnd>();
  const FetchId id = fetcher_->fetch(cid, fetch, [end](Result<FetchReport> fetched) {
    end->come(fetched ? Status{} : fail(fetched.error()));
  });
  const std::stop_callback on_stop(gate_.stopping(), [this, id, end] {
    fetcher_->cancel(id);
    end->come(fail(Errc::cancelled, "stopped"));
  });
  return end->wait();
}

}  // namespace ipnscast::sync
