# SPDX-License-Identifier: EUPL-1.2
# Every planted bug in one build of the simulator, chosen by carnet-sim --plant N.
set(CMAKE_C_COMPILER gcc CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2" CACHE STRING "")
set(CARNET_PLANTS ON CACHE BOOL "")
