# SPDX-License-Identifier: EUPL-1.2
# What members with modified programs may try.
carnet_test(attack replica)
target_sources(test_attack PRIVATE support/members_world.c)
target_include_directories(test_attack PRIVATE support)
