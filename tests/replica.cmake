# SPDX-License-Identifier: EUPL-1.2
# Replicas that exchange entries.
carnet_test(replica replica)
target_sources(test_replica PRIVATE support/replica_world.c)
target_include_directories(test_replica PRIVATE support)
carnet_test(replica_random replica)
target_sources(test_replica_random PRIVATE support/replica_world.c)
target_include_directories(test_replica_random PRIVATE support)
carnet_test(replica_faults replica)
target_sources(test_replica_faults PRIVATE support/simvfs.c)
target_include_directories(test_replica_faults PRIVATE support)
