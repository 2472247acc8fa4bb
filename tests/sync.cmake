# SPDX-License-Identifier: EUPL-1.2
# The layer sync: sessions and bundles, over nodes in memory.
carnet_test(sync sync)
target_sources(test_sync PRIVATE support/sync_world.c)
carnet_test(bundle sync)
target_sources(test_bundle PRIVATE support/sync_world.c)
carnet_fuzz(sync SUPPORT support/sync_world.c LAYERS sync)
carnet_fuzz(bundle SUPPORT support/sync_world.c LAYERS sync)
