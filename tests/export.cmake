# SPDX-License-Identifier: EUPL-1.2
# Files that go out, and Carnet's own that come back.
carnet_test(sealed crypto)
carnet_test(export people)
target_sources(test_export PRIVATE support/replica_world.c)
target_include_directories(test_export PRIVATE support)
carnet_fuzz(json SUPPORT support/rows_any.c LAYERS people)
carnet_fuzz(sealed LAYERS crypto)
