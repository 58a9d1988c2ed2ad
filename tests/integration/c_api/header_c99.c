/* The header as a C99 program sees it, and every function without arguments to work on. */
#include <ipnscast.h>
#include <string.h>

/* Members that are added at the end must change the size: there is no padding there. */
#define ENDS_WITH(type, member)                                                                \
  typedef char                                                                                 \
      type##_ends_with[sizeof(type) == offsetof(type, member) + sizeof(((type*)0)->member) ? 1 \
                                                                                           : -1]
ENDS_WITH(ipnscast_follow_options, only_looks);
ENDS_WITH(ipnscast_publish_options, settle);
ENDS_WITH(ipnscast_resolve_options, reserved);
ENDS_WITH(ipnscast_get_options, symlinks);
ENDS_WITH(ipnscast_event, attempt);
ENDS_WITH(ipnscast_place, took_ms);
ENDS_WITH(ipnscast_outcome, places);
ENDS_WITH(ipnscast_answered, took_ms);
ENDS_WITH(ipnscast_resolution, answered);
ENDS_WITH(ipnscast_name_status, reserved);
ENDS_WITH(ipnscast_place_status, reserved);
ENDS_WITH(ipnscast_status, places);
ENDS_WITH(ipnscast_lost_publish, same_sequence);
ENDS_WITH(ipnscast_losses, lost);

const char* c99_nulls(void);

/* The first call that does not answer as it should when everything is NULL; NULL: all do. */
const char* c99_nulls(void) {
  ipnscast_follow_options follow = IPNSCAST_FOLLOW_OPTIONS_INIT;
  ipnscast_publish_options publish = IPNSCAST_PUBLISH_OPTIONS_INIT;
  ipnscast_resolve_options resolve = IPNSCAST_RESOLVE_OPTIONS_INIT;
  ipnscast_get_options get = IPNSCAST_GET_OPTIONS_INIT;
  ipnscast_config* config = NULL;
  ipnscast_key* key = NULL;

#define INVALID(call) \
  if ((call) != IPNSCAST_INVALID) return #call
  INVALID(ipnscast_key_generate(NULL));
  INVALID(ipnscast_key_parse(NULL, 0, NULL, NULL));
  INVALID(ipnscast_key_parse(NULL, 0, &key, NULL));
  INVALID(ipnscast_key_parse(NULL, 9, &key, NULL));
  INVALID(ipnscast_key_load(NULL, 0, NULL, 0, NULL, 0, NULL, NULL));
  INVALID(ipnscast_key_load(NULL, 0, NULL, 0, NULL, 0, &key, NULL));
  INVALID(ipnscast_key_store(NULL, NULL, 0, NULL, 0, NULL));
  INVALID(ipnscast_config_new(NULL));
  INVALID(ipnscast_config_set(NULL, NULL, 0, NULL, 0, NULL));
  INVALID(ipnscast_config_set_key(NULL, NULL, NULL));
  INVALID(ipnscast_open(NULL, NULL, NULL));
  INVALID(ipnscast_follow(NULL, NULL, 0, NULL, NULL, NULL, NULL));
  INVALID(ipnscast_follow(NULL, NULL, 0, NULL, NULL, &follow, NULL));
  INVALID(ipnscast_unfollow(NULL, NULL, 0, NULL));
  INVALID(ipnscast_dispatch(NULL, 0, NULL));
  INVALID(ipnscast_wait(NULL, 0, NULL));
  INVALID(ipnscast_acknowledge(NULL, 0, 0, 0));
  INVALID(ipnscast_publish(NULL, NULL, NULL, 0, NULL, NULL, NULL));
  INVALID(ipnscast_publish(NULL, NULL, NULL, 0, &publish, NULL, NULL));
  INVALID(ipnscast_publish_cid(NULL, NULL, NULL, 0, NULL, NULL, NULL));
  INVALID(ipnscast_announce(NULL, NULL, 0, NULL, 0, 0, 0, NULL, NULL));
  INVALID(ipnscast_keep_alive(NULL, NULL, NULL));
  INVALID(ipnscast_resolve(NULL, NULL, 0, NULL, NULL, NULL));
  INVALID(ipnscast_resolve(NULL, NULL, 0, &resolve, NULL, NULL));
  INVALID(ipnscast_get(NULL, NULL, 0, NULL, 0, NULL, 0, NULL, NULL));
  INVALID(ipnscast_get(NULL, NULL, 0, NULL, 0, NULL, 0, &get, NULL));
  INVALID(ipnscast_get_status(NULL, NULL, NULL));
  INVALID(ipnscast_lost(NULL, NULL, 0, NULL, NULL));
  INVALID(ipnscast_acknowledge_lost(NULL, NULL, 0, NULL));
  if (ipnscast_config_new(&config) != IPNSCAST_OK) return "ipnscast_config_new";
  INVALID(ipnscast_config_set(config, NULL, 0, NULL, 0, NULL));
  INVALID(ipnscast_config_set(config, "state_dir", IPNSCAST_NUL, NULL, 0, NULL));
  INVALID(ipnscast_open(config, NULL, NULL));
  if (ipnscast_config_set_key(config, NULL, NULL) != IPNSCAST_OK) return "ipnscast_config_set_key";
  ipnscast_config_free(config);

  if (ipnscast_fd(NULL) != -1) return "ipnscast_fd";
  if (ipnscast_error_code(NULL) != IPNSCAST_OK) return "ipnscast_error_code";
  if (strcmp(ipnscast_error_message(NULL).data, "") != 0) return "ipnscast_error_message";
  if (ipnscast_key_name(NULL).size != 0) return "ipnscast_key_name";
  if (ipnscast_key_author(NULL).size != 0) return "ipnscast_key_author";
  ipnscast_error_free(NULL);
  ipnscast_key_free(NULL);
  ipnscast_config_free(NULL);
  ipnscast_close(NULL);
  ipnscast_free(NULL);
  ipnscast_event_free(NULL);
  ipnscast_outcome_free(NULL);
  ipnscast_resolution_free(NULL);
  ipnscast_status_free(NULL);
  ipnscast_losses_free(NULL);
  return NULL;
}
