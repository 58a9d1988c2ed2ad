#pragma once

#include <string>
#include <string_view>

namespace ipnscast::bridge {

// A Content-Disposition that makes browsers save the answer under this name, whatever it holds:
// what cannot stand in a file name (controls, "/", "\", bytes that are no UTF-8) becomes "_", and
// names end after 255 bytes. Names beyond ASCII are given twice: with "_" for each other character,
// and percent-encoded. RFC 6266, RFC 8187.
std::string attachment_named(std::string_view file_name);

}  // namespace ipnscast::bridge
