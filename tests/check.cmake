# SPDX-License-Identifier: EUPL-1.2
# The checks of the sources, one test each; they build nothing.
foreach(check layers headers banned spdx marks shell texts purity self)
  add_test(NAME check_${check} COMMAND ${PROJECT_SOURCE_DIR}/tools/check ${check})
  set_tests_properties(check_${check} PROPERTIES LABELS "quick;check" TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "CARNET_BUILD=${PROJECT_BINARY_DIR}")
endforeach()
