# SPDX-License-Identifier: EUPL-1.2
# A second compiler's opinion: its warnings are errors here.
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "")
set(CARNET_WERROR ON CACHE BOOL "")
