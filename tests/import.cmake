# SPDX-License-Identifier: EUPL-1.2
# Files of contacts: values, rows, what writes them.
carnet_test(values people)
carnet_test(rows people)
target_compile_definitions(test_rows PRIVATE FIXTURES="${CMAKE_CURRENT_SOURCE_DIR}/fixtures/import")
carnet_fuzz(csv SUPPORT support/rows_any.c LAYERS people)
carnet_fuzz(vcard SUPPORT support/rows_any.c LAYERS people)
