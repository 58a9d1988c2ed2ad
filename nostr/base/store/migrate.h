#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"

namespace ipnscast::store {

// Brings every layer's tables to the newest version that we know, all in one transaction. The table
// schema_versions holds one row per layer, so that layers move on independently in one file.
// Nothing is changed when any of the layers is newer in the file than here: Errc::unsupported.
// `file` is for messages.
Status migrate(Database& db, const std::string& file, const std::vector<Schema>& schemas);

}  // namespace ipnscast::store
