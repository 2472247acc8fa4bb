# SPDX-License-Identifier: EUPL-1.2
# The simulator: a community in one process, on simulated disks, clocks and links (tools/sim).
add_executable(carnet-sim sim/main.c sim/world.c sim/link.c sim/ops.c sim/facts.c sim/check.c sim/hostile.c support/simvfs.c)
target_link_libraries(carnet-sim PRIVATE carnet_node carnet_people PkgConfig::sqlite3 PkgConfig::libsodium)

if(NOT CARNET_SANITIZE AND NOT CARNET_PLANTS AND CARNET_PLANT EQUAL 0)
  add_test(NAME sim COMMAND carnet-sim --seeds 1-500 --jobs 2 --quiet)
  set_tests_properties(sim PROPERTIES LABELS full TIMEOUT 1800 PROCESSORS 2)
  # the same on another compiler, and when SQLite gives unordered rows the other way round
  add_test(NAME sim_compilers COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/same.sh $<TARGET_FILE:carnet-sim> ${PROJECT_SOURCE_DIR}/.build/clang/tests/carnet-sim)
  set_tests_properties(sim_compilers PROPERTIES LABELS full TIMEOUT 600 SKIP_RETURN_CODE 77)
  add_test(NAME sim_order COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/same.sh $<TARGET_FILE:carnet-sim> --reverse)
  set_tests_properties(sim_order PROPERTIES LABELS full TIMEOUT 600)
  # a check that cannot fail is none
  add_test(NAME sim_plants COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/plants.sh ${PROJECT_SOURCE_DIR} 2)
  set_tests_properties(sim_plants PROPERTIES LABELS full TIMEOUT 1800 PROCESSORS 2)
  add_test(NAME sim_soak COMMAND carnet-sim --seeds 1000-11000 --jobs 2 --quiet)
  set_tests_properties(sim_soak PROPERTIES LABELS soak TIMEOUT 43200 PROCESSORS 2)
endif()
