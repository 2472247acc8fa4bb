# SPDX-License-Identifier: EUPL-1.2
# Links and processes.
carnet_test(net net)
carnet_test(core node)
target_sources(test_core PRIVATE support/replica_world.c)
carnet_test(control node)
carnet_fuzz(joining LAYERS node)
