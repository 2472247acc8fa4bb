# SPDX-License-Identifier: EUPL-1.2
# The store, on real files and on simulated disks.
carnet_test(store store)
carnet_test(powercut store)
target_sources(test_powercut PRIVATE support/simvfs.c)
