#pragma once

#include "ipnscast/nostr/probe/report.h"
#include "ipnscast/nostr/probe/verdict.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// Prints what a probe found out and what it means: a table, or with --json one object on a line.
void print_probe(const Context& context, const nostr::probe::Report& report,
                 const nostr::probe::Verdict& verdict);

// The parts of it, in probe_text.cpp and probe_json.cpp.
std::vector<std::string> probe_table(const nostr::probe::Report& report,
                                     const nostr::probe::Verdict& verdict);
std::string probe_json(const nostr::probe::Report& report, const nostr::probe::Verdict& verdict);

struct ProbedRelay {
  nostr::probe::Report report;
  nostr::probe::Verdict verdict;
};

// A document with a row for each relay, the best first, and the reasons below (probe_markdown.cpp).
std::string probe_markdown(std::vector<ProbedRelay> probed);

// RFC 3339 in UTC, to the second.
std::string probe_time(const nostr::probe::Report& report);

}  // namespace ipnscast::tools
