# SPDX-License-Identifier: EUPL-1.2
# The real program, as people and scripts use it: tests/cli/NAME.sh.
# A wall clock that is days ahead, for law.sh.
add_library(clock_shift MODULE support/clock_shift.c)
target_link_libraries(clock_shift PRIVATE ${CMAKE_DL_LIBS})
foreach(name alone three relay bundle errors words import formats slow qr busy manual export charter law suppress segment merge apart revoke office hostile)
  add_test(NAME cli_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES LABELS full TIMEOUT 600 ENVIRONMENT "CARNET=$<TARGET_FILE:carnet>;CARNET_CLOCK_SHIFT=$<TARGET_FILE:clock_shift>")
endforeach()
