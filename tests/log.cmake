# SPDX-License-Identifier: EUPL-1.2
# The layer log: entries, authority, invitation codes; protocol/.
foreach(test entry authority invite)
  carnet_test(${test} log)
  target_sources(test_${test} PRIVATE support/log_world.c)
endforeach()
