#include "ipnscast/sync/publish/outcome.h"

#include <algorithm>

namespace ipnscast::sync {

bool Outcome::complete() const {
  return std::all_of(places.begin(), places.end(), [](const Place& p) { return p.ok; });
}

}  // namespace ipnscast::sync
