# SPDX-License-Identifier: EUPL-1.2
# Members, erasing, upkeep: the rest of the layer replica.
carnet_test(keystore replica)
foreach(name members erase upkeep)
  carnet_test(${name} replica)
  target_sources(test_${name} PRIVATE support/members_world.c)
  target_include_directories(test_${name} PRIVATE support)
endforeach()
carnet_fuzz(join LAYERS replica)
carnet_fuzz(welcome LAYERS replica)
