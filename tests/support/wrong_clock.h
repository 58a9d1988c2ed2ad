#pragma once

#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "ipnscast/tests/support/process.h"

// Programs whose clock is wrong, by libfaketime (the package `faketime`). What measures time in
// them goes on as ever.
namespace ipnscast::test {

inline std::optional<std::string> faketime_library() {
  namespace fs = std::filesystem;
  std::error_code failed;
  for (const char* const folder : {"/usr/lib", "/usr/local/lib", "/usr/lib64"}) {
    const fs::path directly = fs::path(folder) / "faketime" / "libfaketimeMT.so.1";
    if (fs::exists(directly, failed)) return directly.string();
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      const fs::path file = entry.path() / "faketime" / "libfaketimeMT.so.1";
      if (fs::exists(file, failed)) return file.string();
    }
  }
  return std::nullopt;
}

// `offset` as libfaketime reads it: "-365d", "+3d". It may be changed while the program runs.
class WrongClock {
 public:
  WrongClock(std::string library, std::filesystem::path file, const std::string& offset)
      : library_(std::move(library)), file_(std::move(file)) {
    set(offset);
  }
  void set(const std::string& offset) const {
    const std::filesystem::path fresh = file_.string() + ".new";
    std::ofstream(fresh) << offset << '\n';
    std::filesystem::rename(fresh, file_);
  }
  // At this moment.
  void stand_still() const {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    localtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    set(text);
  }
  Command& put_on(Command& command) const {
    command.environment["LD_PRELOAD"] = library_;
    command.environment["FAKETIME_TIMESTAMP_FILE"] = file_.string();
    command.environment["FAKETIME_NO_CACHE"] = "1";
    command.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
    command.environment["NO_FAKE_STAT"] = "1";
    return command;
  }

 private:
  const std::string library_;
  const std::filesystem::path file_;
};

}  // namespace ipnscast::test
