#include "sync/ipfs/multihash.h"
