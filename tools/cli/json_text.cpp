#include "ipnscast/tools/cli/json_text.h"

#include <nlohmann/json.hpp>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::tools {

std::string dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string rfc3339(UnixMillis time) {
  const int64_t milliseconds = time.value % 1000;
  return sync::Eol{time.value / 1000, static_cast<int32_t>(milliseconds * 1'000'000)}.to_string();
}

}  // namespace ipnscast::tools
