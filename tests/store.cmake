# SPDX-License-Identifier: EUPL-1.2
# The store, on real files and on simulated disks.
carnet_test(store store)
carnet_test(powercut store)
target_sources(test_powercut PRIVATE support/simvfs.c)
carnet_test(store_faults store)
target_sources(test_store_faults PRIVATE support/simvfs.c)
carnet_test(sweep store)
target_sources(test_sweep PRIVATE support/simvfs.c)

# The same tests against a store with a planted bug: they must say what it does.
if(CARNET_PLANT EQUAL 0)
  function(carnet_store_planted name plant expected)
    list(TRANSFORM STORE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/store/ OUTPUT_VARIABLE sources)
    add_executable(test_${name}_planted unit/test_${name}.c support/simvfs.c ${sources})
    target_include_directories(test_${name}_planted PRIVATE ${PROJECT_SOURCE_DIR}/src/store)
    target_compile_definitions(test_${name}_planted PRIVATE CARNET_PLANT=${plant})
    target_link_libraries(test_${name}_planted PRIVATE carnet_sys PkgConfig::sqlite3 PkgConfig::cmocka)
    add_test(NAME ${name}_planted COMMAND test_${name}_planted)
    set_tests_properties(${name}_planted PROPERTIES LABELS quick TIMEOUT 120 PASS_REGULAR_EXPRESSION "${expected}")
  endfunction()
  file(GLOB STORE_SOURCES RELATIVE ${PROJECT_SOURCE_DIR}/src/store CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/store/*.c)
  carnet_store_planted(powercut 7 "cuts, [1-9][0-9]* acknowledged lost, 0 corrupt, 0 half there")
  carnet_store_planted(sweep 8 "[1-9][0-9]* erased marks remain")
endif()

# By hand: cmake --build .build/release --target bench_store
add_executable(bench_store EXCLUDE_FROM_ALL bench/bench_store.c)
target_link_libraries(bench_store PRIVATE carnet_store)
