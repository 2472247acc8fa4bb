# SPDX-License-Identifier: EUPL-1.2
# How long the main work takes: tools/bench runs this. The test looks at the growth alone, not at times.
add_executable(carnet-bench bench/main.c bench/base.c bench/floor.c bench/pair.c bench/work.c support/people.c)
target_include_directories(carnet-bench PRIVATE support)
target_link_libraries(carnet-bench PRIVATE carnet_people carnet_node PkgConfig::sqlite3)
add_test(NAME bench COMMAND carnet-bench --contacts 2000,20000 --rounds 3 --only sync,edits --growth 3 --dir ${CMAKE_CURRENT_BINARY_DIR})
set_tests_properties(bench PROPERTIES LABELS full TIMEOUT 600)
