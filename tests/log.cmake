# SPDX-License-Identifier: EUPL-1.2
# The layer log: entries, authority, invitation codes; protocol/vectors.
foreach(test entry authority invite vectors)
  carnet_test(${test} log)
  target_sources(test_${test} PRIVATE support/log_world.c)
endforeach()
target_compile_definitions(test_vectors PRIVATE
  CARNET_VECTORS="${PROJECT_SOURCE_DIR}/protocol/vectors" CARNET_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus")
foreach(fuzz entry cert code)
  carnet_fuzz(${fuzz} SUPPORT support/log_world.c LAYERS log)
endforeach()
