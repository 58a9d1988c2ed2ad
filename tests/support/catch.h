#pragma once

// Catch2 2.13 (Debian 12) and 3 (Debian 13) behind one include.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

namespace ipnscast::test {
using ListenerBase = Catch::EventListenerBase;
}
#else
#include <catch2/catch.hpp>

#ifdef CATCH_CONFIG_RUNNER
namespace ipnscast::test {
using ListenerBase = Catch::TestEventListenerBase;
}
#endif
#endif
