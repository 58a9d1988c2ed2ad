/**
 * @file ipnscast.h
 * Over 400 lines: a program in C includes one header.
 *
 * ipnscast for C, and for every language that can call C: follow IPNS names, publish under your
 * own, resolve and fetch, all verified. The shared library is libipnscast.so.
 *
 * @code
 *   ipnscast_config *config = NULL;
 *   ipnscast_client *client = NULL;
 *   ipnscast_config_new(&config);
 *   ipnscast_config_set(config, "state_dir", IPNSCAST_NUL, "/var/lib/app", IPNSCAST_NUL, NULL);
 *   ipnscast_config_set(config, "relays.urls", IPNSCAST_NUL, "wss://relay.example", IPNSCAST_NUL,
 *                       NULL);
 *   if (ipnscast_open(config, &client, NULL) != IPNSCAST_OK) return 1;
 *   ipnscast_follow(client, name, IPNSCAST_NUL, on_change, app, NULL, NULL);
 *   while (ipnscast_dispatch(client, -1, NULL) == IPNSCAST_OK) {
 *   }
 *   ipnscast_free(client);
 * @endcode
 *
 * Texts go in as a pointer and a length in bytes; the length IPNSCAST_NUL means that the text ends
 * with a NUL. They are UTF-8. Texts come out as an ipnscast_text.
 *
 * Whatever can fail returns a code of ipnscast_code, IPNSCAST_OK being 0. Where the last parameter
 * is an `ipnscast_error **`, it may be NULL; otherwise it is set, to an error that the caller frees
 * or to NULL. What a call gives back through an `out` parameter is set to NULL when it fails.
 *
 * A struct that begins with `struct_size` grows at its end only. Set struct_size of options to
 * sizeof the struct, as the IPNSCAST_..._INIT macros do; all other members may be 0. A newer
 * library takes the shorter struct of an older program.
 *
 * Threads: a client may be used by any number of threads. Callbacks run only inside of
 * ipnscast_dispatch(), on the thread that calls it. Configurations, keys and everything that a call
 * gives back belong to one thread at a time. A process that has forked without exec must not use
 * in the child what was opened before.
 */
#ifndef IPNSCAST_H
#define IPNSCAST_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
/** Marks what the shared library exports. */
#define IPNSCAST_API __attribute__((visibility("default")))
#else
/** Marks what the shared library exports. */
#define IPNSCAST_API
#endif

/** As a length: the text ends with a NUL. */
#define IPNSCAST_NUL SIZE_MAX

#ifdef __cplusplus
extern "C" {
#endif

/** @name Codes and errors
 * @{ */

/** What a call returns. Codes are added at the end and never change their meaning. */
enum ipnscast_code {
  IPNSCAST_OK = 0,           /**< done */
  IPNSCAST_INVALID = 1,      /**< an argument or a setting makes no sense */
  IPNSCAST_PARSE = 2,        /**< bytes do not have the form that they must have */
  IPNSCAST_TOO_LARGE = 3,    /**< a bound on size, count, length or depth was met */
  IPNSCAST_SIGNATURE = 4,    /**< a signature or a hash does not match its bytes */
  IPNSCAST_MISMATCH = 5,     /**< well formed, but not what was asked for */
  IPNSCAST_EXPIRED = 6,      /**< was valid, and is not any more */
  IPNSCAST_UNSUPPORTED = 7,  /**< well formed, but of a kind that ipnscast does not handle */
  IPNSCAST_NOT_FOUND = 8,    /**< there is none */
  IPNSCAST_REFUSED = 9,      /**< somebody answered: no */
  IPNSCAST_CONFLICT = 10,    /**< somebody else holds it, or has changed it in the meantime */
  IPNSCAST_TIMEOUT = 11,     /**< the time is over */
  IPNSCAST_UNREACHABLE = 12, /**< no connection */
  IPNSCAST_CANCELLED = 13,   /**< a signal interrupted the call */
  IPNSCAST_CLOSED = 14,      /**< the client is closed */
  IPNSCAST_IO = 15,          /**< a file, the disk or the database failed */
  IPNSCAST_BUSY = 16,        /**< too much waits already, or another thread does this right now */
  IPNSCAST_INTERNAL = 17,    /**< a fault of ipnscast itself */
  IPNSCAST_NO_MEMORY = 18    /**< out of memory */
};

/** An error: a code, and a sentence for the person who has to act. */
typedef struct ipnscast_error ipnscast_error;

/** A text that the library gives back. It is followed by a NUL that `size` does not count. `data`
 * is never NULL; where there is no text, `size` is 0. */
typedef struct ipnscast_text {
  const char* data; /**< UTF-8 */
  size_t size;      /**< in bytes */
} ipnscast_text;

/** What a code means, as English text that is never freed. Unknown codes have one too. */
IPNSCAST_API const char* ipnscast_strerror(int code);
/** The version of the library, such as "0.1.0"; never freed. */
IPNSCAST_API const char* ipnscast_version(void);
/** The code of an error; IPNSCAST_OK for NULL. */
IPNSCAST_API int ipnscast_error_code(const ipnscast_error* error);
/** What went wrong and what to do about it; valid until the error is freed. Empty for NULL. */
IPNSCAST_API ipnscast_text ipnscast_error_message(const ipnscast_error* error);
/** Frees an error; NULL is left alone. */
IPNSCAST_API void ipnscast_error_free(ipnscast_error* error);

/** @}
 * @name Keys
 * @{ */

/** A Nostr key, with the IPNS key that is derived from it, or a key for IPNS records alone. Its
 * memory is wiped when it is freed. */
typedef struct ipnscast_key ipnscast_key;

/** Makes a new Nostr key. Errors: IPNSCAST_NO_MEMORY. */
IPNSCAST_API int ipnscast_key_generate(ipnscast_key** out);
/** Reads a secret key as text: nsec1..., or 64 hex digits of a Nostr key. Errors: IPNSCAST_PARSE,
 * IPNSCAST_INVALID. */
IPNSCAST_API int ipnscast_key_parse(const char* secret, size_t secret_length, ipnscast_key** out,
                                    ipnscast_error** error);
/** Reads the key `label` from a folder of keys: `ipnscast init` makes the key "self" in the folder
 * "keys" of its state directory. `password` opens a key that is encrypted; NULL: none. Errors:
 * IPNSCAST_NOT_FOUND; IPNSCAST_REFUSED when others can read the file, or when it needs a password
 * and there is none; IPNSCAST_SIGNATURE for a wrong password; IPNSCAST_PARSE; IPNSCAST_IO. */
IPNSCAST_API int ipnscast_key_load(const char* folder, size_t folder_length, const char* label,
                                   size_t label_length, const char* password,
                                   size_t password_length, ipnscast_key** out,
                                   ipnscast_error** error);
/** Writes the key into a folder of keys, which is made if need be, as a file that only this user
 * can read. Errors: IPNSCAST_CONFLICT when there is one of this label; IPNSCAST_INVALID for a label
 * that is not made of 1 to 64 of a-z A-Z 0-9 . _ -; IPNSCAST_IO. */
IPNSCAST_API int ipnscast_key_store(const ipnscast_key* key, const char* folder,
                                    size_t folder_length, const char* label, size_t label_length,
                                    ipnscast_error** error);
/** The name that is published under with this key, such as "k51..."; valid until the key is freed.
 * Empty for NULL. */
IPNSCAST_API ipnscast_text ipnscast_key_name(const ipnscast_key* key);
/** The Nostr public key as 64 hex digits, as it stands in `trust.authors` and in events; valid
 * until the key is freed. Empty for NULL and for a key that is no Nostr key. */
IPNSCAST_API ipnscast_text ipnscast_key_author(const ipnscast_key* key);
/** Wipes and frees a key; NULL is left alone. Clients that use the key keep copies of their own. */
IPNSCAST_API void ipnscast_key_free(ipnscast_key* key);

/** @}
 * @name Configuration
 * @{ */

/** The settings that a client is opened with. */
typedef struct ipnscast_config ipnscast_config;

/** Makes a configuration with every setting at its default. Errors: IPNSCAST_NO_MEMORY. */
IPNSCAST_API int ipnscast_config_new(ipnscast_config** out);
/** Sets one setting by its name, as a text: `state_dir` (needed, one process at a time),
 * `cache_dir`, and those of the sections relays, trust, sources, resolve, gateways, fetch, handover
 * and publish of the configuration file, such as `relays.urls`, `gateways.nodes` (your own nodes),
 * `gateways.public` and `trust.authors`. `ipnscast config` lists and explains them. Values are
 * written as in environment variables: "true", "30s", "1GiB", lists with commas. Errors:
 * IPNSCAST_INVALID. */
IPNSCAST_API int ipnscast_config_set(ipnscast_config* config, const char* key, size_t key_length,
                                     const char* value, size_t value_length,
                                     ipnscast_error** error);
/** The Nostr key that signs hints, answers relays that ask who we are, and is the one trusted
 * author when `trust.authors` is not set. NULL: none, for clients that only read. The configuration
 * copies it. Errors: IPNSCAST_UNSUPPORTED for a key that is no Nostr key. */
IPNSCAST_API int ipnscast_config_set_key(ipnscast_config* config, const ipnscast_key* key,
                                         ipnscast_error** error);
/** Frees a configuration; NULL is left alone. Clients that were opened with it go on. */
IPNSCAST_API void ipnscast_config_free(ipnscast_config* config);

/** @}
 * @name The client
 * @{ */

/** Follows names and publishes, with threads of its own, until it is closed. */
typedef struct ipnscast_client ipnscast_client;

/** Opens a client. The configuration stays the caller's. Errors: IPNSCAST_CONFLICT when another
 * process or client holds the state directory, IPNSCAST_INVALID for settings that make no sense
 * together, IPNSCAST_IO. */
IPNSCAST_API int ipnscast_open(const ipnscast_config* config, ipnscast_client** out,
                               ipnscast_error** error);
/** Stops everything and waits for it: calls that are under way on other threads end with
 * IPNSCAST_CLOSED, and a callback that runs on another thread has returned before this does. From
 * inside of a callback it does not wait for that one. No callback is called afterwards. What was
 * acknowledged and what was published is committed. Every later call with this client returns
 * IPNSCAST_CLOSED. */
IPNSCAST_API void ipnscast_close(ipnscast_client* client);
/** Closes the client if that was not done, and frees it; NULL is left alone. No other thread may be
 * in a call with this client, or begin one. May be called in a callback. */
IPNSCAST_API void ipnscast_free(ipnscast_client* client);

/** @}
 * @name Following names
 * @{ */

/** What an event says. Kinds are added at the end: answer one that you do not know with
 * IPNSCAST_APPLIED. */
enum ipnscast_kind {
  IPNSCAST_KIND_CHANGE = 1,      /**< another value, confirmed by a record */
  IPNSCAST_KIND_REFRESH = 2,     /**< the same value again: later end of life, or higher sequence */
  IPNSCAST_KIND_CONFLICT = 3,    /**< two values under one sequence; this one won on every device */
  IPNSCAST_KIND_STALE = 4,       /**< the last good record has expired */
  IPNSCAST_KIND_PROVISIONAL = 5, /**< `trust.confirm = "trusted"`: not yet proved by a record */
  IPNSCAST_KIND_CONFIRMED = 6,   /**< the provisional value is proved */
  IPNSCAST_KIND_WITHDRAWN =
      7,                 /**< the provisional value was wrong, or the expired one is rejected */
  IPNSCAST_KIND_LOST = 8 /**< what this device published was displaced, see ipnscast_lost() */
};

/** Where the news came from first. Sources are added at the end. */
enum ipnscast_source {
  IPNSCAST_SOURCE_NOSTR = 1,     /**< a hint at a relay */
  IPNSCAST_SOURCE_POLL = 2,      /**< a poll of gateways and routers */
  IPNSCAST_SOURCE_WEBSOCKET = 3, /**< a push server, over a WebSocket */
  IPNSCAST_SOURCE_SSE = 4,       /**< a push server, over server-sent events */
  IPNSCAST_SOURCE_PUBSUB = 5,    /**< IPNS over pubsub at one of our nodes */
  IPNSCAST_SOURCE_LOCAL = 6,     /**< this device */
  IPNSCAST_SOURCE_W3NAME = 7,    /**< a w3name service */
  IPNSCAST_SOURCE_APP = 8        /**< the application itself */
};

/** The word for a kind, such as "change"; "unknown" for one that there is not. Never freed. */
IPNSCAST_API const char* ipnscast_kind_name(int kind);
/** The word for a source, such as "nostr"; "unknown" for one that there is not. Never freed. */
IPNSCAST_API const char* ipnscast_source_name(int source);

/** A change of a name. The library makes it. */
typedef struct ipnscast_event {
  size_t struct_size;        /**< of the library that made it */
  uint64_t id;               /**< for ipnscast_acknowledge(); never 0, never used twice */
  int kind;                  /**< of ipnscast_kind */
  int source;                /**< of ipnscast_source; 0: unknown */
  ipnscast_text name;        /**< "k51..." */
  uint64_t sequence;         /**< of the record */
  ipnscast_text value;       /**< "/ipfs/CID" or "/ipfs/CID/path" */
  ipnscast_text cid;         /**< the content, fetched and verified; empty where there is none */
  ipnscast_text previous;    /**< the CID that was handed over before; empty: none */
  ipnscast_text other_value; /**< of CONFLICT and LOST: the value that lost */
  ipnscast_text author;      /**< who signed the hint, 64 hex digits; empty: it was no hint */
  int64_t seen_ms;           /**< when it was heard, in milliseconds since 1970 */
  int uncertain;             /**< 1, of LOST: `value` does not say what it was made of */
  int single_source;         /**< 1: first contact with this name, and only one source answered */
  uint64_t attempt;          /**< 1, and one more each time that this change is offered again */
} ipnscast_event;

/** Called for each event of a name, on the thread that called ipnscast_dispatch(). The event is
 * valid until the callback returns. It has to be acknowledged, here or later, see
 * ipnscast_acknowledge(). The callback must neither throw an exception nor longjmp. */
typedef void (*ipnscast_callback)(const ipnscast_event* event, void* data);

/** How a name is followed. */
typedef struct ipnscast_follow_options {
  size_t struct_size;  /**< sizeof(ipnscast_follow_options) */
  int without_content; /**< 1: records only, the content is not fetched */
  int only_looks;      /**< 1: what is applied is not what this device publishes on next */
} ipnscast_follow_options;

/** Options as they are when nothing is set. */
#define IPNSCAST_FOLLOW_OPTIONS_INIT \
  { sizeof(ipnscast_follow_options), 0, 0 }

/** What the application answers to an event. */
enum ipnscast_answer {
  IPNSCAST_APPLIED = 1, /**< done; the next change of this name may come */
  IPNSCAST_RETRY = 2,   /**< not now: offer it again later */
  IPNSCAST_REJECT = 3   /**< never: the next version is looked at anew */
};

/** Follows a name until ipnscast_unfollow() or ipnscast_close(). Its events go to `callback`, with
 * `data`; without a callback they wait for ipnscast_wait(). A change that is known here and was not
 * acknowledged comes at once, also after a restart of the process, after which names have to be
 * followed again. What this client publishes itself is no change. Follow a name again to give it
 * another callback. `options` may be NULL. Errors: IPNSCAST_PARSE, IPNSCAST_INVALID,
 * IPNSCAST_CLOSED. */
IPNSCAST_API int ipnscast_follow(ipnscast_client* client, const char* name, size_t name_length,
                                 ipnscast_callback callback, void* data,
                                 const ipnscast_follow_options* options, ipnscast_error** error);
/** Ends it. Afterwards the callback of this name is not called any more, and does not run any more
 * on another thread either. Events of the name that were not acknowledged come again when it is
 * followed again. Errors: IPNSCAST_NOT_FOUND for a name that is not followed, and as
 * ipnscast_follow(). */
IPNSCAST_API int ipnscast_unfollow(ipnscast_client* client, const char* name, size_t name_length,
                                   ipnscast_error** error);

/** For event loops (poll, epoll, add_reader): a descriptor that is readable as long as events wait,
 * and once the client is closed. Call ipnscast_dispatch(client, 0, NULL), or ipnscast_wait(), then;
 * do not read from it. It stays open until ipnscast_free(). -1 for NULL. */
IPNSCAST_API int ipnscast_fd(const ipnscast_client* client);
/** Calls the callbacks of all events that wait, on this thread. With none, it waits up to
 * `timeout_ms` milliseconds for the first one (0: not at all, -1: without an end) and returns
 * IPNSCAST_OK all the same when that time is over. `count`, when not NULL, gets the number of
 * callbacks. Errors: IPNSCAST_CLOSED; IPNSCAST_CANCELLED when a signal came; IPNSCAST_BUSY when it
 * is called on two threads at once, or in a callback; IPNSCAST_INVALID. */
IPNSCAST_API int ipnscast_dispatch(ipnscast_client* client, int64_t timeout_ms, size_t* count);
/** Gives the next event of a name that was followed without a callback; the caller frees it. Waits
 * as ipnscast_dispatch() does, but returns IPNSCAST_TIMEOUT when the time is over. Several threads
 * may wait: each event goes to one of them. Other errors: IPNSCAST_CLOSED, IPNSCAST_CANCELLED,
 * IPNSCAST_INVALID, IPNSCAST_NO_MEMORY. */
IPNSCAST_API int ipnscast_wait(ipnscast_client* client, int64_t timeout_ms, ipnscast_event** out);
/** Frees an event that ipnscast_wait() gave; NULL is left alone. That does not acknowledge it. */
IPNSCAST_API void ipnscast_event_free(ipnscast_event* event);
/** Answers an event with one of ipnscast_answer, from any thread, in the callback or later. With
 * IPNSCAST_RETRY it comes again after `retry_after_ms` milliseconds at the earliest; otherwise that
 * is ignored. A change that is not acknowledged within the setting `handover.handler_timeout` comes
 * again, with a new id. Until it is acknowledged, nothing else of its name is offered. Errors:
 * IPNSCAST_NOT_FOUND for an id that was answered already, is out of date, or never was one;
 * IPNSCAST_INVALID; IPNSCAST_CLOSED. */
IPNSCAST_API int ipnscast_acknowledge(ipnscast_client* client, uint64_t id, int answer,
                                      int64_t retry_after_ms);

/** @}
 * @name Publishing
 * @{ */

/** When a publish returns. */
enum ipnscast_settle {
  IPNSCAST_SETTLE_NO = 0,     /**< once it is committed and the places were asked */
  IPNSCAST_SETTLE_SHARED = 1, /**< when other devices write the name too, as IPNSCAST_SETTLE_YES */
  IPNSCAST_SETTLE_YES = 2     /**< when it is certain what became of it, see `publish.settle` */
};

/** How something is published. */
typedef struct ipnscast_publish_options {
  size_t struct_size;         /**< sizeof(ipnscast_publish_options) */
  int64_t timeout_ms;         /**< for all of it; 0: as long as content moves */
  int has_expected;           /**< 1: only if the name has `expected_sequence` now */
  int has_base;               /**< 1: the edit was made on the version `base_...` */
  uint64_t expected_sequence; /**< see has_expected */
  uint64_t base_sequence;     /**< see has_base; else what this device has taken in last */
  const char* base_value;     /**< "/ipfs/CID" of that version */
  size_t base_value_length;   /**< of base_value, or IPNSCAST_NUL */
  int replace;                /**< 1: over whatever is there */
  int force;                  /**< 1: an empty state over a richer one too */
  int queue;                  /**< 1: commit though no node takes the content now */
  int hidden;                 /**< 1: names that begin with a dot too */
  int trust_clock;            /**< 1: although servers say that this clock is wrong */
  int settle;                 /**< of ipnscast_settle */
} ipnscast_publish_options;

/** Options as they are when nothing is set. */
#define IPNSCAST_PUBLISH_OPTIONS_INIT \
  { sizeof(ipnscast_publish_options), 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0 }

/** What became of a publish at one place. */
typedef struct ipnscast_place {
  size_t struct_size;   /**< of the library that made it */
  ipnscast_text kind;   /**< "node", "router" or "relay" */
  ipnscast_text what;   /**< "content", "record" or "hint" */
  ipnscast_text url;    /**< of the place */
  ipnscast_text detail; /**< "stored", "acknowledged", "refused: ...", "no answer", ... */
  int ok;               /**< 1: it has it */
  int64_t took_ms;      /**< milliseconds */
} ipnscast_place;

/** What became of a publish. The library makes it. */
typedef struct ipnscast_outcome {
  size_t struct_size; /**< of the library that made it */
  ipnscast_text name; /**< "k51..." */
  ipnscast_text cid;  /**< the content */
  uint64_t sequence;  /**< of the record */
  int quorum_met;     /**< 1: enough relays acknowledged (`relays.quorum`), or where there are none,
                           a place has the record */
  int complete;       /**< 1: no place is still without it; what is owed goes on by itself */
  int queued;         /**< 1: no node has the content yet */
  int settled;        /**< 1: it cannot be displaced unnoticed any more */
  size_t place_count; /**< of places */
  const ipnscast_place* const* places; /**< so many */
} ipnscast_outcome;

/** Packs a file or directory, sends it to the nodes, signs a record with the next sequence and
 * announces it. Waits for the outcome. `options` and `out` may be NULL. Errors: IPNSCAST_CONFLICT
 * when somebody else has published what this device has not taken in; IPNSCAST_REFUSED;
 * IPNSCAST_TIMEOUT; IPNSCAST_UNREACHABLE when no node takes the content; IPNSCAST_INVALID;
 * IPNSCAST_IO; IPNSCAST_CLOSED. */
IPNSCAST_API int ipnscast_publish(ipnscast_client* client, const ipnscast_key* key,
                                  const char* path, size_t path_length,
                                  const ipnscast_publish_options* options, ipnscast_outcome** out,
                                  ipnscast_error** error);
/** The same for content that the nodes already have. Also IPNSCAST_PARSE. */
IPNSCAST_API int ipnscast_publish_cid(ipnscast_client* client, const ipnscast_key* key,
                                      const char* cid, size_t cid_length,
                                      const ipnscast_publish_options* options,
                                      ipnscast_outcome** out, ipnscast_error** error);
/** Only the hint, without a record: tells the relays that the name has this content under this
 * sequence. `timeout_ms` 0: as long as the setting says. `out` may be NULL. */
IPNSCAST_API int ipnscast_announce(ipnscast_client* client, const char* name, size_t name_length,
                                   const char* cid, size_t cid_length, uint64_t sequence,
                                   int64_t timeout_ms, ipnscast_outcome** out,
                                   ipnscast_error** error);
/** As long as the client is open, the record of this key's name is signed again before it expires.
 */
IPNSCAST_API int ipnscast_keep_alive(ipnscast_client* client, const ipnscast_key* key,
                                     ipnscast_error** error);
/** Frees an outcome; NULL is left alone. */
IPNSCAST_API void ipnscast_outcome_free(ipnscast_outcome* outcome);

/** @}
 * @name Looking up and fetching
 * @{ */

/** How a name is resolved. */
typedef struct ipnscast_resolve_options {
  size_t struct_size; /**< sizeof(ipnscast_resolve_options) */
  int64_t timeout_ms; /**< 0: as the setting `resolve.listen` says */
  int cached;         /**< 1: a record that was asked for recently will do */
  int reserved;       /**< 0 */
} ipnscast_resolve_options;

/** Options as they are when nothing is set. */
#define IPNSCAST_RESOLVE_OPTIONS_INIT \
  { sizeof(ipnscast_resolve_options), 0, 0, 0 }

/** What one source answered. */
typedef struct ipnscast_answered {
  size_t struct_size;   /**< of the library that made it */
  ipnscast_text url;    /**< of the source */
  ipnscast_text answer; /**< "record", "not found", "error: ...", ... */
  uint64_t sequence;    /**< of its record; 0 where it has none */
  ipnscast_text value;  /**< of its record */
  int64_t took_ms;      /**< milliseconds */
} ipnscast_answered;

/** The record of a name. The library makes it. */
typedef struct ipnscast_resolution {
  size_t struct_size;        /**< of the library that made it */
  ipnscast_text name;        /**< "k51..." */
  uint64_t sequence;         /**< of the best record */
  ipnscast_text value;       /**< "/ipfs/CID", "/ipfs/CID/path" or "/ipns/..." */
  ipnscast_text cid;         /**< the root of the value; empty when it is no /ipfs/ path */
  ipnscast_text valid_until; /**< RFC 3339, in UTC */
  int expired;               /**< 1: no valid record is left, and this one has expired */
  int rollback;              /**< 1: all sources answered less than was known here before */
  size_t answered_count;     /**< of answered */
  const ipnscast_answered* const* answered; /**< so many, one for each source */
} ipnscast_resolution;

/** Asks every source for the record of a name and gives the best one. `options` may be NULL.
 * Errors: IPNSCAST_NOT_FOUND when no source has one; IPNSCAST_UNREACHABLE when none answered;
 * IPNSCAST_EXPIRED when it has expired and `trust.expired` is "reject"; IPNSCAST_PARSE,
 * IPNSCAST_INVALID, IPNSCAST_CLOSED. */
IPNSCAST_API int ipnscast_resolve(ipnscast_client* client, const char* name, size_t name_length,
                                  const ipnscast_resolve_options* options,
                                  ipnscast_resolution** out, ipnscast_error** error);
/** Frees a resolution; NULL is left alone. */
IPNSCAST_API void ipnscast_resolution_free(ipnscast_resolution* resolution);

/** How content is fetched. */
typedef struct ipnscast_get_options {
  size_t struct_size; /**< sizeof(ipnscast_get_options) */
  int64_t timeout_ms; /**< 0: 24 hours; it also ends when nothing new has come for 10 minutes */
  int file_only;      /**< 1: IPNSCAST_INVALID when it is no file */
  int symlinks;       /**< 1: write symbolic links that stay inside; else they are an error */
} ipnscast_get_options;

/** Options as they are when nothing is set. */
#define IPNSCAST_GET_OPTIONS_INIT \
  { sizeof(ipnscast_get_options), 0, 0, 0 }

/** Fetches the file or directory that `path` names inside of `cid`, verified, and writes it to
 * `target`, which must not be there before and appears as a whole. `path` may be empty, and looks
 * like "docs/page.html". `options` may be NULL. Errors: IPNSCAST_NOT_FOUND, IPNSCAST_MISMATCH,
 * IPNSCAST_CONFLICT when the target is there, IPNSCAST_TIMEOUT, IPNSCAST_BUSY, IPNSCAST_IO,
 * IPNSCAST_CLOSED. */
IPNSCAST_API int ipnscast_get(ipnscast_client* client, const char* cid, size_t cid_length,
                              const char* path, size_t path_length, const char* target,
                              size_t target_length, const ipnscast_get_options* options,
                              ipnscast_error** error);

/** @}
 * @name What is known
 * @{ */

/** What is known of a name. */
typedef struct ipnscast_name_status {
  size_t struct_size;        /**< of the library that made it */
  ipnscast_text name;        /**< "k51..." */
  uint64_t sequence;         /**< the highest that was confirmed; 0: none yet */
  ipnscast_text value;       /**< of that record */
  ipnscast_text cid;         /**< its content; empty: none */
  ipnscast_text valid_until; /**< RFC 3339, in UTC; empty: no record yet */
  int stale;                 /**< 1: it has expired */
  int handed_over;           /**< 1: the application has acknowledged it */
  int own;                   /**< 1: this device published it */
  int reserved;              /**< 0 */
} ipnscast_name_status;

/** A place that news comes from or is looked for at. */
typedef struct ipnscast_place_status {
  size_t struct_size; /**< of the library that made it */
  ipnscast_text kind; /**< "relay", "gateway", ... */
  ipnscast_text url;  /**< of the place */
  int up;             /**< 1: connected, or nothing says that it does not answer */
  int reserved;       /**< 0 */
} ipnscast_place_status;

/** What the client knows right now. The library makes it. */
typedef struct ipnscast_status {
  size_t struct_size;                         /**< of the library that made it */
  size_t name_count;                          /**< of names */
  const ipnscast_name_status* const* names;   /**< so many: those that are followed */
  size_t place_count;                         /**< of places */
  const ipnscast_place_status* const* places; /**< so many */
} ipnscast_status;

/** A publish of this device that was displaced by a version which does not contain it. */
typedef struct ipnscast_lost_publish {
  size_t struct_size;         /**< of the library that made it */
  uint64_t sequence;          /**< of what was lost */
  ipnscast_text value;        /**< of what was lost; ipnscast_get() reads it */
  uint64_t winner_sequence;   /**< of what displaced it */
  ipnscast_text winner_value; /**< of what displaced it */
  int uncertain;              /**< 1: the winner does not say what it was made of */
  int same_sequence;          /**< 1: both have the same sequence */
} ipnscast_lost_publish;

/** Publishes that were lost. The library makes it. */
typedef struct ipnscast_losses {
  size_t struct_size;                       /**< of the library that made it */
  size_t count;                             /**< of lost */
  const ipnscast_lost_publish* const* lost; /**< so many, the oldest first */
} ipnscast_losses;

/** What is known right now. Errors: IPNSCAST_CLOSED, IPNSCAST_IO. */
IPNSCAST_API int ipnscast_get_status(ipnscast_client* client, ipnscast_status** out,
                                     ipnscast_error** error);
/** Frees a status; NULL is left alone. */
IPNSCAST_API void ipnscast_status_free(ipnscast_status* status);
/** Publishes of a name by this device that were displaced and not acknowledged; none is no error.
 */
IPNSCAST_API int ipnscast_lost(ipnscast_client* client, const char* name, size_t name_length,
                               ipnscast_losses** out, ipnscast_error** error);
/** Frees losses; NULL is left alone. */
IPNSCAST_API void ipnscast_losses_free(ipnscast_losses* losses);
/** Says that they are dealt with: their content may go. Errors: IPNSCAST_NOT_FOUND when there are
 * none. */
IPNSCAST_API int ipnscast_acknowledge_lost(ipnscast_client* client, const char* name,
                                           size_t name_length, ipnscast_error** error);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
