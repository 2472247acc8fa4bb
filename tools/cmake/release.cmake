# SPDX-License-Identifier: EUPL-1.2
# What people run and what the tests measure: gcc, optimised. CARNET_ASSERT stays on in every variant.
set(CMAKE_C_COMPILER gcc CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "")
