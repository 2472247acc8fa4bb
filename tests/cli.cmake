# SPDX-License-Identifier: EUPL-1.2
# The real program, as people and scripts use it: tests/cli/NAME.sh.
foreach(name alone three relay bundle errors words import merge slow qr busy manual)
  add_test(NAME cli_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh)
  set_tests_properties(cli_${name} PROPERTIES LABELS full TIMEOUT 600 ENVIRONMENT "CARNET=$<TARGET_FILE:carnet>")
endforeach()
