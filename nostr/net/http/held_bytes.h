#pragma once

// Private to nostr/net.
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ipnscast::nostr::net {

// Bounds what the bodies of requests take in memory, for each address and in all: from their first
// byte until the request has been answered and is gone, on whichever thread that is. Thread-safe.
class HeldBytes {
 public:
  HeldBytes(size_t max_total, size_t max_of_address)
      : max_total_(max_total), max_of_address_(max_of_address) {}

  // What one request holds; gives it back when it goes.
  class Share {
   public:
    Share(std::shared_ptr<HeldBytes> held, std::string address)
        : held_(std::move(held)), address_(std::move(address)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { held_->give_back(address_, bytes_); }
    // Raises the share to so many bytes. False, with nothing changed, when there is no room.
    bool raise_to(size_t bytes) {
      if (bytes <= bytes_) return true;
      if (!held_->take(address_, bytes - bytes_)) return false;
      bytes_ = bytes;
      return true;
    }

   private:
    const std::shared_ptr<HeldBytes> held_;
    const std::string address_;
    size_t bytes_ = 0;
  };

 private:
  bool take(const std::string& address, size_t bytes);
  void give_back(const std::string& address, size_t bytes);

  // constant after construction
  const size_t max_total_;
  const size_t max_of_address_;

  std::mutex mutex_;
  // guarded by mutex_
  size_t total_ = 0;
  std::map<std::string, size_t> of_address_;
};

}  // namespace ipnscast::nostr::net
