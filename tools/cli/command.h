#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "ipnscast/bridge/config/environment.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/settings/quantity.h"

namespace ipnscast::tools {

// Exit codes, fixed by the command line's contract.
// `interrupted`: by Ctrl-C, of a command whose answer is missing then; as when the signal ends it.
enum class Exit : int {
  done = 0,
  no = 1,
  usage = 2,
  unreachable = 3,
  quorum = 4,
  deadline = 124,
  interrupted = 130
};

// The exit code that an error of the libraries means to a shell.
Exit exit_for(const Error& error);

// What every command gets: the options that stand everywhere, and where to write.
struct Context {
  bool json = false;
  int verbose = 0;
  bool daemon = false;        // the command runs for long: what happens is logged
  std::string config_file;    // empty: the default place
  std::string state_dir;      // empty: from the configuration
  std::string keys_dir;       // empty: see keys_directory()
  std::string password_file;  // of encrypted keys; empty: asked for
  bridge::Flags settings;     // typed for this run, see add_setting()
  std::optional<std::chrono::milliseconds> timeout;
  // When the program began: --timeout counts from then, whatever a command has to open first.
  Instant started = std::chrono::steady_clock::now();
  size_t displaced = 0;    // publishes of this device under the name at hand, see say_lost()
  Exit exit = Exit::done;  // set by the command that ran
};

// What is printed here, the log and the progress line is where text from strangers reaches a
// terminal: each passes it through shown_text(), so that nobody else has to.

// Prints the error to standard error (as {"error":{...}} with --json, and with what was displaced)
// and notes the exit code. Secrets in it are left out.
void report(Context& context, const Error& error);

// The same for arguments that make no sense together; exit code 2.
void report_usage(Context& context, std::string_view message);

// Writes "ipnscast: text" to standard error, with --json too: for a person beside the answer.
void print_note(std::string_view text);

// Writes one line to standard output at once. Failures to write are reported when the program ends.
void print_line(std::string_view line);
// The same for several lines that belong together. The caller has passed what strangers wrote in
// them through shown_text().
void print_lines(std::string_view shown);

using sync::settings::parse_duration;

// The whole file, or standard input for "-"; max_bytes bounds it. Errc::not_found, Errc::io,
// Errc::too_large.
Result<std::string> read_input(const std::string& path, size_t max_bytes);

// Each command lives in cmd_<name>.cpp and adds itself with its options; its callback sets
// context.exit.
void add_announce(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_bridge(CLI::App& app, Context& context);
void add_cid(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);
void add_devices(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_event(CLI::App& app, Context& context);
void add_event_publish(CLI::App& event, Context& context);  // below `event`
void add_event_req(CLI::App& event, Context& context);      // below `event`
void add_forget(CLI::App& app, Context& context);
void add_gateway(CLI::App& app, Context& context);
void add_get(CLI::App& app, Context& context);
void add_history(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_key(CLI::App& app, Context& context);
void add_name(CLI::App& app, Context& context);
void add_nip44(CLI::App& app, Context& context);
void add_pack(CLI::App& app, Context& context);
void add_publish(CLI::App& app, Context& context);
void add_record(CLI::App& app, Context& context);
void add_relay(CLI::App& app, Context& context);
void add_relay_probe(CLI::App& relay, Context& context);  // below `relay`
void add_replay(CLI::App& app, Context& context);
void add_resolve(CLI::App& app, Context& context);
void add_share(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_unpack(CLI::App& app, Context& context);
void add_up(CLI::App& app, Context& context);
void add_watch(CLI::App& app, Context& context);

}  // namespace ipnscast::tools
