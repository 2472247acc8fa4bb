# SPDX-License-Identifier: EUPL-1.2
# What an office does with its address book.
carnet_test(people people)
target_sources(test_people PRIVATE support/replica_world.c)
target_include_directories(test_people PRIVATE support)
carnet_test(merge people)
target_sources(test_merge PRIVATE support/replica_world.c)
target_include_directories(test_merge PRIVATE support)
carnet_test(import people)
target_sources(test_import PRIVATE support/replica_world.c)
target_include_directories(test_import PRIVATE support)
carnet_test(segment people)
target_sources(test_segment PRIVATE support/replica_world.c)
target_include_directories(test_segment PRIVATE support)
