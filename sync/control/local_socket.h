#pragma once

#include "ipnscast/nostr/base/file/folder.h"

// Sockets between processes of one user on one machine: Unix stream sockets under a name in a
// directory of theirs. The path may be of any length.
namespace ipnscast::sync::control {

// Listens under this name, which only our user may connect to (mode 0600). What an earlier process
// left there is removed; the caller knows that it is gone (a lock). Errc::conflict for something
// that is no socket; Errc::io where sockets cannot be.
Result<Descriptor> listen_in(const Folder& folder, const std::string& name);
// Errc::not_found when nobody listens there; Errc::refused as check_peer(); Errc::io.
Result<Descriptor> connect_in(const Folder& folder, const std::string& name);
// Errc::refused when the process at the other end is another user's.
Status check_peer(int socket);

}  // namespace ipnscast::sync::control
