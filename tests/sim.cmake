# SPDX-License-Identifier: EUPL-1.2
# The simulator: a community in one process, on simulated disks, clocks and links (tools/sim).
add_executable(carnet-sim sim/main.c sim/world.c sim/link.c sim/ops.c sim/facts.c sim/check.c sim/hostile.c support/simvfs.c)
target_link_libraries(carnet-sim PRIVATE carnet_node PkgConfig::sqlite3 PkgConfig::libsodium)
