# SPDX-License-Identifier: EUPL-1.2
# Files of contacts: values, rows, what writes them.
carnet_test(values people)
carnet_test(rows people)
target_compile_definitions(test_rows PRIVATE FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures/import")
carnet_fuzz(csv SUPPORT support/rows_any.c LAYERS people)
carnet_fuzz(vcard SUPPORT support/rows_any.c LAYERS people)

# Invented people: tools/demo-data runs this.
add_executable(demo-data support/demo_data.c support/people.c)
target_link_libraries(demo-data PRIVATE carnet_flags)
carnet_test(demo_data people)
target_sources(test_demo_data PRIVATE support/people.c)
