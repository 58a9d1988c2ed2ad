# What makes a fault in our code harder to use against us. Set target by target and PRIVATE, so that nothing of it reaches
# those who use the package. Not with sanitizers, which bring checks of their own, and not in Debug, where FORTIFY has no
# optimiser to work with.
include(CheckCXXCompilerFlag)
set(ipnscast_hardening "")
if(NOT IPNSCAST_SANITIZE)
  check_cxx_compiler_flag(-fstack-protector-strong IPNSCAST_HAS_STACK_PROTECTOR)
  check_cxx_compiler_flag(-fstack-clash-protection IPNSCAST_HAS_STACK_CLASH_PROTECTION)
  check_cxx_compiler_flag(-fcf-protection IPNSCAST_HAS_CF_PROTECTION)  # x86 only
  # Some distributions define FORTIFY for every program.
  list(APPEND ipnscast_hardening -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  if(IPNSCAST_HAS_STACK_PROTECTOR)
    list(APPEND ipnscast_hardening -fstack-protector-strong)
  endif()
  if(IPNSCAST_HAS_STACK_CLASH_PROTECTION)
    list(APPEND ipnscast_hardening -fstack-clash-protection)
  endif()
  if(IPNSCAST_HAS_CF_PROTECTION)
    list(APPEND ipnscast_hardening -fcf-protection)
  endif()
endif()

# ipnscast_harden(<target>): a library or program of ours.
function(ipnscast_harden target)
  foreach(option IN LISTS ipnscast_hardening)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:${option}>)
  endforeach()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE AND NOT IPNSCAST_SANITIZE)
    target_link_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:LINKER:-z,relro,-z,now>)
  endif()
endfunction()
