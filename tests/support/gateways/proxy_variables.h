#pragma once

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ipnscast::test {

// Sets the proxy variables of this process for as long as it lives, and unsets the others. Nobody
// may read the environment while it comes or goes, so whoever makes HTTP calls lives shorter.
class ProxyVariables {
 public:
  explicit ProxyVariables(std::initializer_list<std::pair<const char*, std::string>> wanted) {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY"}) {
      const char* const value = std::getenv(name);
      before_.emplace_back(name,
                           value == nullptr ? std::nullopt : std::optional(std::string(value)));
      ::unsetenv(name);
    }
    for (const auto& [name, value] : wanted) ::setenv(name, value.c_str(), 1);
  }
  ~ProxyVariables() {
    for (const auto& [name, value] : before_) {
      if (value)
        ::setenv(name, value->c_str(), 1);
      else
        ::unsetenv(name);
    }
  }
  ProxyVariables(const ProxyVariables&) = delete;
  ProxyVariables& operator=(const ProxyVariables&) = delete;

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

}  // namespace ipnscast::test
