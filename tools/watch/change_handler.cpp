#include "ipnscast/tools/watch/change_handler.h"

#include <algorithm>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/cli/ipfs_path.h"

namespace ipnscast::tools {
namespace {

// Whether the change says that there is content to show.
bool brings_content(const sync::Change& change) {
  return change.cid && change.kind != sync::ChangeKind::stale &&
         change.kind != sync::ChangeKind::withdrawn && change.kind != sync::ChangeKind::lost;
}

// The beginning of a message about it.
std::string what(const sync::Change& change) {
  return "sequence " + std::to_string(change.sequence.value) + " of " + change.name.to_string() +
         ": ";
}

std::chrono::microseconds since(UnixMillis seen) {
  return Milliseconds(std::max<int64_t>(0, system_now().wall.value - seen.value));
}

}  // namespace

ChangeHandler::ChangeHandler(sync::Client& client, Options options)
    : client_(client), options_(std::move(options)) {
  if (!options_.exec.empty())
    command_.emplace("--exec", options_.exec, options_.exec_timeout, options_.exec_variables);
  options_.limits.stopped = [this] { return stopped_.load(); };
}

void ChangeHandler::stop() {
  stopped_ = true;
  if (options_.pins != nullptr) options_.pins->stop();
  if (command_) command_->stop();
  if (options_.webhook) options_.webhook->stop();
}

// The path inside of a chain's last link is not known here: its root is shown.
Result<TreeChanges> ChangeHandler::show(const std::string& value, const sync::Cid& root) {
  const auto content = parse_ipfs_path(value);
  const bool direct = content && content->cid.as_v1() == root.as_v1();
  sync::DagBudget way(options_.limits);
  const auto end = direct ? sync::resolve_path(way, client_.blocks(), root, content->path)
                          : Result<sync::Cid>(root);
  if (!end) return fail(end.error());
  return options_.mirror->show(client_.blocks(), value, *end, options_.limits);
}

// Once for each change, and by one thread at a time.
Result<TreeChanges> ChangeHandler::show_once(const sync::Change& change) {
  const std::unique_lock lock(mirror_mutex_, std::try_to_lock);
  if (!lock) return fail(Errc::busy, "the mirror is still being written");
  if (shown_ && shown_->kind == change.kind && shown_->sequence == change.sequence &&
      shown_->value == change.value)
    return shown_->changes;
  auto changes = show(change.value, *change.cid);
  if (!changes) return changes;
  shown_ = Shown{change.kind, change.sequence, change.value, *changes};
  return changes;
}

Status ChangeHandler::run_command(const sync::Change& change, const std::string& line) {
  const std::string path = options_.mirror ? options_.mirror->directory().string() : "";
  return command_->run(change_variables(change, path), line + "\n");
}

// Not again when it worked, and only what comes after it did not.
Status ChangeHandler::run_once(const sync::Change& change, const std::string& line) {
  if (!command_) return {};
  const std::string id = change_id(change);
  {
    const std::lock_guard lock(ran_mutex_);
    const auto ran = ran_.find(change.name);
    if (ran != ran_.end() && ran->second == id) return {};
  }
  Status done = run_command(change, line);
  if (!done) {
    log_warning("watch", what(change) + done.error().message + "; it runs again");
    return done;
  }
  if (options_.webhook) {
    const std::lock_guard lock(ran_mutex_);
    ran_.insert_or_assign(change.name, id);
  }
  return {};
}

Status ChangeHandler::post(const sync::Change& change, const std::string& line) {
  if (!options_.webhook) return {};
  const std::string where = what(change) + "--webhook " + options_.webhook->shown_url() + ": ";
  const auto answer = options_.webhook->post(change_id(change), line);
  if (!answer) {
    if (!stopped_) log_warning("watch", where + answer.error().message + "; it is posted again");
    return fail(answer.error());
  }
  if (*answer == Webhook::Answer::gone)
    log_warning("watch", where +
                             "it answers 410, that nobody takes this any more: this change is not "
                             "posted again");
  return {};
}

void ChangeHandler::print(const sync::Change& change, const Applied& applied) const {
  if (options_.json) return print_line(change_json(change, applied));
  print_lines(options_.screen ? options_.screen->lines(change, applied)
                              : change_lines(change, applied));
}

Status ChangeHandler::handle(const sync::Change& change) {
  Applied applied;
  if (options_.mirror && brings_content(change)) {
    auto shown = show_once(change);
    if (!shown) {
      log_warning("mirror", shown.error().message);
      return fail(shown.error());
    }
    applied.mirror = std::move(*shown);
  }
  if (options_.pins != nullptr) {
    if (const Status kept = options_.pins->keep(change); !kept) {
      if (!stopped_ && kept.error().code != Errc::busy)
        log_warning("watch", what(change) + kept.error().message + "; it is tried again");
      return kept;
    }
  }
  applied.took = since(change.seen);
  if (change.kind != sync::ChangeKind::refresh && (command_ || options_.webhook)) {
    const std::string line = change_json(change, applied);
    Status done = run_once(change, line);
    if (done) done = post(change, line);
    if (!done) return done;
    applied.took = since(change.seen);
  }
  print(change, applied);
  if (options_.on_done) options_.on_done(change);
  return {};
}

Status ChangeHandler::catch_up(const sync::NameStatus& status) {
  if (!options_.mirror || !status.handed_over || !status.cid) return {};
  if (options_.mirror->shown() == status.value) return {};
  const UnixMillis start = system_now().wall;
  auto shown = show(status.value, *status.cid);
  if (!shown && shown.error().code == Errc::not_found) {
    // The blocks are not kept any more: fetching brings them back.
    const auto folder = TemporaryDirectory::make();
    if (!folder) return fail(folder.error());
    sync::GetOptions options{.symlinks = true};
    if (options_.limits.deadline) {
      const auto left = *options_.limits.deadline - std::chrono::steady_clock::now();
      options.deadline = std::max(Milliseconds(1), std::chrono::duration_cast<Milliseconds>(left));
    }
    const Status got = client_.get(*status.cid, "", folder->path() / "content", options);
    if (!got) return got;
    shown = show(status.value, *status.cid);
  }
  if (!shown) return fail(shown.error());
  sync::Change change{sync::ChangeKind::change, status.name, status.sequence, status.value};
  change.cid = status.cid;
  change.source = sync::SourceKind::local;
  const Applied applied{since(start), std::move(*shown)};
  print(change, applied);
  return {};
}

}  // namespace ipnscast::tools
