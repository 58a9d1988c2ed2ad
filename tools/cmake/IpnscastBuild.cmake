# How our own targets are built. Nothing here reaches those who link the package.
include(GNUInstallDirs)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

find_program(IPNSCAST_CCACHE ccache)
if(IPNSCAST_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${IPNSCAST_CCACHE})
endif()

add_library(ipnscast_flags INTERFACE)
if(CMAKE_UNITY_BUILD)
  # Warnings are for the build file by file. In a batch every anonymous namespace looks to GCC like one in a header, and
  # what one file names its own shadows what another calls a parameter.
  target_compile_options(ipnscast_flags INTERFACE -w)
else()
  target_compile_options(ipnscast_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Wold-style-cast -Wno-missing-field-initializers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports std::string and std::variant that are initialised on every path.
    target_compile_options(ipnscast_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  # GCC 12, when it optimises, sees overlapping copies in `"text" + std::string` (GCC bug 105329) and reads past the end of
  # what a defaulted <=> of byte vectors compares, and writes past the end of a vector that grows; there is none of these.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(ipnscast_flags INTERFACE $<$<CONFIG:Release>:-Wno-array-bounds -Wno-restrict -Wno-stringop-overread>)
  endif()
endif()
if(IPNSCAST_WERROR)
  target_compile_options(ipnscast_flags INTERFACE -Werror)
endif()
if(IPNSCAST_SANITIZE)
  target_compile_options(ipnscast_flags INTERFACE -fsanitize=${IPNSCAST_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(ipnscast_flags INTERFACE -fsanitize=${IPNSCAST_SANITIZE})
endif()

include(IpnscastHardening)

# "ipnscast/nostr/pool/pool.h" works from the source tree as it does when installed.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/include/ipnscast" SYMBOLIC)

# ipnscast_library(<layer> SOURCES ... HEADERS ...): static library ipnscast::<layer>.
# HEADERS are the public ones; the headers beside the sources that are not named stay private.
function(ipnscast_library layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS" ${ARGN})
  add_library(ipnscast_${layer} STATIC ${ARG_SOURCES})
  add_library(ipnscast::${layer} ALIAS ipnscast_${layer})
  set_target_properties(ipnscast_${layer} PROPERTIES EXPORT_NAME ${layer})
  target_compile_features(ipnscast_${layer} PUBLIC cxx_std_20)
  target_link_libraries(ipnscast_${layer} PRIVATE $<BUILD_INTERFACE:ipnscast_flags>)
  ipnscast_harden(ipnscast_${layer})
  target_include_directories(
    ipnscast_${layer} PUBLIC "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>"
                             "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  # Seen through the link, so that nobody gets a folder of ours by another name than ipnscast/.
  list(TRANSFORM ARG_HEADERS PREPEND "${PROJECT_BINARY_DIR}/include/ipnscast/${layer}/")
  target_sources(ipnscast_${layer} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_BINARY_DIR}/include"
                                          FILES ${ARG_HEADERS})
  if(IPNSCAST_INSTALL)
    install(TARGETS ipnscast_${layer} EXPORT ipnscast_${layer}Targets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endfunction()
