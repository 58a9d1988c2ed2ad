/* Two devices of one person, in C: the first follows a name, the second publishes a file under it.
 *
 *   consumer READER WRITER RELAY NODES     two new folders, and URLs of `ipnscast up --json` */
#include <ipnscast.h>
#include <stdio.h>
#include <stdlib.h>

static ipnscast_error* error;

static void must(int code, const char* what) {
  if (code == IPNSCAST_OK) return;
  fprintf(stderr, "consumer: cannot %s: %s: %s\n", what, ipnscast_strerror(code),
          ipnscast_error_message(error).data);
  exit(1);
}

static void set(ipnscast_config* config, const char* key, const char* value) {
  must(ipnscast_config_set(config, key, IPNSCAST_NUL, value, IPNSCAST_NUL, &error), key);
}

static ipnscast_client* open_device(const char* state_dir, const ipnscast_key* key, char** urls) {
  ipnscast_config* config = NULL;
  ipnscast_client* client = NULL;
  must(ipnscast_config_new(&config), "make a configuration");
  set(config, "state_dir", state_dir);
  set(config, "relays.urls", urls[0]);
  set(config, "gateways.nodes", urls[1]);
  must(ipnscast_config_set_key(config, key, &error), "set the key");
  must(ipnscast_open(config, &client, &error), "open a client");
  ipnscast_config_free(config);
  return client;
}

static void on_change(const ipnscast_event* event, void* client) {
  printf("%s %s %s\n", event->name.data, ipnscast_source_name(event->source), event->value.data);
  must(ipnscast_acknowledge(client, event->id, IPNSCAST_APPLIED, 0), "acknowledge");
}

int main(int argc, char** argv) {
  ipnscast_key* key = NULL;
  ipnscast_outcome* outcome = NULL;
  size_t called = 0;
  if (argc != 5) return fprintf(stderr, "usage: consumer READER WRITER RELAY NODES\n"), 2;
  must(ipnscast_key_generate(&key), "make a key");
  ipnscast_client* reader = open_device(argv[1], key, argv + 3);
  ipnscast_client* writer = open_device(argv[2], key, argv + 3);
  must(ipnscast_follow(reader, ipnscast_key_name(key).data, IPNSCAST_NUL, on_change, reader, NULL,
                       &error),
       "follow");
  must(ipnscast_publish(writer, key, argv[0], IPNSCAST_NUL, NULL, &outcome, &error), "publish");
  printf("published %s\n", outcome->cid.data);
  while (called == 0) must(ipnscast_dispatch(reader, -1, &called), "dispatch");
  ipnscast_outcome_free(outcome);
  ipnscast_free(writer);
  ipnscast_free(reader);
  ipnscast_key_free(key);
  return 0;
}
