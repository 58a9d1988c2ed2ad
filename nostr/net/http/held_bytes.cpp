#include "ipnscast/nostr/net/http/held_bytes.h"

namespace ipnscast::nostr::net {

bool HeldBytes::take(const std::string& address, size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = of_address_.find(address);
  const size_t here = found == of_address_.end() ? 0 : found->second;
  if (bytes > max_total_ - total_ || here + bytes > max_of_address_) return false;
  total_ += bytes;
  of_address_[address] = here + bytes;
  return true;
}

void HeldBytes::give_back(const std::string& address, size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  total_ -= bytes;
  const auto found = of_address_.find(address);
  found->second -= bytes;
  if (found->second == 0) of_address_.erase(found);
}

}  // namespace ipnscast::nostr::net
