# SPDX-License-Identifier: EUPL-1.2
# The segment language.
carnet_test(query people)
target_link_libraries(test_query PRIVATE PkgConfig::sqlite3)
carnet_fuzz(query LAYERS people)
