#include "ipnscast/sync/engine/handler_lanes.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::sync {
namespace {

// A change to hand over, or a question.
struct Turn {
  IpnsName name;
  std::optional<JobId> job;  // nothing: nobody waits for its end
  std::function<Handled(const HandlerLanes::Handler&)> call;
};

// One handler that runs. Guarded by the mutex of the lanes.
struct HandlerCall {
  enum class Place { lane, beside, written_off };
  IpnsName name;
  std::optional<JobId> job;
  size_t thread = 0;
  Instant started{};
  Place place = Place::lane;
  bool answered = false;  // it was, or its deadline has come
  bool closes = false;    // it is closing the lanes itself
};

// The state of the lanes whose thread this is.
thread_local const void* lanes_of_this_thread = nullptr;
thread_local size_t number_of_this_thread = 0;

Handled guarded(const HandlerLanes::Handler& handler, const Turn& turn) {
  try {
    return turn.call(handler);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("the handler threw: ") + thrown.what());
  } catch (...) {
    return fail(Errc::internal, "the handler threw");
  }
}

std::string time_text(Milliseconds time) {
  const auto count = time.count();
  return count % 1'000 == 0 ? std::to_string(count / 1'000) + " s" : std::to_string(count) + " ms";
}

}  // namespace

struct HandlerLanes::State : std::enable_shared_from_this<State> {
  using Lock = std::unique_lock<std::mutex>;
  using Place = HandlerCall::Place;

  State(Options o, Done d) : options(o), done(std::move(d)) {}

  void add(Turn what);
  void serve_lane(size_t number);
  void watch_the_time();

  // These with the lock held.
  void run(Lock& lock, Turn what, size_t number);
  void queue(Turn what);
  void free_name(const IpnsName& name);
  void start_what_can();
  void let_slow_ones_go_on_beside(Instant now);
  void give_up_overdue(Instant now, std::vector<HandlerCall>& out);
  void write_off(HandlerCall& call);
  void let_go(size_t thread);
  std::optional<Instant> next_alarm() const;
  size_t count(Place place) const;
  bool lane_free() const { return count(Place::lane) + ready.size() < options.lanes; }
  size_t waits() const { return waiting.size() + waiting_slow.size(); }

  // constant after construction
  const Options options;
  const Done done;

  std::mutex mutex;
  std::condition_variable work;     // for the lanes: something is ready, or they are closed
  std::condition_variable changed;  // for the timer and for close()
  // guarded by mutex
  std::map<IpnsName, std::shared_ptr<const Handler>> handlers;
  std::deque<Turn> waiting;
  std::deque<Turn> waiting_slow;  // of names whose last call was slow: after the others
  // Names that wait or whose handler runs, each with what came for it meanwhile.
  std::map<IpnsName, std::deque<Turn>> busy;
  std::deque<Turn> ready;  // has a lane, and is taken by the next idle thread
  std::set<IpnsName> slow;
  std::list<HandlerCall> calls;
  std::map<size_t, std::thread> threads;  // without those that were let go
  std::vector<std::thread> ended;         // about to end, to be joined
  std::thread timer;
  size_t last_thread = 0;
  size_t idle = 0;
  bool closed = false;
  bool told = false;  // that no more threads are given up
};

size_t HandlerLanes::State::count(Place place) const {
  return static_cast<size_t>(std::count_if(
      calls.begin(), calls.end(), [&](const HandlerCall& call) { return call.place == place; }));
}

void HandlerLanes::State::queue(Turn what) {
  if (const auto found = busy.find(what.name); found != busy.end()) {
    found->second.push_back(std::move(what));
    return;
  }
  busy[what.name];
  (slow.contains(what.name) ? waiting_slow : waiting).push_back(std::move(what));
}

void HandlerLanes::State::add(Turn what) {
  const std::lock_guard lock(mutex);
  if (closed) return;
  queue(std::move(what));
  start_what_can();
}

void HandlerLanes::State::free_name(const IpnsName& name) {
  auto node = busy.extract(name);
  if (node.empty()) return;
  for (auto& what : node.mapped()) queue(std::move(what));
}

void HandlerLanes::State::start_what_can() {
  while (!closed && waits() > 0 && lane_free()) {
    auto& from = waiting.empty() ? waiting_slow : waiting;
    ready.push_back(std::move(from.front()));
    from.pop_front();
    if (ready.size() <= idle) {
      work.notify_one();
      continue;
    }
    for (std::thread& thread : ended) thread.join();
    ended.clear();
    const size_t number = ++last_thread;
    threads.emplace(number, [self = shared_from_this(), number] { self->serve_lane(number); });
  }
  if (!closed && !timer.joinable() && !threads.empty())
    timer = std::thread([self = shared_from_this()] { self->watch_the_time(); });
  changed.notify_all();
}

void HandlerLanes::State::serve_lane(size_t number) {
  set_thread_name(("lane-" + std::to_string(number)).c_str());
  lanes_of_this_thread = this;
  number_of_this_thread = number;
  Lock lock(mutex);
  for (;;) {
    if (ready.empty()) {
      ++idle;
      work.wait(lock, [&] { return closed || !ready.empty(); });
      --idle;
    }
    if (ready.empty()) break;
    Turn what = std::move(ready.front());
    ready.pop_front();
    run(lock, std::move(what), number);
    const bool too_many = ready.empty() && threads.size() > options.lanes;
    if (too_many || !threads.contains(number)) break;
  }
  if (auto own = threads.extract(number); !own.empty()) ended.push_back(std::move(own.mapped()));
}

void HandlerLanes::State::run(Lock& lock, Turn what, size_t number) {
  const auto found = handlers.find(what.name);
  const std::shared_ptr<const Handler> handler = found == handlers.end() ? nullptr : found->second;
  const auto call =
      calls.insert(calls.end(), {what.name, what.job, number, std::chrono::steady_clock::now()});
  changed.notify_all();
  lock.unlock();

  Handled handled = fail(Errc::cancelled, "no handler any more");
  std::shared_ptr<void> stay;
  if (handler) {
    if (handler->enter) stay = handler->enter();
    handled = guarded(*handler, what);
  }

  lock.lock();
  const bool answered = std::exchange(call->answered, true);
  lock.unlock();
  // Before the call counts as over: who closes the lanes may rely on the answer.
  if (!answered && what.job) done({what.name, *what.job, std::move(handled)});
  lock.lock();
  if (call->place != Place::written_off) {
    if (call->place == Place::lane) slow.erase(what.name);
    free_name(what.name);
  }
  calls.erase(call);
  start_what_can();
  lock.unlock();
  stay.reset();  // may be the end of the whole client
  lock.lock();
}

void HandlerLanes::State::let_slow_ones_go_on_beside(Instant now) {
  if (options.lanes < 2) return;
  for (HandlerCall& call : calls) {
    if (waits() == 0 || lane_free() || count(Place::beside) >= options.most_slow) return;
    if (call.place != Place::lane || call.started + options.patience > now) continue;
    call.place = Place::beside;
    slow.insert(call.name);
    start_what_can();
  }
}

// The thread goes its own way; another one takes its place when there is something to do.
void HandlerLanes::State::write_off(HandlerCall& call) {
  call.place = Place::written_off;
  let_go(call.thread);
  free_name(call.name);
}

void HandlerLanes::State::let_go(size_t thread) {
  if (auto node = threads.extract(thread); !node.empty()) node.mapped().detach();
}

void HandlerLanes::State::give_up_overdue(Instant now, std::vector<HandlerCall>& out) {
  size_t written_off = count(Place::written_off);
  for (HandlerCall& call : calls) {
    if (call.started + options.timeout > now) continue;
    if (!std::exchange(call.answered, true)) out.push_back(call);
    if (call.place == Place::written_off || written_off >= options.most_written_off) continue;
    slow.insert(call.name);
    write_off(call);
    ++written_off;
  }
  const bool most = written_off >= options.most_written_off;
  if (most && !told)
    log_error("handlers", std::to_string(written_off) +
                              " handlers do not return; changes of other names may now wait for "
                              "such ones. Restart the program");
  told = most;
  start_what_can();
}

std::optional<Instant> HandlerLanes::State::next_alarm() const {
  const bool crowded =
      options.lanes > 1 && waits() > 0 && !lane_free() && count(Place::beside) < options.most_slow;
  std::optional<Instant> out;
  const auto at = [&](Instant time) { out = out ? std::min(*out, time) : time; };
  for (const HandlerCall& call : calls) {
    if (crowded && call.place == Place::lane) at(call.started + options.patience);
    if (!call.answered) at(call.started + options.timeout);
  }
  return out;
}

void HandlerLanes::State::watch_the_time() {
  set_thread_name("lanes");
  Lock lock(mutex);
  while (!closed) {
    if (const auto alarm = next_alarm()) {
      changed.wait_until(lock, *alarm);
    } else {
      changed.wait(lock);
    }
    if (closed) return;
    const Instant now = std::chrono::steady_clock::now();
    let_slow_ones_go_on_beside(now);
    std::vector<HandlerCall> overdue;
    give_up_overdue(now, overdue);
    if (overdue.empty()) continue;
    lock.unlock();
    for (const HandlerCall& call : overdue) {
      const std::string why = "its handler has not returned after " + time_text(options.timeout);
      log_warning("handlers",
                  call.name.to_string() + ": " + why + "; what it was called for comes again");
      if (call.job) done({call.name, *call.job, fail(Errc::timeout, why)});
    }
    lock.lock();
  }
}

HandlerLanes::HandlerLanes(Options options, Done done)
    : state_(std::make_shared<State>(options, std::move(done))) {}

bool HandlerLanes::has_handler(const IpnsName& name) const {
  const std::lock_guard lock(state_->mutex);
  return state_->handlers.contains(name);
}

HandlerLanes::~HandlerLanes() { close(Milliseconds(0)); }

void HandlerLanes::set_handler(const IpnsName& name, Handler handler) {
  auto shared = std::make_shared<const Handler>(std::move(handler));
  const std::lock_guard lock(state_->mutex);
  if (!state_->closed) std::swap(state_->handlers[name], shared);
}

void HandlerLanes::remove_handler(const IpnsName& name) {
  std::shared_ptr<const Handler> old;  // ends without the lock
  const std::lock_guard lock(state_->mutex);
  state_->slow.erase(name);
  if (auto node = state_->handlers.extract(name); !node.empty()) old = std::move(node.mapped());
}

void HandlerLanes::deliver(action::Deliver what) {
  state_->add({what.name, what.job, [change = std::move(what.change)](const Handler& handler) {
                 return handler.call(change);
               }});
}

void HandlerLanes::ask(const IpnsName& name, std::function<void()> question) {
  state_->add({name, std::nullopt, [question = std::move(question)](const Handler&) {
                 question();
                 return Handled();
               }});
}

size_t HandlerLanes::close(Milliseconds wait) {
  State& state = *state_;
  const Instant end = std::chrono::steady_clock::now() + wait;
  const bool on_lane = lanes_of_this_thread == state_.get();
  decltype(state.handlers) handlers;  // end without the lock
  std::vector<std::thread> to_join;
  size_t left = 0;
  State::Lock lock(state.mutex);
  state.closed = true;
  handlers.swap(state.handlers);
  state.waiting.clear();
  state.waiting_slow.clear();
  state.busy.clear();
  state.ready.clear();
  const HandlerCall* own = nullptr;
  if (on_lane) {
    for (HandlerCall& call : state.calls) {
      if (call.thread != number_of_this_thread) continue;
      call.closes = true;
      own = &call;
    }
    state.let_go(number_of_this_thread);
  }
  state.work.notify_all();
  state.changed.notify_all();
  const auto waited_for = [&](const HandlerCall& call) {
    return call.place != State::Place::written_off && &call != own && !(own && call.closes);
  };
  state.changed.wait_until(
      lock, end, [&] { return std::none_of(state.calls.begin(), state.calls.end(), waited_for); });
  for (HandlerCall& call : state.calls) {
    if (!waited_for(call)) continue;
    state.write_off(call);
    ++left;
  }
  if (state.timer.joinable()) to_join.push_back(std::move(state.timer));
  for (auto& [number, thread] : state.threads) to_join.push_back(std::move(thread));
  for (std::thread& thread : state.ended) to_join.push_back(std::move(thread));
  state.threads.clear();
  state.ended.clear();
  lock.unlock();
  for (std::thread& thread : to_join) {
    // Lanes do not wait for lanes: two that end the client would wait for each other.
    on_lane ? thread.detach() : thread.join();
  }
  return left;
}

HandlerHealth HandlerLanes::health() const {
  const std::lock_guard lock(state_->mutex);
  HandlerHealth out;
  out.written_off = state_->count(State::Place::written_off);
  out.running = state_->calls.size() - out.written_off;
  out.waiting = state_->ready.size();
  for (const auto& [name, more] : state_->busy) out.waiting += more.size();
  out.waiting += state_->waits();
  out.most_written_off = state_->options.most_written_off;
  return out;
}

}  // namespace ipnscast::sync
