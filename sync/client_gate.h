#pragma once

// Private: see sync/client_impl.h.
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>

namespace ipnscast::sync {

// Who is inside of a client, and whether it is closing: lets calls in until then, and knows when
// the last one has left. Thread-safe.
class ClientGate {
 public:
  // Marks the calling thread as being inside, as long as this lives: in a call by the user, or in a
  // callback to them. Ends on the thread that made it, the last one first.
  class Inside {
   public:
    enum class As { call, handler, progress };
    Inside(const ClientGate& gate, As as);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    friend class ClientGate;
    const ClientGate& gate_;
    const As as_;
    const Inside* const outer_;
  };

  // A call begins. False: the client is closing, nobody comes in any more.
  bool enter();
  // A call that came in has ended.
  void leave();

  // From now on nobody comes in, and those who are inside are asked to stop. Idempotent.
  void begin_closing();
  bool closing() const;
  std::stop_token stopping() const { return stop_.get_token(); }

  // Whether the calling thread is inside, and so cannot wait for everybody to have left.
  bool inside() const;
  // Runs a progress callback, on a thread of ours that calls in flight wait for.
  bool in_progress_callback() const;
  // Until all calls have ended, but those of this thread; when there are any, also without those of
  // other threads that wait here.
  void wait_for_calls();

  // Who closes from inside leaves the end to the last one who is inside.
  void leave_end_to_the_last();
  // That is the calling thread, which is not inside any more.
  bool end_is_ours() const;

 private:
  size_t own_calls() const;

  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  size_t calls_ = 0;
  size_t excused_ = 0;  // of these: whose thread waits for the others
  bool closing_ = false;
  bool end_is_left_ = false;
};

}  // namespace ipnscast::sync
