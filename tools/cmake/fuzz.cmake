# SPDX-License-Identifier: EUPL-1.2
# libFuzzer targets with the sanitizers: programs fuzz_* that take a corpus folder.
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "")
set(CARNET_SANITIZE ON CACHE BOOL "")
set(CARNET_FUZZ ON CACHE BOOL "")
