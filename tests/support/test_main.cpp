#define CATCH_CONFIG_RUNNER
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/skip.h"

// Counts test cases and, when IPNSCAST_TALLY names a file, appends "program passed failed skipped"
// to it at the end of the run, so that tools/test can close with one plain line over all programs.
namespace {

bool skipped_now = false;
int passed = 0;
int failed = 0;
int skipped = 0;

using ipnscast::test::ListenerBase;

struct Tally : ListenerBase {
  using ListenerBase::ListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    ListenerBase::testCaseStarting(info);
    skipped_now = false;
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.assertions.failed > 0 || stats.totals.testCases.failed > 0) {
      ++failed;
    } else if (skipped_now) {
      ++skipped;
    } else {
      ++passed;
    }
    ListenerBase::testCaseEnded(stats);
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    ListenerBase::testRunEnded(stats);
    const char* file = std::getenv("IPNSCAST_TALLY");
    if (file == nullptr) return;
    if (std::FILE* out = std::fopen(file, "a")) {
      const std::string program(stats.runInfo.name.data(), stats.runInfo.name.size());
      std::fprintf(out, "%s %d %d %d\n", program.c_str(), passed, failed, skipped);
      std::fclose(out);
    }
  }
};

CATCH_REGISTER_LISTENER(Tally)

}  // namespace

void ipnscast::test::note_skip(const std::string& reason) {
  skipped_now = true;
  std::printf("SKIPPED: %s\n", reason.c_str());
}

// Ours, as the two versions of Catch2 bring theirs in different ways.
int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
