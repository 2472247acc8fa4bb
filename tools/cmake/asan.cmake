# SPDX-License-Identifier: EUPL-1.2
# Address and undefined-behaviour sanitizers; a finding ends the program.
set(CMAKE_C_COMPILER gcc CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "")
set(CARNET_SANITIZE ON CACHE BOOL "")
